/// A variance of sessions with the number of independent deviations it was estimated from.
public struct VarianceEstimate: Equatable, Sendable {
    public var variance: Double
    public var degreesOfFreedom: Int

    /// An estimate.
    public init(variance: Double, degreesOfFreedom: Int) {
        self.variance = variance
        self.degreesOfFreedom = degreesOfFreedom
    }

    /// What values say of their population's variance; nil for fewer than two.
    public init?(of values: [Double]) {
        guard values.count > 1 else { return nil }
        let mean = values.reduce(0, +) / Double(values.count)
        degreesOfFreedom = values.count - 1
        variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(degreesOfFreedom)
    }

    /// Estimates of one variance joined, each weighted by its degrees of freedom; nil for none.
    public static func pooled(_ estimates: [VarianceEstimate]) -> VarianceEstimate? {
        let degrees = estimates.reduce(0) { $0 + $1.degreesOfFreedom }
        guard degrees > 0 else { return nil }
        let sum = estimates.reduce(0) { $0 + $1.variance * Double($1.degreesOfFreedom) }
        return VarianceEstimate(variance: sum / Double(degrees), degreesOfFreedom: degrees)
    }
}

/// The test of frozen against frozen: the difference of two versions' session means, with the variance between sessions.
///
/// The runs of one session share what differs from session to session (memory layout, caches, neighbours, temperature),
/// so they do not show how far off another session would have been. Sessions can.
public struct SessionTest: Equatable, Sendable {
    /// The new sessions' mean less the old ones'.
    public let estimate: Double
    /// The estimate's standard error.
    public let standardError: Double
    /// The variance of a session's value, as far as sessions of like drift show.
    public let variance: VarianceEstimate
    /// The degrees of freedom of the standard error: fewer than the variance's where drift adds to it.
    public let degreesOfFreedom: Double
    /// The sessions of the side that has fewer.
    public let fewestSessions: Int
    private let ownDegreesOfFreedom: Int
    private let excess: Double
    /// The variance of a session's value that the standard error rests on, drift included.
    private let meanVariance: Double

    /// By how much the machine's speed wandered: variances within the sessions, on the scale of the values.
    public struct Drift: Equatable, Sendable {
        /// In the old sessions, nil where it was not looked for.
        public var old: VarianceEstimate?
        /// In the new ones.
        public var new: VarianceEstimate?
        /// In those that the ledger was learnt from.
        public var ledger: Double

        /// The drift of both sides and of what the ledger knows.
        public init(old: VarianceEstimate? = nil, new: VarianceEstimate? = nil, ledger: Double = 0) {
            self.old = old
            self.new = new
            self.ledger = ledger
        }
    }

    /// What the sessions' own variance may not fall below, and how far sessions lean on each other.
    public struct Caution: Equatable, Sendable {
        /// The least variance of a session's value that is believed.
        public var leastVariance = 0.0
        /// The variance that the old side's runs alone give a session's value, on average.
        public var ofOldRuns = 0.0
        /// The same of the new side.
        public var ofNewRuns = 0.0
        /// By how much the variance of a mean of sessions exceeds what independent ones would have.
        public var dependence = 1.0

        /// None: the textbook's test.
        public init() {}

        /// What sessions need that follow each other with a correlation of 0.3: the variance of a mean of 5 is 1.61 times what
        /// independent ones would have, and the variance within a side is 0.85 of a session's. Of 2 to 10 sessions the quotient
        /// of both is 1.86 to 1.91.
        public static let standardDependence = 1.9
    }

    /// The share of the standard error that drift adds, 0 to 1.
    public var shareOfDrift: Double {
        standardError > 0 ? 1 - (1 - excess / meanVariance).squareRoot() : 0
    }

    /// What is missing for a test.
    public enum Obstacle: Error, Equatable, Sendable {
        /// A side has no session with a value.
        case noSession
        /// The variance between sessions rests on so many degrees of freedom, and needs more.
        case unknownVariance(degreesOfFreedom: Int, needed: Int)
    }

    /// The fewest degrees of freedom a variance may rest on.
    public static let fewestDegreesOfFreedom = 2
    /// The fewest, all from the ledger, when each side has one session.
    public static let fewestForSingleSessions = 5

