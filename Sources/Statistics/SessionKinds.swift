internal import Synchronization

/// What the number of sessions allows to conclude when sessions come in two kinds, such as a lucky and an unlucky memory layout.
///
/// All sessions of one side may happen to be of one kind and all of the other side of the other kind. They then differ as
/// plainly as two versions do, and no variance within the sides gives it away. The chance of it is
/// (1 - q)^a q^b for a and b sessions and a share q of the slow kind. No probability below the largest such chance is believed.
public enum SessionKinds {
    /// Sessions of other versions, each version's of the same kind as far as anything is known.
    public struct Background: Hashable, Sendable {
        /// How many versions they are of.
        public var groups: Int
        /// The sessions of all of them.
        public var sessions: Int

        /// Sessions in groups.
        public init(groups: Int, sessions: Int) {
            self.groups = groups
            self.sessions = sessions
        }
    }

    /// The largest chance, over all shares of the slow kind in steps of a thousandth, that sessions fall apart by kind.
    ///
    /// - Parameters:
    ///   - old: The old side's sessions.
    ///   - new: The new side's.
    ///   - background: Other sessions, which then happen to be of one kind within each group too; they know nothing of which
    ///     kind that is.
    public static func chance(old: Int, new: Int, background: Background? = nil) -> Double {
        let question = Question(old: old, new: new, background: background)
        if let found = known.withLock({ $0[question] }) { return found }
        let made = made(old: old, new: new, background: background)
        known.withLock { known in
            if known.count >= mostKnown { known.removeAll() }
            known[question] = made
        }
        return made
    }

    /// Chances computed before: a comparison asks for few, and for each many times.
    private static let known = Mutex<[Question: Double]>([:])
    private static let mostKnown = 1000

    private struct Question: Hashable {
        var old: Int
        var new: Int
        var background: Background?
    }

    private static func made(old: Int, new: Int, background: Background?) -> Double {
        let groups = background.map { max(1, $0.groups) } ?? 0
        let size = groups > 0 ? (background?.sessions ?? 0) / groups : 0
        var largest = 0.0
        for step in 1..<1000 {
            let slow = Double(step) / 1000
            var chance = power(1 - slow, old) * power(slow, new)
            if groups > 0 { chance *= power(power(1 - slow, size) + power(slow, size), groups) }
            largest = max(largest, chance)
        }
        return largest
    }

    /// The fewest sessions on each side whose chance is at most this; nil for more than 100.
    public static func sessionsNeeded(chance: Double, atLeast fewest: Int) -> Int? {
        (max(1, fewest)...max(100, fewest)).first { self.chance(old: $0, new: $0) <= chance }
    }

    private static func power(_ base: Double, _ exponent: Int) -> Double {
        var result = 1.0
        var factor = base
        var rest = exponent
        while rest > 0 {
            if rest & 1 == 1 { result *= factor }
            factor *= factor
            rest >>= 1
        }
        return result
    }
}
