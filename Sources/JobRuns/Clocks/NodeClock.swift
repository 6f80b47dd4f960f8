internal import Measurement

/// A question to a node what its clocks show, and the answer.
struct ClockExchange: Equatable {
    /// Our CLOCK_MONOTONIC before the question, and after the answer.
    var asked: Int64
    var answered: Int64
    var moment: NodeMoment

    /// The moment of the answer lies between both: half of the round trip is the most by which their middle is off.
    fileprivate var bound: Int64 { (answered - asked + 1) / 2 }
    fileprivate var middle: Int64 { asked + (answered - asked) / 2 }
}

/// By how much a node's monotonic clock is ahead of ours, as found out by exchanges. Pure.
///
/// Of the exchanges of one call the one with the shortest round trip counts. Of several calls each pair bounds how the clocks
/// went apart between them.
public struct NodeClock: Equatable, Sendable {
    private struct Point: Equatable {
        var here: Int64
        var ahead: Int64
        var bound: Int64
    }

    /// In order of time.
    private var points: [Point] = []
    /// By how much the node's wall clock is ahead of ours; nil where that is not known.
    public private(set) var wallClockAhead: Duration?

    /// A clock that nothing is known of yet.
    public init() {}

    /// The same clock as ours.
    public static let ours: NodeClock = {
        var clock = NodeClock()
        clock.points = [Point(here: 0, ahead: 0, bound: 0)]
        clock.isOurs = true
        return clock
    }()

    private var isOurs = false
    public var isKnown: Bool { !points.isEmpty }

    /// How far clocks of two machines go apart that are not compared: 100 millionths of the time, more than quartz does.
    private static let driftMillionths: Int64 = 100

    /// Takes in the exchanges of one call.
    ///
    /// - Parameter wallClock: Our wall clock less our monotonic one, in nanoseconds.
    mutating func add(_ exchanges: [ClockExchange], wallClock: Int64) {
        guard !isOurs,
            let best = exchanges.filter({ $0.answered >= $0.asked }).min(by: { $0.bound < $1.bound })
        else { return }
        points.append(
            Point(
                here: best.middle, ahead: best.moment.monotonicNanoseconds - best.middle, bound: best.bound))
        points.sort { $0.here < $1.here }
        wallClockAhead = Duration(
            nanosecondCount: best.moment.epochNanoseconds - (best.middle + wallClock))
    }

    /// A clock by what both wall clocks say, where no exchange was possible: with no bound.
    public static func byWallClock(_ moment: NodeMoment, wallClock: Int64) -> NodeClock {
        var clock = NodeClock()
        let here = moment.epochNanoseconds - wallClock
        clock.points = [Point(here: here, ahead: moment.monotonicNanoseconds - here, bound: 0)]
        clock.isByWallClock = true
        return clock
    }

    private var isByWallClock = false

    /// Our monotonic moment of one of the node's, and by how much that may be off; nil where no exchange was possible.
    public func here(_ moment: Int64) -> (moment: Int64, bound: Int64?) {
        guard let first = points.first, let last = points.last else { return (moment, nil) }
        if isOurs { return (moment, 0) }
        func drift(_ distance: Int64) -> Int64 {
            distance.magnitude > 1 << 60 ? .max / 4 : abs(distance) / (1_000_000 / Self.driftMillionths)
        }
        func outside(_ point: Point) -> (Int64, Int64?) {
            let here = moment - point.ahead
            return (here, isByWallClock ? nil : point.bound + drift(here - point.here))
        }
        if moment - first.ahead <= first.here { return outside(first) }
        if moment - last.ahead >= last.here { return outside(last) }
        for (left, right) in zip(points, points.dropFirst()) where moment - right.ahead < right.here {
            let here = moment - left.ahead
            let share = Double(here - left.here) / Double(max(1, right.here - left.here))
            let ahead = left.ahead + Int64(Double(right.ahead - left.ahead) * min(1, max(0, share)))
            // Both ends bound it, and what the clocks went apart in between by half.
            return (moment - ahead, max(left.bound, right.bound) + abs(right.ahead - left.ahead) / 2)
        }
        return outside(last)
    }

    /// The call that shows most exactly by how much the clock is ahead.
    private var best: Point? { points.min { $0.bound < $1.bound } }
    /// By how much the node's monotonic clock is ahead, by the best call; nil while nothing is known.
    public var ahead: Duration? { best.map { Duration(nanosecondCount: $0.ahead) } }
    /// By how much that is off at most, at the moment of the best call; nil where no exchange was possible.
    public var bound: Duration? {
        isByWallClock ? nil : best.map { Duration(nanosecondCount: $0.bound) }
    }
}
