import LinuxProcess
import LinuxSystem
import Measurement
import TestSupport
import Testing

@testable import Stages

@Suite("Transitions from the status file")
struct StatusDifferTests {
    private let wall = Timestamp(nanosecondsSinceEpoch: 1_770_000_000_000_000_000)
    private let second: Int64 = 1_000_000_000

    private func snapshot(_ stage: String, age: Double? = nil, active: [String]? = nil) throws
        -> StatusSnapshot
    {
        var fields = ["\"stage\": \"\(stage)\""]
        if let age { fields.append("\"stage_started_at\": \(wall.secondsSinceEpoch - age)") }
        if let active {
            fields.append("\"active_stages\": [\(active.map { "\"\($0)\"" }.joined(separator: ","))]")
        }
        return try StatusSnapshot.parse(Array("{\(fields.joined(separator: ","))}".utf8))
    }

    private func edges(_ differ: inout StatusDiffer, _ snapshot: StatusSnapshot, at now: Int64) -> [String] {
        differ.events(
            to: StatusReading(
                snapshot: snapshot, isFirst: false, replacedAt: now * second, readAt: now * second,
                wallClock: wall)
        ).map {
            "\($0.kind.rawValue) \($0.stage) \((Double($0.monotonicNanoseconds) / 1e9).fixed(1))"
        }
    }

    @Test("One stage after the other, at the moments the pipeline reports; done begins nothing")
    func sequence() throws {
        var differ = StatusDiffer(earliest: 0)
        let found1 = try edges(&differ, snapshot("a", age: 0.5), at: 100)
        #expect(found1 == ["begin a 99.5"])
        let found2 = try edges(&differ, snapshot("a", age: 0.5), at: 100)
        #expect(found2.isEmpty)
        let found3 = try edges(&differ, snapshot("b", age: 0.2), at: 110)
        #expect(found3 == ["end a 109.8", "begin b 109.8"])
        let found4 = try edges(&differ, snapshot("done", age: 0), at: 120)
        #expect(found4 == ["end b 120.0"])
        let found5 = try edges(&differ, snapshot("done", age: 0), at: 121)
        #expect(found5.isEmpty)
    }

    @Test("A moment that cannot be true gives way to the moment of reading")
    func implausible() throws {
        var differ = StatusDiffer(earliest: 0)
        let found6 = try edges(&differ, snapshot("a", age: -60), at: 100)
        #expect(found6 == ["begin a 100.0"])
        let found7 = try edges(&differ, snapshot("b", age: 60), at: 110)
        #expect(found7 == ["end a 110.0", "begin b 110.0"])
        let found8 = try edges(&differ, snapshot("c"), at: 120)
        #expect(found8 == ["end b 120.0", "begin c 120.0"])
    }

    @Test("The same stage with another start has been begun anew")
    func reentry() throws {
        var differ = StatusDiffer(earliest: 0)
        _ = try edges(&differ, snapshot("a", age: 0), at: 100)
        let found9 = try edges(&differ, snapshot("a", age: -0.0001), at: 101)
        #expect(found9.isEmpty)
        let found10 = try edges(&differ, snapshot("a", age: -2), at: 105)
        #expect(found10.count == 2)
    }

    @Test("Where all active stages are reported, each begins and ends by itself")
    func concurrent() throws {
        var differ = StatusDiffer(earliest: 0)
        let found11 = try edges(&differ, snapshot("a", active: ["a"]), at: 1)
        #expect(found11 == ["begin a 1.0"])
        let found12 = try edges(&differ, snapshot("b", active: ["a", "b"]), at: 2)
        #expect(found12 == ["begin b 2.0"])
        let found13 = try edges(&differ, snapshot("b", active: ["b"]), at: 3)
        #expect(found13 == ["end a 3.0"])
        let found14 = try edges(&differ, snapshot("b", active: []), at: 4)
        #expect(found14 == ["end b 4.0"])
    }
}

@Suite("Transitions from the event trace")
struct TraceTests {
    private let line =
        #"{"event":"begin","stage":"a","episode":2,"tid":7,"monotonic_ns":500,"epoch_s":1.5,"process_cpu_ns":9}"#

