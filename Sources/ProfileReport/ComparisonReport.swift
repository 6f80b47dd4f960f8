internal import FlameGraph
public import FrozenProfile
public import FunctionAttribution
internal import Measurement
public import ProfileComparison
internal import StackProfile

/// Everything a report of a comparison shows.
public struct ComparisonReport: Sendable {
    public var comparison: Comparison
    public var stacks: StackComparison
    /// The two profiles, for what they were measured on.
    public var profiles: (from: FrozenProfile, to: FrozenProfile)
    /// The tool that makes the report, with its version.
    public var tool: String

    /// A report of a comparison and of the stacks behind it.
    public init(
        _ comparison: Comparison, stacks: StackComparison, from: FrozenProfile, to: FrozenProfile,
        tool: String
    ) {
        self.comparison = comparison
        self.stacks = stacks
        profiles = (from, to)
        self.tool = tool
    }

    /// The differential flame graph of an explained stage, scaled to the seconds of its median run.
    ///
    /// - Parameter asDocument: As a file of its own, rather than to stand in a page.
    public func flameGraph(of attribution: Attribution, asDocument: Bool) -> [UInt8]? {
        guard let pair = stacks.pair else { return nil }
        func side(_ input: AttributionInput, _ part: Attribution.Side) -> DifferentialLayout.Side {
            let profile =
                attribution.stage.map { stage in input.stacks.filtered { $0.stage == stage } } ?? input.stacks
            let weight = Double(max(1, profile.totalWeight))
            let scale = attribution.basis == .seconds ? part.median / weight : 1
            return DifferentialLayout.Side(name: input.release, profile: profile, valuePerWeight: scale)
        }
        let layout = DifferentialLayout(
            before: side(pair.older, attribution.before), after: side(pair.newer, attribution.after))
        var options = DifferentialSVG.Options()
        options.title = "\(attribution.before.release) → \(attribution.after.release)"
        options.subject = attribution.stage?.text
        options.unit = attribution.basis == .seconds ? .seconds : .samples
        // Without seconds the sides have nothing in common but their shares.
        options.normalization = attribution.basis == .seconds ? .absolute : .share
        options.facts = [
            ("runs", "\(attribution.before.runs) → \(attribution.after.runs)"),
            ("samples", "\(attribution.before.samples) → \(attribution.after.samples)"),
            (
                "values",
                attribution.basis == .seconds ? "CPU seconds of the median profiled run" : "samples, by share"
            ),
        ]
        options.warnings = attribution.notes
        options.identity = attribution.stage?.text ?? ""
        return DifferentialSVG.render(layout, options: options, asDocument: asDocument)
    }
}
