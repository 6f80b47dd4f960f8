import LinuxProcess
import LinuxSystem
import Measurement
import TestSupport
import Testing

@Suite("freeze-profile monitor and stage")
struct MonitorCommandTests {
    private static let tool = BuiltProduct.path("freeze-profile")

    private static func monitor(
        _ directory: TemporaryDirectory, _ command: [String], environment: [String: String] = [:]
    ) throws -> (result: CommandResult, log: [String]) {
        let output = directory.path + "/out"
        let result = try runCommand(
            [tool, "monitor", "--output-dir", output, "--interval", "0.1", "--"] + command,
            environment: environment)
        let path = output + "/.monitor.log"
        guard Files.exists(path) else { return (result, []) }
        let log = String(decoding: try Files.read(path, limit: 1 << 20), as: UTF8.self)
        return (result, log.split(separator: "\n").map(String.init))
    }

    private static func stages(_ log: [String]) -> [String] {
        log.filter { $0.hasPrefix("  stage=") }.map {
            String($0.split(separator: " ")[0].dropFirst("stage=".count))
        }
    }

    @Test("a shell script's stages are seen, its streams untouched, and its exit code passed on")
    func script() throws {
        let directory = try TemporaryDirectory()
        let script = """
            echo data; echo trouble >&2
            "$TOOL" stage media_download --episode 1/2; sleep 0.3
            "$TOOL" stage transcription --episode 2/2; sleep 0.3
            "$TOOL" stage --done
            test {output_dir} = "$PIPELINE_OUTPUT_DIR" || exit 99
            exit 7
            """
        let (result, log) = try Self.monitor(
            directory, ["sh", "-c", script], environment: ["TOOL": Self.tool])
        #expect(result.status == .code(7), "\(result.standardError)")
        #expect(result.standardOutput == "data\n")
        #expect(result.standardError.contains("trouble\n"))
        #expect(Self.stages(log) == ["media_download", "transcription"], "\(log)")
        #expect(log.contains { $0.contains(" stage=transcription episodes=2/2 ") })
        #expect(log.last?.hasPrefix("pipeline_exited=1 exit_code=7") == true, "\(log.suffix(1))")
    }

    @Test("a pipeline ended by a signal gives 128 and the signal's number")
    func signalled() throws {
        let directory = try TemporaryDirectory()
        let (result, log) = try Self.monitor(directory, ["sh", "-c", "kill -9 $$"])
        #expect(result.status == .code(137))
        #expect(result.standardError.contains("Pipeline process was ended by signal 9"))
        #expect(log.last == "pipeline_exited=1 signal=9")
    }

    @Test("a signal sent to the monitor is passed on to the pipeline")
    func forwarded() throws {
        let directory = try TemporaryDirectory()
        let mark = directory.path + "/ready"
        var request = ChildRequest([
            Self.tool, "monitor", "--output-dir", directory.path + "/out", "--", "sh", "-c",
            "trap 'exit 21' TERM; touch \(mark); while :; do sleep 0.05; done",
        ])
        request.standardError = .null
        request.standardInput = .null
        var child = try ChildProcess.start(request)
        for _ in 0..<200 where !Files.exists(mark) { SystemClock.sleep(for: .milliseconds(50)) }
        child.send(SignalInbox.terminate)
        let outcome = try child.wait(timeout: .seconds(20))
        #expect(outcome?.status == .code(21))
    }

    @Test("a process that runs already is joined, and its exit code reported")
    func attached() throws {
        let directory = try TemporaryDirectory()
        let output = directory.path + "/out"
        try Files.createDirectories(output)
        var request = ChildRequest(["sh", "-c", "\"$TOOL\" stage late; sleep 1; exit 5"])
        request.environment = ["TOOL": Self.tool, "PIPELINE_STATUS_FILE": output + "/.pipeline_status.json"]
        var child = try ChildProcess.start(request)
        // The status file is found in the process's environment; the log goes where the caller is.
        let result = try runCommand([Self.tool, "monitor", "--pid", "\(child.pid)"], in: directory.path)
        #expect(try child.wait(timeout: .seconds(20))?.status == .code(5))
        #expect(result.status == .code(5) || result.status == .code(0), "\(result.standardError)")
        #expect(!Files.exists(output + "/.monitor.log"))
        let log = String(
            decoding: try Files.read(directory.path + "/.monitor.log", limit: 1 << 20), as: UTF8.self)
        #expect(log.contains("\n  stage=late "), "\(log)")
    }

