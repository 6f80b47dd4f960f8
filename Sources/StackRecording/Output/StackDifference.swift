internal import FlameGraph
internal import Measurement
public import StackProfile

/// Stacks of any two profiles compared, ready to be written.
public struct StackDifference: Sendable {
    private let before: StackProfile
    private let after: StackProfile
    private let names: (before: String, after: String)
    private let title: String

    /// A comparison of two profiles.
    public init(
        before: StackProfile, after: StackProfile, names: (before: String, after: String), title: String
    ) {
        self.before = before
        self.after = after
        self.names = names
        self.title = PlainText.sanitized(title, maximumCharacters: 128)
    }

    /// Whether neither side has a sample.
    public var isEmpty: Bool { before.totalWeight == 0 && after.totalWeight == 0 }

    /// Why the two cannot be compared; nil where they can.
    public var obstacle: String? {
        guard before.unit != after.unit, before.totalWeight > 0, after.totalWeight > 0 else { return nil }
        return
            "The first file counts \(PlainText.sanitized(before.unit.name, maximumCharacters: 40)), the second "
            + "\(PlainText.sanitized(after.unit.name, maximumCharacters: 40)): give two of one kind, or choose with "
            + "--sample-type."
    }

    /// The picture, or folded text with two weights a line; nil of other formats.
    public func bytes(as format: StackFormat) -> [UInt8]? {
        switch format {
        case .svg: picture
        case .folded: FoldedStacks.write(before: before, after: after)
        default: nil
        }
    }

    private var picture: [UInt8] {
        let isTime = before.unit == .nanoseconds || after.unit == .nanoseconds
        func side(_ name: String, _ profile: StackProfile) -> DifferentialLayout.Side {
            DifferentialLayout.Side(
                name: PlainText.sanitized(name, maximumCharacters: 60), profile: profile,
                valuePerWeight: isTime ? 1e-9 : 1)
        }
        var options = DifferentialSVG.Options()
        options.title = title
        let unit = before.totalWeight > 0 ? before.unit : after.unit
        switch unit {
        case .nanoseconds: options.unit = .seconds
        case .samples: options.unit = .samples
        case .bytes: options.unit = .bytes
        case .instructions:
            options.unit = .weight
            options.facts = [("values", "instructions")]
        case .counts(let what):
            options.unit = .weight
            options.facts = [("values", PlainText.sanitized(what, maximumCharacters: 60))]
        }
        // How long each side was sampled is not known, so counts of samples say nothing but their shares.
        options.normalization = unit == .samples ? .share : .absolute
        return DifferentialSVG.render(
            DifferentialLayout(before: side(names.before, before), after: side(names.after, after)),
            options: options)
    }
}
