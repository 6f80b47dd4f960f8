internal import LinuxProcess
internal import LinuxSystem
internal import Measurement

/// Waits for a command beside its monitor: passes signals on, keeps the monitor out of the way while the user types,
/// and takes over the monitor's work when the monitor is gone.
final class CommandWait {
    /// A child to be handed about together with other things.
    final class Box {
        var child: ChildProcess
        init(_ child: consuming ChildProcess) { self.child = child }
    }

    private let box: Box
    /// Processes of the command that have lost their parents; nil where the kernel does not give them to us.
    private let orphans: AdoptedProcesses?
    let session: MonitorSession?
    /// Read ends of the command's pipes. While the monitor lives it reads them, not we.
    private let relays: [LineRelay]
    /// The terminal from which the monitor reads keys; nil when it reads none.
    private let terminal: String?
    /// Our end of the terminal that the command prints to, which has the size of the real one; -1 for none.
    var resized: Int32 = -1
    private var isMonitorThere: Bool
    private var isAside = false
    /// Signals to us that wait for the monitor's word whether they were for all.
    private var pending: [(signal: SignalInbox.Received, deadline: Int64)] = []
    /// Signals that the monitor has got, of which we have not heard yet.
    private var reported: [(signal: SignalInbox.Received, deadline: Int64)] = []
    private var hang = HangDetector()
    private var readers: [Int32] = []
    private var readersExpire: Int64 = 0

    /// How long the monitor has to say that it got a signal too.
    private static let reportTime: Int64 = 150_000_000
    private static let glance = Duration.milliseconds(250)
    private static let mostReaders = 32
    private static let shortPause: Int64 = 1_000_000_000
    private static let longPause: Int64 = 30_000_000_000

    init(
        _ box: Box, _ session: MonitorSession?, orphans: AdoptedProcesses?, relays: [LineRelay],
        terminal: String?
    ) {
        self.box = box
        self.orphans = orphans
        self.session = session
        self.relays = relays
        self.terminal = terminal
        isMonitorThere = session != nil
    }

    /// Waits for the command's end.
    func waitForEnd(_ inbox: borrowing SignalInbox) throws(SystemError) -> ChildProcess.Outcome {
        while true {
            let watched =
                [box.child.pidfd, inbox.descriptor, isMonitorThere ? session?.descriptor ?? -1 : -1]
                + (isMonitorThere ? [] : relays.map(\.descriptor))
            let ready = try FileDescriptor.waitUntilReadable(watched, timeout: timeout)
            while let signal = inbox.nextWithOrigin() { receive(signal) }
            if ready[2] { hear() }
            forwardExpired()
            if !isMonitorThere {
                for (relay, isReady) in zip(relays, ready.dropFirst(3)) where isReady {
                    pass(relay.next(), relay)
                }
            }
            if isMonitorThere, !relays.isEmpty { look() }
            for news in orphans?.look() ?? [] { session?.adopt(news) }
            if ready[0], var outcome = try box.child.wait(timeout: .zero) {
                if let orphans { outcome.add(orphans.account()) }
                return outcome
            }
        }
    }

    /// Processes of the command that have outlived it.
    var leftBehind: [AdoptedProcesses.Name] { orphans?.living() ?? [] }

    /// Prints what the monitor has left in the pipes, if it is gone.
    func passRest() {
        for relay in relays {
            pass(relay.rest(), relay)
            pass(relay.last(), relay)
        }
    }

    private var timeout: Duration? {
        // A monitor that prints or reads for the command can be in its way, and processes may lose their parents.
        let glance = isMonitorThere && (!relays.isEmpty || orphans != nil) ? Self.glance : nil
        guard let deadline = pending.map(\.deadline).min() else { return glance }
        let left = Duration(nanosecondCount: max(0, deadline - SystemClock.monotonicNanoseconds))
        return min(left, glance ?? left)
    }

    // MARK: Signals

    private func receive(_ signal: SignalInbox.Received) {
        if signal.number == SignalInbox.windowChange { return resize() }
        // What the kernel sends, as for Ctrl-C, it sends to the whole group.
        guard signal.sender != nil else { return }
        guard isMonitorThere else { return box.child.send(signal.number) }
        let now = SystemClock.monotonicNanoseconds
        reported.removeAll { $0.deadline < now }
        if let index = reported.firstIndex(where: { $0.signal == signal }) {
            reported.remove(at: index)
            session?.tell(.stay)
        } else {
            pending.append((signal, now + Self.reportTime))
        }
    }

    /// The command heard of the real terminal's new size when we did, and may have asked its own for it too early.
    private func resize() {
        guard resized >= 0, relays.contains(where: { $0.isOpen }) else { return }
        PseudoTerminal.resize(resized, to: Terminal.size(Terminal.standardError))
        box.child.send(SignalInbox.windowChange)
    }

    /// Hears what the monitor says: it has got a signal too, or it is gone.
    private func hear() {
        guard let signals = session?.reportedSignals() else {
            isMonitorThere = false
            session?.giveUp()
            return
        }
        for signal in signals {
            if let index = pending.firstIndex(where: { $0.signal == signal }) {
                pending.remove(at: index)
                session?.tell(.stay)
            } else {
                reported.append((signal, SystemClock.monotonicNanoseconds + Self.reportTime))
            }
        }
    }

    private func forwardExpired() {
        let now = SystemClock.monotonicNanoseconds
        for (signal, deadline) in pending where deadline <= now || !isMonitorThere {
            box.child.send(signal.number)
        }
        pending.removeAll { $0.deadline <= now || !isMonitorThere }
    }

    // MARK: The terminal

    /// Looks whether the monitor does its work, and whether the command waits for the user to type.
    private func look() {
        if let session, hang.isHanging(relays.contains(where: \.hasInput), monitor: session.monitorPID) {
            isMonitorThere = false
            session.giveUp()
            return
        }
        guard let terminal else { return }
        let isWaiting = possibleReaders.contains { TerminalReader.isWaiting($0, at: terminal) ?? false }
        guard isWaiting != isAside else { return }
        isAside = isWaiting
        session?.tell(.stepAside(isWaiting))
    }

    /// The command and its descendants, looked for now and then. Of a command that has started many processes only the
    /// first one is expected to ask anything.
    private var possibleReaders: [Int32] {
        let now = SystemClock.monotonicNanoseconds
        if now >= readersExpire {
            readers = ProcessTree.processes(from: box.child.pid)
            readersExpire = now + (readers.count > Self.mostReaders ? Self.longPause : Self.shortPause)
            if readers.count > Self.mostReaders { readers = [box.child.pid] }
        }
        return readers
    }

    private func pass(_ lines: String?, _ relay: LineRelay) {
        guard let lines else { return }
        do throws(SystemError) {
            try FileDescriptor.write(lines + "\n", to: relay.fallback)
        } catch {
            // The terminal is gone; the pipeline goes on.
            return
        }
    }
}

/// Distinguishes a monitor that hangs from one that is busy: lines wait for it, and its CPU clock stands still.
struct HangDetector {
    private var since: Int64?
    private var cpu: Duration?

    /// How long that may last.
    private static let patience: Int64 = 2_000_000_000

    mutating func isHanging(_ hasInput: Bool, monitor: Int32) -> Bool {
        let now = SystemClock.monotonicNanoseconds
        let cpu = ProcessClock.cpu(of: monitor)
        defer { self.cpu = cpu }
        guard hasInput, cpu == self.cpu else {
            since = nil
            return false
        }
        guard let since else {
            self.since = now
            return false
        }
        return now - since > Self.patience
    }
}
