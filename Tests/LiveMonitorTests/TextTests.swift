import LinuxProcess
import LinuxSystem
import Measurement
import Metrics
import Stages
import TestSupport
import Testing

@testable import LiveMonitor

/// A tick with known numbers.
func sampleTick(stages: [String] = ["summarization"], cpu: Reading<Double> = .value(24.84)) -> Tick {
    Tick(
        timestamp: Timestamp(nanosecondsSinceEpoch: 1_770_732_181_250_000_000), pid: 4242,
        stages: stages.compactMap { StageName($0) }, idleWord: stages.isEmpty ? "none" : nil,
        episode: EpisodePosition(index: 3, total: 10), resident: .value(.mebibytes(542.125)),
        peak: .value(.mebibytes(617.5)), cpuPercent: cpu, elapsed: .milliseconds(154_040),
        stageElapsed: stages.isEmpty ? nil : .seconds(45))
}

/// A usage with known numbers.
let sampleUsage = MetricReadings([
    .diskRead: .value(1.5 * 1_048_576), .diskWritten: .unavailable(reason: "no \"io\""),
    .majorFaults: .value(7), .voluntarySwitches: .value(12), .involuntarySwitches: .value(0),
    .runQueueWait: .value(0.025), .instructions: .value(123_456_789_012), .minorFaults: .value(34),
    .proportionalResident: .value(60),
])

@Suite("Lines of the log and of plain progress")
struct LogTextTests {
    @Test("The header names the pipeline, the reason and the start")
    func header() {
        #expect(
            LogText.header(
                name: "podcast_scraper", reason: "stderr is not a terminal",
                start: Timestamp(nanosecondsSinceEpoch: 1_770_732_181_250_000_000))
                == "# podcast_scraper monitor (stderr is not a terminal; append log) session_start=2026-02-10T14:03:01Z"
        )
    }

    @Test("A tick has its keys in order")
    func tick() {
        #expect(
            LogText.line(sampleTick())
                == "2026-02-10T14:03:01.250Z pid=4242 stage=summarization episodes=3/10 rss_mb=542.13 "
                + "peak_rss_mb=617.50 cpu_pct=24.8 elapsed_s=154.0 stage_elapsed_s=45.0")
    }

    @Test("What is not known is unavailable, never zero; names that would break the line are quoted")
    func unknown() {
        let line = LogText.line(
            sampleTick(stages: ["odd \"name\"=1", "b"], cpu: .unavailable(reason: "first")))
        #expect(line.contains(" cpu_pct=unavailable "))
        #expect(line.contains(#" stage="odd \"name\"=1" "#))
        #expect(line.hasSuffix(" also_active=b"))
        var heap = sampleTick(stages: ["a", "b"])
        heap.isHeapCaptured = true
        #expect(LogText.line(heap).hasSuffix(" stage_elapsed_s=45.0 memray=1 also_active=b"))
        #expect(LogText.line(sampleTick(stages: [])).contains(" stage=none "))
        #expect(LogText.line(sampleTick(stages: [])).hasSuffix(" stage_elapsed_s=unavailable"))
    }

    @Test("Plain progress has stable keys, a line at each change, and one every so often")
    func plain() {
        #expect(
            PlainProgress.text(sampleTick())
                == "freeze-profile t=154.0s stage=summarization episode=3/10 stage_t=45.0s rss=542MiB "
                + "peak=618MiB cpu=24.8%")
        var progress = PlainProgress(interval: .seconds(10))
        var tick = sampleTick()
        let result1 = progress.line(tick)
        #expect(result1 != nil)
        tick.elapsed += .seconds(9)
        let result2 = progress.line(tick)
        #expect(result2 == nil)
        tick.elapsed += .seconds(1)
        let result3 = progress.line(tick)
        #expect(result3 != nil)
        tick.episode?.index = 4
        let result4 = progress.line(tick)
        #expect(result4 != nil)
        tick.stages = [.transcription]
        let result5 = progress.line(tick)
        #expect(result5 != nil)
        tick.stages = []
        let result6 = progress.line(tick)
        #expect(result6 == nil)
    }

    @Test("Fast changes have few lines, and each is in one line or counted in one")
    func folded() {
        var progress = PlainProgress(interval: .seconds(10))
        var tick = sampleTick()
        tick.elapsed = .zero
        var lines: [String] = []
        for number in 0..<1000 {
            tick.stages = [StageName("s\(number)")!]
            tick.elapsed += .milliseconds(10)
            if let line = progress.line(tick) { lines.append(line) }
        }
        // Five at once, and one every two seconds of ten.
        #expect((9...11).contains(lines.count), "\(lines)")
        // The last change has its line later, and only one.
        for _ in 0..<30 {
            tick.elapsed += .milliseconds(500)
            if let line = progress.line(tick) { lines.append(line) }
        }
        let folded = lines.compactMap { line in
            line.split(separator: " ").last.flatMap { $0.hasPrefix("folded=") ? Int($0.dropFirst(7)) : nil }
        }
        let shown = Set(lines.compactMap { $0.split(separator: " ").first { $0.hasPrefix("stage=") } })
        #expect(shown.contains("stage=s999"))
        #expect(shown.count + folded.reduce(0, +) == 1000, "\(lines)")
        #expect(LogText.line(sampleTick(), folded: 3).hasSuffix(" folded=3"))
    }

    @Test("A rate needs a stretch of time; the first is unknown")
    func rate() {
        var meter = RateMeter()
        meter.add(monotonic: 0, cpu: 0)
        #expect(meter.percent.value == nil)
        meter.add(monotonic: 1_000_000, cpu: 1_000_000)
        #expect(meter.percent.value == nil)
        meter.add(monotonic: 500_000_000, cpu: 251_000_000)
        #expect(meter.percent.value.map { ($0 - 50.1).magnitude < 0.1 } == true)
    }
}

