import JSONDocument
import LinuxSystem
import Measurement
import TestSupport
import Testing

@testable import Stages

@Suite("Conformance of our readers and our writer")
struct ConformanceTests {
    @Test("The clock's accounts", arguments: ConformanceCase.all)
    func clock(_ example: ConformanceCase) throws {
        var clock = StageClock()
        var states: [(Int64, [String])] = []
        for event in try example.events() {
            _ = clock.apply(event)
            states.append((event.monotonicNanoseconds / 1_000_000, clock.activeNames.map(\.text)))
        }
        #expect(clock.stages.map { ConformanceCase.Expected($0) } == example.expected)
        for (moment, active) in example.active {
            #expect(states.last { $0.0 <= moment }?.1 == active)
        }
    }

    @Test("The timeline's labels", arguments: ConformanceCase.all)
    func timeline(_ example: ConformanceCase) throws {
        let timeline = StageTimeline(events: try example.events())
        for (moment, thread, label) in example.labels {
            #expect(
                timeline.label(atMonotonicNanoseconds: moment * 1_000_000, threadID: thread) == label,
                "at \(moment) ms in thread \(thread)")
        }
    }

    @Test("The event trace, written as lines and followed", arguments: ConformanceCase.all)
    func trace(_ example: ConformanceCase) throws {
        let directory = try TemporaryDirectory()
        let location = StatusLocation(outputDirectory: directory.path)
        let origin = SystemClock.monotonicNanoseconds - 20_000_000_000
        var feed = StageFeed(statusFile: location.statusFile, existing: .isOfThisRun(since: origin))
        let trace = try EventTrace(path: location.eventTrace)
        for event in try example.events(origin: origin) {
            try trace.append(event.traceLine(timestamp: SystemClock.now))
        }
        var clock = StageClock()
        for event in feed.read() { _ = clock.apply(event) }
        #expect(feed.source == .eventTrace)
        #expect(clock.stages.map { ConformanceCase.Expected($0) } == example.expected)
        let later = try #require(StageTrace(location.eventTrace)).timeline
        for (moment, thread, label) in example.labels {
            #expect(
                later.label(atMonotonicNanoseconds: origin + moment * 1_000_000, threadID: thread) == label)
        }
    }

    @Test("The states of the status file: wall, shared, labels", arguments: ConformanceCase.all)
    func states(_ example: ConformanceCase) throws {
        var differ = StatusDiffer(earliest: 0)
        var writer = StageClock()
        var reader = StageClock()
        for event in try example.events() {
            _ = writer.apply(event)
            let list = writer.activeNames.map(\.text.asJSON).joined(separator: ",")
            let stage = writer.spans.last.map { writer.stages[$0.stage].name.text } ?? "done"
            let text = "{\"stage\":\(stage.asJSON),\"active_stages\":[\(list)]}"
            let moment = event.monotonicNanoseconds
            let reading = StatusReading(
                snapshot: try StatusSnapshot.parse(Array(text.utf8)), isFirst: false, replacedAt: moment,
                readAt: moment, wallClock: Timestamp(nanosecondsSinceEpoch: 0))
            for event in differ.events(to: reading) { _ = reader.apply(event) }
        }
        // A list of open stages says nothing of several spans of one stage, nor of one that was over at once.
        for stage in reader.stages {
            let expected = try #require(example.expected.first { $0.stage == stage.name.text })
            #expect(stage.wall / 1_000_000 == expected.wallMilliseconds, "\(stage.name)")
            #expect(stage.isShared == expected.isShared, "\(stage.name)")
        }
        #expect(reader.stages.count >= example.expected.filter { $0.wallMilliseconds > 0 }.count)
    }

    @Test("The status file's history, as the Swift library writes it", arguments: ConformanceCase.all)
    func writer(_ example: ConformanceCase) throws {
        let start = Timestamp(nanosecondsSinceEpoch: 1_770_000_000_000_000_000)
        var status = StatusText(pid: 1, startedAt: start)
        func moment(_ nanoseconds: Int64) -> StageMoment {
            StageMoment(
                monotonicNanoseconds: nanoseconds,
                timestamp: Timestamp(nanosecondsSinceEpoch: start.nanosecondsSinceEpoch + nanoseconds),
                processCPU: .zero, threadCPU: .zero, threadID: 1)
        }
        var states: [(Int64, StatusSnapshot)] = []
        for event in try example.events() {
            guard status.apply(event, at: moment(event.monotonicNanoseconds)) else { continue }
            states.append(
                (event.monotonicNanoseconds / 1_000_000, try StatusSnapshot.parse(Array(status.text().utf8))))
        }
        let last = try StatusSnapshot.parse(Array(status.text(isFinal: true).utf8))
        #expect(last.history?.map { ConformanceCase.Expected($0) } == example.expected)
        for (moment, active) in example.active {
            #expect(states.last { $0.0 <= moment }?.1.activeStages?.map(\.text) == active)
        }
    }
}
