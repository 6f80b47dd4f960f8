import FrozenProfile
import LinuxProcess
import LinuxSystem
import Measurement
import StackProfile
import TestSupport
import Testing

@testable import ProfileReport

@Suite("Runs in time")
struct TimelineTests {
    private static func truth(_ transitions: [(Double, String, Bool, Int?)], wall: Double) throws
        -> StageTruth
    {
        let lines = transitions.map { time, stage, isBegin, episode in
            "{\"at_s\": \(time), \"event\": \"\(isBegin ? "begin" : "end")\", \"stage\": \"\(stage)\""
                + (episode.map { ", \"episode\": \($0)" } ?? "") + "}"
        }
        let text = """
            {"schema_version": "2", "release": "v1", "dataset_id": "d", "generated_at": "2026-02-10T14:20:00Z",
             "run": {"wall_s": \(wall), "cpu_s": 1, "peak_rss_mb": 1, "avg_cpu_pct": 1}, "stages": [],
             "transitions": [\(lines.joined(separator: ", "))],
             "rfc065_monitor": {"enabled": false, "lines": {"unavailable": "none"}, "bytes": {"unavailable": "none"}}}
            """
        return try StageTruth.decode(Array(text.utf8), name: "t")
    }

    private static let overlapping: [(Double, String, Bool, Int?)] = [
        (0.5, "download", true, 1), (2, "transcribe", true, 1), (2.5, "download", true, 2),
        (3, "download", false, 1),
        (4, "download", false, 2), (5, "transcribe", false, 1), (6, "index", true, nil),
    ]

    private static let log = """
        # sh monitor (asked for; append log) session_start=2026-02-10T11:00:00Z
        2026-02-10T11:00:00.0Z pid=1 stage=x rss_mb=999 cpu_pct=9 elapsed_s=0.1
        # sh monitor (asked for; append log) session_start=2026-02-10T12:00:00Z
        2026-02-10T12:00:00.0Z pid=1 stage=none rss_mb=10.5 cpu_pct=unavailable elapsed_s=0.0 stage_elapsed_s=1
        2026-02-10T12:00:01.0Z pid=1 stage=download rss_mb=20 cpu_pct=50.5 elapsed_s=1.0
        2026-02-10T12:00:03.0Z pid=1 stage=download rss_mb=unavailable cpu_pct=150 elapsed_s=3.0
        # summary
        total_wall_s=8 peak_rss_mb=20
        """

    @Test("spans that overlap have rows of their own, and what was open at the end lasts until then")
    func spans() throws {
        let timeline = RunTimeline(
            try Self.truth(Self.overlapping, wall: 8), log: .value(Array(Self.log.utf8)))
        #expect(timeline.duration == 8)
        #expect(timeline.lanes == 3)
        #expect(timeline.spans.map(\.lane) == [0, 1, 2, 0])
        #expect(timeline.spans.map(\.end) == [3, 5, 4, 8])
        #expect(timeline.spans.map(\.episode) == [1, 1, 2, nil])
        #expect(timeline.ticks.map(\.time) == [0, 1, 3])
        #expect(timeline.ticks.map(\.resident) == [10.5, 20, nil])
        #expect(timeline.ticks.map(\.cpu) == [nil, 50.5, 150])
        let without = RunTimeline(
            try Self.truth(Self.overlapping, wall: 8), log: .unavailable(reason: "it is gone"))
        #expect(without.notes == ["There are no curves of memory and CPU: it is gone."])
    }

    @Test("long curves keep their peaks")
    func thinning() throws {
        var text = "# sh monitor (asked for; append log) session_start=x\n"
        for index in 0..<50_000 {
            text +=
                "2026 rss_mb=\(index == 31_234 ? 900 : 100) cpu_pct=\(index == 7 ? 0 : 50) elapsed_s=\(index).0\n"
        }
        let timeline = RunTimeline(try Self.truth([], wall: 1), log: .value(Array(text.utf8)))
        #expect(timeline.ticks.count <= RunTimeline.mostTicks + 1)
        #expect(timeline.ticks.contains { $0.resident == 900 && $0.time == 31_234 })
        #expect(timeline.ticks.contains { $0.cpu == 0 && $0.time == 7 })
    }

    /// Two threads: one in `fetch` and then `parse`, one in `parse` all the time.
    private static func archive() throws -> StackProfile {
        var builder = StackProfileBuilder(period: .milliseconds(1))
        for index in 0..<2000 {
            let stage = index < 1000 ? "fetch" : "parse"
            for (thread, name) in [("one", stage == "fetch" ? "receive</script>" : "scan"), ("two", "scan")] {
                let labels = SampleLabels(stage: StageName(thread == "one" ? stage : "parse"), thread: thread)
                let stack = builder.stack([builder.id(of: Frame("main")), builder.id(of: Frame(name))])
                let place = try builder.add(stack, weight: 1, labels: builder.id(of: labels))
                builder.moments.append(.init(sample: place, microseconds: Int64(index) * 1000, weight: 1))
            }
        }
        return builder.build()
    }

