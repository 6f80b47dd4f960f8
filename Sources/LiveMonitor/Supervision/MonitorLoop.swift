internal import LinuxProcess
internal import LinuxSystem
internal import Measurement

/// The monitor child's life: waits for words from its parent, signals, transitions, ticks and the target's end.
final class MonitorLoop {
    private let control: FileDescriptor
    private let inbox: SignalInbox
    private var splitter = LineSplitter()
    private var isControlOpen = true
    private var state: MonitorState?
    private let keys = MonitorKeys()
    private var isOver = false
    /// When the connection broke: the target is given a moment to end as well.
    private var orphanedAt: Int64?
    /// What the pipeline prints, to be shown above the panel.
    private var relays: [LineRelay] = []
    private var staysWithTarget = false
    /// Whether the pipeline waits for the user to type.
    private var isAside = false
    /// When a request to end is heeded, unless the parent says that it was for all.
    private var endsAt: Int64?

    /// How long an orphaned monitor waits for the target's end.
    private static let orphanGrace: Int64 = 1_000_000_000
    /// How long the parent has to say that a request to end was not for the monitor.
    private static let requestGrace: Int64 = 200_000_000

    init(control: consuming FileDescriptor, inbox: consuming SignalInbox) {
        self.control = control
        self.inbox = inbox
    }

    /// Runs until all is over; the exit code.
    func run() -> Int32 {
        while !isOver {
            let watched =
                [
                    inbox.descriptor, isControlOpen ? control.rawValue : -1, state?.statusDescriptor ?? -1,
                    state?.targetDescriptor ?? -1, keys.descriptor, keys.helperDescriptor,
                ] + relays.map(\.descriptor)
            var ready = [Bool](repeating: false, count: watched.count)
            do throws(SystemError) {
                ready = try FileDescriptor.waitUntilReadable(watched, timeout: timeout())
            } catch {
                state?.note("\(error)")
                SystemClock.sleep(for: .milliseconds(20))
            }
            if ready[0] { handleSignals() }
            // Nothing may be drawn after the summary.
            if isOver { break }
            for (relay, isReady) in zip(relays, ready.dropFirst(6)) where isReady { passOn(relay) }
            // The target's end comes before the parent's word of it, so that its last state is still to be read.
            if ready[3] { state?.targetHasEnded() }
            if ready[2] || state?.mustPoll ?? false { state?.readTransitions() }
            if ready[1] { readControl() }
            if isOver { break }
            if let state {
                if ready[4] { keys.read(for: state) }
                if ready[5] { keys.helperHasSpoken(for: state) }
                if isAside { keys.letGo() } else { keys.follow(state) }
            }
            state?.tickIfDue()
            leaveIfAsked()
            leaveIfOrphaned()
        }
        keys.close()
        return 0
    }

    private func timeout() -> Duration? {
        var deadlines: [Int64] = []
        if let wake = state?.nextWake { deadlines.append(wake) }
        if let orphanedAt, !isLeftAlone { deadlines.append(orphanedAt + Self.orphanGrace) }
        if let endsAt { deadlines.append(endsAt) }
        return deadlines.min().map {
            Duration(nanosecondCount: max(0, $0 - SystemClock.monotonicNanoseconds))
        }
    }

    private func handleSignals() {
        while let signal = inbox.nextWithOrigin() {
            if isControlOpen, let report = SignalReport.line(signal) { answer(report) }
            switch signal.number {
            case SignalInbox.terminate:
                endsAt = SystemClock.monotonicNanoseconds + (isControlOpen ? Self.requestGrace : 0)
            case SignalInbox.hangUp: state?.terminalIsGone()
            case SignalInbox.windowChange: state?.redraw()
            case SignalInbox.terminalStop:
                state?.restoreTerminal()
                keys.close()
                CurrentProcess.stop()
                state?.redraw()
            case SignalInbox.interrupt, SignalInbox.quit:
                // Ctrl-C and Ctrl-\ are for the pipeline to decide. If it ends now, the shell gets its terminal as it was.
                keys.release(for: .seconds(1))
            default: break
            }
        }
    }

