internal import FrozenProfile
internal import InstructionCounting
internal import LinuxProcess
internal import LinuxSystem
internal import Measurement
internal import StackRecording

/// One run of the measured command, from fork to reaping.
struct TargetRun {
    /// What is left when the run is over.
    struct Finished: Sendable {
        var name: String
        var directory: RunDirectory
        var startedAt: Timestamp
        /// The same moment on the clock of stage transitions.
        var startedMonotonicNanoseconds: Int64
        var wall: Duration
        /// By how much the wall clock went ahead of the time that passed; negative when it was set back.
        var wallClockStep: Duration
        var outcome: ChildProcess.Outcome
        /// The program the process ran in the end, after any wrapper's exec; nil when it was too short to see.
        var executable: String?
        /// The first request to end that was passed on to it: then it ended because the capture did.
        var interruption: Int32?

        /// What it has left behind; nil for nothing.
        var leftBehind: LeftBehind?

        /// Whether the kernel has killed a process for lack of memory while it ran.
        var metMemoryKill = false
        private static let memoryKill = "; the kernel killed a process meanwhile because memory was used up"

        /// The time it was given, if it took longer and was ended for that.
        var overdue: Duration?

        /// What the engine that counted it wrote last about itself.
        var engineWords: [String] = []

        /// When it was over, on the same clock.
        var endedMonotonicNanoseconds: Int64 { startedMonotonicNanoseconds + wall.inNanoseconds }

        /// Why it is no measurement; nil when it ended well.
        var failure: RunFailure? {
            if let interruption {
                return RunFailure(ExitStatus.words(ofSignal: interruption), isInterruption: true)
            }
            if let overdue { return RunFailure("took longer than \(overdue.readable)") }
            if outcome.status == .code(0) { return nil }
            return RunFailure(outcome.status.description + (metMemoryKill ? Self.memoryKill : ""))
        }
    }

    /// The run's name as the person reads it: `warm-up`, `measured`, `profiled`.
    let name: String
    let command: [String]
    let directory: RunDirectory
    /// A file that it reads as its standard input; nil for an empty one.
    var standardInput: String?
    /// The process that ends what the command has started when we are killed; nil for none.
    var guardian: RunGuardian?
    /// What is run in place of the command so that it is counted; nil to run it as it is.
    var counted: CountedCommand?
    /// Where it is started; nil for our own working directory.
    var workingDirectory: String?
    /// Whether processes that outlive the command are left running.
    var leavesRunning = false
    /// How long a process may stay unseen whose parent has ended.
    private static let longestPause = Duration.milliseconds(250)

    /// Runs the command to its end.
    ///
    /// The command leads a process group of its own, so that it can be ended with everything it started; the kernel ends
    /// it when we die, and the guardian its group. Processes whose parents have ended are ours from then on: what they use
    /// until the command ends is counted, and those that live on are ended after it. Its output goes to files: what it says must not tear the monitor's panel.
    ///
    /// - Parameters:
    ///   - signals: Requests to end. The command gets them passed on, and the run counts as interrupted.
    ///   - beforeStart: Called when the process exists but has not run anything: the time to attach observers.
    ///   - adopting: Called with each process of the command that has lost its parent, and again when it has ended.
    ///   - whileRunning: Called from time to time with the process and the program it runs.
    func run(
        signals: borrowing SignalInbox,
        beforeStart: (borrowing SuspendedChild) throws(CaptureError) -> Void = { _ in },
        adopting: (AdoptedProcesses.News) -> Void = { _ in },
        whileRunning: (_ pid: Int32, _ executable: String?) throws(CaptureError) -> Void = { _, _ in }
    ) throws(CaptureError) -> Finished {
        let orphans = try takeOver()
        let memoryKills = MemoryKills.count()
        let suspended = try prepare()
        try CaptureError.translating { () throws(StackRecordingError) in
            try guardian?.guardGroup(suspended.pid)
        }
        try beforeStart(suspended)
        let startedAt = SystemClock.now
        let start = SystemClock.monotonicNanoseconds
        var child: ChildProcess
        do throws(SpawnError) {
            child = try suspended.release()
        } catch {
            throw .cannotStart(error)
        }
        var ending = try waitForEnd(of: &child, signals: signals) { (pid, executable) throws(CaptureError) in
            for news in orphans.look() {
                if case .new(let orphan) = news, !leavesRunning { guardian?.guardOrphan(orphan) }
                adopting(news)
            }
            try whileRunning(pid, executable)
        }
        let wall = Duration(nanosecondCount: SystemClock.monotonicNanoseconds - start)
        let wallClockStep = startedAt.duration(to: SystemClock.now) - wall
        for news in orphans.look() { adopting(news) }
        let account = orphans.account()
        ending.outcome.add(account)
        let leftBehind = settle(orphans, account, isInterrupted: ending.interruption != nil)
        guardian?.release()
        return Finished(
            name: name, directory: directory, startedAt: startedAt,
            startedMonotonicNanoseconds: start, wall: wall, wallClockStep: wallClockStep,
            outcome: ending.outcome, executable: ending.executable, interruption: ending.interruption,
            leftBehind: leftBehind,
            metMemoryKill: ending.outcome.status != .code(0) && MemoryKills.count() > memoryKills)
    }

