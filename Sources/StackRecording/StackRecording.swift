public import LinuxProcess
internal import LinuxSystem
internal import Measurement
internal import StackSampler
internal import Stages

/// Stacks of a command or of a running process, recorded until it ends, a time is over, or a signal asks to stop.
public struct StackRecording {
    /// What is recorded, and how.
    public struct Request: Sendable {
        public var target: SamplingTarget
        /// What time is sampled.
        public var mode = SamplingMode.cpu
        /// Who takes the stacks.
        public var sampler = RecordingSampler.automatic
        /// Samples per second: of CPU time, or by the wall clock of each thread. Nil for the sampler's own default.
        public var rateHertz: Int?
        /// The most of a thread's time that it may be kept stopped, 0.0001 to 1; nil for the sampler's own default.
        /// Counts for ptrace alone: perf events stop nothing, and py-spy knows no budget.
        public var stopBudget: Double?
        /// Whether the CPU's cycles are counted instead of its time, where perf events sample and the hardware can.
        public var countsCycles = false
        /// When to stop; nil for the target's end.
        public var duration: Duration?
        /// The status file that the target writes; nil for the one in its environment, or one of our own for a command.
        public var statusFile: String?
        /// Whether the recording's stacks are our own also where py-spy gives some, which then lie beside.
        package var keepsOwnStacks = false
        /// Whether values of the command that look like secrets are left out of what is written.
        public var redactsSecrets = true
        /// Whether this program calls ``RunGuardian/runIfRequested(arguments:)`` first, so that nothing is left behind
        /// when it is killed.
        public var isGuarded = false

        /// A request to record a target until its end.
        public init(_ target: SamplingTarget) {
            self.target = target
        }
    }

    /// What became of the target.
    public enum Ending: Equatable, Sendable {
        /// The command ended by itself.
        case commandEnded(ExitStatus)
        /// The command was ended because we were asked to stop.
        case commandStopped
        /// The process is not ours to end, and may run on.
        case left
    }

    /// The most samples of each thread per second of wall-clock time.
    public static let maximumWallClockRateHertz = WallClockConfiguration.maximumRateHertz

    private let request: Request

    /// A recording that has not begun.
    public init(_ request: Request) {
        self.request = request
    }

    /// Records, and hands the stacks over as soon as they are complete.
    ///
    /// A command that outlives its recording runs on to its end, unless a signal asked us to stop: then it is asked to
    /// end too.
    ///
    /// - Parameters:
    ///   - report: Called with what is being done, a line at a time.
    ///   - naming: Called afterwards with how much of the functions have their names, from 0 to 1.
    ///   - deliver: Given the stacks, once.
    public func run(
        report: (String) -> Void, naming: (Double) -> Void = { _ in },
        deliver: (RecordedStacks) throws(StackRecordingError) -> Void
    ) throws(StackRecordingError) -> Ending {
        let signals = try receiveSignals()
        switch request.target {
        case .process(let pid):
            try record(try RunningTarget(pid: pid), signals, report, naming, deliver)
            return .left
        case .command(let words): return try record(words, signals, report, naming, deliver)
        }
    }

    // MARK: - A running process

