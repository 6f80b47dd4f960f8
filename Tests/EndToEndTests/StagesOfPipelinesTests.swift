import LinuxProcess
import LinuxSystem
import Measurement
import TestSupport
import Testing

/// Pipelines in several languages whose stages are hard to see, under the real tool.
@Suite("Stages of real pipelines", .serialized)
struct StagesOfPipelinesTests {
    private static let tool = BuiltProduct.path("freeze-profile")
    private static let helpers = "\(BuiltProduct.packageDirectory)/helpers"
    private static let python = ["PYTHONPATH": "\(BuiltProduct.packageDirectory)/scripts"]

    /// The summary of a run under `monitor`: each stage's fields, and the notes.
    private struct Summary {
        var stages: [String: [String: String]] = [:]
        var notes: [String] = []
        var text = ""

        func seconds(_ stage: String) -> Double { stages[stage]?["wall_s"].flatMap { Double($0) } ?? -1 }
    }

    private static func monitor(
        _ command: [String], options: [String] = [], environment: [String: String] = [:]
    ) throws -> Summary {
        let directory = try TemporaryDirectory()
        let output = directory.path + "/out"
        let result = try runCommand(
            [tool, "monitor", "--output-dir", output, "--interval", "0.1"] + options + ["--"] + command,
            environment: environment)
        try #require(result.status == .code(0), "\(result.standardError)")
        var summary = Summary()
        summary.text = String(
            decoding: try Files.read(output + "/.monitor.log", limit: 1 << 20), as: UTF8.self)
        for line in summary.text.split(separator: "\n") {
            if line.hasPrefix("  stage=") {
                let words = line.split(separator: " ").map {
                    $0.split(separator: "=", maxSplits: 1).map(String.init)
                }
                summary.stages[words[0][1]] = Dictionary(
                    words.dropFirst().compactMap { $0.count == 2 ? ($0[0], $0[1]) : nil },
                    uniquingKeysWith: { $1 })
            }
        }
        summary.notes = result.standardError.split(separator: "\n").map(String.init)
        return summary
    }

    @Test("Two threads of Python overlap, and an outer stage goes on around an inner one")
    func python() throws {
        let program = """
            import threading, time
            from pipeline_status import stage, finish
            def work(name, wait):
                time.sleep(wait)
                with stage(name): time.sleep(0.3)
            threads = [threading.Thread(target=work, args=a) for a in (("a", 0), ("b", 0.1))]
            for thread in threads: thread.start()
            for thread in threads: thread.join()
            with stage("outer"):
                with stage("inner"): time.sleep(0.1)
                time.sleep(0.1)
            finish()
            """
        let seen = try Self.monitor(["python3", "-c", program], environment: Self.python)
        for (stage, wall) in [("a", 0.3), ("b", 0.3), ("outer", 0.2), ("inner", 0.1)] {
            #expect((wall - 0.001...wall + 0.15).contains(seen.seconds(stage)), "\(seen.text)")
        }
    }

