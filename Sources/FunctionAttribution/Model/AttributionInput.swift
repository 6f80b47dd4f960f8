public import FrozenProfile
public import Measurement
public import StackProfile

/// One side of an attribution: a version's stacks, and the CPU time they are shares of.
public struct AttributionInput: Sendable {
    /// The CPU seconds of one stage.
    public struct StageCPU: Equatable, Sendable {
        /// By run, named as samples are labelled: `s1/4`.
        public var byRun: [String: Double] = [:]
        /// For runs without a value of their own: the median measured run's.
        public var otherwise: Reading<Double>

        /// CPU seconds of a stage.
        public init(byRun: [String: Double] = [:], otherwise: Reading<Double>) {
            self.byRun = byRun
            self.otherwise = otherwise
        }
    }

    /// The version.
    public var release: String
    public var stacks: StackProfile
    public var stageCPU: [StageName: StageCPU]
    /// Of the whole run.
    public var totalCPU: StageCPU
    /// What took the stacks; nil if not given.
    public var sampler: CaptureQuality.Sampler?

    /// A side made of its parts.
    public init(
        release: String, stacks: StackProfile, stageCPU: [StageName: StageCPU], totalCPU: StageCPU,
        sampler: CaptureQuality.Sampler? = nil
    ) {
        self.release = release
        self.stacks = stacks
        self.stageCPU = stageCPU
        self.totalCPU = totalCPU
        self.sampler = sampler
    }

    /// A frozen profile with the stacks of its archive.
    ///
    /// A profiled run's share of a function is a share of that run's own CPU time; where the profile does not say
    /// it, of the median measured run's.
    public init(_ profile: FrozenProfile, stacks: StackProfile) {
        release = profile.release
        self.stacks = stacks
        sampler = profile.captureQuality?.sampler
        totalCPU = StageCPU(otherwise: profile.totals.use.cpuSeconds)
        stageCPU = [:]
        for stage in profile.stages { stageCPU[stage.stage] = StageCPU(otherwise: stage.use.cpuSeconds) }
        for session in profile.sessions {
            for run in session.runs where run.kind == .profiled && run.exit.value ?? 0 == 0 {
                let label = "\(session.id)/\(run.index)"
                totalCPU.byRun[label] = run.use.cpuSeconds.value
                for stage in run.stages {
                    stageCPU[stage.stage, default: StageCPU(otherwise: stage.use.cpuSeconds)].byRun[label] =
                        stage.use.cpuSeconds.value
                }
            }
        }
    }

    /// The CPU seconds of a run in a stage; of a run without a label, those of the only profiled run there is.
    func cpuSeconds(stage: StageName?, run: String?) -> Reading<Double> {
        guard let cpu = stage.map({ stageCPU[$0] }) ?? totalCPU else {
            return .unavailable(reason: "\(release) has no CPU time of the stage")
        }
        if let run, let seconds = cpu.byRun[run] { return .value(seconds) }
        if run == nil, cpu.byRun.count == 1, let seconds = cpu.byRun.values.first { return .value(seconds) }
        return cpu.otherwise
    }
}
