internal import FrozenProfile
internal import Measurement
public import Statistics

/// What is known of the noise between sessions of one metric of a stage before two versions are looked at.
public struct KnownNoise: Equatable, Sendable {
    /// What it was learnt from, as far as that bears on sessions of two kinds.
    enum Kinds: Equatable, Sendable {
        /// Sessions of versions that nothing else is known of.
        case ledger(SessionKinds.Background)
        /// Versions in order of time, the old side among them.
        case shelf(SessionKinds.Shelf)
    }

    /// The variance of a session's value.
    public var variance: VarianceEstimate
    /// The least variance that is believed of the two sides' own sessions.
    public var leastVariance = 0.0
    /// The variance of the machine's speed within the sessions that it was learnt from.
    public var driftVariance = 0.0
    var kinds: Kinds

    /// What a ledger's entry says.
    init(_ entry: NoiseLedger.Entry) {
        variance = entry.sessions
        driftVariance = entry.driftVariance
        kinds = .ledger(entry.background)
    }

    init(
        variance: VarianceEstimate, leastVariance: Double, driftVariance: Double, shelf: SessionKinds.Shelf
    ) {
        self.variance = variance
        self.leastVariance = leastVariance
        self.driftVariance = driftVariance
        kinds = .shelf(shelf)
    }

    /// How many neighbours on the shelf were taken to differ by a step; 0 for a ledger.
    public var steps: Int { if case .shelf(let shelf) = kinds { shelf.steps } else { 0 } }

    /// Whether it was learnt from versions on the shelf.
    public var isOfShelf: Bool { if case .shelf = kinds { true } else { false } }

    /// The largest chance that so many sessions a side fall apart by kind.
    func chance(old: Int, new: Int) -> Double {
        switch kinds {
        case .ledger(let background): return SessionKinds.chance(old: old, new: new, background: background)
        case .shelf(var shelf):
            shelf.sessions[shelf.old] = old
            // What is known of either side alone is known all the same.
            return min(SessionKinds.chance(new: new, shelf: shelf), SessionKinds.chance(old: old, new: new))
        }
    }
}

extension ComparisonSettings {
    /// What is known of the noise between sessions: by the ledger, else by the shelf.
    func noise(of metric: Metric, in stage: StageName?) -> KnownNoise? {
        ledger?[stage, metric].map(KnownNoise.init) ?? shelf?[stage, metric]
    }
}
