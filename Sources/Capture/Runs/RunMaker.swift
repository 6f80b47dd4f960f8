internal import FrozenProfile
internal import InstructionCounting
internal import LinuxProcess
internal import LinuxSystem
internal import LiveMonitor
internal import Measurement
internal import StackProfile
internal import StackRecording
internal import Stages

/// Makes runs, one at a time, each with its record: what captures and comparisons are built on.
///
///     let maker = try RunMaker()
///     let run = try maker.make(RunRequest(command, kind: .measured, session: session, index: 1, ...), into: "records")
///
/// While it exists, requests to end (Ctrl-C) go to the run that is under way, which then counts as interrupted.
public struct RunMaker: ~Copyable {
    let workspace: Workspace
    let signals: SignalInbox
    let guardian: RunGuardian
    private let naming: (Double) -> Void

    /// A maker of runs with a directory of its own for what they write.
    ///
    /// - Parameter naming: Called with how much of the functions of a run's stacks have their names, from 0 to 1.
    public init(naming: @escaping (Double) -> Void = { _ in }) throws(CaptureError) {
        let guardian = try CaptureError.translating { () throws(StackRecordingError) in try RunGuardian() }
        let workspace = try CaptureError.translating { () throws(StackRecordingError) in try Workspace() }
        try CaptureError.translating { () throws(StackRecordingError) in
            try guardian.guardWorkspace(workspace.path)
        }
        let signals = try RunMaker.receiveSignals()
        self.guardian = guardian
        self.workspace = workspace
        self.signals = signals
        self.naming = naming
    }

    private static func receiveSignals() throws(CaptureError) -> SignalInbox {
        do throws(SystemError) {
            return try SignalInbox(for: [SignalInbox.interrupt, SignalInbox.terminate, SignalInbox.hangUp])
        } catch {
            throw .measurementFailed(error.description)
        }
    }

    /// Makes one run, and writes its record with the files that belong to it.
    ///
    /// A run that fails has a record too, which says so, with what the run printed; then the error reports it.
    ///
    /// - Parameters:
    ///   - request: What the run is to be.
    ///   - directory: Where the record goes; it has to be there.
    public borrowing func make(
        _ request: RunRequest, into directory: String
    ) throws(CaptureError) -> MadeRun {
        let fixed = try CountedWorkspace(isNeeded: request.kind == .counted)
        let place =
            if let path = fixed.path { try runDirectory(request, in: path, name: "run") } else {
                try runDirectory(
                    request, in: workspace.path, name: "\(request.session)-\(request.index)")
            }
        // A record is complete in itself: also what is the same for all runs is asked at each.
        let about = RunCircumstances(request)
        let before = EnvironmentProbe.snapshot()
        let passed = try perform(request, in: place)
        let after = EnvironmentProbe.snapshot()
        let writer = RecordWriter(
            request: request, about: about, passed: passed, observed: before.observed,
            surroundings: RunEnvironment(before: before, looks: passed.looks, after: after))
        if let failure = passed.finished.failure {
            let lines = LastLines.read(place.directory.standardError, count: 10) + passed.finished.engineWords
            let lastLines = lines.map { RecipeText.withoutSecrets($0, request) }
            guard request.keepsFailures else {
                throw .targetFailed(
                    FailedRun(
                        run: place.name, reason: failure.reason, isInterruption: failure.isInterruption,
                        lastLines: lastLines))
            }
            let record = try writer.write(into: directory)
            throw .targetFailed(
                FailedRun(
                    MadeRun(record: record, path: "\(directory)/\(record.stem).json"), name: place.name,
                    failure: failure, lastLines: lastLines))
        }
        let record = try writer.write(into: directory)
        // Hours of output of many runs may be more than the disk holds; what is to be kept has been copied.
        Files.discardTree("\(workspace.path)/\(request.session)-\(request.index)")
        return MadeRun(
            record: record, path: "\(directory)/\(record.stem).json",
            leftBehind: passed.finished.leftBehind?.note)
    }

