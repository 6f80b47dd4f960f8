package import Measurement

/// Which stage was active when, and for which thread: what gives each stack sample its stage. Pure.
package struct StageTimeline: Sendable {
    /// One begin or end of a stage.
    package struct Edge: Sendable {
        var monotonicNanoseconds: Int64
        var stage: StageName
        var isBegin: Bool
        /// The thread that opened the span; nil where the pipeline does not tell.
        var threadID: Int32?

        /// An edge by its values.
        package init(monotonicNanoseconds: Int64, stage: StageName, isBegin: Bool, threadID: Int32?) {
            self.monotonicNanoseconds = monotonicNanoseconds
            self.stage = stage
            self.isBegin = isBegin
            self.threadID = threadID
        }
    }

    /// The label of samples taken while no stage was active.
    static let outside = "(between stages)"
    /// The longest joined label, in stages; whatever runs more at once is told as a number.
    private static let joinedLimit = 3

    /// The state from one edge to the next.
    private struct Interval {
        var start: Int64
        /// Open spans, in the order they were opened.
        var open: [(stage: StageName, threadID: Int32?)]
    }

    private var intervals: [Interval] = []

    /// A timeline of edges in any order.
    package init(edges: [Edge]) {
        var open: [(stage: StageName, threadID: Int32?)] = []
        for edge in edges.sorted(by: { $0.monotonicNanoseconds < $1.monotonicNanoseconds }) {
            if edge.isBegin {
                if edge.stage != .done { open.append((edge.stage, edge.threadID)) }
            } else if let index = open.firstIndex(where: { $0 == (edge.stage, edge.threadID) })
                ?? open.firstIndex(where: { $0.stage == edge.stage })
            {
                open.remove(at: index)
            }
            intervals.append(Interval(start: edge.monotonicNanoseconds, open: open))
        }
    }

    /// The stages of a pipeline that tells only which one it is in: each lasts until the next begins.
    init(successive starts: [(stage: StageName, monotonicNanoseconds: Int64)]) {
        intervals = starts.sorted { $0.monotonicNanoseconds < $1.monotonicNanoseconds }.map { start in
            Interval(
                start: start.monotonicNanoseconds, open: start.stage == .done ? [] : [(start.stage, nil)])
        }
    }

    /// The stage a thread was working for at a moment.
    ///
    /// The innermost span that the thread itself has open; for a thread with none (a worker, a child process) the
    /// only open stage, or all of them joined by `+` when several are open and nothing tells them apart.
    func label(atMonotonicNanoseconds time: Int64, threadID: Int32) -> String {
        guard let interval = interval(at: time), !interval.open.isEmpty else { return Self.outside }
        if let own = interval.open.last(where: { $0.threadID == threadID }) { return own.stage.text }
        var names: [String] = []
        for span in interval.open where !names.contains(span.stage.text) { names.append(span.stage.text) }
        guard names.count <= Self.joinedLimit else { return "(\(names.count) stages)" }
        return names.joined(separator: "+")
    }

    /// The last interval that starts at or before a moment, by bisection.
    private func interval(at time: Int64) -> Interval? {
        var low = 0
        var high = intervals.count
        while low < high {
            let middle = (low + high) / 2
            if intervals[middle].start <= time { low = middle + 1 } else { high = middle }
        }
        return low > 0 ? intervals[low - 1] : nil
    }
}
