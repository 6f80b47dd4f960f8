internal import Measurement
public import StackProfile

/// Two profiles laid out as one tree of rectangles: what both have, and what only one has.
///
/// A rectangle's own width is the larger of what it spent itself on either side, so that functions that vanished keep
/// their place; its width is that and its children's. So widths add up on both scales: absolute, and as shares of each
/// side's total.
public struct DifferentialLayout: Sendable {
    /// One side.
    public struct Side: Sendable {
        /// The version.
        public var name: String
        public var profile: StackProfile
        /// What a unit of the profile's weight stands for: seconds of a run, or samples.
        public var valuePerWeight: Double

        /// A side; without a scale its values are its weights.
        public init(name: String, profile: StackProfile, valuePerWeight: Double = 1) {
            self.name = name
            self.profile = profile
            self.valuePerWeight = valuePerWeight
        }
    }

    /// What both sides are measured by.
    public enum Normalization: String, CaseIterable, Sendable {
        /// Values as they are.
        case absolute
        /// Values as shares of their side's total.
        case share
    }

    /// One rectangle, with values of its side's scale.
    public struct Rectangle: Sendable {
        /// What it stands for.
        public let content: FlameGraphLayout.Content
        /// The number of frames outside it.
        public let level: Int
        /// The index of the rectangle around it; nil for the root.
        public let parent: Int?
        /// With all it called.
        public let before: Double
        public let after: Double
        /// By itself.
        public let selfBefore: Double
        public let selfAfter: Double
        /// Samples it is in.
        public let samplesBefore: Int64
        public let samplesAfter: Int64
        /// A hash of the names from the root, the same in every picture in which the path occurs.
        public let pathHash: UInt64
    }

    /// Where a rectangle is drawn, as shares of the whole width.
    public struct Place: Hashable, Sendable {
        public var start: Double
        public var width: Double
    }

    /// What is to be said of a rectangle's change.
    public enum Change: Hashable, Sendable {
        /// No more than a threshold, or than counting so few samples explains.
        case neutral
        /// Steps of more, 1 to 3, and of less, -1 to -3.
        case step(Int)
        /// Seen on the newer side only, and often enough to be believed.
        case new
        /// Seen on the older side only, and often enough to be believed.
        case gone
    }

    /// The rectangles, each before its children, siblings in order of their names.
    public let rectangles: [Rectangle]
    /// The sides' names.
    public let names: (before: String, after: String)
    /// The sides' totals, in their own values.
    public var totals: (before: Double, after: Double) { (rectangles[0].before, rectangles[0].after) }
    /// The number of levels, the root's included.
    public let levels: Int
    /// The number of functions too small to be drawn singly.
    public let smallFrameCount: Int
    /// The share of either side below which a function is not drawn on its own.
    public let minimumShare: Double

    /// Percentage points at which the colour's steps begin: the same in every picture, so that pictures compare.
    public static let steps = [0.5, 2.0, 5.0]
    /// Samples of a function on one side and none on the other that make it new or gone.
    public static let fewestSamples: Int64 = 10

    /// Lays two profiles out, in time proportional to their sizes.
    public init(before: Side, after: Side, minimumShare: Double = 0.001) {
        let union = UnionTree(before: before.profile, after: after.profile)
        var tree = DifferentialTree(union, before: before, after: after)
        self.minimumShare = min(max(minimumShare, 0), 1)
        tree.prune(below: self.minimumShare, maximum: 20_000)
        rectangles = tree.rectangles()
        names = (before.name, after.name)
        levels = 1 + (rectangles.lazy.map(\.level).max() ?? 0)
        smallFrameCount = rectangles.reduce(0) {
            if case .smallFrames(let count) = $1.content { $0 + count } else { $0 }
        }
    }

    /// What each side's values are multiplied by.
    public func factors(_ normalization: Normalization) -> (before: Double, after: Double) {
        func inverse(_ total: Double) -> Double { total > 0 ? 1 / total : 0 }
        switch normalization {
        case .absolute:
            let factor = inverse(max(totals.before, totals.after))
            return (factor, factor)
        case .share: return (inverse(totals.before), inverse(totals.after))
        }
    }

    /// The change of a rectangle with all it called, in percentage points: of its side's total, or, of absolute values,
    /// of the larger total.
    public func points(of rectangle: Rectangle, _ normalization: Normalization) -> Double {
        let factors = factors(normalization)
        return 100 * (rectangle.after * factors.after - rectangle.before * factors.before)
    }

    /// What is to be said of a rectangle's change.
    public func change(of rectangle: Rectangle, _ normalization: Normalization) -> Change {
        if case .frame = rectangle.content {
            if rectangle.samplesBefore == 0, rectangle.samplesAfter >= Self.fewestSamples { return .new }
            if rectangle.samplesAfter == 0, rectangle.samplesBefore >= Self.fewestSamples { return .gone }
        }
        let factors = factors(normalization)
        func variance(_ value: Double, _ samples: Int64) -> Double {
            samples > 0 ? value * value / Double(samples) : 0
        }
        let points = points(of: rectangle, normalization)
        let errors =
            variance(rectangle.before * factors.before, rectangle.samplesBefore)
            + variance(rectangle.after * factors.after, rectangle.samplesAfter)
        let step = Self.steps.count { points.magnitude >= $0 }
        // Two standard errors of counting samples: what is within them is not shown as a change.
        guard step > 0, points.magnitude > 200 * errors.squareRoot() else { return .neutral }
        return .step(points > 0 ? step : -step)
    }

    /// Where each rectangle is drawn.
    public func places(_ normalization: Normalization) -> [Place] {
        let factors = factors(normalization)
        var widths = rectangles.map { max($0.selfBefore * factors.before, $0.selfAfter * factors.after) }
        for index in stride(from: widths.count - 1, to: 0, by: -1) {
            if let parent = rectangles[index].parent { widths[parent] += widths[index] }
        }
        let scale = widths[0] > 0 ? 1 / widths[0] : 0
        var next = [Double](repeating: 0, count: widths.count)
        var places: [Place] = []
        places.reserveCapacity(widths.count)
        for (index, rectangle) in rectangles.enumerated() {
            let start = rectangle.parent.map { next[$0] } ?? 0
            if let parent = rectangle.parent { next[parent] += widths[index] * scale }
            next[index] = start
            places.append(Place(start: start, width: widths[index] * scale))
        }
        return places
    }
}
