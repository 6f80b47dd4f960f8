import FrozenProfile
import LinuxProcess
import LinuxSystem
import Measurement
import ProfileSamples
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
            stages: [
                .init(
                    stage: stage.stage, entered: .value(2), use: stage.use, source: "event trace",
                    workSeconds: .value(1.5))
            ],
            transitions: [
                .init(seconds: 0.1, stage: stage.stage, isBegin: true, episode: 1),
                .init(seconds: 1.25, stage: stage.stage, isBegin: false),
            ],
            monitor: .init(
                isEnabled: true, forcedFileLogVariable: "PODCAST_SCRAPER_MONITOR_FILE_LOG",
                sourceLog: "out/.monitor.log", archivedLog: "v1.monitor.log", lines: .value(12),
                bytes: .value(900)), sourceFile: .value(".pipeline_events.jsonl"),
            sampleIntervalSeconds: .value(0.5))
    }

    @Test("What is written is read back")
    func roundTrip() throws {
        // Values as they are rounded in the file.
        var rounded = try truth()
        rounded.run.wallSeconds = .value(1.234568)
        rounded.stages[0].use.wallSeconds = .value(1.234568)
        #expect(try StageTruth.decode(truth().encode(), name: "t.json") == rounded)
    }

    @Test("The fields of the Python pipeline's files carry the exact values of its stages")
    func olderFields() throws {
        var whole = try truth()
        func stage(_ name: StageName, _ entered: Int, work: Double, wall: Double) throws -> StageTruth.Stage {
            let use = try Samples.stage(name.text, wall: wall, cpu: 1, peak: .value(100.25)).use
            return .init(
                stage: name, entered: .value(entered), use: use, source: "event trace",
                workSeconds: .value(work))
        }
        whole.stages = [
            try stage(.rssFeedFetch, 1, work: 0.25, wall: 0.25),
            try stage(.transcription, 4, work: 12, wall: 8),
            try stage(.vectorIndexing, 2, work: 0.5, wall: 0.5),
        ]
        whole.run.wallSeconds = .value(5)
        let text = String(decoding: whole.encode(), as: UTF8.self)
        for line in [
            "\"sum_mapped_stage_wall_s\": 8.75,", "\"parallelism_hint_ratio\": 1.75,",
            "\"wall_seconds_by_stage\": {\"rss_feed_fetch\": 0.25, \"transcription\": 8.0, \"vector_indexing\": 0.5},",
            "\"transcription\": {\"peak_rss_mb\": 100.25, \"avg_cpu_pct\": 13.0}",
            "\"metrics_excerpt\": {\"run_duration_seconds\": 5.0, \"time_scraping\": 0.25, "
                + "\"transcribe_count\": 4, \"avg_transcribe_seconds\": 3.0, \"vector_index_seconds\": 0.5},",
        ] { #expect(text.contains(line), "\(line)") }
    }

    @Test("A file of the Python pipeline is read; what it does not say is unavailable")
    func pythonFile() throws {
        let text = """
            {"profile_stage_truth_version": 1, "release": "v2.6", "dataset_id": "e2e", "sample_interval_s": 0.5,
             "source_metrics_path": "out/metrics.json", "run_wall_s": 111.9925, "sum_mapped_stage_wall_s": 204.5,
             "parallelism_hint_ratio": 1.826, "wall_seconds_by_stage": {"summarization": 204.4, "kg_extraction": 0.1},
             "resource_by_stage_psutil": {"summarization": {"peak_rss_mb": 6924.5, "avg_cpu_pct": 246.61}},
             "global_peak_rss_mb_sampled": 7159.2, "metrics_excerpt": {"schema_version": "1"},
             "rfc065_monitor": {"enabled": true, "forced_file_log_env": "PODCAST_SCRAPER_MONITOR_FILE_LOG",
                                "archived_log": null, "note": "No log was found."}}
            """
        let truth = try StageTruth.decode(Array(text.utf8), name: "old.json")
        #expect(truth.release == "v2.6" && truth.run.wallSeconds == .value(111.9925))
        #expect(truth.stages.map(\.stage.text) == ["kg_extraction", "summarization"])
        #expect(truth.stages[1].use.peakResidentMB == .value(6924.5))
        #expect(truth.stages[0].use.peakResidentMB.value == nil && truth.transitions.isEmpty)
        #expect(truth.monitor.isEnabled && truth.monitor.archivedLog == nil)
        #expect(truth.monitor.lines == .unavailable(reason: "not recorded"))
        #expect(truth.monitor.note == "No log was found.")
    }

    @Test(
        "An error names the file, the name and the remedy",
        arguments: [
            ("\"release\": \"v1\",", "", "'t.json' has no release. Add it, or freeze this version again."),
            (
                "\"entered\": 2", "\"entered\": -2",
                "'t.json': stages[0].entered is -2.0, but should be a whole number that is not negative. "
                    + "Correct it, or freeze this version again."
            ),
            (
                "\"event\": \"end\"", "\"event\": \"over\"",
                "'t.json': transitions[1].event is the string 'over', but should be begin or end. "
                    + "Correct it, or freeze this version again."
            ),
            (
                "\"schema_version\": \"2\"", "\"schema_version\": \"3\"",
                "'t.json' has schema 3.0, and this version of freeze-profile reads up to 2.x. "
                    + "Use a newer freeze-profile."
            ),
            (
                "\"rfc065_monitor\": {\"enabled\": true", "\"rfc065_monitor\": {\"enabled\": 1",
                "'t.json': rfc065_monitor.enabled is 1.0, but should be true or false. "
                    + "Correct it, or freeze this version again."
            ),
            (
                "\n}\n", "\n",
                "'t.json': the document is not JSON, or cut off, but should be an object. "
                    + "Correct it, or freeze this version again."
            ),
        ])
    func refusals(original: String, changed: String, sentence: String) throws {
        let text = String(decoding: try truth().encode(), as: UTF8.self)
        try #require(text.contains(original))
        do throws(ProfileError) {
            _ = try StageTruth.decode(Array(text.replacing(original, with: changed).utf8), name: "t.json")
            Issue.record("it was read")
        } catch {
            #expect(error.description == sentence)
        }
    }

    @Test("Bytes that are changed, left out or added are read or refused, and nothing worse")
    func damaged() throws {
        let whole = try truth().encode()
        var refused = 0
        for index in whole.indices {
            var bytes = whole
            bytes[index] = bytes[index] ^ UInt8(truncatingIfNeeded: index &* 37 | 1)
            if index.isMultiple(of: 3) { bytes.remove(at: index) }
            do { _ = try StageTruth.decode(bytes, name: "t") } catch { refused += 1 }
        }
        #expect(refused > whole.count / 4)
    }

    @Test("Every value is where the format page says")
    func text() throws {
        #expect(
            String(decoding: try truth().encode(), as: UTF8.self) == """
                {
                  "schema_version": "2",
                  "profile_stage_truth_version": 1,
                  "release": "v1",
                  "dataset_id": {"unavailable": "none was given"},
                  "generated_at": "2026-02-10T14:00:00Z",
                  "run": {"wall_s": 1.234568, "cpu_s": 0.5, "peak_rss_mb": {"unavailable": "no /proc"}, "avg_cpu_pct": 41.0},
                  "stages": [
                    {"stage": "say \\"hi\\"�", "entered": 2, "wall_s": 1.234568, "cpu_s": 0.5, "peak_rss_mb": \
                {"unavailable": "no /proc"}, "avg_cpu_pct": 41.0, "work_s": 1.5, "source": "event trace"}
                  ],
                  "transitions": [
                    {"at_s": 0.1, "event": "begin", "stage": "say \\"hi\\"�", "episode": 1},
                    {"at_s": 1.25, "event": "end", "stage": "say \\"hi\\"�"}
                  ],
                  "transitions_left_out": 0,
                  "source_metrics_path": ".pipeline_events.jsonl",
                  "sample_interval_s": 0.5,
                  "run_wall_s": 1.2346,
                  "sum_mapped_stage_wall_s": 1.2346,
                  "parallelism_hint_ratio": 1.0,
                  "wall_seconds_by_stage": {"say \\"hi\\"�": 1.2346},
                  "resource_by_stage_psutil": {"say \\"hi\\"�": {"avg_cpu_pct": 41.0}},
                  "global_peak_rss_mb_sampled": {"unavailable": "no /proc"},
                  "metrics_excerpt": {"run_duration_seconds": 1.2346},
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
