/// How much stack is copied with each sample: little at first, more where that turns out to be too little. Pure.
struct StackWindow {
    /// Samples, and how many of them were cut off by the end of the copied stack.
    struct Count {
        var samples: Int
        var cut: Int
    }

    private(set) var bytes: Int
    private let limit: Int
    private var before = Count(samples: 0, cut: 0)

    /// A larger copy costs every sample, so a few deep stacks do not bring it about...
    private static let share = 0.01
    /// ...and neither does a single one at the beginning.
    private static let few = 8

    init(bytes: Int, limit: Int) {
        self.bytes = bytes
        self.limit = limit
    }

    /// How much to copy from now on; nil for no change. Counts are of the whole recording.
    func next(_ count: Count) -> Int? {
        let (samples, cut) = (count.samples - before.samples, count.cut - before.cut)
        guard bytes < limit, cut >= Self.few, Double(cut) > Double(samples) * Self.share else { return nil }
        return min(bytes * 2, limit)
    }

    /// Notes a change: what was cut before tells nothing of what will be.
    mutating func enlarge(to bytes: Int, _ count: Count) {
        self.bytes = bytes
        before = count
    }

    /// Notes that no change is possible.
    mutating func stay() { before = Count(samples: 0, cut: Int.max / 2) }
}
