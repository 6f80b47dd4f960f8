internal import LiveMonitor
internal import Measurement

/// When stages were open, on our monotonic clock. Pure.
struct OpenSpans: Equatable {
    /// Without overlap, in order.
    private(set) var spans: [Range<Int64>] = []

    init(_ spans: [Range<Int64>] = []) {
        for span in spans.sorted(by: { $0.lowerBound < $1.lowerBound }) where !span.isEmpty {
            if let last = self.spans.last, span.lowerBound <= last.upperBound {
                self.spans[self.spans.count - 1] =
                    last.lowerBound..<max(last.upperBound, span.upperBound)
            } else {
                self.spans.append(span)
            }
        }
    }

    /// The time for which at least one was open.
    var length: Int64 { spans.reduce(0) { $0 + ($1.upperBound - $1.lowerBound) } }

    func union(_ other: OpenSpans) -> OpenSpans { OpenSpans(spans + other.spans) }

    /// The part of it within a time.
    func clipped(to range: Range<Int64>) -> OpenSpans { OpenSpans(spans.map { $0.clamped(to: range) }) }

    func overlaps(_ other: OpenSpans) -> Bool {
        union(other).length < length + other.length
    }

    /// By stage, from the transitions of one monitor. What was open at the end was open until then.
    static func byStage(_ transitions: [MonitorReport.Transition], end: Int64) -> [StageName: OpenSpans] {
        var open: [StageName: (count: Int, since: Int64)] = [:]
        var spans: [StageName: [Range<Int64>]] = [:]
        func close(_ stage: StageName, since: Int64, at moment: Int64) {
            spans[stage, default: []].append(since..<max(since, moment))
        }
        for transition in transitions {
            let moment = transition.monotonicNanoseconds
            var state = open[transition.stage] ?? (0, moment)
            if transition.isBegin {
                if state.count == 0 { state.since = moment }
                state.count += 1
            } else if state.count > 0 {
                state.count -= 1
                if state.count == 0 { close(transition.stage, since: state.since, at: moment) }
            }
            open[transition.stage] = state
        }
        for (stage, state) in open where state.count > 0 { close(stage, since: state.since, at: end) }
        return spans.mapValues { OpenSpans($0) }
    }
}
