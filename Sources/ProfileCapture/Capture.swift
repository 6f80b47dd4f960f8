public import FrozenProfile
internal import LinuxProcess
internal import LinuxSystem
internal import LiveMonitor
internal import Measurement

/// A capture: a warm-up run, a measured run under the monitor, a profiled run, and the profile made of them.
///
/// Nothing is written under the version's name before all runs have succeeded.
public struct Capture {
    /// What was frozen, and where.
    public struct Frozen: Sendable {
        public var profile: FrozenProfile
        /// The YAML file.
        public var profileFile: String
        /// All files that were written, the YAML first.
        public var files: [String]
    }

    private let request: CaptureRequest
    private let report: (String) -> Void
    private let pipelineName: String

    /// A capture of a command.
    ///
    /// - Parameters:
    ///   - request: What to do.
    ///   - report: Told what is being done, a line at a time.
    public init(_ request: CaptureRequest, report: @escaping (String) -> Void) {
        self.request = request
        self.report = report
        pipelineName = PlainText.sanitized(Files.name(of: request.command.first ?? ""), maximumCharacters: 64)
    }

    /// Runs the command as often as needed and freezes what it cost.
    public func run() throws(CaptureError) -> Frozen {
        let place = try FreezingPlace(request)
        let workspace = try Workspace()
        let signals = try receiveSignals()
        let started = SystemClock.now
        let observedBefore = EnvironmentProbe.observe()

        var runs: [CapturedRun] = []
        if !request.skipsWarmUp { runs.append(try warmUp(workspace, signals: signals)) }
        report("capture: measured run")
        let measured = try observation("measured", workspace, isVisible: request.showsMonitor)
            .perform(signals: signals)
        try requireSuccess(measured.run)
        runs.append(CapturedRun(kind: .measured, measured.run, report: measured.report))
        let stacks = try takeStacks(after: measured.run, workspace, signals: signals, into: &runs)

        let assembly = ProfileAssembly(
            request: request, startedAt: started, observedBefore: observedBefore, runs: runs,
            measured: measured,
            stacks: stacks)
        return try place.freeze(assembly)
    }

    private func warmUp(_ workspace: borrowing Workspace, signals: borrowing SignalInbox) throws(CaptureError)
        -> CapturedRun
    {
        report("capture: warm-up run")
        let finished = try targetRun("warm-up", workspace).run(signals: signals)
        try requireSuccess(finished)
        return CapturedRun(kind: .warmUp, finished, report: nil)
    }

    private func takeStacks(
        after measured: TargetRun.Finished, _ workspace: borrowing Workspace, signals: borrowing SignalInbox,
        into runs: inout [CapturedRun]
    ) throws(CaptureError) -> TakenStacks {
        let choice = SamplerChoice(request.sampler, executable: measured.executable, pySpy: PySpy.program)
        if case .none(let reason) = choice { return TakenStacks(none: reason) }
        report("capture: profiled run, stacks by \(choice.name)")
        let (observed, stacks) = try ProfiledRun(
            observation: observation("profiled", workspace, isVisible: false), choice: choice,
            rateHertz: request.sampleRateHertz
        ).perform(signals: signals)
        try requireSuccess(observed.run)
        runs.append(CapturedRun(kind: .profiled, observed.run, report: observed.report))
        if stacks.profile == nil, let reason = stacks.account.reason {
            report("capture: no stacks: \(reason)")
        }
        return stacks
    }

    private func observation(
        _ name: String, _ workspace: borrowing Workspace, isVisible: Bool
    ) throws(CaptureError) -> RunObservation {
        RunObservation(
            run: try targetRun(name, workspace), pipelineName: pipelineName,
            interval: request.monitorInterval,
            isVisible: isVisible)
    }

    private func targetRun(_ name: String, _ workspace: borrowing Workspace) throws(CaptureError) -> TargetRun
    {
        do throws(SystemError) {
            let directory = try RunDirectory(
                workspace: workspace.path, name: name, fixedOutput: request.fixedOutputDirectory)
            return TargetRun(name: name, command: request.command, directory: directory)
        } catch {
            throw .cannotWrite(error.description)
        }
    }

    private func requireSuccess(_ run: TargetRun.Finished) throws(CaptureError) {
        guard run.outcome.status != .code(0) else { return }
        throw .targetFailed(
            run: run.name, status: run.outcome.status,
            lastLines: LastLines.read(run.directory.standardError, count: 10))
    }

    private func receiveSignals() throws(CaptureError) -> SignalInbox {
        do throws(SystemError) {
            return try SignalInbox(for: [SignalInbox.interrupt, SignalInbox.terminate, SignalInbox.hangUp])
        } catch {
            throw .measurementFailed(error.description)
        }
    }
}

extension SamplerChoice {
    /// The sampler's name for a progress line.
    var name: String {
        switch self {
        case .pySpy: "py-spy"
        case .native: "perf events and libunwind"
        case .none: "nobody"
        }
    }
}

/// One of a capture's runs, as far as the profile is concerned.
struct CapturedRun: Sendable {
    var kind: RunKind
    var finished: TargetRun.Finished
    /// Nil for a run that nobody watched.
    var report: MonitorReport?

    init(kind: RunKind, _ finished: TargetRun.Finished, report: MonitorReport?) {
        self.kind = kind
        self.finished = finished
        self.report = report
    }
}

/// The directory that a capture's runs share; removed with all in it at the end.
struct Workspace: ~Copyable {
    let path: String

    init() throws(CaptureError) {
        let parent = CurrentProcess.environmentVariable("TMPDIR") ?? "/tmp"
        do throws(SystemError) {
            path = try Files.createTemporaryDirectory(prefix: "\(parent)/freeze-profile.")
        } catch {
            throw .cannotWrite(error.description)
        }
    }

    deinit {
        // What cannot be removed is in the system's temporary directory, which somebody else sweeps.
        _ = Result { () throws(SystemError) in try Files.removeTree(path) }
    }
}
