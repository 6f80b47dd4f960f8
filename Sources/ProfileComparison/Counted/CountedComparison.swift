public import FrozenProfile
public import Measurement

/// What two versions execute, side by side: instructions counted by stage, from one session a side.
///
/// The same work gives the same count on any machine, so a change is judged against the budget and the spread of either
/// side's own runs, and against nothing else.
public struct CountedComparison: Equatable, Sendable {
    /// A stage, or the whole run, on both sides.
    public struct Row: Equatable, Sendable {
        /// Nil for the whole run.
        public var stage: StageName?
        /// Nil on the side that does not have the stage.
        public var from: FrozenCounts.Part?
        public var to: FrozenCounts.Part?
        /// The change in percent of the old count; nil where a side has none.
        public var changePercent: Double?
        /// What runs of the same work are apart on both sides together, in percent.
        public var floorPercent: Double
        public var verdict: Verdict?
        /// Why there is no better verdict, as a sentence.
        public var reason: String?
        /// The functions that the change is in, largest first; empty where they are not known.
        public var functions: [Function] = []
    }

    /// A function whose count changed.
    public struct Function: Equatable, Sendable {
        public var name: String
        /// The file its code is in.
        public var module: String?
        /// Whether that is a source file, as of Python.
        public var isInSource = false
        /// Instructions of the function itself in the median run.
        public var from: Double
        public var to: Double

        public var change: Double { to - from }
    }

    public var from: FrozenCounts
    public var to: FrozenCounts
    /// By how much counts may grow, in percent.
    public var budgetPercent: Double
    /// The whole run first, then stages in the order of the new side.
    public var rows: [Row]
    /// What else differs and is to be known, as sentences.
    public var notes: [String]

    /// The budget unless the user sets another one.
    public static let standardBudget = 0.5
    /// A stage whose change is a smaller share of the whole run, in percent, is not judged by itself: starting and naming
    /// move as much.
    public static let smallestShare = 0.01

    /// What every output says of counts.
    public static let blindSpot =
        "Counted are instructions executed in user space: caches, waiting for I/O and the kernel are not seen."

    /// What came of it: regressed when any row has.
    public var verdict: Verdict { Verdict.overall(rows.compactMap(\.verdict)) ?? .inconclusive }

    /// The rows that changed, stages before the whole run, the largest change in instructions first.
    func rows(with verdict: Verdict) -> [Row] {
        rows.filter { $0.verdict == verdict }.sorted { left, right in
            if (left.stage == nil) != (right.stage == nil) { return left.stage != nil }
            return left.difference.magnitude > right.difference.magnitude
        }
    }
}

extension FrozenCounts {
    /// Whether the profile's own command was counted, and none in its place.
    fileprivate func isOfRecipe(_ profile: FrozenProfile) -> Bool { profile.recipe?.arguments == command }
}

extension CountedComparison.Row {
    /// The change in instructions.
    var difference: Double { (to?.median ?? 0) - (from?.median ?? 0) }
}

extension CountedComparison {
    /// The comparison of two profiles' counts; the reason where there is none.
    ///
    /// - Parameters:
    ///   - budgetPercent: By how much counts may grow.
    ///   - refusals: What forbids comparing times. Another machine, speed or load does not forbid comparing counts;
    ///     other work does.
    static func of(
        _ older: FrozenProfile, _ newer: FrozenProfile, budgetPercent: Double,
        refusals: [Comparability.Difference] = []
    ) -> Reading<CountedComparison>? {
        // Where neither side was to be counted there is nothing to say.
        guard older.counts?.value != nil || newer.counts?.value != nil else { return nil }
        func missing(_ profile: FrozenProfile) -> String {
            let name = PlainText.sanitized(profile.release, maximumCharacters: 60)
            return "\(name) has no counts: " + (profile.counts?.unavailableReason ?? "none were made")
        }
        guard let from = older.counts?.value else { return .unavailable(reason: missing(older)) }
        guard let to = newer.counts?.value else { return .unavailable(reason: missing(newer)) }
        guard from.identity == to.identity else {
            return .unavailable(
                reason: "counts of \(from.identity) and of \(to.identity) do not mean the same")
        }
        if let refusal = refusals.first(where: { Self.aboutWork.contains($0.key) }) {
            return .unavailable(reason: refusal.sentence.droppingStop)
        }
        guard from.command == to.command || from.isOfRecipe(older) && to.isOfRecipe(newer) else {
            return .unavailable(reason: "different commands were counted")
        }
        return .value(CountedComparison(from, to, budgetPercent: budgetPercent, notes: notes(older, newer)))
    }

    /// Keys of differences that make it other work, or other evidence.
    private static let aboutWork = Set(
        [ComparabilityKey.dataset, .episodes, .stages, .exitStatus, .output, .edited].map(\.rawValue)
            + [IdentityKey.configDigest, .inputDigest, .architecture].map(\.rawValue))

    private static func notes(_ older: FrozenProfile, _ newer: FrozenProfile) -> [String] {
        [IdentityKey.libc, .operatingSystem, .buildMode, .architecture].compactMap { key in
            guard let one = older.environment.identity[key].value,
                let other = newer.environment.identity[key].value, one != other
            else { return nil }
            return "\(key.rawValue) differs, which may change counts: \(one), now \(other)."
        }
    }

    /// The comparison of the counts of two programs that do the same work, by one engine.
    public init(
        _ from: FrozenCounts, _ to: FrozenCounts, budgetPercent: Double, notes: [String] = []
    ) {
        self.from = from
        self.to = to
        self.budgetPercent = budgetPercent
        self.notes = notes
        var names = to.stages.map(\.name)
        for stage in from.stages where !names.contains(stage.name) { names.append(stage.name) }
        let whole = max(from.total.median, to.total.median)
        rows = ([nil] + names.map(Optional.some)).map { name in
            CountedComparison.row(
                name, from.part(of: name), to.part(of: name), budgetPercent: budgetPercent, whole: whole)
        }
    }

    private static func row(
        _ stage: StageName?, _ from: FrozenCounts.Part?, _ to: FrozenCounts.Part?, budgetPercent: Double,
        whole: Double
    ) -> Row {
        var row = Row(
            stage: stage, from: from, to: to, changePercent: nil,
            floorPercent: (from?.floorPercent.value ?? 0) + (to?.floorPercent.value ?? 0), verdict: nil)
        guard let from, let to else { return row }
        guard from.median > 0 else { return row }
        let change = 100 * row.difference / from.median
        row.changePercent = change
        let bounds = from.lowerBound + to.lowerBound
        if let reason = bounds.first {
            row.verdict = .inconclusive
            row.reason = "The count is a lower bound: \(reason)."
            return row
        }
        let isLarge = row.difference.magnitude >= smallestShare / 100 * whole
        if isLarge, change > budgetPercent + row.floorPercent {
            row.verdict = .regressed
        } else if isLarge, change < -(budgetPercent + row.floorPercent) {
            row.verdict = .improved
        } else if row.floorPercent > budgetPercent, isLarge, change > budgetPercent {
            row.verdict = .inconclusive
            row.reason = "Runs of the same work are \(row.floorPercent.fixed(3)) % apart."
        } else {
            row.verdict = .unchanged
        }
        return row
    }
}

extension String {
    /// A sentence as a phrase.
    fileprivate var droppingStop: String { hasSuffix(".") ? String(dropLast()) : self }
}