    @Test("A naive UTC timestamp east of Greenwich loses no stage")
    func naiveTimestamp() throws {
        let program = """
            import datetime, json, os, time, warnings
            warnings.simplefilter("ignore")
            file = os.environ["PIPELINE_STATUS_FILE"]
            for stage in ("one", "two", "three", "done"):
                told = datetime.datetime.utcnow().timestamp()
                with open(file + ".new", "w") as new:
                    json.dump({"pid": os.getpid(), "stage": stage, "stage_started_at": told}, new)
                os.rename(file + ".new", file)
                time.sleep(0.1)
            """
        let seen = try Self.monitor(["python3", "-c", program], environment: ["TZ": "Europe/Berlin"])
        #expect(seen.stages.keys.sorted() == ["one", "three", "two"], "\(seen.text)")
        #expect(seen.notes.contains { $0.contains("By the pipeline's own clock a stage began 360") })
        for stage in seen.stages.keys { #expect((0.09...0.3).contains(seen.seconds(stage)), "\(seen.text)") }
    }

    @Test("A script that sources the helper: stages one after the other, and one beside them")
    func shellHelper() throws {
        let script = """
            set -eu
            . "$HELPERS/stages.sh"
            stage fetch 1/2; sleep 0.1
            stage_begin upload
            stage work; sleep 0.1
            stage_end upload
            sleep 0.1
            stage_done
            """
        for shell in ["bash", "dash"] {
            let seen = try Self.monitor([shell, "-c", script], environment: ["HELPERS": Self.helpers])
            // dash has no clock for its events: the moment at which the monitor reads them counts, which on a busy machine is
            // some milliseconds after a begin.
            let late = shell == "dash" ? 0.03 : 0
            #expect((0.1 - late...0.25).contains(seen.seconds("fetch")), "\(shell): \(seen.text)")
            #expect((0.1 - late...0.25).contains(seen.seconds("upload")), "\(shell): \(seen.text)")
            #expect((0.2 - late...0.4).contains(seen.seconds("work")), "\(shell): \(seen.text)")
        }
    }

    @Test("A run directory of the pipeline's own is found; --status-file names any place")
    func places() throws {
        let script = """
            d="$PIPELINE_OUTPUT_DIR/run-7"; mkdir "$d"; sleep 0.1
            echo '{"stage":"below"}' > "$d/new"; mv "$d/new" "$d/.pipeline_status.json"; sleep 0.2
            """
        let below = try Self.monitor(["sh", "-c", script])
        #expect((0.19...0.4).contains(below.seconds("below")), "\(below.text)")
        let none = try Self.monitor(["true"])
        #expect(none.notes.contains { $0.contains("/out/.pipeline_status.json' was not written") })
        let directory = try TemporaryDirectory()
        let elsewhere = try Self.monitor(
            [
                "sh", "-c",
                "echo '{\"stage\":\"there\"}' > \"$PIPELINE_STATUS_FILE\"; sleep 0.2; test \"$PIPELINE_STATUS_FILE\" = "
                    + "\(directory.path)/deep/s.json",
            ], options: ["--status-file", try Self.made(directory.path + "/deep") + "/s.json"])
        #expect((0.15...0.4).contains(elsewhere.seconds("there")), "\(elsewhere.text)")
    }

    private static func made(_ directory: String) throws -> String {
        try Files.createDirectories(directory)
        return directory
    }

    @Test("The process that marks a stage for a script is no part of it")
    func marker() throws {
        // A shell that marks thirty times and does nothing else: what is left is its own.
        let script = """
            for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do "$TOOL" stage mark; done
            "$TOOL" stage --done
            """
        let seen = try Self.monitor(["dash", "-c", script], environment: ["TOOL": Self.tool])
        let peak = try #require(seen.stages["mark"]?["peak_mb"].flatMap { Double($0) }, "\(seen.text)")
        #expect(peak < 5, "\(seen.text)")
        let total = try #require(seen.text.split(separator: "\n").first { $0.hasPrefix("total_wall_s=") })
        let whole = total.split(separator: " ").first { $0.hasPrefix("peak_rss_mb=") }
        #expect(whole.flatMap { Double($0.dropFirst("peak_rss_mb=".count)) } ?? 99 < 5, "\(total)")
    }

    @Test("sample labels what capture labels: all stages that the list holds")
    func sameLabel() throws {
        let directory = try TemporaryDirectory()
        let script = """
            f=$PIPELINE_STATUS_FILE
            printf '{"stage":"beta","active_stages":["alpha","beta"]}' > $f.new; mv $f.new $f
            python3 -c 'import time
            end = time.process_time() + 0.4
            while time.process_time() < end: pass'
            printf '{"stage":"done","active_stages":[]}' > $f.new; mv $f.new $f
            """
        let stacks = directory.path + "/stacks.folded"
        let result = try runCommand([
            Self.tool, "sample", "--sampler", "native", "-o", stacks, "--by", "stage", "--", "sh", "-c",
            script,
        ])
        let text =
            Files.exists(stacks)
            ? String(decoding: try Files.read(stacks, limit: 1 << 24), as: UTF8.self) : ""
        #expect(text.contains("alpha+beta"), "\(result.standardError)\n\(text.prefix(300))")
    }
}