    private func takeOver() throws(CaptureError) -> AdoptedProcesses {
        do throws(SystemError) {
            return try AdoptedProcesses()
        } catch {
            throw .measurementFailed(error.description)
        }
    }

    /// Ends what the command has left behind, unless it is to stay.
    private func settle(
        _ orphans: AdoptedProcesses, _ account: ChildProcess.Account, isInterrupted: Bool
    ) -> LeftBehind? {
        let living = orphans.living()
        guard !living.isEmpty else { return nil }
        var left = LeftBehind(processes: living, cpu: account.cpu, fate: .leftRunning)
        guard !leavesRunning else { return left }
        let rest = orphans.end(grace: isInterrupted ? .zero : LeftBehind.grace)
        left.fate = rest.isEmpty ? .ended : .remain(rest)
        return left
    }

    /// How the command ended.
    private struct Ending {
        var outcome: ChildProcess.Outcome
        var executable: String?
        var interruption: Int32?
    }

    private func prepare() throws(CaptureError) -> SuspendedChild {
        let output = try openLog(directory.standardOutput)
        let errors = try openLog(directory.standardError)
        // Opened anew for each run, so that each reads it from its beginning.
        let input = try openInput()
        var request = ChildRequest(counted?.arguments ?? directory.command(command))
        request.environment = counted?.environment ?? directory.environment
        request.standardInput = .descriptor(input.rawValue)
        request.workingDirectory = workingDirectory
        request.standardOutput = .descriptor(output.rawValue)
        request.standardError = .descriptor(errors.rawValue)
        request.leadsProcessGroup = true
        request.diesWithParent = true
        do throws(SpawnError) {
            return try SuspendedChild.prepare(request)
        } catch {
            throw .cannotStart(error)
        }
    }

    private func openInput() throws(CaptureError) -> FileDescriptor {
        do throws(SystemError) {
            guard let standardInput else { return try FileDescriptor.nullDevice() }
            return try Files.open(standardInput, .named)
        } catch {
            throw .noInput(error.description)
        }
    }

    private func openLog(_ path: String) throws(CaptureError) -> FileDescriptor {
        do throws(SystemError) {
            return try FileDescriptor.open(path, .append)
        } catch {
            throw .cannotWrite(error.description)
        }
    }

    /// Waits for the child's end, passing on requests to end it.
    private func waitForEnd(
        of child: inout ChildProcess, signals: borrowing SignalInbox,
        _ whileRunning: (Int32, String?) throws(CaptureError) -> Void
    ) throws(CaptureError) -> Ending {
        var executable: String?
        var interruption: Int32?
        // Looked at often while wrappers may still exec one another, then ever more rarely.
        var pause = Duration.milliseconds(20)
        while true {
            let outcome = try next(of: &child, signals: signals, within: pause, interruption: &interruption)
            if let outcome {
                // Ctrl-C does not reach processes in the background. The number of a group that is not empty belongs to no
                // other group or process.
                if interruption != nil { child.sendToGroup(SignalInbox.kill) }
                return Ending(outcome: outcome, executable: executable, interruption: interruption)
            }
            executable = Self.executable(of: child.pid) ?? executable
            try whileRunning(child.pid, executable)
            pause = min(pause * 2, Self.longestPause)
        }
    }

    /// The child's outcome when it ends within a time.
    private func next(
        of child: inout ChildProcess, signals: borrowing SignalInbox, within pause: Duration,
        interruption: inout Int32?
    ) throws(CaptureError) -> ChildProcess.Outcome? {
        do throws(SystemError) {
            let ready = try FileDescriptor.waitUntilReadable(
                [child.pidfd, signals.descriptor], timeout: pause)
            while let signal = signals.next() {
                // A second request does not ask again.
                child.sendToGroup(interruption == nil ? signal : SignalInbox.kill)
                interruption = interruption ?? signal
            }
            return ready[0] ? try child.wait() : nil
        } catch {
            throw .measurementFailed(error.description)
        }
    }

    /// The program a process runs, nil when it has just ended.
    private static func executable(of pid: Int32) -> String? {
        do throws(SystemError) {
            return try Files.linkTarget("/proc/\(pid)/exe")
        } catch {
            return nil
        }
    }
}
