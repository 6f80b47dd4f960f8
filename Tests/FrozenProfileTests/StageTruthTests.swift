import FrozenProfile
import LinuxProcess
import LinuxSystem
import Measurement
import Testing

@Suite("The stage truth")
struct StageTruthTests {
    private func truth() throws -> StageTruth {
        let stage = try Samples.stage(
            "say \"hi\"\u{1}", wall: 1.2345678, cpu: 0.5, peak: .unavailable(reason: "no /proc"))
        return StageTruth(
            release: "v1", datasetID: .unavailable(reason: "none was given"),
            generatedAt: "2026-02-10T14:00:00Z",
            run: stage.use,
            stages: [.init(stage: stage.stage, entered: .value(2), use: stage.use, source: "event trace")],
            transitions: [
                .init(seconds: 0.1, stage: stage.stage, isBegin: true, episode: 1),
                .init(seconds: 1.25, stage: stage.stage, isBegin: false),
            ],
            monitor: .init(
                isEnabled: true, forcedFileLogVariable: "PODCAST_SCRAPER_MONITOR_FILE_LOG",
                sourceLog: "out/.monitor.log", archivedLog: "v1.monitor.log", lines: .value(12),
                bytes: .value(900)))
    }

    @Test("Every value is where the format page says")
    func text() throws {
        #expect(
            String(decoding: try truth().encode(), as: UTF8.self) == """
                {
                  "schema_version": "2",
                  "release": "v1",
                  "dataset_id": {"unavailable": "none was given"},
                  "generated_at": "2026-02-10T14:00:00Z",
                  "run": {"wall_s": 1.234568, "cpu_s": 0.5, "peak_rss_mb": {"unavailable": "no /proc"}, "avg_cpu_pct": 41.0},
                  "stages": [
                    {"stage": "say \\"hi\\"�", "entered": 2, "wall_s": 1.234568, "cpu_s": 0.5, "peak_rss_mb": \
                {"unavailable": "no /proc"}, "avg_cpu_pct": 41.0, "source": "event trace"}
                  ],
                  "transitions": [
                    {"at_s": 0.1, "event": "begin", "stage": "say \\"hi\\"�", "episode": 1},
                    {"at_s": 1.25, "event": "end", "stage": "say \\"hi\\"�"}
                  ],
                  "transitions_left_out": 0,
                  "rfc065_monitor": {"enabled": true, "forced_file_log_env": "PODCAST_SCRAPER_MONITOR_FILE_LOG", \
                "source_log": "out/.monitor.log", "archived_log": "v1.monitor.log", "lines": 12, "bytes": 900, "note": null}
                }

                """)
        #expect(try truth().encode() == truth().encode())
    }

    @Test("Python reads it as JSON")
    func python() throws {
        let directory = try Files.createTemporaryDirectory(prefix: "/tmp/stage-truth.")
        defer { #expect(throws: Never.self) { try Files.removeTree(directory) } }
        try Files.replace("\(directory)/t.json", with: try truth().encode())
        let script = """
            import json, sys
            t = json.load(open(sys.argv[1]))
            assert t["stages"][0]["stage"] == 'say "hi"\\ufffd', t
            assert t["transitions"][1]["at_s"] == 1.25 and t["run"]["wall_s"] == 1.234568, t
            """
        var child = try ChildProcess.start(ChildRequest(["python3", "-c", script, "\(directory)/t.json"]))
        let outcome = try #require(try child.wait(timeout: .seconds(60)))
        #expect(outcome.status == .code(0), "python3 is needed: apt-get install python3")
    }
}
