internal import CommandLineTool
internal import FrozenProfile
internal import LinuxSystem
internal import Measurement
internal import ProfileComparison

/// `gate --undecided measure`: more runs of both sides, in turn, until they decide or the time is up.
struct GateMeasuring {
    static let standardSeconds = 600
    /// The share of the error rate that the frozen runs have; the runs that are made now have the rest.
    static let share = 0.5

    private let remeasuring: Remeasuring
    private let limit: Duration

    /// What to run; refused before anything is compared where it is not known.
    init(_ arguments: ParsedArguments, _ reading: GateReading) throws(ToolFailure) {
        let sides = try reading.sides()
        remeasuring = try Remeasuring(sides.from, sides.to, arguments)
        limit = .seconds(
            try arguments.whole("measure-seconds", in: 1...604_800) ?? Self.standardSeconds)
    }

    /// Decides rows of the evidence that are open, where that is all that keeps a decision from being made.
    ///
    /// - Returns: What is to be known of it, in sentences; none where nothing was measured.
    func settle(
        _ evidence: inout GateEvidence, agreements: GateAgreements
    ) throws(ToolFailure) -> [String] {
        let before = GateDecision(evidence, agreements: agreements, undecided: .measure)
        guard before.verdict == .undecided else { return [] }
        let began = SystemClock.monotonicNanoseconds
        let clock = UInt64(SystemClock.now.nanosecondsSinceEpoch / 1000 % 1_000_000)
        let plan = InterleavedPlan(pairs: InterleavedPlan.defaultPairs, seed: clock, grows: true)
        let now = try remeasuring.compare(evidence.comparison.settings, plan: plan, limit: limit)
        let seconds = Double(SystemClock.monotonicNanoseconds - began) / 1e9
        let settled = evidence.comparison.settle(by: now)
        let pairs = now.pairsMade ?? 0
        let made = "\(pairs) pair\(pairs == 1 ? "" : "s") of runs made now (\(seconds.fixed(0)) s)"
        guard case .verdict = now.timeOutcome else {
            let reason = now.comparability.refusals.first?.sentence ?? ""
            return ["\(made) cannot be compared: \(reason)"]
        }
        return ["\(made) decided \(settled) of the rows that frozen runs leave undecided."]
    }
}
