internal import FrozenProfile
public import Measurement
internal import StackProfile

/// Two versions' stacks side by side, from which each stage's change is attributed to functions.
public struct AttributionPair: Sendable {
    let before: AttributionInput
    let after: AttributionInput
    let union: UnionTree

    /// The older side.
    public var older: AttributionInput { before }
    /// The newer side.
    public var newer: AttributionInput { after }

    let notes: [String]

    /// Puts two sides beside each other.
    ///
    /// - Throws: ``AttributionRefusal`` where the stacks of the two sides do not count the same thing.
    public init(before: AttributionInput, after: AttributionInput) throws(AttributionRefusal) {
        for side in [before, after] where side.stacks.totalWeight == 0 {
            throw AttributionRefusal(
                "The stacks of \(shown(side.release)) hold no samples, so no function can be compared.")
        }
        if let older = before.sampler?.name, let newer = after.sampler?.name, older != newer {
            throw AttributionRefusal(
                "The stacks of \(shown(before.release)) were taken by \(shown(older)), those of "
                    + "\(shown(after.release)) by \(shown(newer)): what one counts is not what the other counts, so "
                    + "functions cannot be compared. Capture both with one sampler.")
        }
        self.before = before
        self.after = after
        union = UnionTree(before: before.stacks, after: after.stacks)
        notes = Self.notes(before, after)
    }

    /// The stages that have samples on either side, by name.
    public var stages: [StageName] {
        let labels = before.stacks.labelSets + after.stacks.labelSets
        return Set(labels.compactMap(\.stage)).sorted { $0.text < $1.text }
    }

    /// What differs between the sides but does not forbid a comparison.
    private static func notes(_ before: AttributionInput, _ after: AttributionInput) -> [String] {
        var notes: [String] = []
        func compare(_ older: Reading<Double>, _ newer: Reading<Double>, _ what: String, _ so: String) {
            guard let older = older.value, let newer = newer.value, (older - newer).magnitude > 0.05 else {
                return
            }
            notes.append(
                "\(what): \((100 * older).fixed(1)) % before, \((100 * newer).fixed(1)) % now. \(so)")
        }
        compare(
            before.stacks.truncatedShare, after.stacks.truncatedShare, "Stacks that were cut off",
            "What functions spend themselves can be compared; their totals and callers hardly.")
        compare(
            before.stacks.unknownLeafShare, after.stacks.unknownLeafShare,
            "Samples in functions without a name",
            "Time may have changed its name only.")
        if let older = before.stacks.period, let newer = after.stacks.period, older != newer {
            notes.append(
                "Sampled every \(older.readable) before and every \(newer.readable) now; shares are compared, "
                    + "which do not depend on it.")
        }
        if before.sampler == nil || after.sampler == nil {
            notes.append(
                "Not recorded on both sides what took the stacks, so they may not count the same thing.")
        }
        return notes
    }
}

/// A name from outside made safe to show in a sentence.
func shown(_ name: String) -> String { PlainText.sanitized(name, maximumCharacters: 200) }