    /// The test of two versions' session values.
    ///
    /// Drift that the sessions have in common with those that the variance is estimated from is part of that variance. What a
    /// side has beyond it is added to its sessions' variance, with the degrees of freedom that canaries give it
    /// (Satterthwaite).
    ///
    /// - Parameters:
    ///   - ledger: What is known of the variance from other sessions of the same workload on such a machine.
    ///   - drift: By how much the machine's speed wandered.
    ///   - caution: What the variance may not fall below.
    public init(
        old: [Double], new: [Double], ledger: VarianceEstimate?, drift: Drift = Drift(),
        caution: Caution = Caution()
    ) throws(Obstacle) {
        guard !old.isEmpty, !new.isEmpty else { throw .noSession }
        let estimates = [VarianceEstimate(of: old), VarianceEstimate(of: new), ledger].compactMap(\.self)
        let isSingle = old.count == 1 && new.count == 1
        let needed = isSingle ? Self.fewestForSingleSessions : Self.fewestDegreesOfFreedom
        guard let pooled = VarianceEstimate.pooled(estimates), pooled.degreesOfFreedom >= needed else {
            throw .unknownVariance(
                degreesOfFreedom: estimates.reduce(0) { $0 + $1.degreesOfFreedom }, needed: needed)
        }
        func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }
        variance = pooled
        fewestSessions = min(old.count, new.count)
        ownDegreesOfFreedom = old.count + new.count - 2
        estimate = mean(new) - mean(old)
        let known =
            (Double(old.count - 1) * (drift.old?.variance ?? 0) + Double(new.count - 1)
                * (drift.new?.variance ?? 0)
                + Double(ledger?.degreesOfFreedom ?? 0) * drift.ledger) / Double(pooled.degreesOfFreedom)
        let shares = 1 / Double(old.count) + 1 / Double(new.count)
        let believed = max(
            max(pooled.variance, caution.leastVariance) * caution.dependence,
            (caution.ofOldRuns / Double(old.count) + caution.ofNewRuns / Double(new.count)) / shares)
        var parts = [(variance: believed * shares, degrees: Double(pooled.degreesOfFreedom))]
        for (side, count) in [(drift.old, old.count), (drift.new, new.count)] {
            guard let side, side.variance > known else { continue }
            parts.append(((side.variance - known) / Double(count), Double(side.degreesOfFreedom)))
        }
        let sum = parts.reduce(0) { $0 + $1.variance }
        let spread = parts.reduce(0) { $0 + $1.variance * $1.variance / $1.degrees }
        standardError = sum.squareRoot()
        degreesOfFreedom = spread > 0 ? sum * sum / spread : Double(pooled.degreesOfFreedom)
        excess = parts.count > 1 ? sum / shares - believed : 0
        meanVariance = sum / shares
    }

    /// The probability of an estimate this large when the true difference is at most the shift.
    public func probability(atMost shift: Double) -> Double { upperTail(estimate - shift) }

    /// The probability of an estimate this small when the true difference is at least the shift.
    public func probability(atLeast shift: Double) -> Double { upperTail(shift - estimate) }

    /// The differences that the test does not refute.
    ///
    /// - Parameter tail: The probability of error at each bound.
    public func interval(tail: Double) -> Interval {
        let reach = quantile(tail, degreesOfFreedom) * standardError
        return Interval(lower: estimate - reach, upper: estimate + reach)
    }

    /// The fewest sessions on each side with which the interval's half-width would be at most this, the variance being as it
    /// is and each new session adding to what is known of it; nil for more than 1000.
    public func sessionsNeeded(halfWidth: Double, tail: Double) -> Int? {
        let others = variance.degreesOfFreedom - ownDegreesOfFreedom
        func suffices(_ count: Int) -> Bool {
            let degrees = others + 2 * (count - 1)
            return quantile(tail, Double(degrees)) * (meanVariance * 2 / Double(count)).squareRoot()
                <= halfWidth
        }
        // More sessions never widen the interval, so the fewest are found by halving.
        var (tooFew, enough) = (fewestSessions - 1, max(1000, fewestSessions))
        guard suffices(enough) else { return nil }
        while enough - tooFew > 1 {
            let middle = (tooFew + enough) / 2
            if suffices(middle) { enough = middle } else { tooFew = middle }
        }
        return enough
    }

    private func upperTail(_ excess: Double) -> Double {
        // Sessions that do not differ at all leave no doubt: what lies beyond the shift is beyond it.
        guard standardError > 0 else { return excess > 0 ? 0 : 1 }
        return StudentT(degreesOfFreedom: degreesOfFreedom)?.upperTail(
            excess / standardError) ?? 1
    }

    private func quantile(_ tail: Double, _ degrees: Double) -> Double {
        StudentT(degreesOfFreedom: degrees)?.quantile(upperTail: tail) ?? .infinity
    }
}