    private func readControl() {
        var bytes: [UInt8] = []
        do throws(SystemError) {
            bytes = try control.read(upTo: 1 << 14)
        } catch {
            // A connection reset is an end like any other.
            bytes = []
        }
        if bytes.isEmpty {
            isControlOpen = false
            orphanedAt = SystemClock.monotonicNanoseconds
            return
        }
        for line in splitter.take(bytes) where !isOver {
            if let message = ControlMessage.parse(line) { handle(message) }
        }
    }

    private func handle(_ message: ControlMessage) {
        switch message {
        case .configure(let configuration):
            guard state == nil else { return }
            state = MonitorState(configuration)
            staysWithTarget = configuration.staysWithTarget
            relays = configuration.relays.map {
                LineRelay(reading: FileDescriptor(owning: $0), fallback: Terminal.standardError)
            }
        case .observe(let pid):
            let problem = state?.observe(pid: pid) ?? "It has no configuration."
            answer((problem.isEmpty ? MonitorChild.observing : problem) + "\n")
        case .adopt(let pid): state?.adopt(pid: pid)
        case .orphanEnded(let pid, let cpu): state?.orphanHasEnded(pid: pid, cpu: cpu)
        case .say(let text): state?.printAbove(text)
        case .stepAside(let isAside): stepAside(isAside)
        case .stay: endsAt = nil
        case .finish(let exit, let waited):
            finishRelays()
            finishPicture()
            state?.conclude(exit: exit, waited: waited, toParent: control.rawValue)
            isOver = true
        }
    }

    private func answer(_ text: String) {
        do throws(SystemError) {
            try control.send(Array(text.utf8))
        } catch {
            // The parent is gone; the closed connection is noticed next.
            return
        }
    }

    // MARK: What the pipeline prints

    private func passOn(_ relay: LineRelay) {
        if let lines = relay.next() { state?.printAbove(lines) }
        // A question has no end of line, and the user has to answer it.
        if isAside { showUnendedLines() }
    }

    private func showUnendedLines() {
        for relay in relays {
            if let text = relay.last() { state?.printAsItIs(text) }
        }
    }

    private func stepAside(_ isAside: Bool) {
        self.isAside = isAside
        state?.stepAside(isAside)
        guard isAside else { return }
        keys.letGo()
        for relay in relays {
            if let lines = relay.rest() { state?.printAbove(lines) }
        }
        showUnendedLines()
    }

    /// What is left in the pipes; a descendant that lives on may keep them open, and is not waited for.
    private func finishRelays() {
        for relay in relays {
            if let lines = relay.rest() { state?.printAbove(lines) }
            if let line = relay.last() { state?.printAbove(line) }
        }
    }

    /// A flamegraph that was asked for just before the end is of what there was. The parent is asked to wait for it.
    private func finishPicture() {
        guard let state, keys.isDrawing else { return }
        answer(MonitorChild.drawing)
        keys.finishPicture(for: state, within: MonitorChild.pictureTime)
    }

    // MARK: The end

    private func leaveIfAsked() {
        guard !isOver, let endsAt, SystemClock.monotonicNanoseconds >= endsAt else { return }
        // A pipe without a reader ends a process that prints into it. A parent takes over the reading; without one, this
        // process continues.
        if !isControlOpen, state?.isTargetRunning ?? false, relays.contains(where: { $0.descriptor >= 0 }) {
            self.endsAt = nil
            return
        }
        state?.conclude(exit: nil, waited: WaitedUsage(), toParent: nil)
        isOver = true
    }

    /// Whether the monitor is what is left of the tool, and the pipeline goes on.
    private var isLeftAlone: Bool { staysWithTarget && state?.isTargetRunning ?? false }

    /// The parent has gone without a word: it has crashed or been killed, and most often it was the pipeline itself.
    private func leaveIfOrphaned() {
        guard !isOver, let orphanedAt, !isLeftAlone else { return }
        finishRelays()
        if let state, keys.isDrawing { keys.finishPicture(for: state, within: MonitorChild.pictureTime) }
        let isWaiting = SystemClock.monotonicNanoseconds < orphanedAt + Self.orphanGrace
        if isWaiting, state?.isTargetRunning ?? false { return }
        if state?.isTargetRunning ?? false {
            state?.note("The process that started the monitor is gone; the pipeline was still running.")
        }
        state?.conclude(exit: nil, waited: WaitedUsage(), toParent: nil)
        isOver = true
    }
}
