public import LinuxProcess
public import LinuxSystem
public import Measurement
internal import Synchronization

/// Why there is no monitor, or no report of it. The run itself goes on in every case.
public enum MonitorError: Error, Equatable, CustomStringConvertible {
    /// The monitor's process could not be started.
    case cannotStart(SpawnError)
    /// A system call failed.
    case system(SystemError)
    /// The monitor cannot watch that process.
    case refused(String)
    /// The monitor has ended before it was asked to.
    case ended(String)
    /// The monitor did not answer in time.
    case noAnswer(Duration)
    /// The monitor's answer could not be read.
    case unreadableReport
    /// The session is over.
    case alreadyFinished

    /// Sentences that say what is lost.
    public var description: String {
        switch self {
        case .cannotStart(let error): "The run is not monitored. \(error)"
        case .system(let error): "The run is not monitored. \(error)"
        case .refused(let reason): "The run is not monitored. \(reason)"
        case .ended(let how):
            "The monitor \(how) before the run was over, so there is no report of the stages. "
                + "What it had logged until then is in its log."
        case .noAnswer(let time):
            "The monitor did not answer within \(time.readable) and was ended, so there is no report of the stages."
        case .unreadableReport:
            "The monitor's report could not be read, so there are no numbers of the stages."
        case .alreadyFinished: "The monitor has been finished before; its report was handed out then."
        }
    }
}

/// A monitor in a process of its own, seen from the process that started it.
///
/// The monitor may die at any time without disturbing this process: nothing here blocks longer than it says, and a
/// broken connection is an error, not a signal. When this process dies instead, the monitor notices, writes its
/// summary with the exit status, and leaves.
public final class MonitorSession: Sendable {
    private final class Running {
        let control: FileDescriptor
        var child: ChildProcess
        /// The keyboard's modes before the monitor took it; nil when it does not.
        let modes: TerminalModes?
        /// Set once something could not be said whole.
        var isMute = false
        var splitter = LineSplitter(limit: 4096)

        init(
            control: consuming FileDescriptor, child: consuming ChildProcess, modes: TerminalModes?
        ) {
            self.modes = modes
            self.control = control
            self.child = child
        }
    }

    private let configuration: MonitorConfiguration
    private let running: Mutex<Running?>

    /// The monitor's process identifier.
    public let monitorPID: Int32

    private init(_ configuration: MonitorConfiguration, _ running: sending Running) {
        self.configuration = configuration
        monitorPID = running.child.pid
        self.running = Mutex(running)
    }

    deinit {
        // A caller that drops the session unfinished does not want the report, but still the whole log.
        do throws(MonitorError) {
            _ = try finish(timeout: .seconds(2))
        } catch {
            return
        }
    }

    /// Starts the monitor: this executable once more, which has to call `MonitorChild.runIfRequested` first in main.
    ///
    /// - Parameter configuration: What to do; it is passed on a descriptor, not on the command line.
    public static func start(_ configuration: MonitorConfiguration) throws(MonitorError) -> MonitorSession {
        let pair: SocketPair
        do throws(SystemError) {
            pair = try SocketPair()
        } catch {
            throw .system(error)
        }
        let theirs = pair.second.rawValue
        var request = ChildRequest(["/proc/self/exe", MonitorChild.argument, "\(theirs)"])
        request.standardInput = configuration.readsKeys ? .inherited : .null
        request.standardOutput = .null
        request.inheritedDescriptors = [theirs] + configuration.relays
        let modes = configuration.readsKeys ? keyboardModes() : nil
        let child: ChildProcess
        do throws(SpawnError) {
            child = try ChildProcess.start(request)
        } catch {
            throw .cannotStart(error)
        }
        let control = pair.takeFirst()
        do throws(SystemError) {
            // A monitor that hangs must not make the pipeline hang.
            try control.limitSending(to: .seconds(2))
            try control.send(Array(ControlMessage.configure(configuration).line.utf8))
        } catch {
            throw .system(error)
        }
        return MonitorSession(configuration, Running(control: control, child: child, modes: modes))
    }

    private static func keyboardModes() -> TerminalModes? {
        do throws(SystemError) {
            return try TerminalModes(of: Terminal.standardInput)
        } catch {
            // What cannot be read cannot be changed by the monitor either.
            return nil
        }
    }

