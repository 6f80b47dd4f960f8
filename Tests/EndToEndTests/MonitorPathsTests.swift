import LinuxProcess
import LinuxSystem
import Measurement
import TestSupport
import Testing

/// Ways through the monitor that need a tool, a refusal or a loss.
@Suite("The monitor's less common paths", .serialized)
struct MonitorPathsTests {
    private static let tool = BuiltProduct.path("freeze-profile")
    private static let environment = BuiltProduct.packageDirectory + "/.build/test-venv/bin"
    private static let feed = BuiltProduct.packageDirectory + "/data/feeds/sense-and-sensibility"
    private static let isRoot = Files.isWritable("/proc/1/clear_refs")

    private static func log(_ output: String) throws -> String {
        String(decoding: try Files.read(output + "/.monitor.log", limit: 1 << 20), as: UTF8.self)
    }

    // MARK: Heap capture

    @Test(
        "memray writes the heap of a Python pipeline, and the log says that it is at work",
        .enabled(
            if: Files.isExecutable(environment + "/memray"),
            "memray is installed by scripts/bootstrap --tests"))
    func memray() throws {
        let directory = try TemporaryDirectory()
        let output = directory.path + "/out"
        let result = try runCommand([
            Self.tool, "monitor", "--memray", "--output-dir", output, "--", Self.environment + "/python3",
            "-c",
            "import time; x = bytearray(10 << 20); time.sleep(0.3); raise SystemExit(6)",
        ])
        #expect(result.status == .code(6), "\(result.standardError)")
        #expect(result.standardError.contains("memray writes the heap to '\(output)/debug/memray_"))
        let files = try Files.names(inDirectory: output + "/debug")
        #expect(files.count == 1 && files[0].hasSuffix(".bin"), "\(files)")
        #expect(try Files.size("\(output)/debug/\(files[0])") > 100)
        #expect(try Self.log(output).contains(" memray=1\n"))
    }

    @Test(
        "heaptrack writes the heap of a native pipeline",
        .enabled(
            if: Programs.path(of: "heaptrack") != nil, "heaptrack is installed by scripts/bootstrap --tests"))
    func heaptrack() throws {
        let directory = try TemporaryDirectory()
        let output = directory.path + "/out"
        let result = try runCommand(
            [Self.tool, "monitor", "--memray", "--output-dir", output, "--", "/usr/bin/sort", "/etc/passwd"],
            timeout: .seconds(60))
        #expect(result.status == .code(0), "\(result.standardError)")
        #expect(result.standardError.contains("heaptrack writes the heap to"))
        let files = try Files.names(inDirectory: output + "/debug")
        #expect(files.count == 1 && files[0].hasPrefix("heaptrack_"), "\(files)")
    }

    @Test(
        "memray: true in the pipeline's configuration is the same as --memray",
        .enabled(
            if: Programs.path(of: "heaptrack") != nil, "heaptrack is installed by scripts/bootstrap --tests"))
    func memrayFromConfiguration() throws {
        let directory = try TemporaryDirectory()
        let configuration = directory.path + "/pipeline.yaml"
        let output = directory.path + "/out"
        // No server listens there: the pipeline ends at its first stage.
        try Files.replace(
            configuration, with: "rss: http://127.0.0.1:9/feed.xml\noutput_dir: \(output)\nmemray: true\n")
        let result = try runCommand(
            [BuiltProduct.path("podcast-scraper"), "--config", configuration], timeout: .seconds(60))
        #expect(result.status != .code(0))
        #expect(result.standardError.contains("heaptrack"), "\(result.standardError)")
        let files = try Files.names(inDirectory: output + "/debug")
        #expect(files.contains { $0.hasPrefix("heaptrack_") }, "\(files)")
    }

    // MARK: Refusals

    @Test(
        "Where the kernel grants no watch, the status file is looked at in short intervals",
        .enabled(if: canRefuseWatches))
    func polling() throws {
        let directory = try TemporaryDirectory()
        let script =
            "echo 0 > /proc/sys/user/max_inotify_instances && exec \"$0\" monitor --output-dir \"$1\" -- sh -c "
            + "'\"$TOOL\" stage first; sleep 0.3; \"$TOOL\" stage second; sleep 0.3; \"$TOOL\" stage --done'"
        let result = try runCommand(
            ["unshare", "-Ur", "sh", "-c", script, Self.tool, directory.path + "/out"],
            environment: ["TOOL": Self.tool])
        #expect(result.status == .code(0), "\(result.standardError)")
        let log = try Self.log(directory.path + "/out")
        #expect(log.contains("\n  stage=first ") && log.contains("\n  stage=second "), "\(log)")
    }

    private static let canRefuseWatches: Bool = {
        let script = "echo 0 > /proc/sys/user/max_inotify_instances"
        return (try? runCommand(["unshare", "-Ur", "sh", "-c", script]).status) == .code(0)
    }()

