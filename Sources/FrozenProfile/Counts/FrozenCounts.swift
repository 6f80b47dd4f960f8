public import Measurement
public import Metrics

/// What counted runs executed: instructions and system calls by stage, the same each time where the work is the same.
///
/// Of a record it is one run's, of a profile all counted runs'.
public struct FrozenCounts: Equatable, Sendable {
    /// What was executed in one stage, outside of all, or in the whole run.
    public struct Part: Equatable, Sendable {
        /// Instructions executed in user space, a number for each run.
        public var instructions: [Int64]
        /// System calls by name, as in the last run; unavailable where the engine does not see them.
        public var systemCalls: Reading<[String: Int64]>
        /// Why the true count is higher, as phrases; empty where it is not.
        public var lowerBound: [String]
        /// Whether another stage was open during it.
        public var isShared: Bool

        /// What was executed.
        public init(
            instructions: [Int64], systemCalls: Reading<[String: Int64]>, lowerBound: [String] = [],
            isShared: Bool = false
        ) {
            self.instructions = instructions
            self.systemCalls = systemCalls
            self.lowerBound = lowerBound
            self.isShared = isShared
        }

        /// All system calls together.
        public var systemCallCount: Reading<Int64> { systemCalls.map { $0.values.reduce(0, +) } }

        /// The middle one of the runs.
        public var median: Double { FrozenProfile.median(instructions.map(Double.init)) ?? 0 }

        /// How far the runs of the same work are apart, in percent of the median: nothing smaller is a change. Unavailable
        /// for a single run.
        public var floorPercent: Reading<Double> {
            guard let least = instructions.min(), let most = instructions.max(), instructions.count > 1,
                median > 0
            else { return .unavailable(reason: "a single run cannot show it") }
            return .value(100 * Double(most - least) / median)
        }
    }

    /// A stage with what was executed in it. Several that ran at the same time, and that no thread distinguishes, are
    /// one: `download+decode`.
    public struct Stage: Equatable, Sendable {
        public var name: StageName
        public var part: Part

        /// A stage.
        public init(name: StageName, part: Part) {
            self.name = name
            self.part = part
        }
    }

    /// Who counted, such as `qemu-user`.
    public var engine: String
    /// What counts depend on besides the program: those of different ones are not compared.
    public var identity: String
    /// The command that was counted.
    public var command: [String]
    /// Settings that were made so that the same work takes the same instructions.
    public var environment: [Recipe.Variable]
    /// In order of first entry.
    public var stages: [Stage]
    /// What no stage was open for.
    public var outside: Part
    public var total: Part

    /// Counts.
    public init(
        engine: String, identity: String, command: [String], environment: [Recipe.Variable], stages: [Stage],
        outside: Part, total: Part
    ) {
        self.engine = engine
        self.identity = identity
        self.command = command
        self.environment = environment
        self.stages = stages
        self.outside = outside
        self.total = total
    }

    /// How many runs were counted.
    public var runs: Int { total.instructions.count }

    /// What was counted of a metric in a stage, nil for the whole run: of instructions the middle run, of system calls the last
    /// one.
    public func reading(of metric: Metric, in stage: StageName?) -> Reading<Double> {
        guard let part = part(of: stage) else {
            return .unavailable(reason: "the stage was not entered by itself")
        }
        if let bound = part.lowerBound.first { return .unavailable(reason: "only a lower bound: \(bound)") }
        switch metric {
        case .instructions: return .value(part.median)
        case .systemCalls: return part.systemCallCount.map(Double.init)
        default: return .unavailable(reason: "\(metric.words) is not counted")
        }
    }

    /// The part of a stage, nil for the whole run.
    public func part(of stage: StageName?) -> Part? {
        guard let stage else { return total }
        return stages.first { $0.name == stage }?.part
    }

    /// The same with stages in an order, others after them: records keep none.
    func inOrder(of names: [StageName]) -> FrozenCounts {
        var sorted = self
        sorted.stages.sort { left, right in
            let places = [left, right].map { stage in names.firstIndex(of: stage.name) ?? names.count }
            return (places[0], left.name) < (places[1], right.name)
        }
        return sorted
    }

    /// The counts of several runs in one; the reason where they cannot be joined.
    public static func merged(_ all: [FrozenCounts]) -> Reading<FrozenCounts> {
        guard var merged = all.first else { return .unavailable(reason: "no counted run was made") }
        for counts in all.dropFirst() {
            guard counts.identity == merged.identity, counts.command == merged.command else {
                return .unavailable(reason: "runs were counted by different engines or commands")
            }
            merged.total.add(counts.total)
            merged.outside.add(counts.outside)
            for stage in counts.stages {
                if let index = merged.stages.firstIndex(where: { $0.name == stage.name }) {
                    merged.stages[index].part.add(stage.part)
                } else {
                    merged.stages.append(stage)
                }
            }
        }
        return .value(merged)
    }
}

extension FrozenCounts.Part {
    fileprivate mutating func add(_ other: FrozenCounts.Part) {
        instructions += other.instructions
        systemCalls = other.systemCalls
        for reason in other.lowerBound where !lowerBound.contains(reason) { lowerBound.append(reason) }
        isShared = isShared || other.isShared
    }
}
