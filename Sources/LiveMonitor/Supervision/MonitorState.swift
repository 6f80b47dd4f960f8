internal import LinuxProcess
internal import LinuxSystem
internal import Measurement
internal import Stages

/// Everything the monitor child holds for one run: the observation, the log, the view and the watch on the status file.
final class MonitorState {
    private let configuration: MonitorConfiguration
    private var view: MonitorView
    private var log: MonitorLog?
    private var logReason = ""
    private var watch: StatusWatch
    private var observation: Observation?
    private var target: ProcessHandle?
    private var hasTargetEnded = false
    private var nextTick: Int64 = 0
    private var throttle = Throttle()
    /// How often the status file was replaced, as far as that was reported.
    private var replacements = 0
    private var hasToldProblem = false
    /// Whether there was a terminal to draw on when the watching began.
    private let hadTerminal: Bool

    /// Whether the pages that only the start needed have been handed back.
    private var isSettled = false
    private static let ticksOfStart = 3

    init(_ configuration: MonitorConfiguration) {
        self.configuration = configuration
        view = MonitorView(configuration)
        hadTerminal = configuration.drawsPanel
        watch = StatusWatch(statusFile: configuration.statusFile)
        log = nil
        target = nil
        if let reason = Self.reasonToLog(configuration) { openLog(reason) }
    }

    // MARK: What the loop waits for

    /// Nil while bursts of transitions are being let pass.
    var statusDescriptor: Int32? {
        observation == nil || throttle.isHolding ? nil : watch.descriptor
    }
    var targetDescriptor: Int32? {
        switch target {
        case .some(let target): hasTargetEnded ? nil : target.descriptor
        case .none: nil
        }
    }
    /// Whether the status file has to be looked at without a notification.
    var mustPoll: Bool { observation != nil && watch.descriptor == nil }
    var isTargetRunning: Bool { observation != nil && !hasTargetEnded }

    /// The moment at which something is to be done, nil when nothing is.
    var nextWake: Int64? {
        guard isTargetRunning else { return nil }
        var wake = nextTick
        if mustPoll || observation?.awaitsExec ?? false {
            wake = min(wake, SystemClock.monotonicNanoseconds + StatusWatch.pollingInterval.inNanoseconds)
        }
        return throttle.heldUntil.map { min(wake, $0) } ?? wake
    }

    // MARK: What happens

    /// Begins to watch a process: what is wrong, or an empty text.
    func observe(pid: Int32) -> String {
        guard observation == nil else { return "It watches another process already." }
        let handle: ProcessHandle
        do throws(SystemError) {
            handle = try ProcessHandle(pid: pid)
        } catch {
            return error.description
        }
        let excluded: Set<Int32> = [CurrentProcess.pid]
        guard
            let begun = Observation(pid: pid, excluding: excluded, configuration: configuration)
        else {
            return "There is no process \(pid)."
        }
        observation = begun
        target = consume handle
        nextTick = begun.startedAt
        if let problem = watch.problem {
            note("The status file is looked at every 20 ms, because it cannot be watched. \(problem)")
        }
        return ""
    }

    /// Watches a process of the run that has lost its parent.
    func adopt(pid: Int32) { observation?.adopt(pid: pid) }

    /// Takes in what such a process used that has ended.
    func orphanHasEnded(pid: Int32, cpu: Duration) { observation?.orphanHasEnded(pid: pid, cpu: cpu) }

    /// Takes in what the pipeline has reported.
    func readTransitions() {
        guard observation != nil, !throttle.isHolding else { return }
        let news = watch.news()
        replacements += news.replacements
        let hasTransitions = news.isRelevant && observation?.readTransitions() ?? false
        if let feed = observation?.feed, feed.source != nil { watch.settle(on: feed.location.statusFile) }
        guard hasTransitions else { return }
        // The status file holds one state. One that is overwritten unread is lost, so reading it is never delayed.
        if observation?.feed.source == .eventTrace { throttle.count() }
        publish(looking: false)
    }

