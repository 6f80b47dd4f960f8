internal import Synchronization

/// Values that were computed before: a comparison asks for few, and for each many times.
struct KnownValues<Question: Hashable & Sendable>: ~Copyable, Sendable {
    private let known = Mutex<[Question: Double]>([:])
    /// How many are kept; then all are forgotten.
    private let most: Int

    init(most: Int) { self.most = most }

    /// The value, computed where it is not known.
    func value(of question: Question, computed: () -> Double) -> Double {
        if let found = known.withLock({ $0[question] }) { return found }
        let value = computed()
        known.withLock { known in
            if known.count >= most { known.removeAll() }
            known[question] = value
        }
        return value
    }
}
