public import Measurement

/// Which functions a stage's change in CPU time is made of.
///
/// Per run and function: the function's share of the run's samples in the stage, times the stage's CPU seconds. Runs
/// are compared with runs; samples of one run are never taken for independent measurements.
public struct Attribution: Equatable, Sendable {
    /// What the numbers are.
    public enum Basis: Equatable, Sendable {
        /// CPU seconds of a run.
        case seconds
        /// Percent of the stage's samples, because seconds are not known.
        case shares(reason: String)
    }

    /// What one side rests on.
    public struct Side: Equatable, Sendable {
        public var release: String
        /// Profiled runs with samples in the stage.
        public var runs: Int
        /// Samples in the stage, over all runs.
        public var samples: Int64
        /// The stage in the median run, in the unit of the basis.
        public var median: Double
    }

    /// The stage; nil for the whole run.
    public var stage: StageName?
    public var basis: Basis
    public var before: Side
    public var after: Side
    /// Every function of either side: first those with a label, by the size of their change; then the others.
    public var functions: [FunctionChange]
    /// How many functions had samples enough to be tested; 0 with one run a side.
    public var tested: Int
    /// Whether ranks of runs were tested; false where there are too few runs for that, and their values were.
    public var isTestedByRanks = true
    /// Sentences on how far the numbers can be trusted.
    public var notes: [String]

    /// The stage's change from median run to median run.
    public var change: Double { after.median - before.median }

    /// The stage's change less the sum of what its functions are charged: medians of different runs do not add up, and this is by how
    /// much. With one run a side it is nothing but rounding.
    public var residual: Double { change - functions.reduce(0) { $0 + $1.chargedChange } }

    /// Whether significance could be claimed at all.
    public var hasReplicates: Bool { before.runs > 1 && after.runs > 1 }
}

/// What became of a function.
public struct FunctionChange: Equatable, Sendable {
    /// What is to be said of the change, beyond its size.
    public enum Label: String, Equatable, Sendable {
        /// It costs more or less by itself.
        case changed
        /// The cost is in another place, and the whole around both places costs what it did.
        case moved
        /// In most runs of the newer side and in none of the older.
        case new
        /// In most runs of the older side and in none of the newer.
        case gone
    }

    /// Median seconds, or percent of the stage, of a run.
    public struct Cost: Equatable, Sendable {
        /// What it spent itself.
        public var own: Double
        /// With what it called; once where it calls itself.
        public var total: Double
        /// What is charged to it: what it spent itself; for a function of an interpreted language, such as Python, also what
        /// native code spent that ran for it, and for native code that ran for such a function nothing. Every sample
        /// is charged once.
        public var charged: Double
        /// Samples it ran in itself, over all runs.
        public var ownSamples: Int64
        /// Samples it was anywhere in, over all runs.
        public var totalSamples: Int64
        /// Samples that are charged to it, over all runs.
        public var chargedSamples: Int64
    }

    /// Native code that ran for an interpreted function.
    public struct Part: Equatable, Sendable {
        public var function: String
        /// What its share of the function's change is.
        public var change: Double
    }

    public var function: String
    public var module: String?
    public var file: String?
    /// Whether it is a function of an interpreted language, and native code that ran for it is charged to it.
    public var isInterpreted = false
    /// Whether it is the interpreter itself, or stands for interpreted functions that were not read: it never explains
    /// anything.
    public var isInterpreter = false
    public var before: Cost
    public var after: Cost
    /// Nil where no more than noise is seen, or too little to say.
    public var label: Label?
    /// Two-sided, of what it spent itself, or of an interpreted function what it is charged, run by run; nil where it was
    /// not tested.
    public var pValue: Double?
    /// Where the change lies (95 %): with one run a side by the numbers of samples alone, with few by the scatter of runs too; nil
    /// where ranks were tested, or the function is called changed.
    public var samplingInterval: ClosedRange<Double>?
    /// For a new or gone function: what it may have cost at most on the side where it was not seen (95 %).
    public var unseenBound: Double?
    /// Where a moved function was called from mostly, and is now; nil where its cost went to or came from itself.
    public var callers: Callers?
    /// The function around both places, when the cost was shifted inside it.
    public var shiftedWithin: String?
    /// Of an interpreted function, what native code its change mostly comes from.
    public var parts: [Part] = []

    /// Two callers.
    public struct Callers: Equatable, Sendable {
        public var before: String
        public var after: String

        /// Two callers by name.
        public init(before: String, after: String) {
            self.before = before
            self.after = after
        }
    }

    /// The change of what it spends itself.
    public var selfChange: Double { after.own - before.own }
    /// The change of what is charged to it.
    public var chargedChange: Double { after.charged - before.charged }
    /// Whether anything is charged to it.
    var isCharged: Bool { before.chargedSamples + after.chargedSamples > 0 }
    /// The change that it is tested by.
    var judgedChange: Double { isInterpreted ? chargedChange : selfChange }
    /// The samples that it is tested by, of both sides.
    var judgedSamples: Int64 {
        isInterpreted
            ? before.chargedSamples + after.chargedSamples : before.ownSamples + after.ownSamples
    }
    /// The change of what it spends with all it calls.
    public var totalChange: Double { after.total - before.total }
}

/// Why functions cannot be compared: a sentence.
public struct AttributionRefusal: Error, Equatable, Sendable, CustomStringConvertible {
    public let description: String

    /// A refusal, as one or more sentences.
    public init(_ description: String) { self.description = description }
}