    @Test("a Python pipeline reports its stages through the helper")
    func python() throws {
        let directory = try TemporaryDirectory()
        let program = """
            import time
            from pipeline_status import stage, finish
            with stage("download", episode=(1, 2)):
                time.sleep(0.2)
                with stage("unpack"):
                    time.sleep(0.2)
                time.sleep(0.2)
            with stage("index"):
                time.sleep(0.2)
            finish()
            """
        let (result, log) = try Self.monitor(
            directory, ["python3", "-c", program],
            environment: [
                "PYTHONPATH": BuiltProduct.packageDirectory + "/scripts", "PYTHONDONTWRITEBYTECODE": "1",
            ])
        #expect(result.status == .code(0), "\(result.standardError)")
        #expect(Self.stages(log) == ["download", "unpack", "index"], "\(log)")
        let download = try #require(log.first { $0.hasPrefix("  stage=download ") })
        // The stage goes on around the inner one.
        #expect(download.contains(" entered=1 shared=1"), "\(download)")
        let left = try Files.names(inDirectory: directory.path + "/out")
        #expect(left.sorted() == [".monitor.log", ".pipeline_events.jsonl", ".pipeline_status.json"])
    }

    @Test(
        "a heap profiler that is not there is reported before the start; a running one is not started again"
    )
    func heapCapture() throws {
        let directory = try TemporaryDirectory()
        let mark = directory.path + "/started"
        // A PATH with a Python that has no memray, and without heaptrack.
        let python = directory.path + "/python3"
        try Files.replace(python, with: "#!/bin/sh\n[ \"$2\" = 'import memray' ] && exit 1\ntouch \(mark)\n")
        _ = try runCommand(["chmod", "755", python])
        let arguments = [Self.tool, "monitor", "--memray", "--output-dir", directory.path + "/out", "--"]
        let memray = try runCommand(arguments + [python, "x.py"])
        #expect(memray.status == .code(4))
        #expect(memray.standardError.contains("'\(python)' has no memray. Install it with"))
        #expect(!Files.exists(mark))
        let native = try runCommand(arguments + ["/bin/true"], environment: ["PATH": directory.path])
        #expect(native.status == .code(4))
        #expect(native.standardError.contains("heaptrack is not in PATH"), "\(native.standardError)")
        let active = try runCommand(
            arguments + ["/bin/true"],
            environment: ["PATH": directory.path, "PODCAST_SCRAPER_MEMRAY_ACTIVE": "1"])
        #expect(active.status == .code(0), "\(active.standardError)")
    }

    @Test("without tmux the view is shown where the pipeline is, and the reason is printed")
    func noPane() throws {
        let directory = try TemporaryDirectory()
        let result = try runCommand(
            [Self.tool, "monitor", "--monitor-pane", "--output-dir", directory.path, "--", "true"],
            environment: ["TMUX": ""])
        #expect(result.status == .code(0))
        #expect(
            result.standardError.hasPrefix(
                "freeze-profile monitor: There is no pane for the view, because this terminal is not in tmux (TMUX is not "
                    + "set). It is shown here.\n"), "\(result.standardError)")
        #expect(result.standardError.contains("true: summary"))
    }

    @Test("the example watches itself with the libraries alone")
    func example() throws {
        let directory = try TemporaryDirectory()
        let result = try runCommand([BuiltProduct.path("monitored-pipeline"), directory.path])
        #expect(result.status == .code(0))
        let lines = result.standardOutput.split(separator: "\n")
        #expect(lines.first?.hasPrefix("fetch 0.") == true, "\(result)")
        #expect(lines.count == 2 && lines.last?.hasPrefix("count ") == true, "\(result)")
        let log = try Files.read(directory.path + "/.monitor.log", limit: 1 << 20)
        #expect(String(decoding: log, as: UTF8.self).contains("\n  stage=count "))
    }

    @Test("wrong use is reported with its exit code")
    func mistakes() throws {
        let directory = try TemporaryDirectory()
        func run(_ arguments: String...) throws -> (LinuxProcess.ExitStatus, String) {
            let result = try runCommand([Self.tool] + arguments, environment: ["PIPELINE_STATUS_FILE": ""])
            return (result.status, result.standardError)
        }
        let nothing = try run("monitor")
        #expect(nothing.0 == .code(64))
        #expect(nothing.1.contains("Say '--pid', or put a command to run after '--'."))
        let gone = try run("monitor", "--pid", "4194304", "--output-dir", directory.path)
        #expect(gone == (.code(66), "freeze-profile monitor: There is no process 4194304.\n"))
        let missing = try run("monitor", "--output-dir", directory.path, "--", "/no/such/program")
        #expect(missing.0 == .code(4))
        let unwatched = try run("stage", "download")
        #expect(unwatched.0 == .code(0))
        #expect(unwatched.1.contains("there is no status file: PIPELINE_STATUS_FILE is not set"))
        let backwards = try run("stage", "download", "--episode", "3/2")
        #expect(backwards.0 == .code(64))
        let unwritable = try run("stage", "download", "--status-file", "/proc/no/status.json")
        #expect(unwritable.0 == .code(73))
    }
}
