public import Statistics

/// What a comparison says of one metric, or as a whole.
public enum Verdict: String, Equatable, Sendable, CaseIterable {
    /// Worse by more than the budget, beyond reasonable doubt.
    case regressed
    /// The data do not decide: a regression may hide in the noise, or there may be none.
    case inconclusive
    /// Better by more than the budget, beyond reasonable doubt.
    case improved
    /// Not worse by more than the budget, beyond reasonable doubt: neither the typical run, nor the mean, nor the slowest part.
    case unchanged

    /// The verdict of several: the first of regressed, inconclusive, improved that any has; unchanged otherwise.
    ///
    /// - Returns: Nil for none: nothing was judged.
    public static func overall(_ verdicts: [Verdict]) -> Verdict? {
        guard !verdicts.isEmpty else { return nil }
        return allCases.first(where: verdicts.contains)
    }
}

/// What would turn an inconclusive verdict into another one.
public struct Remedy: Equatable, Sendable {
    /// How many sessions each side would need, nil where sessions are not what is missing.
    public var sessionsPerSide: Int?
    /// How many runs each side would need, nil where runs are not what is missing.
    public var runsPerSide: Int?
    /// What to do, as a sentence.
    public var sentence: String

    /// A remedy.
    public init(sessionsPerSide: Int? = nil, runsPerSide: Int? = nil, sentence: String) {
        self.sessionsPerSide = sessionsPerSide
        self.runsPerSide = runsPerSide
        self.sentence = sentence
    }
}

/// A difference of two versions on the scale of natural logarithms: 0 is no change, 0.0953 is 10 % more.
public struct LogChange: Equatable, Sendable {
    /// The logarithm of the new value by the old one.
    public var estimate: Double
    /// The changes that the test does not refute, for all rows of the family at once.
    public var interval: Interval
    /// The largest change that the test does not refute at 95 % for this row alone: what a verdict of unchanged rests on.
    public var upperBound: Double
    /// The chance, 0 to 1, that the intervals of all rows of the family hold the true changes; nil where none can be stated,
    /// because so few sessions may fall apart by kind.
    public var confidence: Double?

    /// A change.
    public init(estimate: Double, interval: Interval, upperBound: Double, confidence: Double? = 0.95) {
        self.estimate = estimate
        self.interval = interval
        self.upperBound = upperBound
        self.confidence = confidence
    }

    /// The estimate in percent of the old value.
    public var percent: Double { Percent.ofLogarithm(estimate) }
    /// The interval in percent of the old value.
    public var percentInterval: Interval {
        Interval(lower: Percent.ofLogarithm(interval.lower), upper: Percent.ofLogarithm(interval.upper))
    }
    /// The upper bound in percent of the old value.
    public var percentUpperBound: Double { Percent.ofLogarithm(upperBound) }
}
