package import Measurement

/// Turns events into spans and adds them up by stage. The one place that knows how: every writer and reader of stages
/// uses it, and the conformance cases hold helpers in other languages to it. Pure: clocks are read by the caller.
///
/// - `entered` counts the spans begun, `finished` those that have ended.
/// - `wall` is the time during which at least one span of the stage was open, `work` the sum of the spans.
/// - Two stages that were open at the same time are both shared.
package struct StageClock: Sendable {
    /// What an event did to a stage, given by its index. One event may do several things.
    package enum Change: Equatable, Sendable {
        /// A span was opened; the first when no other span of the stage was open.
        case opened(Int, isFirst: Bool)
        /// A span was closed; the last when no other span of the stage is open.
        case closed(Int, isLast: Bool)

        /// The index of the stage.
        package var stage: Int {
            switch self {
            case .opened(let stage, _), .closed(let stage, _): stage
            }
        }
        package var isBegin: Bool { if case .opened = self { true } else { false } }
    }

    /// An open span.
    package struct Span: Equatable, Sendable {
        package var stage: Int
        package var threadID: Int32?
        package var episode: EpisodePosition?
        package var start: Int64
        /// Whether the next stage that is entered ends it.
        var isEntered: Bool
    }

    /// The account of a stage. Times are nanoseconds.
    package struct Stage: Equatable, Sendable {
        package var name: StageName
        package var entered = 0
        package var finished = 0
        package var wall: Int64 = 0
        package var work: Int64 = 0
        package var isShared = false
        /// When the stage went from no open span to one; nil while none is open.
        package var activeSince: Int64?
        fileprivate var openCount = 0
    }

    /// In order of first entry.
    package private(set) var stages: [Stage] = []
    /// The open spans, in the order in which they were opened.
    package private(set) var spans: [Span] = []
    /// The stages with an open span, in order of first entry.
    package private(set) var active: [Int] = []
    /// Begins that were left out because too many spans were open.
    package private(set) var droppedEvents = 0
    /// Begins of stages beyond the most that are kept apart: they are those of the stage ``others``.
    package private(set) var beginsOfOthers = 0

    private var indices: [StageName: Int] = [:]
    /// Time during which a stage was open, until the last moment at which none was.
    private var attributed: Int64 = 0
    private var attributedSince: Int64?

    /// The most stages that are kept apart; all further ones together are the stage ``others``.
    package static let maximumStages = 4096
    /// What stands for all stages beyond ``maximumStages``.
    package static let others = StageName("(other stages)")
    /// The most spans that may be open at once.
    package static let maximumSpans = 65_536

    package init() {}

    /// The names of the stages with an open span, in order of first entry.
    package var activeNames: [StageName] { active.map { stages[$0].name } }

    /// The index of a stage that has been begun.
    package func index(of name: StageName) -> Int? { indices[name] }

    /// Takes in an event. `done` is no stage: entering it ends the stage entered before, beginning it does nothing.
    ///
    /// - Returns: What it did; nothing for an end without a begin.
    package mutating func apply(_ event: StageEvent) -> [Change] {
        switch event.kind {
        case .begin:
            return open(event, isEntered: false).map { [$0] } ?? []
        case .end:
            return spanToEnd(event).map { [close($0, at: event.monotonicNanoseconds)] } ?? []
        case .enter:
            var changes: [Change] = []
            while let index = spans.lastIndex(where: \.isEntered) {
                changes.append(close(index, at: event.monotonicNanoseconds))
            }
            if let opened = open(event, isEntered: true) { changes.append(opened) }
            return changes
        }
    }

    /// Closes every open span.
    package mutating func endAll(at moment: Int64) -> [Change] {
        var changes: [Change] = []
        while !spans.isEmpty { changes.append(close(spans.count - 1, at: moment)) }
        return changes
    }

    /// The stage as it would be if it ended at a moment.
    package func standing(_ index: Int, at moment: Int64) -> Stage {
        var stage = stages[index]
        if let since = stage.activeSince { stage.wall += max(0, moment - since) }
        return stage
    }

    /// The time in a span of the clock during which no stage was open.
    package func unattributed(from start: Int64, to end: Int64) -> Int64 {
        max(0, end - start - attributed - (attributedSince.map { max(0, end - $0) } ?? 0))
    }

    private mutating func open(_ event: StageEvent, isEntered: Bool) -> Change? {
        guard event.stage != .done else { return nil }
        guard spans.count < Self.maximumSpans, let index = makeIndex(of: event.stage) else {
            droppedEvents += 1
            return nil
        }
        let moment = event.monotonicNanoseconds
        spans.append(
            Span(
                stage: index, threadID: event.threadID, episode: event.episode, start: moment,
                isEntered: isEntered))
        stages[index].entered += 1
        stages[index].openCount += 1
        let isFirst = stages[index].openCount == 1
        if isFirst {
            if active.isEmpty { attributedSince = moment }
            stages[index].activeSince = moment
            active.insert(index, at: active.firstIndex { $0 > index } ?? active.endIndex)
            if active.count > 1 { for other in active { stages[other].isShared = true } }
        }
        return .opened(index, isFirst: isFirst)
    }

    private func spanToEnd(_ event: StageEvent) -> Int? {
        guard let stage = indices[event.stage] ?? Self.others.flatMap({ indices[$0] }) else { return nil }
        if let thread = event.threadID,
            let own = spans.lastIndex(where: { $0.stage == stage && $0.threadID == thread })
        {
            return own
        }
        return spans.firstIndex { $0.stage == stage }
    }

    private mutating func close(_ index: Int, at moment: Int64) -> Change {
        let span = spans.remove(at: index)
        let stage = span.stage
        stages[stage].finished += 1
        stages[stage].work += max(0, moment - span.start)
        stages[stage].openCount -= 1
        guard stages[stage].openCount == 0 else { return .closed(stage, isLast: false) }
        if let since = stages[stage].activeSince { stages[stage].wall += max(0, moment - since) }
        stages[stage].activeSince = nil
        active.removeAll { $0 == stage }
        if active.isEmpty, let since = attributedSince {
            attributed += max(0, moment - since)
            attributedSince = nil
        }
        return .closed(stage, isLast: true)
    }

    /// Of a stage beyond the most that are kept apart, the index of all of those together.
    private mutating func makeIndex(of name: StageName) -> Int? {
        if let index = indices[name] { return index }
        var name = name
        if stages.count >= Self.maximumStages, let others = Self.others {
            beginsOfOthers += 1
            if let index = indices[others] { return index }
            name = others
        }
        stages.append(Stage(name: name))
        indices[name] = stages.count - 1
        return stages.count - 1
    }
}
