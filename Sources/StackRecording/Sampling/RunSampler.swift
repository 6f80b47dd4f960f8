package import LinuxProcess
internal import LinuxSystem
package import Measurement
internal import StackProfile
internal import StackSampler
package import Stages

/// The samplers of one recording: our own, and py-spy beside it where that is there and the target is Python.
package struct RunSampler: ~Copyable {
    /// What was refused on the way, a sentence each: what could not be used, and what is used instead.
    package private(set) var refusals: [String] = []

    private let request: StackRecording.Request
    private let ladder: SamplerLadder
    private var rung: SamplerLadder.Rung?
    private var perf: PerfSampler?
    private var ptrace: PtraceSampler?
    private var pySpy: PySpy?

    /// The sampler's name for a progress line.
    var name: String { rung?.name ?? "py-spy" }

    private var rateHertz: Int {
        guard let rung else { return pySpyRateHertz }
        let rate = request.rateHertz ?? rung.defaultRateHertz
        return rung == .ptrace ? min(rate, WallClockConfiguration.maximumRateHertz) : rate
    }

    private var pySpyRateHertz: Int { request.rateHertz.map { min($0, 1000) } ?? PySpy.rateHertz }

    /// A sampler that is not attached yet.
    ///
    /// - Parameters:
    ///   - request: Which sampler, and at what rate.
    ///   - directory: Where py-spy's files may go; nil for no py-spy: see ``needsDirectory(_:_:)``.
    package init(
        _ request: StackRecording.Request, directory: String?
    ) throws(StackRecordingError) {
        self.request = request
        ladder = try SamplerLadder(request.sampler, mode: request.mode, pySpy: PySpy.program)
        if let program = ladder.pySpy, let directory {
            pySpy = PySpy(
                program: program, directory: directory,
                rateHertz: request.rateHertz.map { min($0, 1000) } ?? PySpy.rateHertz,
                includesWaiting: request.mode == .wall)
        }
    }

    /// Whether py-spy would be asked about a process, and write files.
    static func needsDirectory(
        _ request: StackRecording.Request, _ pid: Int32
    ) throws(StackRecordingError) -> Bool {
        let ladder = try SamplerLadder(request.sampler, mode: request.mode, pySpy: PySpy.program)
        return ladder.pySpy != nil && (ladder.rungs.isEmpty || PythonTargets.isAny(inFamilyOf: pid))
    }

    /// Attaches to a command that has not run anything yet.
    package mutating func attach(to child: borrowing SuspendedChild) throws(StackRecordingError) {
        for rung in ladder.rungs {
            self.rung = rung
            do throws(SamplerError) {
                switch rung {
                case .perf: perf = try PerfSampler.attach(to: child, cpuConfiguration)
                case .ptrace: ptrace = try PtraceSampler.attach(to: child, wallConfiguration)
                }
                return
            } catch {
                try goOn(after: error)
            }
        }
    }

    /// Attaches to a process that runs.
    mutating func attach(toRunning pid: Int32) throws(StackRecordingError) {
        for rung in ladder.rungs {
            self.rung = rung
            do throws(SamplerError) {
                switch rung {
                case .perf: perf = try PerfSampler.attach(toRunning: pid, cpuConfiguration)
                case .ptrace: ptrace = try PtraceSampler.attach(toRunning: pid, wallConfiguration)
                }
                return
            } catch .noSuchProcess(let pid) {
                throw .noSuchProcess(pid: pid)
            } catch {
                try goOn(after: error)
            }
        }
    }

    /// Notes a refusal and lets the next rung be tried; throws where there is none, or none that could do better.
    private mutating func goOn(after error: SamplerError) throws(StackRecordingError) {
        refusals.append(error.description)
        guard rung != ladder.rungs.last, !error.isAboutTheTarget else {
            throw .refused(refusals.joined(separator: " "))
        }
    }

    /// Keeps py-spy running beside the process. Whatever becomes of py-spy, the process runs on.
    package mutating func lookAfter(_ pid: Int32) { pySpy?.lookAfter(pid) }

    /// Whether nothing will come any more: py-spy alone was wanted, and cannot take hold of the process.
    var hasGivenUp: Bool {
        guard rung == nil else { return false }
        // Not `pySpy?.hasGivenUp`, which consumes it.
        switch pySpy {
        case .some(let helper): return helper.hasGivenUp
        case .none: return true
        }
    }

    /// Ends the sampling and names what was seen.
    ///
    /// py-spy's stacks are the recording's where it gave some, unless our own were asked to be kept: then they lie
    /// beside. Where it gave none, our own are the recording's, with the reason.
    ///
    /// - Parameters:
    ///   - timeline: The stages of the time that was sampled.
    ///   - trust: Whose maps of just-in-time code are believed.
    ///   - redaction: The secrets of the command, which are left out of the names of processes and threads; nil to keep them.
    ///   - excluded: Processes whose samples are left out: ours, where the target is among our ancestors.
    ///   - markers: Processes of this toolkit that only marked stages: their samples are left out too.
    ///   - naming: Called with how much has its name, from 0 to 1.
    package consuming func finish(
        timeline: StageTimeline?, trust: JustInTimeNames.Trust, redaction: SecretRedaction? = nil,
        excluding excluded: Set<Int32> = [], markers: Set<Int32> = [], naming: (Double) -> Void
    ) throws(StackRecordingError) -> TakenStacks {
        let (rateHertz, mode, keepsOwn) = (rateHertz, request.mode, request.keepsOwnStacks)
        let pySpyRateHertz = pySpyRateHertz
        // First, so that it does not go on stopping the target.
        var helper = pySpy.take()
        let beside = helper?.finish()
        guard var raw = perf.take()?.finish() ?? ptrace.take()?.finish() else {
            return beside.map { TakenStacks(pySpy: $0, rateHertz: pySpyRateHertz) }
                ?? TakenStacks(none: "no Python process was found to start py-spy on")
        }
        if !keepsOwn, let beside, beside.value != nil {
            return TakenStacks(pySpy: beside, rateHertz: pySpyRateHertz)
        }
        raw.samples.removeAll { sample in
            let thread = raw.threads[Int(sample.threadIndex)]
            // A number may have come to mean another process; a name alone may be anybody's.
            let isMarker = markers.contains(thread.processID) && thread.processName == "freeze-profile"
            return isMarker || excluded.contains(thread.processID)
        }
        if mode == .cpu { raw.keepRunning() }
        if let redaction { raw.redactNames(redaction) }
        var taken = try TakenStacks(
            raw, timeline: timeline, reason: nil, rateHertz: rateHertz, trust: trust,
            labelsStates: mode == .wall, naming: naming)
        taken.pySpy = beside?.value?.profile
        if let reason = beside?.unavailableReason {
            taken.notes.insert(Self.fallback(because: reason, keepsOwn), at: 0)
        }
        return taken
    }

    /// What is shown instead of py-spy's stacks, and why.
    private static func fallback(because reason: String, _ keepsOwn: Bool) -> String {
        keepsOwn
            ? "There is no picture by py-spy: \(reason)."
            : "These are our own stacks, because py-spy gave none: \(reason)."
    }

    private var cpuConfiguration: SamplerConfiguration {
        var configuration = SamplerConfiguration()
        configuration.rateHertz = rateHertz
        if request.countsCycles { configuration.event = .cycles }
        // What the kernel does for a function is part of what the function costs. Where that may not be seen, the
        // sampler falls back to user time and says so.
        configuration.includesKernelTime = true
        return configuration
    }

    private var wallConfiguration: WallClockConfiguration {
        var configuration = WallClockConfiguration()
        configuration.rateHertz = rateHertz
        configuration.samplesRunningOnly = request.mode == .cpu
        if let budget = request.stopBudget { configuration.stopBudget = budget }
        return configuration
    }
}

extension SamplerError {
    /// Whether another way of sampling would be refused as well, because of the target and not of the way.
    fileprivate var isAboutTheTarget: Bool {
        switch self {
        case .noSuchProcess, .accessDenied, .otherUser, .kernelThread, .zombie: true
        default: false
        }
    }
}

extension RawProfile {
    /// Leaves secrets out of the names of processes and threads.
    fileprivate mutating func redactNames(_ redaction: SecretRedaction) {
        for index in threads.indices {
            threads[index].processName = redaction.redacted(name: threads[index].processName)
            threads[index].threadName = redaction.redacted(name: threads[index].threadName)
        }
    }

    /// Leaves out what threads waited for: what is left of a wall-clock profile stands for CPU time, and for waiting
    /// for a CPU.
    fileprivate mutating func keepRunning() {
        guard health.stops != nil else { return }
        samples.removeAll { states[Int($0.stateIndex)] != Self.runningState }
        health.note(
            "CPU time was estimated from the moments at which threads were able to run, waiting for a CPU included."
        )
    }
}