    @Test("What another user's process does not let be read is unavailable, never zero", .enabled(if: isRoot))
    func anotherUser() throws {
        let directory = try TemporaryDirectory()
        let output = directory.path + "/out"
        try Files.createDirectories(output)
        _ = try runCommand(["chmod", "-R", "a+rwx", directory.path])
        var request = ChildRequest([
            "sh", "-c", "sleep 1; \"$TOOL\" stage late; chmod a+r \"$PIPELINE_STATUS_FILE\"; sleep 1",
        ])
        request.environment = [
            "TOOL": Self.tool, "PIPELINE_STATUS_FILE": output + "/.pipeline_status.json",
        ]
        var child = try ChildProcess.start(request)
        let result = try runCommand([
            "setpriv", "--reuid=65534", "--clear-groups", Self.tool, "monitor", "--pid", "\(child.pid)",
            "--output-dir", output,
        ])
        _ = try child.wait(timeout: .seconds(20))
        #expect(result.standardError.contains("summary"), "\(result.standardError)")
        let log = try Self.log(output)
        let stage = try #require(log.split(separator: "\n").first { $0.hasPrefix("  stage=late ") }, "\(log)")
        #expect(stage.contains(" disk_read_mb=unavailable disk_written_mb=unavailable "), "\(stage)")
        #expect(stage.contains(" pss_mb=unavailable "), "\(stage)")
        // What anybody may read is there.
        #expect(
            !stage.contains(" voluntary_switches=unavailable") && !stage.contains(" cpu_s=unavailable"),
            "\(stage)")
    }

    @Test("An output directory that vanishes costs the log's lines, which is said; the run goes on")
    func vanished() throws {
        let directory = try TemporaryDirectory()
        let output = directory.path + "/out"
        let result = try runCommand([
            Self.tool, "monitor", "--output-dir", output, "--interval", "0.1", "--", "sh", "-c",
            "sleep 0.4; rm -rf \"$PIPELINE_OUTPUT_DIR\"; sleep 0.4; exit 3",
        ])
        #expect(result.status == .code(3))
        #expect(
            result.standardError.contains(
                "'\(output)/.monitor.log' is incomplete: it was removed, and with it"))
        #expect(result.standardError.contains("sh: summary"))
        // What came afterwards is kept.
        #expect(try Self.log(output).contains("# summary\n"))
    }

    // MARK: Terminals

    @Test("f draws a Python pipeline's flamegraph through py-spy, and says so", .enabled(if: hasPySpy))
    func pySpy() throws {
        let directory = try TemporaryDirectory()
        try Files.replace(
            directory.path + "/busy.py",
            with:
                "import time\ndef churn():\n    end = time.time() + 12\n    while time.time() < end: pass\nchurn()\n"
        )
        let terminal = try TestTerminal(in: directory.path)
        try terminal.run(
            "PATH=\(Self.environment):$PATH \(Self.tool) monitor --output-dir out -- \(Self.environment)/python3 busy.py"
        )
        _ = try terminal.wait { $0.contains("CPU") && $0.contains("waiting for a stage") }
        SystemClock.sleep(for: .milliseconds(700))
        try terminal.press("f")
        let screen = try terminal.wait(upTo: 20) { $0.contains("flamegraph: ") }
        #expect(screen.contains("py-spy"), "\(screen)")
        let pictures = try Files.names(inDirectory: directory.path + "/out/debug")
        #expect(pictures.count == 1 && pictures.allSatisfy { $0.hasSuffix(".svg") }, "\(pictures)")
        let name = try #require(pictures.first)
        let picture = try Files.read("\(directory.path)/out/debug/\(name)", limit: 1 << 24)
        #expect(String(decoding: picture, as: UTF8.self).contains("churn"))
        try terminal.press("C-c")
        _ = try terminal.wait { $0.contains(": summary") }
    }

    private static let hasPySpy = Files.isExecutable(environment + "/py-spy")

    @Test("A capture with --monitor reads the keys of its panel")
    func captureKeys() throws {
        let directory = try TemporaryDirectory()
        let terminal = try TestTerminal(in: directory.path)
        try terminal.run(
            "\(Self.tool) capture --version v1 --output v1.yaml --monitor --skip-warmup --canaries 0 --sampler none -- sleep 3; echo end=$?"
        )
        _ = try terminal.wait { $0.contains("waiting for a stage") }
        SystemClock.sleep(for: .milliseconds(600))
        try terminal.press("?")
        let help = try terminal.wait { $0.contains("keys: f flamegraph") }
        #expect(help.contains("keys: f flamegraph"), "\(help)")
        let end = try terminal.wait(upTo: 20) { $0.contains("\nend=") }
        #expect(end.contains("\nend=0") && Files.exists(directory.path + "/v1.yaml"), "\(end)")
    }

    @Test("podcast-scraper --monitor-pane shows the view in a pane beside the pipeline")
    func pane() throws {
        let directory = try TemporaryDirectory()
        let terminal = try TestTerminal(in: directory.path, columns: 110, rows: 45)
        let scraper = BuiltProduct.path("podcast-scraper")
        try terminal.run(
            "\(BuiltProduct.path("loopback-feed")) \(Self.feed) -- \(scraper) {feed_url} --output-dir out "
                + "--max-episodes 1 --monitor-pane; echo end=$?")
        var pane = ""
        for _ in 0..<300 {
            pane = try terminal.tmux("capture-pane", "-p", "-t", ":.1")
            if pane.contains("RSS") && pane.contains("podcast-scraper") { break }
            SystemClock.sleep(for: .milliseconds(50))
        }
        #expect(pane.contains("RSS") && pane.contains("podcast-scraper"), "\(pane)")
        _ = try terminal.wait(upTo: 60) { $0.contains("\nend=0") }
        var ended = ""
        for _ in 0..<100 {
            ended = try terminal.tmux("capture-pane", "-p", "-S", "-100", "-t", ":.1")
            if ended.contains("Enter closes this pane.") { break }
            SystemClock.sleep(for: .milliseconds(50))
        }
        #expect(ended.contains("podcast-scraper: summary") && ended.contains("transcription"), "\(ended)")
    }
}
