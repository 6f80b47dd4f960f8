public import Measurement
public import StackProfile

/// A profile laid out as rectangles in a tree, with exact whole-number weights.
///
/// Widths add up: the weight of a rectangle is its own weight plus the weights of its children, of which one may
/// stand for all frames too small to be drawn.
public struct FlameGraphLayout: Sendable {
    /// One rectangle.
    public struct Rectangle: Sendable {
        /// What it stands for.
        public let content: Content
        /// The number of frames outside it; the root's is 0.
        public let level: Int
        /// Where it begins, in the profile's unit from the left edge.
        public let start: Int64
        /// How wide it is, in the profile's unit.
        public let weight: Int64
        /// What is not in its children.
        public let selfWeight: Int64
        /// The index of the rectangle around it; nil for the root.
        public let parent: Int?
        /// A hash of the names from the root, the same in every picture in which the path occurs.
        public let pathHash: UInt64
    }

    /// What a rectangle stands for.
    public enum Content: Hashable, Sendable {
        /// All samples.
        case root
        /// A frame. Its line is nil where several lines of a function were joined.
        case frame(Frame)
        /// So many frames that are each too small to be drawn.
        case smallFrames(count: Int)
    }

    /// How a profile is laid out.
    public struct Options: Sendable {
        /// The share of all weight below which a frame is not drawn on its own.
        public var minimumShare = 0.001
        /// The most rectangles; the minimum share is doubled until they are enough.
        public var maximumRectangles = 50_000

        /// The defaults.
        public init() {}
    }

    /// The rectangles, each before its children, siblings in order of their names.
    public let rectangles: [Rectangle]
    /// The sum of all weights.
    public let totalWeight: Int64
    /// What weights count.
    public let unit: WeightUnit
    /// The number of levels, the root's included.
    public let levels: Int
    /// The minimum share that was used.
    public let minimumShare: Double
    /// The number of frames that were too small to be drawn.
    public let smallFrameCount: Int
    /// The share of frames by weight that are unknown.
    public let unknownFrameShare: Reading<Double>
    /// The share of samples by weight whose stack was cut off.
    public let truncatedShare: Reading<Double>
    /// What is too small to be drawn, for the search.
    let hidden: HiddenFrames
    /// The same profile by function.
    public let functions: FunctionTable

    /// Lays a profile out, in time proportional to its size.
    public init(_ profile: StackProfile, options: Options = Options()) {
        let tree = DisplayTree(profile)
        let cut = PrunedTree(tree, options: options)
        (rectangles, hidden) = cut.rectangles()
        totalWeight = profile.totalWeight
        unit = profile.unit
        levels = 1 + (rectangles.lazy.map(\.level).max() ?? 0)
        minimumShare = cut.minimumShare
        smallFrameCount = rectangles.reduce(0) {
            if case .smallFrames(let count) = $1.content { $0 + count } else { $0 }
        }
        let totals = profile.totalWeights()
        unknownFrameShare = profile.unknownFrameShare(totals: totals)
        truncatedShare = profile.truncatedShare
        functions = FunctionTable(profile, totals: totals)
    }
}
