import JSONDocument
import LinuxSystem
import Measurement
import Synchronization
import TestSupport
import Testing

@testable import Stages

@Suite("Reporting stages")
struct StatusReporterTests {
    @Test("Ten thousand transitions from four threads lose none, and the file is whole at every moment")
    func manyTransitions() async throws {
        let directory = try TemporaryDirectory()
        let location = StatusLocation(outputDirectory: directory.path + "/out")
        let reporter = StatusReporter(location: location) { Issue.record("\($0)") }
        let names = ["a", "b", "c", "d"].compactMap { StageName($0) }
        await withTaskGroup(of: Void.self) { group in
            for name in names {
                group.addTask {
                    for index in 1...1250 {
                        reporter.stage(name, episode: .init(index: index, total: 1250)) {}
                    }
                }
            }
            group.addTask {
                for _ in 0..<500 {
                    do throws(StatusSnapshot.Problem) {
                        _ = try StatusSnapshot.read(location.statusFile)
                    } catch {
                        #expect(error == .missing)
                    }
                }
            }
        }
        reporter.finish()
        let snapshot = try StatusSnapshot.read(location.statusFile)
        #expect(snapshot.stage == .done)
        #expect(snapshot.pid == CurrentProcess.pid)
        #expect(snapshot.history?.map(\.entered) == [1250, 1250, 1250, 1250])
        let lines = try Files.read(location.eventTrace, limit: 1 << 24).split(separator: UInt8(ascii: "\n"))
        #expect(lines.count == 10_001)
        var last = 0.0
        var begins = 0
        for line in lines {
            let fields = try #require(JSONValue.parse(Array(line))?.object)
            let moment = try #require(fields["monotonic_ns"]?.number)
            #expect(moment >= last)
            last = moment
            if fields["event"]?.string == "begin" { begins += 1 }
        }
        #expect(begins == 5001)
        #expect(try Files.names(inDirectory: directory.path + "/out").count == 2)
    }

    @Test("A stage ends also when its body throws, and its error comes through")
    func throwing() throws {
        struct Failure: Error {}
        let directory = try TemporaryDirectory()
        let location = StatusLocation(outputDirectory: directory.path)
        let reporter = StatusReporter(location: location) { Issue.record("\($0)") }
        #expect(throws: Failure.self) {
            try reporter.stage(.transcription) { () throws(Failure) in throw Failure() }
        }
        #expect(try StatusSnapshot.read(location.statusFile).history?.first?.entered == 1)
    }

    @Test("A place that cannot be written is reported once, and the pipeline goes on")
    func unwritable() throws {
        let directory = try TemporaryDirectory()
        try Files.replace(directory.path + "/file", with: "")
        let problems = Mutex<[String]>([])
        let reporter = StatusReporter(
            location: StatusLocation(outputDirectory: directory.path + "/file/below")
        ) { problem in problems.withLock { $0.append(problem) } }
        for _ in 0..<3 { #expect(reporter.stage(.transcription) { 7 } == 7) }
        let told = problems.withLock { $0 }
        #expect(told.count == 1)
        #expect(told.first?.hasPrefix("The stage status is not being recorded. Cannot ") == true)
    }

    @Test("A reporter without a location runs the body and writes nothing")
    func disabled() {
        #expect(StatusReporter.disabled.stage(.transcription) { 7 } == 7)
    }

    @Test("Ending what was not begun changes nothing")
    func unmatchedEnd() throws {
        let directory = try TemporaryDirectory()
        let location = StatusLocation(outputDirectory: directory.path)
        let reporter = StatusReporter(location: location) { Issue.record("\($0)") }
        reporter.end(.transcription)
        #expect(!Files.exists(location.statusFile))
    }

    @Test("Each transition replaces the file, and the history adds up wall, work and CPU time")
    func transitions() throws {
        let directory = try TemporaryDirectory()
        let location = StatusLocation(outputDirectory: directory.path)
        let reporter = StatusReporter(location: location) { Issue.record("\($0)") }
        reporter.stage(.rssFeedFetch) { SystemClock.sleep(for: .milliseconds(20)) }
        for index in 1...2 {
            reporter.stage(.transcription, episode: EpisodePosition(index: index, total: 2)) {
                let start = SystemClock.processCPU
                while SystemClock.processCPU - start < .milliseconds(20) {}
            }
        }
        let between = try StatusSnapshot.read(location.statusFile)
        #expect(between.stage == .transcription)
        #expect(between.episode == EpisodePosition(index: 2, total: 2))
        #expect(between.activeStages == [])
        #expect(between.pid == CurrentProcess.pid)
        let history = try #require(between.history)
        #expect(history.map(\.stage) == [.rssFeedFetch, .transcription])
        #expect(history.map(\.entered) == [1, 2])
        #expect(history[0].wall >= .milliseconds(20))
        #expect(history[1].cpu ?? .zero >= .milliseconds(39))
        #expect(history[1].wall == history[1].work)
        #expect(history.allSatisfy { !$0.isShared })
        reporter.finish()
        #expect(try StatusSnapshot.read(location.statusFile).stage == .done)
        let trace = String(decoding: try Files.read(location.eventTrace, limit: 1 << 20), as: UTF8.self)
        let lines = trace.split(separator: "\n").map { JSONValue.parse(Array($0.utf8))?.object }
        #expect(
            lines.map { $0?["event"]?.string } == ["begin", "end", "begin", "end", "begin", "end", "begin"])
        #expect(lines[2]?["episode"]?.number == 1)
        let times = lines.compactMap { $0?["monotonic_ns"]?.number }
        #expect(times == times.sorted() && times.count == 7)
    }
}
