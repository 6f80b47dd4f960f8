public import FrozenProfile
internal import Measurement
internal import Statistics

extension Comparison {
    /// The comparison of an older profile with a newer one.
    ///
    /// When something forbids it there are no rows: ``Comparability/refusals`` of ``comparability`` say what.
    public init(from: FrozenProfile, to: FrozenProfile, settings: ComparisonSettings = ComparisonSettings()) {
        let countsInvalid = settings.allowances.contains(ComparabilityKey.invalidSession.rawValue)
        let older = SideEvidence(from, countsInvalid: countsInvalid)
        let newer = SideEvidence(to, countsInvalid: countsInvalid)
        let spread = NodeSpread([older, newer])
        let odd = settings.excludesOddNodes ? Set(spread.oddNodes.map(\.node)) : []
        self.init(
            from: older.without(nodes: odd), to: newer.without(nodes: odd), design: .sessions,
            settings: settings)
        notes += spread.sentences(isExcluded: settings.excludesOddNodes)
        counted = CountedComparison.of(
            from, to, budgetPercent: settings.countedBudgetPercent, refusals: comparability.refusals)
    }

    /// The comparison of two commands whose runs were made in turn on one machine, in random order within each pair.
    ///
    /// - Parameters:
    ///   - from: The old command's runs, in one session; its n-th measured run and that of the new one are a pair.
    ///   - to: The new command's runs.
    ///   - settings: How to judge. A ledger has no part in it.
    public init(
        interleaved from: FrozenProfile, with to: FrozenProfile,
        settings: ComparisonSettings = ComparisonSettings()
    ) {
        // Drift hits both sides alike, so it makes no run unfair.
        self.init(
            from: SideEvidence(from, sessions: from.sessions), to: SideEvidence(to, sessions: to.sessions),
            design: .interleaved, settings: settings)
    }

    /// Adds what counted runs of both commands executed, where there are any, to a comparison of runs made in turn.
    public mutating func addCounts(from: FrozenProfile, to: FrozenProfile) {
        guard let older = from.counts?.value, let newer = to.counts?.value else { return }
        counted =
            older.identity == newer.identity
            ? .value(CountedComparison(older, newer, budgetPercent: settings.countedBudgetPercent))
            : .unavailable(
                reason: "counts of \(older.identity) and of \(newer.identity) do not mean the same")
    }

    private init(
        from older: SideEvidence, to newer: SideEvidence, design: Design, settings: ComparisonSettings
    ) {
        self.init(
            from: Side(older), to: Side(newer), design: design, settings: settings,
            comparability: Comparability(from: older, to: newer, design: design, settings: settings),
            rows: [],
            exactDifferences: [], notes: [])
        guard comparability.refusals.isEmpty else { return }
        let table = RowTable(from: older, to: newer, design: design, settings: settings)
        rows = table.rows()
        presence = table.presence()
        exactDifferences = table.exactDifferences()
        notes = table.notes(from: self.from, to: self.to)
    }
}

extension Comparison.Side {
    init(_ evidence: SideEvidence) {
        let profile = evidence.profile
        self.init(
            release: profile.release, date: profile.date,
            commit: profile.environment.identity[.gitCommit].value?.description,
            sessions: evidence.sessions.count, runs: evidence.runs, schema: profile.schema,
            command: profile.recipe?.arguments ?? [], standardInput: profile.recipe?.standardInput?.path)
    }
}

extension SideEvidence {
    var name: String { PlainText.sanitized(profile.release, maximumCharacters: 60) }

    /// Why there is no session to take values from.
    var reasonForNoSession: String {
        if profile.schema.major <= SchemaVersion.older.major {
            return "\(name) is of the older schema, which keeps no single runs: what it has may be noise."
        }
        if sessions.isEmpty && !invalidSessions.isEmpty { return "\(name) has no session that counts." }
        return "\(name) has no measured run with this value."
    }
}

extension Remedy {
    static let moreSessions = Remedy(
        sessionsPerSide: 3,
        sentence:
            "It takes about 3 sessions a side, a noise ledger ('freeze-profile calibrate'), or counted runs.")
}

extension SessionTest.Obstacle {
    /// Why there is no verdict.
    var sentence: String {
        switch self {
        case .noSession: "A side has no session."
        case .unknownVariance(degreesOfFreedom: 0, _):
            "One session a side cannot show how much sessions differ."
        case .unknownVariance(let found, let needed):
            "How much sessions differ rests on \(found) degree\(found == 1 ? "" : "s") of freedom; it takes \(needed)."
        }
    }
}
