public import FrozenProfile

/// The order in which runs of two commands are made in turn: fixed before the first of them.
public struct InterleavedPlan: Equatable, Sendable {
    /// One of the two commands.
    public enum Command: String, Equatable, Sendable, CaseIterable {
        /// The old one.
        case a
        /// The new one.
        case b
    }

    /// A run to be made.
    public struct Step: Equatable, Sendable {
        public var command: Command
        /// The pair it belongs to; 0 is the one that warms up and does not count.
        public var pair: Int

        /// Whether it fills caches only.
        public var isWarmUp: Bool { pair == 0 }
    }

    /// A look at the runs made so far, after which the measuring ends if they decide.
    public struct Look: Equatable, Sendable {
        /// The pairs that have been made by then.
        public var pairs: Int
        /// The share of the error rate that this look may use up, 0 to 1. All looks together use up the whole of it, so that
        /// more looks do not cause more errors.
        public var share: Double
    }

    /// Pairs that count, at most.
    public let pairs: Int
    /// When the runs are looked at: once at the end, unless the plan grows.
    public let looks: [Look]
    /// The number from which the order follows.
    public let seed: UInt64
    /// All runs, the warm-up pair first.
    public let steps: [Step]

    /// The pairs that are made by default.
    public static let defaultPairs = 12
    /// The most pairs.
    public static let mostPairs = 1000

    /// The most pairs that a plan can begin with that grows.
    public static let mostGrowingPairs = mostPairs * 2 / 5
    /// The shares of the looks of a plan that grows.
    private static let shares = [0.4, 0.3, 0.3]

    /// A plan; the same seed gives the same order, of however many pairs.
    ///
    /// - Parameters:
    ///   - pairs: Pairs that count, 1 to ``mostPairs``.
    ///   - seed: Any number.
    ///   - grows: Whether runs that do not decide are followed by more, up to two and a half times as many: 12 pairs by 8
    ///     and those by 10.
    public init(pairs: Int, seed: UInt64, grows: Bool = false) {
        let first = min(max(1, pairs), grows ? Self.mostGrowingPairs : Self.mostPairs)
        looks =
            grows
            ? zip([first, (5 * first + 2) / 3, (5 * first + 1) / 2], Self.shares).map(Look.init)
            : [Look(pairs: first, share: 1)]
        self.pairs = looks.last?.pairs ?? first
        self.seed = seed
        var coin = Coin(state: seed)
        steps = (0...self.pairs).flatMap { pair in
            let order: [Command] = coin.toss() ? [.a, .b] : [.b, .a]
            return order.map { Step(command: $0, pair: pair) }
        }
    }

    /// The plans of several machines as one, looked at when all have been made.
    ///
    /// - Parameters:
    ///   - plans: Those of the machines, each with a pair that warms up; the first of these stands for all.
    ///   - seed: The number from which their seeds follow.
    public init(joining plans: [InterleavedPlan], seed: UInt64) {
        pairs = plans.reduce(0) { $0 + $1.pairs }
        looks = [Look(pairs: pairs, share: 1)]
        self.seed = seed
        var steps = Array(plans.first?.steps.prefix(2) ?? [])
        var before = 0
        for plan in plans {
            steps += plan.steps.dropFirst(2).map { Step(command: $0.command, pair: $0.pair + before) }
            before += plan.pairs
        }
        self.steps = steps
    }

    /// The order of the first pairs that count, such as `ab ba ab`; of all by default.
    public func order(of made: Int? = nil) -> String {
        stride(from: 2, to: min(steps.count, 2 + 2 * (made ?? pairs)), by: 2)
            .map { steps[$0].command.rawValue + steps[$0 + 1].command.rawValue }.joined(separator: " ")
    }
}

extension Comparison {
    /// The comparison of runs made in turn, at one of the looks of their plan.
    ///
    /// - Parameters:
    ///   - from: The old command's runs made so far.
    ///   - to: The new command's.
    ///   - look: How much of the error rate this look may use up.
    public init(
        interleaved from: FrozenProfile, with to: FrozenProfile, plan: InterleavedPlan,
        look: InterleavedPlan.Look, settings: ComparisonSettings
    ) {
        var settings = settings
        settings.errorRate *= look.share
        self.init(interleaved: from, with: to, settings: settings)
        self.plan = plan
        pairsMade = look.pairs
    }

    /// Whether more runs are not called for.
    public var isDecided: Bool { outcome != .verdict(.inconclusive) }
}

/// A fair coin that falls the same way for the same seed: SplitMix64.
private struct Coin {
    var state: UInt64

    mutating func toss() -> Bool {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return (value ^ value >> 31) & 1 == 0
    }
}
