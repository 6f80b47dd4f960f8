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

    /// Pairs that count.
    public let pairs: Int
    /// The number from which the order follows.
    public let seed: UInt64
    /// All runs, the warm-up pair first.
    public let steps: [Step]

    /// The pairs that are made unless somebody says otherwise.
    public static let defaultPairs = 12
    /// The most pairs.
    public static let mostPairs = 1000

    /// A plan; the same seed gives the same order.
    ///
    /// - Parameters:
    ///   - pairs: Pairs that count, 1 to ``mostPairs``.
    ///   - seed: Any number.
    public init(pairs: Int, seed: UInt64) {
        self.pairs = min(max(1, pairs), Self.mostPairs)
        self.seed = seed
        var coin = Coin(state: seed)
        steps = (0...self.pairs).flatMap { pair in
            let order: [Command] = coin.toss() ? [.a, .b] : [.b, .a]
            return order.map { Step(command: $0, pair: pair) }
        }
    }

    /// The order of the pairs that count, such as `ab ba ab`.
    public var order: String {
        stride(from: 2, to: steps.count, by: 2)
            .map { steps[$0].command.rawValue + steps[$0 + 1].command.rawValue }.joined(separator: " ")
    }
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