    @Test("a profiled run's threads are coloured by the stage that they were seen in")
    func threads() throws {
        let run = try #require(SampledRun(try Self.archive()))
        #expect(run.moments == 4000)
        #expect(run.tracks.map(\.name) == ["one", "two"])
        #expect(run.tracks[0].stretches.map(\.stage) == ["fetch", "parse"])
        #expect((run.tracks[0].stretches[0].end - 1).magnitude < 0.02)
        #expect(run.tracks[1].stretches.allSatisfy { $0.load > 0.9 && $0.stage == "parse" })
        #expect(SampledRun(.empty()) == nil)
    }

    @Test(
        "in a browser an interval is dragged over, by mouse and by keys, and has its flamegraph",
        .enabled(if: Programs.path(of: "chromium") != nil, "chromium is not installed"))
    func browser() throws {
        let directory = try TemporaryDirectory()
        let (profile, _) = try Archives.older.make("v1.1.0", date: "2026-02-10T14:20:00Z")
        let timeline = RunTimeline(
            try Self.truth(Self.overlapping, wall: 8), log: .value(Array(Self.log.utf8)))
        let page = String(
            decoding: HTMLProfileReport.render(
                profile, stacks: .value(try Self.archive()), timeline: .value(timeline), tool: "test"),
            as: UTF8.self)
        #expect(page.components(of: "</script>") == page.components(of: "<script"))
        let script = """
            <script>
            const out = [];
            addEventListener('error', (event) => out.push('ERROR ' + event.message));
            addEventListener('securitypolicyviolation', (event) => out.push('CSP ' + event.violatedDirective));
            addEventListener('load', () => {
              const [run, sampled] = document.querySelectorAll('.timeline');
              const drag = (box, from, to) => {
                const svg = box.querySelector('.track svg'), frame = svg.getBoundingClientRect();
                svg.setPointerCapture = () => {};
                const at = (type, share, buttons) => svg.dispatchEvent(new PointerEvent(type,
                  {clientX: frame.left + frame.width * share, buttons, bubbles: true, pointerId: 1}));
                at('pointerdown', from, 1); at('pointermove', to, 1); at('pointerup', to, 0);
              };
              drag(run, 0.25, 0.5);
              out.push(run.querySelector('.interval p').textContent);
              out.push([...run.querySelectorAll('.interval tr')].map((row) => [...row.cells].map((cell) => cell.textContent).join(' ')).join(', '));
              out.push(run.querySelector('.moment').textContent);
              drag(sampled, 0, 0.4);
              out.push(sampled.querySelector('.flame').getAttribute('aria-label'));
              const key = (key, more) => sampled.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true, ...more}));
              key('Escape'); key('Home');
              for (let index = 0; index < 60; index += 1) key('ArrowRight', {});
              for (let index = 0; index < 10; index += 1) key('ArrowRight', {shiftKey: true});
              out.push(sampled.querySelector('.interval p').textContent);
              key('Enter');
              out.push(sampled.querySelectorAll('.axis span')[0].textContent);
              out.push(document.documentElement.scrollWidth <= innerWidth);
              document.body.insertAdjacentHTML('beforeend', '<pre id="outcome">' + out.join('|').replaceAll('<', '(') + '</pre>');
            });
            </script>
            """
        try Files.replace(
            "\(directory.path)/page.html", with: page.replacing("<main>", with: script + "<main>"))
        let dom = try runCommand(
            [
                "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--window-size=1300,900",
                "--user-data-dir=\(directory.path)/profile", "--virtual-time-budget=5000", "--dump-dom",
                "file://\(directory.path)/page.html",
            ], timeout: .seconds(60)
        ).standardOutput
        let outcome = dom.split(separator: "<pre id=\"outcome\">").last?.prefix { $0 != "<" } ?? ""
        let parts = outcome.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
        try #require(parts.count == 7, "\(outcome)")
        #expect(parts[0] == "2.00 s to 4.00 s: 2.00 s")
        // Of 2 s to 4 s: transcribe all, download from 2 to 3 and from 2.5 to 4.
        #expect(parts[1].hasPrefix("download 2.50 s 125.0 %, transcribe 2.00 s 100.0 %, memory"))
        #expect(parts[2].hasPrefix("4.00 s"))
        #expect(
            parts[3].hasSuffix("most in receive(/script&gt; 50.0 %, scan 50.0 %")
                || parts[3].contains("scan 50"))
        #expect(parts[4].hasPrefix("1.2"))
        #expect(parts[5].hasPrefix("1.2"))
        #expect(parts[6] == "true")
    }
}

extension String {
    fileprivate func components(of text: String) -> Int { ranges(of: text).count }
}
