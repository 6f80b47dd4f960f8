public import Measurement
public import StackProfile

/// What a counted run executed, by stage and function.
public struct InstructionCounts: Sendable {
    /// What was executed in one stage, or outside of all.
    public struct Stage: Sendable {
        /// Nil for what no stage was open for. Stages that ran at the same time, where no thread distinguishes them, are
        /// one entry: `download+decode`.
        public var stage: StageName?
        /// How often it was entered.
        public var entered: Int
        /// Instructions executed in user space.
        public var instructions: Int64
        /// System calls by their names; unavailable where the engine does not see them.
        public var systemCalls: Reading<[String: Int64]>
        /// Why the true count is higher, as phrases; empty where it is not.
        public var lowerBound: [String]
        /// Whether another stage was open during it.
        public var isShared: Bool

        /// A stage's counts.
        public init(
            stage: StageName?, entered: Int, instructions: Int64, systemCalls: Reading<[String: Int64]>,
            lowerBound: [String] = [], isShared: Bool = false
        ) {
            self.stage = stage
            self.entered = entered
            self.instructions = instructions
            self.systemCalls = systemCalls
            self.lowerBound = lowerBound
            self.isShared = isShared
        }
    }

    /// In order of first entry; what is outside of all stages last.
    public var stages: [Stage]
    /// Instructions of each function itself, by stage, in the unit `instructions`; nil where the engine counts none.
    public var functions: StackProfile?
    /// How many processes were counted.
    public var processes: Int
    /// What else is to be said, as sentences.
    public var notes: [String]

    /// Counts of a run.
    public init(stages: [Stage], functions: StackProfile?, processes: Int, notes: [String]) {
        self.stages = stages
        self.functions = functions
        self.processes = processes
        self.notes = notes
    }

    /// All that was executed.
    public var instructions: Int64 { stages.reduce(0) { $0 + $1.instructions } }

    /// Why the total is too low, as phrases, each once.
    public var lowerBound: [String] {
        var reasons: [String] = []
        for reason in stages.flatMap(\.lowerBound) where !reasons.contains(reason) { reasons.append(reason) }
        return reasons
    }
}

extension InstructionCounts.Stage {
    /// The labels of its functions.
    var labels: SampleLabels { SampleLabels(stage: stage ?? StageName("(between stages)")) }
}