    private borrowing func perform(_ request: RunRequest, in place: RunPlace) throws(CaptureError)
        -> PassedRun
    {
        var run = TargetRun(
            name: place.name, command: request.command, directory: place.directory, guardian: guardian)
        run.leavesRunning = request.leavesRunning
        run.standardInput = request.standardInput
        run.workingDirectory = request.workingDirectory
        var watch = EnvironmentWatch()
        switch request.kind {
        // A warm-up run is watched as well: it is the first to fail, and warms up what watching needs.
        case .warmUp, .measured:
            let observed = try observation(of: run, request).perform(
                signals: signals, whileRunning: { (pid, _) throws(CaptureError) in watch.look(at: pid) })
            return PassedRun(
                finished: observed.run, observed: observed, looks: watch.looks, allocator: watch.allocator)
        case .profiled:
            let recording = request.sampler.recording
            guard let sampler = recording.value else {
                let reason = recording.unavailableReason ?? "no reason given"
                throw .measurementFailed("There is no sampler for a profiled run: \(reason).")
            }
            let (observed, stacks) = try ProfiledRun(
                observation: observation(of: run, request), sampler: sampler,
                rateHertz: request.sampleRateHertz, redactsSecrets: request.redactsSecrets, naming: naming
            ).perform(signals: signals, whileRunning: { watch.look(at: $0) })
            return PassedRun(
                finished: observed.run, observed: observed, stacks: stacks, looks: watch.looks,
                allocator: watch.allocator)
        case .counted: return try performCounted(request, run)
        }
    }

    private borrowing func performCounted(
        _ request: RunRequest, _ run: TargetRun
    ) throws(CaptureError) -> PassedRun {
        guard let engine = request.countingEngine.value else {
            let reason = request.countingEngine.unavailableReason ?? ""
            throw .measurementFailed("No instructions can be counted. \(reason)")
        }
        let counting = CountedRun(
            engine: engine, command: request.countCommand ?? request.command, directory: run.directory,
            limit: request.countLimit)
        var run = run
        let prepared = try counting.prepare()
        run.counted = prepared
        let (observed, counted) = try counting.perform(
            observation(of: run, request), prepared: prepared, signals: signals)
        var passed = PassedRun(
            finished: observed.run, observed: observed, looks: [],
            allocator: .unavailable(reason: "the run was emulated"))
        passed.counted = counted
        return passed
    }

    private func observation(of run: TargetRun, _ request: RunRequest) -> RunObservation {
        let name = PlainText.sanitized(Files.name(of: request.command.first ?? ""), maximumCharacters: 64)
        return RunObservation(
            run: run, pipelineName: name, interval: request.monitorInterval,
            isVisible: request.showsMonitor && request.kind == .measured)
    }

    private borrowing func runDirectory(
        _ request: RunRequest, in workspace: String, name directoryName: String
    ) throws(CaptureError) -> RunPlace {
        let name = request.kind.rawValue.replacing("_", with: "-")
        do throws(SystemError) {
            let directory = try RunDirectory(
                workspace: workspace, name: directoryName,
                fixedOutput: request.fixedOutputDirectory, statusFile: request.statusFile)
            return RunPlace(name: name, directory: directory)
        } catch {
            throw .cannotWrite(error.description)
        }
    }
}

/// A run's name as a person reads it, and where it writes.
private struct RunPlace {
    var name: String
    var directory: RunDirectory
}

/// A run that has ended, with all that was learnt of it.
struct PassedRun {
    var finished: TargetRun.Finished
    var observed: RunObservation.Observed
    /// Nil for a run that was not sampled.
    var stacks: TakenStacks?
    /// The machine from time to time.
    var looks: [ObservedEnvironment]
    var allocator: Reading<Fact>
    /// Nil for a run that was not counted.
    var counted: CountedRun.Counted?

    /// Where the pipeline wrote what it says of itself.
    var location: StatusLocation {
        observed.report.statusFile.map { StatusLocation(statusFile: $0) }
            ?? finished.directory.pipeline.location
    }
}

/// Looks at the machine from time to time while a run is under way, ever more rarely: looking costs a little.
struct EnvironmentWatch {
    private var pause = Duration.seconds(1)
    private var next: Int64
    /// What was seen, in order; nothing when the run was over before the first look.
    private(set) var looks: [ObservedEnvironment] = []

    init() {
        next = SystemClock.monotonicNanoseconds + Duration.seconds(1).inNanoseconds
    }

    private var looksLeft = 12
    /// Whose `malloc` the run uses, as of the last look; its libraries are not mapped from the first moment on.
    private(set) var allocator = Reading<Fact>.unavailable(reason: "the run was over before it was looked at")

    mutating func look(at pid: Int32) {
        // Looks come ever more rarely: by the last of these the wrappers have exec'd, and the libraries are mapped.
        if looksLeft > 0, let found = EnvironmentProbe.allocator(ofProcess: pid) {
            allocator = found
            looksLeft -= 1
        }
        guard SystemClock.monotonicNanoseconds >= next else { return }
        looks.append(EnvironmentProbe.observe())
        pause = min(pause * 2, .seconds(60))
        next = SystemClock.monotonicNanoseconds + pause.inNanoseconds
    }
}