    private func record(
        _ target: RunningTarget, _ signals: borrowing SignalInbox, _ report: (String) -> Void,
        _ naming: (Double) -> Void, _ deliver: (RecordedStacks) throws(StackRecordingError) -> Void
    ) throws(StackRecordingError) {
        let handle = try hold(target.pid)
        // Nothing of ours is written while a process is only looked at: what is not made is not left behind.
        let workspace = try RunSampler.needsDirectory(request, target.pid) ? try makeWorkspace() : nil
        // Not `workspace?.path`, which consumes it: the helper writes there until the end.
        let directory: String? =
            switch workspace {
            case .some(let made): made.path
            case .none: nil
            }
        defer { extendLifetime(workspace) }
        let stages = (request.statusFile ?? target.statusFile).map {
            // A place that the process itself names may be anybody's file.
            StageFollower(
                statusFile: $0,
                existing: .isOfThisRun(
                    since: ProcessStat.ofProcess(target.pid).map {
                        ProcessClock.monotonicStart(of: $0.identity)
                    } ?? 0), owner: request.statusFile == nil ? target.userID : nil)
        }
        var sampler = try RunSampler(request, directory: directory)
        try sampler.attach(toRunning: target.pid)
        for refusal in sampler.refusals { report(refusal) }
        // A process may give itself any name, its own command line included.
        let redaction =
            request.redactsSecrets ? SecretRedaction(ProcessCommandLine.words(of: target.pid)) : nil
        let name = redaction?.redacted(name: target.name) ?? target.name
        report("sampling process \(target.pid) (\(name)) with \(sampler.name)")
        var span = RecordingSpan(request.duration)
        let stop = try span.wait(
            pid: target.pid, pidfd: handle.descriptor, signals: signals, stages: stages, sampler: &sampler)
        var taken = try sampler.finish(
            timeline: stages?.timeline(),
            trust: JustInTimeNames.Trust(userID: target.userID, notBefore: target.startedAt),
            redaction: redaction,
            excluding: Self.ourBranch(of: target.pid), markers: stages?.markers ?? [], naming: naming)
        taken.notes += stages?.notes ?? []
        try deliver(
            RecordedStacks(
                taken, mode: request.mode, command: "\(name) (process \(target.pid))", span: span,
                subject: "process \(target.pid)", ending: stop == .targetEnded ? "ended" : nil))
    }

    /// We and our ancestors below a process, when it is one of them: a pipeline that has started its own monitor has
    /// us among its descendants.
    private static func ourBranch(of target: Int32) -> Set<Int32> {
        var branch: Set<Int32> = []
        var process = CurrentProcess.pid
        while process > 1, process != target, branch.insert(process).inserted {
            process = ProcessStat.ofProcess(process)?.parent ?? 0
        }
        return process == target ? branch : []
    }

    private func hold(_ pid: Int32) throws(StackRecordingError) -> ProcessHandle {
        do throws(SystemError) {
            return try ProcessHandle(pid: pid)
        } catch {
            throw error.isNotFound ? .noSuchProcess(pid: pid) : .refused(error.description)
        }
    }

    // MARK: - A command

    private func record(
        _ words: [String], _ signals: borrowing SignalInbox, _ report: (String) -> Void,
        _ naming: (Double) -> Void, _ deliver: (RecordedStacks) throws(StackRecordingError) -> Void
    ) throws(StackRecordingError) -> Ending {
        let workspace = try makeWorkspace()
        let location =
            request.statusFile.map { StatusLocation(statusFile: $0) }
            ?? StatusLocation.requestedByObserver() ?? StatusLocation(outputDirectory: workspace.path)
        let statusFile = Files.absolute(location.statusFile)
        let stages = StageFollower(statusFile: statusFile, existing: .isOfEarlierRun)
        var sampler = try RunSampler(request, directory: workspace.path)
        let suspended = try prepare(words, statusFile: statusFile)
        try sampler.attach(to: suspended)
        for refusal in sampler.refusals { report(refusal) }
        report("sampling '\(PlainText.sanitized(words[0], maximumCharacters: 128))' with \(sampler.name)")
        var span = RecordingSpan(request.duration)
        workspace.keep(whileRunning: suspended.pid)
        var child = try release(suspended)
        // From here on the command runs, and whatever fails on our side it runs to its end: a child that is dropped is
        // killed, so the failure waits.
        var ended: ExitStatus?
        var stop = RecordingSpan.Stop.samplerGone
        do throws(StackRecordingError) {
            stop = try span.wait(
                pid: child.pid, pidfd: child.pidfd, signals: signals, stages: stages, sampler: &sampler)
            var taken = try sampler.finish(
                timeline: stages.timeline(),
                trust: JustInTimeNames.Trust(userID: CurrentProcess.userID, notBefore: span.startedAt),
                redaction: request.redactsSecrets ? SecretRedaction(words) : nil,
                markers: stages.markers, naming: naming)
            taken.notes += stages.notes
            ended = stop == .targetEnded ? try CommandEnd.wait(for: &child) : nil
            try deliver(
                RecordedStacks(
                    taken, mode: request.mode, command: shown(words), span: span,
                    subject: "the command", ending: ended?.description))
        } catch {
            if ended == nil { try CommandEnd.letEnd(&child, after: stop, because: error, signals, report) }
            throw error
        }
        if let ended { return .commandEnded(ended) }
        return try CommandEnd.ending(of: &child, after: stop, signals: signals)
    }