    func tickIfDue() {
        guard isTargetRunning else { return }
        if throttle.expire() { readTransitions() }
        let now = SystemClock.monotonicNanoseconds
        if now < nextTick {
            // The memory of a command is looked at as soon as it is its own.
            if observation?.awaitsExec ?? false { observation?.look() }
            return
        }
        let interval = configuration.interval.inNanoseconds
        // An absolute schedule; ticks that were slept through are left out, not made up for.
        nextTick += ((now - nextTick) / interval + 1) * interval
        noticeLostTerminal()
        // A wake-up may have been lost with a directory; looking costs little.
        let hasLooked = observation?.readTransitions() ?? false
        publish(looking: !hasLooked, isTick: true)
        // By now all has been done once that is done again and again.
        if !isSettled, observation?.ticks ?? 0 >= Self.ticksOfStart {
            isSettled = true
            ResidentPages.handBack()
        }
    }

    func targetHasEnded() {
        guard !hasTargetEnded else { return }
        observation?.targetHasEnded(at: SystemClock.monotonicNanoseconds)
        hasTargetEnded = true
    }

    func terminalIsGone() {
        view.abandon()
        if log == nil, configuration.logging != .never { openLog("the terminal is gone") }
    }

    /// A terminal that is closed under a session's leader sends no signal to the others: it is looked at.
    private func noticeLostTerminal() {
        guard hadTerminal, log == nil else { return }
        if view.hasLostTerminal || !Terminal.isTerminal(Terminal.standardError) { terminalIsGone() }
    }

    func redraw() {
        guard let observation else { return }
        view.show(observation.currentTick(), observation, logPath: shownLogPath, problem: problem)
    }

    func restoreTerminal() {
        view.suspend()
    }

    // MARK: Keys

    var isPanelLive: Bool { view.isPanelLive && observation != nil }
    var targetPID: Int32? { isTargetRunning ? observation?.pid : nil }
    var flamegraphDirectory: String {
        let base = configuration.flamegraphDirectory ?? Files.directory(of: configuration.statusFile)
        return configuration.createsDirectories ? base + "/debug" : base
    }
    /// The directory `debug` is in the pipeline's, which may be another user's; one that was named is where it is wanted.
    func makeFlamegraphDirectory() throws(SystemError) {
        if configuration.createsDirectories {
            try Files.createOwnDirectory(flamegraphDirectory)
        } else {
            try Files.createDirectories(flamegraphDirectory)
        }
    }
    var statusFile: String { configuration.statusFile }
    var flamegraphProgram: String? { configuration.flamegraphProgram }
    var wantsKeys: Bool { configuration.readsKeys && isPanelLive }

