internal import Capture
internal import FrozenProfile
internal import FunctionAttribution
internal import Measurement

/// The functions that a change in time is made of: runs of both commits with stacks, in turn.
struct TimedFunctions {
    /// Profiled runs of each of the two commits.
    static let pairs = 5
    /// The functions that are shown of a stage.
    private static let shown = 5

    private(set) var functions: [BlameReport.StageFunctions] = []
    /// Why functions are not known, as sentences.
    private(set) var reasons: [String] = []

    /// - Parameter stages: Those that changed between the two commits; nil for the whole run.
    init(
        _ from: Int, _ to: Int, stages: [StageName?], _ bench: inout CommitBench
    ) throws(CaptureError) {
        let name = try bench.describe(to).shortName
        func unknown(_ reason: String) -> String { "The functions of \(name) are not known: \(reason)." }
        switch try bench.pairs(from, to, count: Self.pairs, .profiled) {
        case .obstacle(_, let obstacle): reasons = [unknown("the commit \(obstacle.reason)")]
        case .runs:
            let sides = try bench.profiled(from, to)
            guard let before = sides.from.value, let after = sides.to.value else {
                let reason = sides.from.unavailableReason ?? sides.to.unavailableReason ?? ""
                reasons = [unknown(reason)]
                return
            }
            do throws(AttributionRefusal) {
                let pair = try AttributionPair(before: before, after: after)
                for stage in stages { try explain(stage, by: pair, unknown) }
            } catch {
                reasons.append(error.description)
            }
        }
    }

    private mutating func explain(
        _ stage: StageName?, by pair: AttributionPair, _ unknown: (String) -> String
    ) throws(AttributionRefusal) {
        let place = stage.map { PlainText.sanitized($0.text) } ?? "the whole run"
        let attribution = try pair.attribution(of: stage)
        if case .shares(let reason) = attribution.basis {
            reasons.append(unknown(reason))
            return
        }
        let changed = attribution.functions.filter {
            $0.isNotable && !$0.isInterpreter && $0.label != .moved && $0.shiftedWithin == nil
        }
        guard !changed.isEmpty else {
            reasons.append(
                unknown(
                    "in \(Self.pairs) profiled runs a side no function of \(place) spends CPU time that differs by more than "
                        + "noise, so what changed may be time spent waiting, or be spread over many"))
            return
        }
        functions.append(
            BlameReport.StageFunctions(
                stage: stage, base: attribution.before.median,
                functions: changed.prefix(Self.shown).map { function in
                    BlameReport.Function(
                        name: function.function,
                        module: function.isInterpreted ? function.file : function.module,
                        from: function.before.charged, to: function.after.charged)
                }))
    }
}

extension CommitBench {
    /// The stacks of the profiled runs of two commits with their CPU time, or why there are none.
    func profiled(
        _ from: Int, _ to: Int
    ) throws(CaptureError) -> (from: Reading<AttributionInput>, to: Reading<AttributionInput>) {
        let kept = try keptRuns(from, to)
        return (try Self.input(kept.from, "from"), try Self.input(kept.to, "to"))
    }

    private static func input(
        _ runs: KeptRuns, _ name: String
    ) throws(CaptureError) -> Reading<AttributionInput> {
        do throws(ProfileError) {
            let profile = try FrozenProfile(records: runs.records, release: try VersionName(name))
            return runs.stacks.map { AttributionInput(profile, stacks: $0) }
        } catch {
            throw .measurementFailed(error.description)
        }
    }
}
