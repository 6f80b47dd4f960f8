package import LinuxProcess
internal import LinuxSystem
internal import Measurement
internal import StackSampler
package import Stages

/// The sampler of one recording, whichever it is.
package struct RunSampler: ~Copyable {
    /// What was refused on the way, a sentence each: what could not be used, and what is used instead.
    package private(set) var refusals: [String] = []

    private let request: StackRecording.Request
    private let ladder: SamplerLadder
    private var rung: SamplerLadder.Rung
    private var perf: PerfSampler?
    private var ptrace: PtraceSampler?
    private var pySpy: PySpy?

    /// The sampler's name for a progress line.
    var name: String { rung.name }

    private var rateHertz: Int {
        let rate = request.rateHertz ?? rung.defaultRateHertz
        return rung == .ptrace ? min(rate, WallClockConfiguration.maximumRateHertz) : rate
    }

    /// A sampler that is not attached yet.
    ///
    /// - Parameters:
    ///   - request: Which sampler, and at what rate.
    ///   - executable: The program that will be sampled, as far as that is known.
    ///   - directory: Where a helper's files may go; nil where ``needsDirectory(_:executable:)`` says that there is none.
    package init(
        _ request: StackRecording.Request, executable: String?, directory: String?
    ) throws(StackRecordingError) {
        self.request = request
        ladder = try SamplerLadder(
            request.sampler, mode: request.mode, executable: executable, pySpy: PySpy.program)
        rung = ladder.rungs[0]
        if case .pySpy(let program) = rung, let directory {
            pySpy = PySpy(
                program: program, directory: directory, rateHertz: request.rateHertz ?? rung.defaultRateHertz,
                includesWaiting: request.mode == .wall)
        }
    }

    /// Whether the sampler of a request would be a helper that writes files.
    static func needsDirectory(
        _ request: StackRecording.Request, executable: String?
    ) throws(StackRecordingError) -> Bool {
        let ladder = try SamplerLadder(
            request.sampler, mode: request.mode, executable: executable, pySpy: PySpy.program)
        if case .pySpy = ladder.rungs[0] { return true }
        return false
    }

    /// Attaches to a command that has not run anything yet.
    package mutating func attach(to child: borrowing SuspendedChild) throws(StackRecordingError) {
        for rung in ladder.rungs {
            self.rung = rung
            do throws(SamplerError) {
                switch rung {
                case .pySpy: return
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
                case .pySpy: return
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

    /// Keeps a helper running beside the process.
    package mutating func lookAfter(_ pid: Int32) throws(StackRecordingError) {
        try pySpy?.takeHold(of: pid)
    }

    /// Whether a helper cannot take hold of the process.
    mutating func hasGivenUp() throws(StackRecordingError) -> Bool {
        try pySpy?.hasGivenUp() ?? false
    }

    /// Ends the sampling and names what was seen.
    ///
    /// - Parameters:
    ///   - timeline: The stages of the time that was sampled.
    ///   - trust: Whose maps of just-in-time code are believed.
    ///   - excluded: Processes whose samples are left out: ours, where the target is among our ancestors.
    ///   - markers: Processes of this toolkit that only marked stages: their samples are left out too.
    ///   - naming: Told how much has its name, from 0 to 1.
    package consuming func finish(
        timeline: StageTimeline?, trust: JustInTimeNames.Trust, excluding excluded: Set<Int32> = [],
        markers: Set<Int32> = [], naming: (Double) -> Void
    ) throws(StackRecordingError) -> TakenStacks {
        let (rateHertz, reason, mode) = (rateHertz, ladder.reason, request.mode)
        if pySpy != nil {
            pySpy?.stop()
            let outcome = try pySpy?.finish() ?? .unavailable(reason: "py-spy was not started")
            return TakenStacks(pySpy: outcome, rateHertz: rateHertz)
        }
        guard var raw = perf.take()?.finish() ?? ptrace.take()?.finish() else {
            return TakenStacks(none: "the sampler was not attached")
        }
        raw.samples.removeAll { sample in
            let thread = raw.threads[Int(sample.threadIndex)]
            // A number may have come to mean another process; a name alone may be anybody's.
            let isMarker = markers.contains(thread.processID) && thread.processName == "freeze-profile"
            return isMarker || excluded.contains(thread.processID)
        }
        if mode == .cpu { raw.keepRunning() }
        return try TakenStacks(
            raw, timeline: timeline, reason: reason, rateHertz: rateHertz, trust: trust,
            labelsStates: mode == .wall, naming: naming)
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
