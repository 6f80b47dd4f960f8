import LinuxProcess
import LinuxSystem
import Measurement
import TestSupport
import Testing

@Suite("podcast-scraper --monitor")
struct MonitoredScraperTests {
    private static let feed = BuiltProduct.packageDirectory + "/data/feeds/sense-and-sensibility"

    private static func command(_ output: String, episodes: Int) -> [String] {
        [
            BuiltProduct.path("loopback-feed"), feed, "--", BuiltProduct.path("podcast-scraper"),
            "{feed_url}",
            "--output-dir", output, "--max-episodes", "\(episodes)", "--monitor",
        ]
    }

    private static func log(_ output: String) throws -> [String] {
        let path = output + "/.monitor.log"
        guard Files.exists(path) else { return [] }
        return String(decoding: try Files.read(path, limit: 1 << 20), as: UTF8.self).split(separator: "\n")
            .map(String.init)
    }

    private static func field(_ key: String, in line: String) -> Double? {
        line.split(separator: " ").first { $0.hasPrefix(key + "=") }.flatMap {
            Double($0.dropFirst(key.count + 1))
        }
    }

    @Test("without a terminal the log has a header, ticks twice a second and all stages")
    func wholeRun() throws {
        let directory = try TemporaryDirectory()
        let output = directory.path + "/out"
        let result = try runCommand(Self.command(output, episodes: 1))
        #expect(result.status == .code(0), "\(result.standardError)")
        #expect(result.standardOutput == "\(output)/metrics.json\n")
        let log = try Self.log(output)
        let header = try #require(log.first)
        #expect(
            header.hasPrefix(
                "# podcast_scraper monitor (stderr is not a terminal; append log) session_start=20"))
        let summary = try #require(log.firstIndex(of: "# summary"))
        let speech = log[..<summary].filter { $0.contains(" stage=transcription ") }
        let moments = speech.compactMap { Self.field("stage_elapsed_s", in: $0) }
        // A shared machine may wake the monitor late now and then, but not for most of its ticks.
        let gaps = zip(moments, moments.dropFirst()).map { $1 - $0 }.dropFirst()
        #expect(gaps.filter { abs($0 - 0.5) < 0.15 }.count * 2 >= gaps.count, "\(speech)")
        let stages = log[summary...].filter { $0.hasPrefix("  stage=") }
            .compactMap { $0.split(separator: " ").first.map { String($0.dropFirst("stage=".count)) } }
        #expect(
            stages == [
                "rss_feed_fetch", "speaker_detection", "media_download", "audio_preprocessing",
                "transcription",
                "transcript_cleaning", "summarization", "gi_generation", "kg_extraction", "vector_indexing",
            ])
        let transcription = try #require(log[summary...].first { $0.hasPrefix("  stage=transcription ") })
        let average = try #require(Self.field("avg_cpu", in: transcription))
        // One thread that computes all the time; other processes may take the processor away, which is reported.
        let wall = try #require(Self.field("wall_s", in: transcription))
        let waited = try #require(Self.field("run_queue_wait_s", in: transcription))
        #expect(average < 115 && average * wall / max(0.1, wall - waited) > 30, "\(transcription)")
        let cpu = try #require(Self.field("cpu_s", in: transcription))
        #expect(cpu > 0.3)
    }

    @Test("a pipeline that is killed leaves a whole log, and no monitor")
    func killed() throws {
        let directory = try TemporaryDirectory()
        let output = directory.path + "/out"
        let errors = directory.path + "/stderr"
        var request = ChildRequest(Self.command(output, episodes: 4))
        let file = try FileDescriptor.open(errors, .append)
        request.standardError = .descriptor(file.rawValue)
        request.standardOutput = .null
        var child = try ChildProcess.start(request)
        let pid = try #require(try Self.pidInTranscription(output))
        let handle = try ProcessHandle(pid: pid)
        let family = ProcessTree.processes(from: pid, excluding: [])
        #expect(family.count >= 2, "the monitor is a child of the pipeline")
        let monitor = try #require(family.first { $0 != pid && Self.isMonitor($0) })
        let monitorHandle = try ProcessHandle(pid: monitor)
        _ = try runCommand(["kill", "-KILL", "\(pid)"])
        #expect(try handle.hasEnded(within: .seconds(10)))
        #expect(try monitorHandle.hasEnded(within: .seconds(10)), "the monitor stays behind")
        _ = try child.wait(timeout: .seconds(20))
        let log = try Self.log(output)
        #expect(log.contains("# summary"))
        #expect(log.last == "pipeline_exited=1 signal=9 last_stage=transcription", "\(log.suffix(3))")
        let said = String(decoding: try Files.read(errors, limit: 1 << 20), as: UTF8.self)
        #expect(
            said.contains("Pipeline process was ended by signal 9 (Killed). Last stage: transcription."),
            "\(said)")
    }

    private static func isMonitor(_ pid: Int32) -> Bool {
        let arguments = (try? Files.read("/proc/\(pid)/cmdline", limit: 4096)) ?? []
        return String(decoding: arguments, as: UTF8.self).contains("monitor-child")
    }

    private static func pidInTranscription(_ output: String) throws -> Int32? {
        for _ in 0..<400 {
            if let line = try log(output).first(where: { $0.contains(" stage=transcription ") }) {
                return field("pid", in: line).map { Int32($0) }
            }
            SystemClock.sleep(for: .milliseconds(50))
        }
        return nil
    }
}