    /// Says which process is the run. Returns once the monitor watches it.
    ///
    /// A command is best started suspended (`SuspendedChild`), observed, and then released: so nothing of it is missed.
    ///
    /// - Parameters:
    ///   - pid: A process of ours, or this one itself; the monitor never counts itself.
    ///   - timeout: How long to wait for the monitor's word.
    public func observe(pid: Int32, timeout: Duration = .seconds(5)) throws(MonitorError) {
        let answer = try running.withLock { (running) throws(MonitorError) -> [UInt8] in
            guard running != nil else { throw .alreadyFinished }
            do throws(SystemError) {
                try running?.control.send(Array(ControlMessage.observe(pid: pid).line.utf8))
                return try running?.control.readLine(within: timeout) ?? []
            } catch {
                throw .ended("ended")
            }
        }
        if answer.isEmpty { throw .noAnswer(timeout) }
        let text = String(decoding: answer, as: UTF8.self)
        if text != MonitorChild.observing { throw .refused(PlainText.sanitized(text)) }
    }

    /// Has the monitor watch this process: what a pipeline does that monitors itself.
    public func observeThisProcess() throws(MonitorError) {
        try observe(pid: CurrentProcess.pid)
    }

    /// Says that a process of the run has lost its parent, and belongs to the run all the same, or that such a one has ended. A
    /// monitor that is gone is noticed elsewhere.
    public func adopt(_ news: AdoptedProcesses.News) {
        switch news {
        case .new(let pid): tell(.adopt(pid: pid))
        case .ended(let pid, let cpu): tell(.orphanEnded(pid: pid, cpu: cpu))
        }
    }

    /// Has the monitor print a line above its panel. False when there is no monitor any more to do so.
    @discardableResult
    public func say(_ line: String) -> Bool {
        running.withLock { running in
            guard let current = running, !current.isMute else { return false }
            do throws(SystemError) {
                try current.control.send(Array(ControlMessage.say(line).line.utf8))
                return true
            } catch {
                // Half a message may have gone: whatever followed it could not be distinguished.
                current.isMute = true
                return false
            }
        }
    }

    /// Readable when the monitor has something to say, or is gone; -1 when the session is over.
    var descriptor: Int32 { running.withLock { $0?.control.rawValue ?? -1 } }

    /// The signals that the monitor has got since the last call; nil when it is gone. Call it when the descriptor is
    /// readable.
    func reportedSignals() -> [SignalInbox.Received]? {
        running.withLock { running in
            guard let current = running else { return nil }
            do throws(SystemError) {
                let bytes = try current.control.read(upTo: 4096)
                if bytes.isEmpty { return nil }
                return current.splitter.take(bytes).compactMap { SignalReport.parse($0) }
            } catch {
                return nil
            }
        }
    }

    /// Says something else to the monitor; one that is gone is noticed elsewhere.
    func tell(_ message: ControlMessage) {
        running.withLock { running in
            guard let current = running, !current.isMute else { return }
            do throws(SystemError) {
                try current.control.send(Array(message.line.utf8))
            } catch {
                current.isMute = true
            }
        }
    }

    /// Ends a monitor that hangs, and gives the terminal back in its place. `finish` then reports that it is gone.
    func giveUp() {
        running.withLock { running in
            running?.child.send(SignalInbox.kill)
            running?.modes?.restore(to: Terminal.standardInput)
        }
        MonitorView.restoreAfterLoss(configuration)
    }

