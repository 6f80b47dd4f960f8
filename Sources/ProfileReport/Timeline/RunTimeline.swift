public import FrozenProfile
public import Measurement

/// One run in time: which stages were open when, and what the monitor read at its ticks.
public struct RunTimeline: Equatable, Sendable {
    /// A stage from a begin to its end.
    public struct Span: Equatable, Sendable {
        public var stage: StageName
        /// Seconds since the run began.
        public var start: Double
        public var end: Double
        public var episode: Int?
        /// The row it is drawn in: spans that overlap have rows of their own.
        public var lane: Int
    }

    /// What was read at one moment.
    public struct Tick: Equatable, Sendable {
        /// Seconds since the run began.
        public var time: Double
        /// Mebibytes resident, and percent of one core; nil where they could not be had.
        public var resident: Double?
        public var cpu: Double?
    }

    /// The run's length in seconds.
    public let duration: Double
    /// In order of their begins.
    public let spans: [Span]
    /// How many rows the spans need.
    public let lanes: Int
    public let ticks: [Tick]
    /// What is not in it and why, a sentence each.
    public let notes: [String]

    /// The most points of a curve; of more the lowest and highest of each stretch are kept.
    static let mostTicks = 2000
    /// The most spans that are drawn.
    static let mostSpans = 5000

    /// A run from its stages' truth and the monitor's log.
    ///
    /// - Parameter log: The log's bytes, or why there are none.
    public init(_ truth: StageTruth, log: Reading<[UInt8]>) {
        var (lanes, spans): ([Double], [Span]) = ([], [])
        // The spans that are open, and the lanes that they hold.
        var open: [(span: Int, lane: Int)] = []
        var notes: [String] = []
        for transition in truth.transitions {
            if transition.isBegin {
                guard spans.count < Self.mostSpans else { continue }
                let lane = lanes.firstIndex { $0 <= transition.seconds } ?? lanes.count
                if lane == lanes.count { lanes.append(0) }
                lanes[lane] = .infinity
                open.append((spans.count, lane))
                spans.append(
                    Span(
                        stage: transition.stage, start: transition.seconds, end: transition.seconds,
                        episode: transition.episode, lane: lane))
            } else if let place = Self.place(of: transition, in: open, spans) {
                let (span, lane) = open.remove(at: place)
                spans[span].end = max(transition.seconds, spans[span].start)
                lanes[lane] = spans[span].end
            }
        }
        let ticks = log.value.map { MonitorLogTicks.read($0) } ?? []
        let last = max(spans.map(\.end).max() ?? 0, ticks.last?.time ?? 0)
        duration = max(truth.run[.wall].value ?? 0, last)
        // What was open when the run ended was open until then.
        for (span, _) in open { spans[span].end = duration }
        if truth.transitions.count(where: \.isBegin) > Self.mostSpans {
            notes.append("Only the first \(Self.mostSpans) spans are drawn.")
        }
        if let reason = log.unavailableReason {
            notes.append("There are no curves of memory and CPU: \(reason).")
        }
        self.spans = spans
        self.lanes = lanes.count
        self.ticks = Self.thinned(ticks)
        self.notes = notes
    }

    /// The span that a transition ends: of several of a stage that of its episode, else the first.
    private static func place(
        of end: StageTruth.Transition, in open: [(span: Int, lane: Int)], _ spans: [Span]
    ) -> Int? {
        let ofStage = open.indices.filter { spans[open[$0].span].stage == end.stage }
        return ofStage.first { spans[open[$0].span].episode == end.episode } ?? ofStage.first
    }

    /// Few enough ticks to draw, with every peak.
    private static func thinned(_ ticks: [Tick]) -> [Tick] {
        guard ticks.count > mostTicks else { return ticks }
        let size = (ticks.count * 4 + mostTicks - 1) / mostTicks
        var kept: Set<Int> = [ticks.count - 1]
        for start in stride(from: 0, to: ticks.count, by: size) {
            let part = start..<min(start + size, ticks.count)
            for key in [\Tick.resident, \Tick.cpu] {
                let value = { (place: Int) -> Double in ticks[place][keyPath: key] ?? 0 }
                if let least = part.min(by: { value($0) < value($1) }) { kept.insert(least) }
                if let most = part.max(by: { value($0) < value($1) }) { kept.insert(most) }
            }
        }
        return kept.sorted().map { ticks[$0] }
    }
}