    /// The command as it is drawn and stored.
    private func shown(_ words: [String]) -> String {
        let words = request.redactsSecrets ? SecretRedaction(words).words : words
        return HomePath.relative(
            words.joined(separator: " "), home: CurrentProcess.environmentVariable("HOME"))
    }

    private func prepare(
        _ words: [String], statusFile: String
    ) throws(StackRecordingError) -> SuspendedChild {
        var request = ChildRequest(words)
        request.environment = [StatusLocation.statusFileVariable: statusFile]
        // Not `diesWithParent`: whatever ends us, the command is the user's and runs on. One that has not been let go
        // ends with us all the same, because no process opens its gate.
        do throws(SpawnError) {
            return try SuspendedChild.prepare(request)
        } catch {
            throw .cannotStart(error)
        }
    }

    private func release(_ suspended: consuming SuspendedChild) throws(StackRecordingError) -> ChildProcess {
        do throws(SpawnError) {
            return try suspended.release()
        } catch {
            throw .cannotStart(error)
        }
    }

    // MARK: - What both need

    private func makeWorkspace() throws(StackRecordingError) -> GuardedWorkspace {
        try GuardedWorkspace(isGuarded: request.isGuarded)
    }

    private func receiveSignals() throws(StackRecordingError) -> SignalInbox {
        do throws(SystemError) {
            return try SignalInbox(for: [SignalInbox.interrupt, SignalInbox.terminate, SignalInbox.hangUp])
        } catch {
            throw .refused(error.description)
        }
    }
}

/// The end of a command whose stacks have been handed over.
private enum CommandEnd {
    /// How long a command may take to end after it has been asked to.
    private static let grace = Duration.seconds(5)

    /// Waits for a command, however long it takes.
    static func wait(for child: inout ChildProcess) throws(StackRecordingError) -> ExitStatus {
        do throws(SystemError) {
            while true {
                if let outcome = try child.wait() { return outcome.status }
            }
        } catch {
            throw .refused(error.description)
        }
    }

    /// Lets a command whose stacks could not be handed over run to its end, or ends it where a signal asks for that.
    static func letEnd(
        _ child: inout ChildProcess, after stop: RecordingSpan.Stop, because failure: StackRecordingError,
        _ signals: borrowing SignalInbox, _ report: (String) -> Void
    ) throws(StackRecordingError) {
        do throws(SystemError) {
            if try child.wait(timeout: .zero) != nil { return }
        } catch {
            throw .refused(error.description)
        }
        report("\(failure) The command runs on to its end.")
        _ = try ending(of: &child, after: stop, signals: signals)
    }

    /// Lets a command run on, or ends it where that was asked for before or is asked for now.
    static func ending(
        of child: inout ChildProcess, after stop: RecordingSpan.Stop, signals: borrowing SignalInbox
    ) throws(StackRecordingError) -> StackRecording.Ending {
        var signal: Int32?
        if case .asked(let number) = stop { signal = number }
        do throws(SystemError) {
            while signal == nil {
                let ready = try FileDescriptor.waitUntilReadable(
                    [child.pidfd, signals.descriptor], timeout: nil)
                if ready[0] { return .commandEnded(try wait(forEnded: &child)) }
                signal = signals.next()
            }
            // Ctrl-C in a terminal has reached the command as well; it may be busy tidying up.
            if signal == SignalInbox.interrupt, try child.wait(timeout: grace) != nil {
                return .commandStopped
            }
            _ = try child.terminate(grace: grace)
            return .commandStopped
        } catch {
            throw .refused(error.description)
        }
    }

    private static func wait(forEnded child: inout ChildProcess) throws(SystemError) -> ExitStatus {
        while true {
            if let outcome = try child.wait() { return outcome.status }
        }
    }
}
