internal import Measurement

/// What a session's runs, surroundings and canaries say about how far its values can be trusted. Pure.
///
/// Every finding is a sentence that names the evidence, and advice on what to do. The advice depends on the options
/// that were used: after a warm-up it does not recommend one.
public struct NoiseReview: Equatable, Sendable {
    /// What was noticed.
    public enum Kind: String, CaseIterable, Sendable {
        case fewRuns = "few_runs"
        case involuntarySwitches = "involuntary_switches"
        case runQueueWait = "run_queue_wait"
        case steal
        case otherProcesses = "other_processes"
        case throttling
        case swapping
        case canaryDrift = "canary_drift"
        case canaryScatter = "canary_scatter"
        case trend
        case slowFirstRun = "slow_first_run"
        case spread
    }

    /// One thing that was noticed.
    public struct Finding: Equatable, Sendable {
        public var kind: Kind
        /// What was seen, as a sentence.
        public var sentence: String
        /// What to do about it, as a sentence; nil where nothing can be done.
        public var advice: String?

        /// A finding.
        public init(_ kind: Kind, _ sentence: String, advice: String?) {
            self.kind = kind
            self.sentence = sentence
            self.advice = advice
        }

        /// Sentence and advice.
        public var text: String { advice.map { "\(sentence) \($0)" } ?? sentence }
    }

    /// How the runs were made, as far as advice depends on it.
    public struct Options: Equatable, Sendable {
        public var warmUpRuns: Int
        /// How often disturbed runs were repeated at most: `--repeat-disturbed`.
        public var repeatsOfDisturbed: Int
        /// Whether it can be repeated with `--append`, as a further session.
        public var canAppend: Bool

        /// Options.
        public init(warmUpRuns: Int = 1, repeatsOfDisturbed: Int = 0, canAppend: Bool = true) {
            self.warmUpRuns = warmUpRuns
            self.repeatsOfDisturbed = repeatsOfDisturbed
            self.canAppend = canAppend
        }
    }

    /// From where on something is worth a sentence, or disturbs a run.
    public struct Limits: Equatable, Sendable {
        /// Measured runs below which the middle is a guess.
        public var runs = 5
        /// Involuntary switches for each CPU second of a run.
        public var involuntarySwitchesPerCPUSecond = 50.0
        /// Waiting for a CPU, as a share of a run's CPU time.
        public var runQueueWaitShare = 0.05
        /// CPU time given to others by the hypervisor, in percent.
        public var stealPercent = 1.0
        /// CPU time of other processes, in percent of what there was.
        public var othersPercent = 5.0
        /// Change of a canary from its fastest to its slowest moment, if it is more than chance shows.
        public var canaryDrift = 0.02
        /// The probability of a trend as clear as this in runs without one.
        public var trendProbability = 0.01
        /// Modified z-score of the first run, by median and median absolute deviation of the others.
        public var firstRunScore = 10.0
        /// Median absolute deviation by median, scaled to a standard deviation.
        public var spread = 0.05
        /// A run is disturbed by more than this: steal and others in percent.
        public var disturbingStealPercent = 5.0
        public var disturbingOthersPercent = 20.0
        /// Swapped out during a run, in mebibytes.
        public var disturbingSwapMB = 16.0

        /// The limits that `docs/noise.md` states.
        public init() {}
    }

    public var findings: [Finding]

    /// What there is to say about a session.
    public init(_ session: Session, options: Options = Options(), limits: Limits = Limits()) {
        let runs = session.runs.filter(\.counts)
        let examination = NoiseExamination(runs: runs, options: options, limits: limits)
        findings =
            examination.fewRuns + examination.surroundings + examination.drift(of: session.canaries)
            + examination.order
    }

    /// Why a run was disturbed so much that it should be repeated, as a phrase; nil when it was not.
    ///
    /// Only the machine is asked, never how long the run took: to repeat runs because they are slow would make a slow
    /// version look fast. Beyond 5 % of the CPU time stolen, 20 % used by others, any thermal throttling, or 16 MiB
    /// swapped out, a run is disturbed.
    public static func disturbance(of run: Run, limits: Limits = Limits()) -> String? {
        var reasons: [String] = []
        if let steal = run.surroundings?[.steal].value, steal > limits.disturbingStealPercent {
            reasons.append("the hypervisor took \(steal.fixed(1)) % of the CPU time")
        }
        if let others = run.surroundings?[.othersShare].value, others > limits.disturbingOthersPercent {
            reasons.append("other processes took \(others.fixed(1)) % of the CPU time")
        }
        if let throttles = run.surroundings?[.thermalThrottles].value, throttles > 0 {
            reasons.append("a CPU was slowed down because of heat (\(throttles.fixed(0)) times)")
        }
        if let swapped = run.swappedOutMB, swapped > limits.disturbingSwapMB {
            reasons.append("\(swapped.fixed(0)) MB were swapped out")
        }
        return reasons.isEmpty ? nil : reasons.joined(separator: ", ")
    }
}

extension Run {
    /// By how much the machine's used swap space was at its most above what it was before the run, in mebibytes; nil
    /// where it was not recorded.
    var swappedOutMB: Double? { surroundings?.ranges[.swapUsed]?.value?.rise }
}
