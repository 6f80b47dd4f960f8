/// A part of a line of commits between two that were measured.
public struct Segment: Equatable, Sendable {
    /// The place of the older commit, and of the newer one.
    public var from: Int
    public var to: Int
    /// How much it changed; 0 where it did not.
    public var change: Double

    /// Whether something changed in it.
    public var isChanged: Bool { change > 0 }
}

/// Finds the commits in which a value changed, by halving the parts in which it did.
///
/// It measures both ends, then the middle of the part with the largest change, and so on: for one changed commit of `n` at most
/// log2(n) + 2 measurements. Changes that cancel out between two measured commits are not seen.
public struct SegmentSearch<Value> {
    /// Measured values by place.
    public private(set) var values: [Int: Value]
    /// Places that cannot be measured, with the reason.
    public private(set) var skipped: [Int: String] = [:]
    /// How much a value changed from one to another; 0 where it did not.
    private let change: (Value, Value) -> Double

    /// What came of an attempt to measure a commit.
    public enum Attempt {
        case value(Value)
        /// It cannot be measured, for a reason.
        case skipped(String)
    }

    /// - Parameters:
    ///   - ends: The values of the first place, 0, and the last.
    ///   - count: The place of the last.
    public init(
        from: Value, to: Value, count: Int, change: @escaping (Value, Value) -> Double
    ) {
        values = [0: from, count: to]
        self.change = change
    }

    /// The parts between measured places, in order.
    public var segments: [Segment] {
        let places = values.keys.sorted()
        return zip(places, places.dropFirst()).map { from, to in
            guard let older = values[from], let newer = values[to] else {
                return Segment(from: from, to: to, change: 0)
            }
            return Segment(from: from, to: to, change: change(older, newer))
        }
    }

    /// The place to measure next; nil when every change is known as closely as it can be.
    public var next: Int? {
        let open = segments.filter { $0.isChanged }.sorted { ($0.change, $1.from) > ($1.change, $0.from) }
        return open.lazy.compactMap { place(in: $0) }.first
    }

    /// Records what came of measuring a place.
    public mutating func record(_ place: Int, _ attempt: Attempt) {
        switch attempt {
        case .value(let value): values[place] = value
        case .skipped(let reason): skipped[place] = reason
        }
    }

    /// The place nearest to the middle of a part that may be measured. Where the middle cannot be, its neighbours at ever
    /// longer distances come first, for what breaks a commit mostly breaks those beside it too.
    private func place(in segment: Segment) -> Int? {
        let inside = segment.from + 1..<segment.to
        let middle = (segment.from + segment.to) / 2
        var distances = [0]
        var distance = 1
        while distance < inside.count {
            distances += [-distance, distance]
            distance *= 2
        }
        let wide = distances.lazy.map { middle + $0 }.first { inside.contains($0) && skipped[$0] == nil }
        return wide
            ?? inside.filter { skipped[$0] == nil }.min { abs($0 - middle) < abs($1 - middle) }
    }
}
