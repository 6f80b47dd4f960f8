/// How much of each stack comes with a sample: little at first, more where that turns out to be too little. Pure.
///
/// Everything that is copied costs the target, so it pays only for what its stacks need.
struct StackWindow {
    /// What the kernel takes of a stack for each sample.
    struct Extent: Hashable {
        /// Bytes copied from the stack pointer upwards.
        var bytes: Int
        /// Whether it walks the chain of frame pointers too, which leads on where the copy ends.
        var hasChain: Bool
    }

    /// Samples, and how many of them were cut off by the end of the copied stack.
    struct Count {
        var samples: Int
        var cut: Int
    }

    private(set) var extent: Extent
    private let limit: Int
    private var before = Count(samples: 0, cut: 0)
    private var isRefused = false

    /// A larger copy costs every sample, so a few deep stacks do not bring it about...
    private static let shareForMore = 0.01
    /// ...though they are worth a walk, which costs programs without frame pointers nothing...
    private static let shareForChain = 0.001
    /// ...and neither does a single one at the beginning.
    private static let few = 8
    /// Samples after which an extent is known to do, or not to.
    private static let telling = 100

    init(_ extent: Extent, limit: Int) {
        self.extent = extent
        self.limit = limit
    }

    /// What to take from now on; nil for no change. Counts are of the whole recording.
    func next(_ count: Count) -> Extent? {
        let (samples, cut) = (count.samples - before.samples, count.cut - before.cut)
        guard !isRefused, cut >= Self.few else { return nil }
        let share = Double(cut) / Double(max(samples, 1))
        if share > Self.shareForMore && extent.bytes < limit {
            return Extent(bytes: min(extent.bytes * 2, limit), hasChain: true)
        }
        return share > Self.shareForChain && !extent.hasChain
            ? Extent(bytes: extent.bytes, hasChain: true) : nil
    }

    /// Whether it is still open if the extent will do, so that looking soon saves stacks from being cut.
    func isUntried(_ count: Count) -> Bool {
        !isRefused && !(extent.hasChain && extent.bytes >= limit)
            && count.samples - before.samples < Self.telling
    }

    /// Notes a change: what was cut before says nothing about what will be.
    mutating func change(to extent: Extent, _ count: Count) {
        self.extent = extent
        before = count
    }

    /// Notes that no change is possible.
    mutating func stay() { isRefused = true }
}
