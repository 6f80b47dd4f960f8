internal import LinuxProcess
internal import LinuxSystem
internal import Measurement
internal import Stages

/// What is shown on standard error: the panel, or plain lines, or nothing.
struct MonitorView: ~Copyable {
    private let configuration: MonitorConfiguration
    private let style: PanelStyle
    private var drawsPanel: Bool
    private var plain: PlainProgress?
    private var writer = PanelWriter()
    private var pace = EpisodePace()
    private var residentHistory: [Double] = []
    private var cpuHistory: [Double] = []
    private var diskHistory: [Double] = []
    private var showsProcesses = true
    private var busy: [BusyProcess] = []
    /// The most processes there have been of late, and for how many ticks there has been one only.
    private var processLines = 0
    private var ticksAlone = 0
    /// What is on the screen, for when a line is printed above it.
    private var lastState: PanelState?
    /// A line of the monitor's own below the panel: the keys, or what a key has done.
    var remark: String?
    /// While set the panel stands still.
    private(set) var isPaused = false
    /// Whether there is a panel that keys could be meant for.
    var isPanelLive: Bool { drawsPanel && !isLost }
    /// Whether the terminal refused to be written to.
    var hasLostTerminal: Bool { drawsPanel && isLost }
    /// Set while the user types what the pipeline has asked for.
    private var isAside = false
    /// Set once the terminal is gone: nothing more is written to it.
    private var isLost = false

    private static let longestHistory = 240
    private static let mostProcesses = 5
    private static let patience = 20
    private static let terminal = Terminal.standardError

    init(_ configuration: MonitorConfiguration) {
        self.configuration = configuration
        style = .fromEnvironment(CurrentProcess.environmentVariable)
        drawsPanel = configuration.drawsPanel
        plain =
            configuration.writesPlainLines && !drawsPanel
            ? PlainProgress(interval: configuration.plainInterval) : nil
    }

    /// Shows a tick.
    mutating func show(
        _ tick: Tick, _ observation: borrowing Observation, logPath: String?, problem: String?,
        isTick: Bool = false
    ) {
        remember(tick)
        if let line = plain?.line(tick) { write(Array((line + "\n").utf8)) }
        guard drawsPanel, !isPaused, !isAside, Terminal.isForeground(Self.terminal) else { return }
        let size = Terminal.size(Self.terminal)
        var state = PanelState(
            name: configuration.name, pid: tick.pid, elapsed: tick.elapsed,
            open: Self.open(in: observation), episode: tick.episode,
            remaining: pace.remaining(tick.episode, elapsed: tick.elapsed), resident: tick.resident,
            peak: tick.peak, cpuPercent: tick.cpuPercent)
        state.residentHistory = residentHistory
        state.cpuHistory = cpuHistory
        state.diskHistory = diskHistory
        (state.diskRead, state.diskWritten, state.diskRate) = (tick.diskRead, tick.diskWritten, tick.diskRate)
        state.isHeapCaptured = tick.isHeapCaptured
        if isTick { busy = observation.busiest(Self.mostProcesses) }
        followProcesses(tick.processCount, isTick: isTick)
        if showsProcesses, processLines > 0 {
            state.processCount = tick.processCount
            // Between two ticks the lines stay as they are.
            state.processes = busy
            state.processLines = processLines
        }
        state.finished = Self.finished(in: observation)
        state.logPath = logPath
        state.problem = problem
        state.remark = remark
        lastState = state
        write(writer.frame(PanelFrame.render(state, size: size, style: style), size: size))
    }

    /// Shows a sentence that stays.
    mutating func say(_ sentence: String) {
        restore()
        guard drawsPanel || configuration.writesPlainLines else { return }
        write(Array((PlainText.sanitized(sentence) + "\n").utf8))
    }

    /// Prints a line of the pipeline or of the caller, whole, above the panel.
    mutating func printAbove(_ line: String) {
        guard drawsPanel, Terminal.isForeground(Self.terminal), let state = lastState, !isPaused,
            !isAside
        else {
            write(Array((line + "\r\n").utf8))
            return
        }
        let size = Terminal.size(Self.terminal)
        write(writer.frame(PanelFrame.render(state, size: size, style: style), size: size, above: line))
    }

    /// Prints text where the cursor is.
    mutating func printAsItIs(_ text: String) {
        write(Array(TerminalLine.shown(text).utf8))
    }

    /// Takes the panel away while the user types, or draws it again from the next frame on.
    mutating func stepAside(_ isAside: Bool) {
        if isAside { restore() }
        self.isAside = isAside
    }

    /// Stops drawing, or goes on; a panel that stands still stays on the screen as text.
    mutating func togglePause() {
        isPaused.toggle()
        guard drawsPanel, isPaused, Terminal.isForeground(Self.terminal) else { return }
        write(writer.restore(size: Terminal.size(Self.terminal), erasing: false))
        write(Array("paused; p goes on\r\n".utf8))
    }

    /// Shows the busiest processes, or hides them.
    mutating func toggleProcesses() { showsProcesses.toggle() }

