import Measurement
import Testing

@testable import Stages

@Suite("Which stage a sample belongs to")
struct StageTimelineTests {
    private static func name(_ text: String) throws -> StageName { try #require(StageName(text)) }

    private static func edge(
        _ time: Int64, _ stage: String, begin: Bool, tid: Int32? = nil
    ) throws -> StageEvent {
        StageEvent(begin ? .begin : .end, try name(stage), threadID: tid, at: time)
    }

    @Test("a span covers its begin, and no longer its end")
    func spans() throws {
        let timeline = StageTimeline(events: [
            try Self.edge(100, "fetch", begin: true, tid: 1),
            try Self.edge(200, "fetch", begin: false, tid: 1),
        ])
        let label = { (time: Int64) in timeline.label(atMonotonicNanoseconds: time, threadID: 1) }
        #expect(label(99) == StageTimeline.outside)
        #expect(label(100) == "fetch")
        #expect(label(199) == "fetch")
        #expect(label(200) == StageTimeline.outside)
    }

    @Test("nested stages give the innermost of the thread; workers get the only one, or all that are open")
    func threads() throws {
        let timeline = StageTimeline(events: [
            try Self.edge(10, "outer", begin: true, tid: 1), try Self.edge(20, "inner", begin: true, tid: 1),
            try Self.edge(30, "inner", begin: false, tid: 1), try Self.edge(40, "other", begin: true, tid: 2),
        ])
        #expect(timeline.label(atMonotonicNanoseconds: 25, threadID: 1) == "inner")
        #expect(timeline.label(atMonotonicNanoseconds: 35, threadID: 1) == "outer")
        #expect(timeline.label(atMonotonicNanoseconds: 15, threadID: 9) == "outer")
        #expect(timeline.label(atMonotonicNanoseconds: 45, threadID: 2) == "other")
        #expect(timeline.label(atMonotonicNanoseconds: 45, threadID: 9) == "outer+other")
    }

    @Test("a stage of a plain pipeline lasts until the next one is named, and nothing follows 'done'")
    func successive() throws {
        let timeline = StageTimeline(events: [
            StageEvent(.enter, try Self.name("a"), at: 10), StageEvent(.enter, try Self.name("b"), at: 20),
            StageEvent(.enter, .done, at: 30),
        ])
        #expect(timeline.label(atMonotonicNanoseconds: 19, threadID: 1) == "a")
        #expect(timeline.label(atMonotonicNanoseconds: 29, threadID: 1) == "b")
        #expect(timeline.label(atMonotonicNanoseconds: 31, threadID: 1) == StageTimeline.outside)
        let empty = StageTimeline(events: [])
        #expect(empty.label(atMonotonicNanoseconds: 1, threadID: 1) == StageTimeline.outside)
    }

    @Test("after the last transition that was kept the stage is not recorded: that is said, not guessed")
    func cut() throws {
        let timeline = StageTimeline(
            events: [try Self.edge(10, "a", begin: true), try Self.edge(20, "a", begin: false)],
            unrecordedFrom: 20)
        #expect(timeline.label(atMonotonicNanoseconds: 15, threadID: 1) == "a")
        #expect(timeline.label(atMonotonicNanoseconds: 21, threadID: 1) == StageTimeline.unrecorded)
    }
}
