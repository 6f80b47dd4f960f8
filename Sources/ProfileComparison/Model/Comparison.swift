public import FrozenProfile
public import FunctionAttribution
public import Measurement

/// Two versions side by side: whether they may be compared, what changed by how much, and how sure that is.
///
/// Made by ``init(from:to:settings:)`` from two frozen profiles, or by ``init(interleaved:settings:)`` from runs of two
/// commands in turn. Renderers need nothing else. All text in it is as the files have it: sanitize before showing.
public struct Comparison: Equatable, Sendable {
    /// What repeats the measurement, so that its variance says how far another measurement would be off.
    public enum Design: String, Equatable, Sendable {
        /// Frozen against frozen: the session.
        case sessions
        /// Two commands in turn on one machine: the run.
        case interleaved
    }

    /// One of the two versions.
    public struct Side: Equatable, Sendable {
        /// The version.
        public var release: String
        /// When it was frozen or measured.
        public var date: String
        /// Nil where not recorded.
        public var commit: String?
        /// Sessions that count, and runs in them.
        public var sessions: Int
        public var runs: Int
        /// The schema of its file.
        public var schema: SchemaVersion
        /// The command that was measured, with its placeholders; empty where not recorded.
        public var command: [String] = []
        /// The file that each run read as its standard input; nil for an empty one.
        public var standardInput: String?
        /// The profile's file, where it lies elsewhere than commands look by default.
        public var file: String?
    }

    /// A count that the same work gives each time, and that differs between the versions.
    public struct ExactDifference: Equatable, Sendable {
        /// The stage, nil for the whole run.
        public var stage: StageName?
        /// What was counted, as a phrase: `spans`.
        public var name: String
        public var from: String
        public var to: String
    }

    public var from: Side
    public var to: Side
    public var design: Design
    public var settings: ComparisonSettings
    /// What speaks against comparing, and what was allowed nevertheless.
    public var comparability: Comparability
    /// The whole run's rows, then each stage's: stages in the order of the new side, then those it no longer has.
    public var rows: [ComparisonRow]
    /// Counts that differ.
    public var exactDifferences: [ExactDifference]
    /// Sentences that are true of the comparison and no warning: what it rests on, and from which source to which.
    public var notes: [String]
    /// Why stages changed, by stage: filled by the code that compares the stacks.
    public var explanations: [StageName: StageExplanation] = [:]
    /// Stages that not every run entered.
    public var presence: [StageName: StagePresence] = [:]
    /// The order in which runs were made in turn; nil for frozen versions.
    public var plan: InterleavedPlan?
    /// How many pairs of the plan were made; nil for frozen versions.
    public var pairsMade: Int?
    /// What both versions measure side by side now, beside what was frozen; nil if not asked for.
    public var remeasurement: Remeasurement?
    /// What both versions execute, or why that is not compared; nil where neither was counted.
    public var counted: Reading<CountedComparison>?
}

/// In how many runs a stage was.
public struct StagePresence: Equatable, Sendable {
    /// Runs of the old side that entered it, of so many.
    public var from: Int
    public var fromRuns: Int
    /// Runs of the new side that entered it, of so many.
    public var to: Int
    public var toRuns: Int
}

/// How a comparison judges.
public struct ComparisonSettings: Equatable, Sendable {
    /// Which rows decide the verdict as a whole.
    public enum Gate: String, Equatable, Sendable, CaseIterable {
        /// The whole run's.
        case total
        /// Those and every stage's.
        case stages
    }

    /// The chance of a false regression in a family, and of a false unchanged in a row.
    public var errorRate = 0.05
    public var gate = Gate.total
    public var budgets: BudgetPolicy
    /// By how much counted instructions may grow, in percent.
    public var countedBudgetPercent = CountedComparison.standardBudget
    /// What is known of the variance between sessions.
    public var ledger: NoiseLedger?
    /// What other frozen versions show of it, where no ledger does.
    public var shelf: ShelfNoise?
    /// Keys of ``Comparability`` that may differ.
    public var allowances: Set<String>
    /// Whether sessions of nodes that are unlike the others are left out, on both sides.
    public var excludesOddNodes = false
    /// Files of profiles that were changed after they were frozen, as far as anybody looked.
    public var editedFiles: [EditedFile] = []