@Suite("What is said between the monitor and its parent")
struct MessageTests {
    @Test("A configuration survives the way, hostile names included")
    func configuration() throws {
        var configuration = MonitorConfiguration(name: "a\"b\n\u{1B}", statusFile: "/x y/\\status")
        configuration.logging = .always
        configuration.panel = .never
        configuration.reportFile = "/r"
        configuration.interval = .milliseconds(50)
        configuration.writesPlainLines = false
        #expect(configuration.logFile == "/x y/.monitor.log")
        let message = ControlMessage.configure(configuration)
        var splitter = LineSplitter()
        let lines = splitter.take(Array(message.line.utf8))
        #expect(lines.count == 1)
        #expect(ControlMessage.parse(try #require(lines.first)) == message)
    }

    @Test("The other messages survive, garbage is none")
    func messages() {
        for message in [
            ControlMessage.observe(pid: 7),
            .finish(
                exit: .code(3),
                waited: WaitedUsage(
                    cpu: .milliseconds(5), peak: .kibibytes(9),
                    usage: .init(
                        diskRead: .kibibytes(4), diskWritten: .zero, majorFaults: 1, minorFaults: 4,
                        voluntarySwitches: 2,
                        involuntarySwitches: 3))),
            .finish(exit: .signal(9), waited: WaitedUsage()), .finish(exit: nil, waited: WaitedUsage()),
        ] {
            #expect(ControlMessage.parse(Array(message.line.utf8.dropLast())) == message)
        }
        for text in ["", "{}", "[]", #"{"observe": -1}"#, #"{"observe": "7"}"#, #"{"configure": {}}"#] {
            #expect(ControlMessage.parse(Array(text.utf8)) == nil)
        }
    }

    @Test("A report survives the way to JSON and back, with what is unavailable")
    func report() throws {
        let stage = MonitorReport.Stage(
            name: StageName("a \"b\"")!, entered: 2, wall: .value(.milliseconds(1500)),
            work: .value(.seconds(2)), cpu: .unavailable(reason: "no \"clock\""),
            peakResident: .value(.mebibytes(64)), peakMethod: .highWaterMark,
            averageCPUPercent: .unavailable(reason: "no clock"), isShared: true, source: .eventTrace,
            usage: sampleUsage)
        let report = MonitorReport(
            name: "n", targetPID: 9, stages: [stage],
            transitions: [.init(stage: stage.name, monotonicNanoseconds: 1 << 52, isBegin: true)],
            droppedTransitions: 1,
            totals: .init(
                wall: .value(.seconds(2)), cpu: .value(.milliseconds(250)), peakResident: .value(.zero),
                peakMethod: .sampled, averageCPUPercent: .value(12.5), usage: sampleUsage),
            unattributed: .value(.milliseconds(500)), ticks: 4,
            log: .init(path: "/l", lines: 3, bytes: 99, lost: 1), exit: .value(.signal(9)),
            lastStages: [stage.name], monitorCPU: .milliseconds(3),
            monitorPeakResident: .unavailable(reason: "why"), notes: ["One.", "Two \"x\"."])
        #expect(MonitorReport.parse(Array(report.json.utf8)) == report)
        #expect(MonitorReport.parse(Array("{}".utf8)) == nil)
        #expect(MonitorReport.parse(Array(report.json.utf8.dropLast(5))) == nil)
        let newer = report.json.replacing("\"schema_version\": 1", with: "\"schema_version\": 2")
        #expect(MonitorReport.parse(Array(newer.utf8)) == nil)
    }

    @Test("Errors say what is lost")
    func errors() {
        #expect(
            MonitorError.ended("was ended by signal 9 (Killed)").description
                == "The monitor was ended by signal 9 (Killed) before the run was over, so there is no report of the "
                + "stages. What it had logged until then is in its log.")
        #expect(
            MonitorError.noAnswer(.seconds(5)).description
                == "The monitor did not answer within 5.0 s and was ended, so there is no report of the stages."
        )
    }
}
