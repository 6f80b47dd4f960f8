import LinuxSystem
import Measurement
import TestSupport
import Testing

@testable import Stages

/// Pipelines whose clock is not ours.
@Suite("Times that the pipeline gets wrong")
struct FeedTimeTests {
    private static func status(_ stage: String, ago seconds: Double, extra: String = "") -> String {
        let told = SystemClock.now.secondsSinceEpoch - seconds
        return "{\"stage\":\"\(stage)\",\"stage_started_at\":\(told)\(extra)}"
    }

    /// Three stages of 40 ms each with some clock: what a reader makes of them, and its notes.
    private static func follow(hoursOff: [Double]) throws -> (walls: [String: Int64], notes: [String]) {
        let directory = try TemporaryDirectory()
        let file = directory.path + "/status.json"
        var feed = StageFeed(statusFile: file, existing: .isOfEarlierRun)
        var clock = StageClock()
        for (index, name) in ["one", "two", "three", "done"].enumerated() {
            try Files.replace(file, with: status(name, ago: hoursOff[index] * 3600))
            for event in feed.read() { _ = clock.apply(event) }
            SystemClock.sleep(for: .milliseconds(40))
        }
        let walls = clock.stages.map { ($0.name.text, $0.wall / 1_000_000) }
        return (Dictionary(uniqueKeysWithValues: walls), feed.notes)
    }

    @Test(
        "An hour off, or stepped two hours back during the run: our clock counts, and a note says so",
        arguments: [[1.0, 1, 1, 1], [-1, -1, -1, -1], [0, 2, 2, 2]])
    func off(hours: [Double]) throws {
        let (walls, notes) = try Self.follow(hoursOff: hours)
        #expect(walls.keys.sorted() == ["one", "three", "two"])
        for wall in walls.values { #expect((35...400).contains(wall)) }
        #expect(notes.count == 1)
        #expect(notes.first?.hasPrefix("By the pipeline's own clock a stage began ") == true)
    }

    @Test("A clock that agrees is used without a word")
    func agreeing() throws {
        let (walls, notes) = try Self.follow(hoursOff: [0, 0, 0, 0])
        #expect(walls.count == 3)
        #expect(notes.isEmpty)
    }

    @Test("Whole seconds say less than the moment of the replacement")
    func wholeSeconds() throws {
        var differ = StatusDiffer(earliest: 0)
        let wall = Timestamp(nanosecondsSinceEpoch: 1_770_000_000_700_000_000)
        let snapshot = try StatusSnapshot.parse(
            Array(#"{"stage":"a","stage_started_at":1770000000}"#.utf8))
        let events = differ.events(
            to: StatusReading(
                snapshot: snapshot, isFirst: true, replacedAt: 5_000_000_000, readAt: 5_000_000_000,
                wallClock: wall))
        #expect(events.map(\.monotonicNanoseconds) == [5_000_000_000])
        #expect(differ.disagreement == nil)
    }

    @Test("Events without monotonic_ns get their moment from their wall clock, else from the reading")
    func untimedEvents() throws {
        let directory = try TemporaryDirectory()
        let location = StatusLocation(outputDirectory: directory.path)
        var feed = StageFeed(statusFile: location.statusFile, existing: .isOfEarlierRun)
        let trace = try EventTrace(path: location.eventTrace)
        let before = SystemClock.monotonicNanoseconds
        let wall = SystemClock.now.secondsSinceEpoch
        SystemClock.sleep(for: .milliseconds(30))
        try trace.append("{\"event\":\"enter\",\"stage\":\"a\",\"epoch_s\":\(wall + 0.01)}\n")
        try trace.append("{\"event\":\"enter\",\"stage\":\"b\",\"epoch_s\":\(wall - 7200)}\n")
        try trace.append("{\"event\":\"enter\",\"stage\":\"c\"}\n")
        let events = feed.read()
        #expect(events.map(\.stage.text) == ["a", "b", "c"])
        let moments = events.map { ($0.monotonicNanoseconds - before) / 1_000_000 }
        #expect((9...12).contains(moments[0]))
        #expect(moments[1] >= 29 && moments[2] >= moments[1])
        #expect(feed.notes.count == 1)
    }
}

@Suite("Where the pipeline writes")
struct FeedPlaceTests {
    @Test("A run directory of the pipeline's own, one level down, is found and watched")
    func oneLevelDown() throws {
        let directory = try TemporaryDirectory()
        let file = directory.path + "/.pipeline_status.json"
        try Files.createDirectories(directory.path + "/run-0")
        try Files.replace(directory.path + "/run-0/.pipeline_status.json", with: #"{"stage":"old"}"#)
        SystemClock.sleep(for: .milliseconds(30))
        var feed = StageFeed(statusFile: file, existing: .isOfEarlierRun)
        let watch = StatusWatch(statusFile: file)
        let silent = feed.read()
        #expect(silent.isEmpty)
        #expect(feed.absence?.contains("'\(file)' was not written, nor a file") == true)
        _ = watch.news()
        try Files.createDirectories(directory.path + "/run-1")
        #expect(watch.news().isRelevant)
        try Files.replace(directory.path + "/run-1/.pipeline_status.json", with: #"{"stage":"new"}"#)
        #expect(watch.news().isRelevant)
        let events = feed.read()
        #expect(events.map(\.stage.text) == ["new"])
        #expect(feed.location.statusFile == directory.path + "/run-1/.pipeline_status.json")
        watch.settle(on: feed.location.statusFile)
        _ = watch.news()
        try Files.replace(feed.location.statusFile, with: #"{"stage":"next"}"#)
        #expect(watch.news().replacements == 1)
        let next = feed.read()
        #expect(next.map(\.stage.text) == ["new", "next"])
    }
}