    /// A profile's file that is not what was frozen.
    public struct EditedFile: Equatable, Sendable {
        public var path: String
        /// Why, where that is known; a sentence.
        public var cause: String?

        /// A file.
        public init(path: String, cause: String?) {
            self.path = path
            self.cause = cause
        }
    }

    /// Settings.
    public init(
        budgets: BudgetPolicy = BudgetPolicy(), ledger: NoiseLedger? = nil, allowances: Set<String> = [],
        gate: Gate = .total
    ) {
        self.budgets = budgets
        self.ledger = ledger
        self.allowances = allowances
        self.gate = gate
    }
}

extension Comparison {
    /// What came of the comparison as a whole.
    public enum Outcome: Equatable, Sendable {
        /// Differences forbid it: ``Comparability/refusals``.
        case notComparable
        case verdict(Verdict)
    }

    /// What came of the comparison as a whole: a regression by either time or counts, else what time says, else counts.
    public var outcome: Outcome {
        guard let counts = counted?.value?.verdict, counts != .inconclusive else { return timeOutcome }
        if counts == .regressed || timeDoesNotDecide { return .verdict(counts) }
        return timeOutcome
    }

    /// What came of the measured runs alone.
    public var timeOutcome: Outcome {
        guard comparability.refusals.isEmpty else { return .notComparable }
        let judged = rows.filter { $0.family.decides(settings.gate) }
        return .verdict(Verdict.overall(judged.compactMap(\.verdict)) ?? .inconclusive)
    }

    /// Of the undecided rows that stand out, the one to name first: time before memory, then the largest difference. Where the
    /// whole run and a stage differ by the same, the stage.
    public var standingOut: ComparisonRow? {
        let candidates = rows.filter(\.standsOut)
        let times = candidates.filter { $0.metric == .wall || $0.metric == .cpu }
        func size(_ row: ComparisonRow) -> Double { (row.to?.value ?? 0) - (row.from?.value ?? 0) }
        let largest = (times.isEmpty ? candidates : times).max { size($0) < size($1) }
        guard let largest, largest.stage == nil, let part = largestPart(of: largest), part.standsOut else {
            return largest
        }
        return part
    }

    /// Stages that only the new side has.
    public var addedStages: [StageName] { stages(.added) }
    /// Stages that only the old side has.
    public var removedStages: [StageName] { stages(.removed) }
    /// The rows of a stage, nil for the whole run.
    public func rows(of stage: StageName?) -> [ComparisonRow] { rows.filter { $0.stage == stage } }
    /// Stages with a row of a verdict, those with the largest change of wall or CPU time first.
    public func stages(with verdict: Verdict) -> [StageName] {
        var largest: [StageName: Double] = [:]
        for row in rows where row.verdict == verdict {
            guard let stage = row.stage else { continue }
            largest[stage] = max(largest[stage] ?? 0, (row.changePercent ?? 0).magnitude)
        }
        return largest.keys.sorted { (-(largest[$0] ?? 0), $0) < (-(largest[$1] ?? 0), $1) }
    }

    private func stages(_ presence: ComparisonRow.Presence) -> [StageName] {
        var found: [StageName] = []
        for row in rows where row.presence == presence {
            if let stage = row.stage, found.last != stage { found.append(stage) }
        }
        return found
    }
}

extension Comparison {
    /// The stages whose functions are worth looking at: regressed ones, improved ones, those beyond a rules file's thresholds,
    /// those whose executed instructions regressed or improved, and undecided ones whose time stands out.
    public var stagesToExplain: [StageName] {
        var stages = stages(with: .regressed) + stages(with: .improved)
        if let counted = counted?.value {
            stages += (counted.rows(with: .regressed) + counted.rows(with: .improved)).compactMap(\.stage)
        }
        stages += rows.filter { $0.ruleFlag != nil }.compactMap(\.stage)
        // A change of the run that no stage's own test finds is somewhere all the same.
        stages += rows(of: nil).filter { $0.verdict == .regressed || $0.verdict == .improved }
            .compactMap { largestPart(of: $0) }.filter { $0.presence == .both }.compactMap(\.stage)
        stages += rows.filter { $0.standsOut && ($0.metric == .wall || $0.metric == .cpu) }.compactMap(
            \.stage)
        var seen: Set<StageName> = []
        return stages.filter { seen.insert($0).inserted }
    }
}