    /// Prints lines above the panel.
    func printAbove(_ text: String) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        view.printAbove(lines.map { TerminalLine.shown(String($0)) }.joined(separator: "\r\n"))
    }
    /// Prints text that is no whole line.
    func printAsItIs(_ text: String) { view.printAsItIs(text) }
    func stepAside(_ isAside: Bool) {
        view.stepAside(isAside)
        if !isAside { redraw() }
    }
    func togglePause() { view.togglePause() }
    func toggleProcesses() {
        view.toggleProcesses()
        redraw()
    }
    func detach() { view.detach() }
    /// Shows a line below the panel until the next one.
    func remark(_ text: String?) {
        view.remark = text
        redraw()
    }

    func note(_ sentence: String) {
        observation?.note(sentence)
    }

    /// Closes the account, writes the summary and the report, gives the terminal back.
    ///
    /// - Parameters:
    ///   - exit: How the run ended, as who waited for it knows; nil to ask the kernel.
    ///   - waited: What the run used, as who waited for it knows.
    ///   - parent: Where the report is sent, nil when there is no parent to read it.
    func conclude(exit: ExitStatus?, waited: WaitedUsage, toParent parent: Int32?) {
        guard observation != nil else {
            view.restore()
            return
        }
        noticeLostTerminal()
        if !hasTargetEnded, hasEndedNow() { targetHasEnded() }
        observation?.conclude(waited)
        noteMergedReplacements()
        let status: Reading<ExitStatus> =
            if let exit {
                .value(exit)
            } else if hasTargetEnded {
                exitStatusOfTarget()
            } else {
                .unavailable(reason: "the pipeline had not ended when the monitor did")
            }
        guard
            var report = observation?.report(
                name: configuration.name, exit: status, log: log?.account)
        else { return }
        for line in LogText.summary(report) { log?.append(line) }
        log?.finish(isOrphaned: parent == nil)
        report.log = log?.account
        if let problem = log?.problem { report.notes.append(problem) }
        let reportProblem = writeReportFile(report)
        view.finish(report, problem: reportProblem ?? problem)
        if let parent { send(report, to: parent) }
    }

    // MARK: Parts

    /// Two hundred transitions at once have a line each, and then five a second.
    private var logBudget = LineBudget(burst: 200, perSecond: 5)

    private func publish(looking: Bool, isTick: Bool = false) {
        guard let tick = observation?.tick(looking: looking) else { return }
        // A tick always has its line; transitions may come by the thousand.
        if log != nil, isTick || logBudget.take(at: tick.elapsed) {
            log?.append(LogText.line(tick, folded: logBudget.takeFolded()))
        }
        if let problem, !hasToldProblem {
            hasToldProblem = true
            note(problem)
            view.say(problem)
        }
        guard let observation else { return }
        view.show(tick, observation, logPath: shownLogPath, problem: problem, isTick: isTick)
    }

    private var problem: String? { log?.problem }
    private var shownLogPath: String? { log?.path }

    private static func reasonToLog(_ configuration: MonitorConfiguration) -> String? {
        switch configuration.logging {
        case .never: return nil
        case .always: return "asked for"
        case .automatic:
            let variable = "PODCAST_SCRAPER_MONITOR_FILE_LOG"
            if CurrentProcess.isSwitchedOn(variable) { return "forced by \(variable)" }
            return Terminal.isTerminal(Terminal.standardError) ? nil : "stderr is not a terminal"
        }
    }

    private func openLog(_ reason: String) {
        let opened = MonitorLog(
            path: configuration.logFile, createsDirectory: configuration.createsDirectories)
        opened.append(LogText.header(name: configuration.name, reason: reason, start: SystemClock.now))
        log = opened
    }

    private func hasEndedNow() -> Bool {
        do throws(SystemError) {
            switch target {
            case .some(let target): return try target.hasEnded()
            case .none: return false
            }
        } catch {
            return false
        }
    }

    private func exitStatusOfTarget() -> Reading<ExitStatus> {
        switch target {
        case .some(let target): target.exitStatus()
        case .none: .unavailable(reason: "there was no process")
        }
    }

    private func noteMergedReplacements() {
        guard let feed = observation?.feed, feed.source == .statusFile, replacements > feed.filesRead else {
            return
        }
        note(
            "The status file was replaced \(replacements - feed.filesRead) times faster than it could be read; "
                + "a stage that began and ended in between is missing.")
    }

    /// A sentence when it could not be written.
    private func writeReportFile(_ report: MonitorReport) -> String? {
        guard let path = configuration.reportFile else { return nil }
        do throws(SystemError) {
            try Files.createDirectories(Files.directory(of: path))
            try Files.replace(path) { (file) throws(SystemError) in
                var failure: SystemError?
                report.writeJSON { piece in
                    guard failure == nil else { return }
                    do throws(SystemError) {
                        try file.write(Array(piece.utf8))
                    } catch {
                        failure = error
                    }
                }
                if let failure { throw failure }
            }
            return nil
        } catch {
            return "The monitor's report is lost. \(error)"
        }
    }

    private func send(_ report: MonitorReport, to parent: Int32) {
        var isBroken = false
        report.writeJSON { piece in
            guard !isBroken else { return }
            do throws(SystemError) {
                try FileDescriptor.write(Array(piece.utf8), to: parent)
            } catch {
                // The parent has gone or given up; the log has the summary.
                isBroken = true
            }
        }
    }
}

/// Keeps the monitor from being busier than the pipeline: after a hundred wake-ups within a second the next ones are
/// ten milliseconds apart. The event trace keeps what comes meanwhile.
struct Throttle {
    private var windowStart: Int64 = 0
    private var countInWindow = 0
    private(set) var heldUntil: Int64?

    private static let mostPerSecond = 100
    private static let pause: Int64 = 10_000_000

    var isHolding: Bool { heldUntil != nil }

    mutating func count() {
        let now = SystemClock.monotonicNanoseconds
        if now - windowStart > 1_000_000_000 { (windowStart, countInWindow) = (now, 0) }
        countInWindow += 1
        if countInWindow > Self.mostPerSecond { heldUntil = now + Self.pause }
    }

    /// Ends a pause that is over; true when there was one.
    mutating func expire() -> Bool {
        guard let heldUntil, SystemClock.monotonicNanoseconds >= heldUntil else { return false }
        self.heldUntil = nil
        return true
    }
}