    /// Takes the panel away for good; the log and the report go on.
    mutating func detach() {
        restore()
        drawsPanel = false
        isPaused = false
    }

    /// Takes the panel away and leaves the summary.
    mutating func finish(_ report: MonitorReport, problem: String?) {
        restore()
        guard drawsPanel || configuration.writesPlainLines else { return }
        let width = drawsPanel ? max(1, Terminal.size(Self.terminal).columns - 1) : 100
        var endings: [String] = []
        if let ending = LogText.ending(report), report.exit.value != .code(0) { endings.append(ending) }
        if let problem { endings.append(problem) }
        let style = drawsPanel ? style : PanelStyle(usesColor: false, usesUTF8: false, usesCodes: false)
        let lines = PanelFrame.summary(
            name: report.name, rows: report.stages.map { Self.row($0) }, total: Self.totalRow(report),
            endings: endings, width: width, style: style)
        write(Array(lines.map { $0 + "\n" }.joined().utf8))
    }

    /// Gives the terminal back: the panel gone, the cursor visible.
    mutating func restore() {
        guard drawsPanel else { return }
        // After Ctrl-Z the shell may have the terminal already: then nothing is erased under its hands.
        let isOurs = Terminal.isForeground(Self.terminal)
        write(writer.restore(size: Terminal.size(Self.terminal), erasing: isOurs))
    }

    /// What the parent does when the monitor was killed and could not do it: the cursor is made visible again.
    static func restoreAfterLoss(_ configuration: MonitorConfiguration) {
        guard configuration.drawsPanel else { return }
        do throws(SystemError) {
            try FileDescriptor.write("\u{1B}[?2026l\u{1B}[0m\u{1B}[?25h", to: terminal)
        } catch {
            // A terminal that cannot be written has no cursor to care for.
            return
        }
    }

    /// Gives the terminal back before a stop. The shell may have it already: then its lines are not touched, neither
    /// now nor when the panel is drawn again.
    mutating func suspend() {
        guard drawsPanel else { return }
        let size = Terminal.size(Self.terminal)
        write(writer.restore(size: size, erasing: Terminal.isForeground(Self.terminal)))
    }

    /// The terminal is gone, or the user has left it.
    mutating func abandon() {
        isLost = true
    }

    private mutating func followProcesses(_ count: Int, isTick: Bool) {
        if count > 1 {
            processLines = max(processLines, min(count, Self.mostProcesses))
            ticksAlone = 0
        } else if isTick {
            ticksAlone += 1
            if ticksAlone > Self.patience { processLines = 0 }
        }
    }

    private mutating func remember(_ tick: Tick) {
        pace.update(tick.episode, elapsed: tick.elapsed)
        if let resident = tick.resident.value { residentHistory.append(resident.mebibytes) }
        if let percent = tick.cpuPercent.value { cpuHistory.append(percent) }
        if let rate = tick.diskRate.value { diskHistory.append(rate) }
        if diskHistory.count > Self.longestHistory { diskHistory.removeFirst() }
        if residentHistory.count > Self.longestHistory { residentHistory.removeFirst() }
        if cpuHistory.count > Self.longestHistory { cpuHistory.removeFirst() }
    }

    private mutating func write(_ bytes: [UInt8]) {
        guard !isLost, !bytes.isEmpty else { return }
        do throws(SystemError) {
            try FileDescriptor.write(bytes, to: Self.terminal)
        } catch {
            // A closed pipe or terminal: the log and the report go on without a view.
            isLost = true
        }
    }

    private static func open(in observation: borrowing Observation) -> [PanelState.Open] {
        let now = SystemClock.monotonicNanoseconds
        return observation.openStages.compactMap { name in
            observation.ledger.clock.index(of: name).flatMap {
                observation.ledger.clock.stages[$0].activeSince
            }.map {
                PanelState.Open(name: name, elapsed: Duration(nanosecondCount: max(0, now - $0)))
            }
        }
    }

    private static func finished(in observation: borrowing Observation) -> [PanelState.Row] {
        zip(observation.ledger.clock.stages, observation.ledger.meters).filter {
            $0.0.activeSince == nil
        }.map { stage, meters in
            let wall = Duration(nanosecondCount: stage.wall)
            let cpu = meters.cpu.map { Duration(nanosecondCount: $0) }
            return PanelState.Row(
                name: stage.name.text, wall: .value(wall), cpu: cpu,
                peak: meters.peak.map { .value($0.size) } ?? .unavailable(reason: "it was not read"),
                averageCPU: averagePercent(cpu, of: wall), isShared: stage.isShared)
        }
    }

    private static func row(_ stage: MonitorReport.Stage) -> PanelState.Row {
        PanelState.Row(
            name: stage.name.text, wall: stage.wall, cpu: stage.cpu, peak: stage.peakResident,
            averageCPU: stage.averageCPUPercent, isShared: stage.isShared)
    }

    private static func totalRow(_ report: MonitorReport) -> PanelState.Row {
        let totals = report.totals
        return PanelState.Row(
            name: "total", wall: totals.wall, cpu: totals.cpu, peak: totals.peakResident,
            averageCPU: totals.averageCPUPercent)
    }
}
