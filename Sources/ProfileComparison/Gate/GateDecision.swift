internal import FrozenProfile
internal import Measurement

/// Whether a version may be released, by what it costs and what was agreed on. Pure: the same evidence, the same decision.
public struct GateDecision: Sendable {
    /// What happens to rows that are neither regressed nor certainly fine.
    public enum UndecidedPolicy: String, Sendable, CaseIterable {
        /// They are a failure of their own kind: exit code 2.
        case fail
        /// They are shown and pass.
        case warn
        /// More runs are made of both sides, up to some time; what they leave open is a failure.
        case measure
    }

    public enum Verdict: String, Sendable {
        case passed, regressed, undecided
        /// There is nothing that a decision could rest on.
        case refused
    }

    /// What the gate says of a row.
    public enum State: Equatable, Sendable {
        case failed(String)
        case accepted(GateAgreements.Acceptance)
        case undecided(String)
        case passed
    }

    /// A judged row.
    public struct Row: Sendable {
        public var row: ComparisonRow
        public var target: GateAgreements.Target
        public var state: State
    }

    /// The versions, as their files name them.
    public let from: String
    public let to: String
    public let policy: UndecidedPolicy
    /// Why there is no decision, in sentences; empty where there is one.
    public internal(set) var refusals: [String]
    /// The judged rows, those that fail first.
    public internal(set) var rows: [Row]
    /// Failures that belong to no row, in sentences.
    public internal(set) var failures: [String]
    /// What passes and is to be known, in sentences.
    public internal(set) var warnings: [String]
    /// The acceptances that hold, in order of their targets.
    public internal(set) var agreed: [GateAgreements.Acceptance]
    /// The heading of the bounds that the rows have.
    public let boundsTitle: String

    /// A decision that there is none, because something is missing or cannot be read.
    public init(from: String, to: String, refusal: String) {
        self.from = from
        self.to = to
        policy = .fail
        refusals = [refusal]
        rows = []
        failures = []
        warnings = []
        agreed = []
        boundsTitle = "bounds"
    }

    /// Decides.
    public init(
        _ evidence: GateEvidence, agreements: GateAgreements, undecided policy: UndecidedPolicy = .fail
    ) {
        let comparison = evidence.comparison
        from = comparison.from.release
        to = comparison.to.release
        self.policy = policy
        boundsTitle = comparison.boundsTitle
        failures = []
        warnings = comparison.comparability.warnings.map(\.sentence)
        warnings += comparison.comparability.allowed.map { "Allowed although it differs: \($0.sentence)" }
        let judge = AgreementJudge(evidence: evidence, agreements: agreements)
        refusals = GateRefusals(evidence: evidence, agreements: agreements).sentences
        rows = []
        agreed = []
        let counts = comparison.counted?.value?.verdict
        // Counts decide of times that runs cannot decide, as they do for a comparison as a whole.
        let countsDecide = counts == .unchanged || counts == .improved
        for row in comparison.gateRows where row.family != .derived && row.presence == .both {
            let target = GateAgreements.Target(stage: row.stage, metric: row.metric)
            // Counts that did not regress are a reason to pass, and no row to be decided.
            if row.metric == .instructions, row.verdict != .regressed, !agreements.mention(target) {
                continue
            }
            let state = judge.state(of: row, target, countsDecide: countsDecide && !row.metric.isMemory)
            rows.append(Row(row: row, target: target, state: state))
        }
        rows = rows.enumerated().sorted { ($0.element.rank, $0.offset) < ($1.element.rank, $1.offset) }
            .map(\.element)
        for acceptance in agreements.acceptances {
            switch judge.standing(of: acceptance) {
            case .holds: agreed.append(acceptance)
            case .lapsed(let sentence): warnings.append(sentence)
            case .ended, .exceeded: break
            }
        }
        for stage in comparison.addedStages {
            warnings.append("Stage \(stage) is new: there is nothing to hold it against.")
        }
        for stage in comparison.removedStages where evidence.removed.contains(stage) {
            warnings.append("Stage \(stage) is gone, as was said with --removed.")
        }
        if policy == .warn {
            warnings += rows.compactMap {
                if case .undecided(let sentence) = $0.state { sentence } else { nil }
            }
        }
    }

    /// Adds a sentence that is to be known.
    public mutating func note(_ sentence: String) { warnings.append(sentence) }

    /// What comes of it all.
    public var verdict: Verdict {
        if !refusals.isEmpty { return .refused }
        if !failures.isEmpty || rows.contains(where: { $0.rank == 0 }) { return .regressed }
        if policy != .warn, rows.contains(where: { $0.rank == 1 }) { return .undecided }
        return .passed
    }
}

extension GateDecision.Row {
    /// The place of its state in a report: what fails comes first.
    var rank: Int {
        switch state {
        case .failed: 0
        case .undecided: 1
        case .accepted: 2
        case .passed: 3
        }
    }
}
