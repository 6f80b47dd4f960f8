import Glibc
import LinuxProcess
import LinuxSystem
import Measurement
import TestSupport
import Testing

/// What is kept of a run whose terminal goes away, or that ends while a picture of it is drawn.
@Suite("The last moments of a monitored run", .serialized)
struct LastMomentsTests {
    private static let tool = BuiltProduct.path("freeze-profile")

    @Test(
        "When the terminal is closed under the panel, the pipeline finishes and the log has all that was measured"
    )
    func terminalGone() throws {
        let directory = try TemporaryDirectory()
        try Files.replace(
            directory.path + "/pipeline.sh",
            with: """
                "\(Self.tool)" stage first
                touch started
                until [ -e closed ]; do sleep 0.05; done
                "\(Self.tool)" stage second
                echo a line that nobody reads
                sleep 0.7
                "\(Self.tool)" stage --done
                touch finished
                """)
        let socket = "gone-\(CurrentProcess.pid)-\(SystemClock.monotonicNanoseconds)"
        func tmux(_ arguments: String...) throws {
            _ = try runCommand(
                ["tmux", "-L", socket, "-f", "/dev/null"] + arguments,
                environment: ["CI": "", "TERM": "screen"],
                in: directory.path, timeout: .seconds(20))
        }
        defer { _ = try? tmux("kill-server") }
        // The panel is drawn first, so that there is something to lose.
        try tmux(
            "new-session", "-d", "-s", "h", "-x", "80", "-y", "20",
            "exec '\(Self.tool)' monitor --output-dir out -- sh pipeline.sh")
        func wait(_ name: String) -> Bool {
            for _ in 0..<400 where !Files.exists("\(directory.path)/\(name)") {
                SystemClock.sleep(for: .milliseconds(50))
            }
            return Files.exists("\(directory.path)/\(name)")
        }
        try #require(wait("started"))
        try tmux("kill-session", "-t", "h")
        try Files.replace(directory.path + "/closed", with: "")
        #expect(wait("finished"), "the pipeline did not finish")
        let path = directory.path + "/out/.monitor.log"
        var log = ""
        for _ in 0..<200 where !log.contains("pipeline_exited=") {
            SystemClock.sleep(for: .milliseconds(50))
            guard Files.exists(path) else { continue }
            log = String(decoding: try Files.read(path, limit: 1 << 20), as: UTF8.self)
        }
        #expect(log.contains("the terminal is gone"), "\(log)")
        #expect(log.contains("  stage=first ") && log.contains("  stage=second "), "\(log)")
        #expect(log.contains("pipeline_exited=1 exit_code=0"), "\(log)")
    }

    /// Waits until the sampler beside a pipeline has opened its events; where the kernel refuses those, for three seconds.
    private static func waitForSampler(in directory: String) throws {
        for _ in 0..<60 {
            for entry in ProcessTree.allProcesses()
            where ProcessCommandLine.words(of: entry.pid).dropFirst().first == "sample" {
                let descriptors = "/proc/\(entry.pid)/fd"
                guard (try? Files.linkTarget("/proc/\(entry.pid)/cwd")) == directory else { continue }
                let names = (try? Files.names(inDirectory: descriptors)) ?? []
                if names.contains(where: {
                    (try? Files.linkTarget("\(descriptors)/\($0)")) == "anon_inode:[perf_event]"
                }) {
                    return
                }
            }
            SystemClock.sleep(for: .milliseconds(50))
        }
    }

    @Test("A flamegraph that was asked for just before the end is of what there was")
    func lateFlamegraph() throws {
        let directory = try TemporaryDirectory()
        let terminal = try TestTerminal(in: directory.path)
        let program = "import os\\nwhile not os.path.exists('end'): sum(range(20000))"
        try Files.replace(directory.path + "/busy.py", with: program.replacing("\\n", with: "\n"))
        try terminal.run("'\(Self.tool)' monitor --output-dir out -- python3 busy.py; echo end=$?")
        _ = try terminal.wait { $0.contains("waiting for a stage") }
        try terminal.press("f")
        let capturing = try terminal.wait { $0.contains("sampling process") || $0.contains("capturing 5 s") }
        #expect(capturing.contains("capturing 5 s"), "\(capturing)")
        try Self.waitForSampler(in: directory.path)
        SystemClock.sleep(for: .milliseconds(300))
        try Files.replace(directory.path + "/end", with: "")
        let screen = try terminal.wait(upTo: 30) { $0.contains("\nend=0") }
        #expect(screen.contains("\nend=0") && screen.contains("flamegraph: "), "\(screen)")
        let pictures = try Files.names(inDirectory: directory.path + "/out/debug")
        try #require(pictures.count == 1 && pictures[0].hasSuffix(".svg"))
        let picture = try Files.read("\(directory.path)/out/debug/\(pictures[0])", limit: 1 << 24)
        #expect(String(decoding: picture, as: UTF8.self).contains("</svg>"))
        #expect(screen.contains("python3: summary"))
    }
}
