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
        known.value(of: Question(old: old, new: new, background: background)) {
            made(old: old, new: new, background: background)
        }
    }

    private static let known = KnownValues<Question>(most: 1000)

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

    /// Versions in order of time, as far as they are known beside the new side: the old side is one of them.
    public struct Shelf: Hashable, Sendable {
        /// The sessions of each version.
        public var sessions: [Int]
        /// Which of them is the old side.
        public var old: Int
        /// How many neighbours were taken to differ by a step. Sessions of two kinds look so too.
        public var steps: Int

        /// Versions.
        public init(sessions: [Int], old: Int, steps: Int) {
            self.sessions = sessions
            self.old = old
            self.steps = steps
        }
    }

    /// The largest chance, over all shares of the slow kind, that sessions fall apart by kind between the old side and the new one,
    /// while every version on the shelf is of one kind, and no more neighbours than were taken for steps are of different kinds.
    ///
    /// - Parameter new: The new side's sessions.
    public static func chance(new: Int, shelf: Shelf) -> Double {
        shelves.value(of: ShelfQuestion(new: new, shelf: shelf)) {
            (1..<shelfSteps).reduce(0) { largest, step in
                let slow = Double(step) / Double(shelfSteps)
                return max(largest, power(slow, new) * chanceOfShelf(shelf, slow: slow))
            }
        }
    }

    /// The chance that the old side is of the fast kind and each other version of one kind, with at most so many changes of kind.
    private static func chanceOfShelf(_ shelf: Shelf, slow: Double) -> Double {
        // By changes so far, the chances that the last version is of the fast and of the slow kind.
        var fast = [Double](repeating: 0, count: shelf.steps + 1)
        var unlucky = fast
        for (index, sessions) in shelf.sessions.enumerated() {
            let weights = (power(1 - slow, sessions), index == shelf.old ? 0 : power(slow, sessions))
            guard index > 0 else {
                (fast[0], unlucky[0]) = weights
                continue
            }
            var next = (fast, unlucky)
            for changes in 0...shelf.steps {
                next.0[changes] = weights.0 * (fast[changes] + (changes > 0 ? unlucky[changes - 1] : 0))
                next.1[changes] = weights.1 * (unlucky[changes] + (changes > 0 ? fast[changes - 1] : 0))
            }
            (fast, unlucky) = next
        }
        return (fast + unlucky).reduce(0, +)
    }

    private struct ShelfQuestion: Hashable {
        var new: Int
        var shelf: Shelf
    }
    private static let shelves = KnownValues<ShelfQuestion>(most: 1000)
    /// The shares of the slow kind that are looked at.
    private static let shelfSteps = 250

    /// The fewest sessions on each side whose chance, as a function of it, is at most this; nil for more than 100.
    public static func sessionsNeeded(
        chance: Double, atLeast fewest: Int, of chanceOf: (Int) -> Double = { Self.chance(old: $0, new: $0) }
    ) -> Int? {
        (max(1, fewest)...max(100, fewest)).first { chanceOf($0) <= chance }
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