    /// Ends the monitor and takes its report.
    ///
    /// - Parameters:
    ///   - exit: How the run ended; nil when it has not (a pipeline that monitors itself), or the kernel shall be asked.
    ///   - cpu: What `wait4` reported of the run's CPU time, which includes what came after the monitor's last look.
    ///   - peak: What `wait4` reported of its peak memory: the only word on what came after the monitor's last look.
    ///   - usage: What `wait4` reported of the rest, likewise.
    ///   - endedAt: When it was over, CLOCK_MONOTONIC in nanoseconds, where the caller knows better than the monitor.
    ///   - timeout: How long to wait for the monitor, which is ended after that.
    public func finish(
        exit: ExitStatus? = nil, cpu: Duration? = nil, peak: ByteCount? = nil,
        usage: ChildProcess.Usage? = nil, endedAt: Int64? = nil, timeout: Duration = .seconds(5)
    ) throws(MonitorError) -> MonitorReport {
        guard let running = running.withLock({ $0.take() }) else { throw .alreadyFinished }
        let message = ControlMessage.finish(
            exit: exit, waited: WaitedUsage(cpu: cpu, peak: peak, usage: usage, ended: endedAt))
        let deadline = SystemClock.monotonicNanoseconds + timeout.inNanoseconds
        var bytes: [UInt8] = []
        var isComplete = false
        do throws(SystemError) {
            try running.control.send(Array(message.line.utf8))
            isComplete = try running.control.readToEnd(into: &bytes, until: deadline)
            // The monitor still draws the picture that the user asked for by a key.
            if !isComplete, bytes.ends(withLine: MonitorChild.drawing) {
                let later = SystemClock.monotonicNanoseconds + MonitorChild.pictureTime.inNanoseconds
                isComplete = try running.control.readToEnd(into: &bytes, until: later)
            }
        } catch {
            // The connection broke: the monitor has ended, and how is found out below.
            isComplete = true
        }
        let status: ExitStatus
        do throws(SystemError) {
            if isComplete, let ended = try running.child.wait(timeout: .seconds(1)) {
                status = ended.status
            } else {
                status = try running.child.terminate(grace: .milliseconds(200)).status
            }
        } catch {
            throw .system(error)
        }
        if case .signal = status { MonitorView.restoreAfterLoss(configuration) }
        // One that was killed has not given the keyboard back.
        if status != .code(0) { running.modes?.restore(to: Terminal.standardInput) }
        guard isComplete else { throw .noAnswer(timeout) }
        if SignalReport.stripped(bytes).isEmpty { throw .ended("\(status)") }
        guard let report = MonitorReport.parse(SignalReport.stripped(bytes)) else { throw .unreadableReport }
        return report
    }

    /// Ends the monitor of a child that has been waited for, and takes its report.
    public func finish(
        outcome: ChildProcess.Outcome, endedAt: Int64? = nil, timeout: Duration = .seconds(5)
    ) throws(MonitorError) -> MonitorReport {
        try finish(
            exit: outcome.status, cpu: outcome.cpu, peak: outcome.peakResident, usage: outcome.usage,
            endedAt: endedAt, timeout: timeout)
    }
}

extension [UInt8] {
    /// Whether a line, which has its end, is the last one.
    fileprivate func ends(withLine line: String) -> Bool {
        suffix(line.utf8.count).elementsEqual(line.utf8)
            && (count == line.utf8.count || self[count - line.utf8.count - 1] == UInt8(ascii: "\n"))
    }
}

extension FileDescriptor {
    /// One line, without its end, byte by byte so that nothing behind it is taken; empty when the time is over.
    fileprivate func readLine(within timeout: Duration) throws(SystemError) -> [UInt8] {
        let deadline = SystemClock.monotonicNanoseconds + timeout.inNanoseconds
        var line: [UInt8] = []
        while line.count < 4096 {
            guard try waitUntilReadable(deadline: deadline) else { return [] }
            let byte = try read(upTo: 1)
            if byte.isEmpty {
                throw SystemError(action: "hear from the monitor", code: SystemError.brokenPipe)
            }
            if byte == [UInt8(ascii: "\n")] { break }
            line += byte
        }
        return line
    }

    /// Everything until the other side closes; false when the time is over before.
    fileprivate func readToEnd(into bytes: inout [UInt8], until deadline: Int64) throws(SystemError) -> Bool {
        while try waitUntilReadable(deadline: deadline) {
            let chunk = try read(upTo: 1 << 16)
            if chunk.isEmpty { return true }
            bytes += chunk
        }
        return false
    }

    private func waitUntilReadable(deadline: Int64) throws(SystemError) -> Bool {
        while true {
            let left = deadline - SystemClock.monotonicNanoseconds
            if left <= 0 { return false }
            let timeout = Duration(nanosecondCount: left)
            if try FileDescriptor.waitUntilReadable([rawValue], timeout: timeout)[0] { return true }
        }
    }
}