    @Test("A line is an event, and anything else is none")
    func parse() {
        #expect(
            StageEvent.parse(Array(line.utf8), moment: { _ in nil })
                == StageEvent(
                    .begin, StageName("a")!, episode: EpisodePosition(index: 2, total: nil), threadID: 7,
                    at: 500, processCPUNanoseconds: 9))
        for text in [
            "", "{}", #"{"event":"start","stage":"a","monotonic_ns":1}"#,
            #"{"event":"end","stage":"","monotonic_ns":1}"#, #"{"event":"end","stage":"a"}"#,
            #"{"event":"end","stage":"a","monotonic_ns":-1}"#,
            #"{"event":"end","stage":"a","monotonic_ns":1e300}"#,
        ] {
            #expect(StageEvent.parse(Array(text.utf8), moment: { _ in nil }) == nil)
        }
    }

    @Test("Lines come whole, however they were written; garbage is counted; an earlier run is left out")
    func follow() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/trace"
        let now = SystemClock.monotonicNanoseconds
        var reader = TraceReader(path: path, .writtenByPipeline, earliest: now, skipsExisting: false)
        let result1 = reader.next().isEmpty
        #expect(result1)
        let file = try FileDescriptor.open(path, .append)
        func event(_ stage: String, _ moment: Int64) -> String {
            #"{"event":"begin","stage":"\#(stage)","monotonic_ns":\#(moment)}"# + "\n"
        }
        try file.write(Array(event("old", now - 1).utf8))
        try file.write(Array("garbage\n".utf8))
        let good = Array(event("new", now).utf8)
        try file.write(Array(good[..<20]))
        let result2 = reader.next().isEmpty
        #expect(result2)
        try file.write(Array(good[20...]))
        let result3 = reader.next().map(\.stage.text)
        #expect(result3 == ["new"])
        try file.write([UInt8](repeating: UInt8(ascii: "x"), count: 3 << 20))
        try file.write(Array("\n\(event("next", now))".utf8))
        var found: [String] = []
        for _ in 0..<30 { found += reader.next().map(\.stage.text) }
        #expect(found == ["next"])
        #expect(reader.ignoredLines == 2)
    }

    @Test("A trace that is moved, replaced by a copy of itself, or cut short is followed, each event once")
    func rotated() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/trace"
        let start = SystemClock.monotonicNanoseconds
        var reader = TraceReader(path: path, .writtenByPipeline, earliest: start, skipsExisting: false)
        func event(_ stage: String) -> String {
            #"{"event":"enter","stage":"\#(stage)","monotonic_ns":\#(SystemClock.monotonicNanoseconds)}"#
                + "\n"
        }
        func append(_ text: String) throws { try FileDescriptor.open(path, .append).write(Array(text.utf8)) }
        func read() -> [String] { reader.next().map(\.stage.text) }
        let one = event("one")
        try append(one)
        #expect(read() == ["one"])
        // Moved away: until another file is there, this is still the one that is written to.
        let old = try FileDescriptor.open(path, .append)
        try Files.move(path, to: directory.path + "/old")
        try old.write(Array(event("two").utf8))
        #expect(read() == ["two"])
        #expect(reader.fate == nil)
        // What is not yet read of the old file comes first.
        try old.write(Array(event("three").utf8))
        let four = event("four")
        try append(one + four)
        #expect(read() == ["three"])
        #expect(read() == ["four"])
        #expect(reader.fate == .replaced)
        _ = try runCommand(["truncate", "-s", "0", path])
        try append(event("five"))
        #expect(read() == ["five"])
        #expect(reader.fate == .cutShort)
        #expect(read() == [])
    }
}

@Suite("Waiting for the status file")
struct StatusWatchTests {
    @Test("A directory that is created later, and again, is found")
    func lateDirectory() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/one/two/status.json"
        let watch = StatusWatch(statusFile: path)
        #expect(!watch.news().isRelevant || watch.descriptor != nil)
        for _ in 0..<2 {
            try Files.createDirectories(directory.path + "/one/two")
            #expect(watch.news().isRelevant)
            try Files.replace(path, with: "{}")
            #expect(watch.news().replacements == 1)
            try Files.replace(directory.path + "/one/two/other", with: "{}")
            #expect(!watch.news().isRelevant)
            try Files.removeTree(directory.path + "/one")
            _ = watch.news()
        }
    }
}
