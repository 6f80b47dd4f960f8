import LinuxProcess
import LinuxSystem
import Measurement
import TestSupport
import Testing

@Suite("The live panel in a terminal", .serialized)
struct MonitorTerminalTests {
    private static let program = """
        import sys, time
        for i in range(200):
            print("line number %d of the pipeline" % i, file=sys.stderr)
            print("datum %d" % i, flush=True)
            end = time.time() + 0.1
            while time.time() < end: pass
        """

    /// Runs the pipeline under the monitor in a terminal, with the terminal's modes written down before.
    private static func start(_ directory: TemporaryDirectory) throws -> TestTerminal {
        try Files.replace(directory.path + "/pipeline.py", with: program)
        let terminal = try TestTerminal(in: directory.path)
        try terminal.run("stty -g > before")
        try terminal.run(
            "\(BuiltProduct.path("freeze-profile")) monitor --output-dir out -- python3 pipeline.py; stty -g > after; echo end=$?"
        )
        let screen = try terminal.wait { $0.contains("CPU") && $0.contains("line number 5 ") }
        #expect(screen.contains("waiting for a stage"), "\(screen)")
        return terminal
    }

    private static func expectRestoredModes(_ directory: TemporaryDirectory) throws {
        let before = try Files.read(directory.path + "/before", limit: 4096)
        let after = try Files.read(directory.path + "/after", limit: 4096)
        #expect(!before.isEmpty && before == after)
    }

    @Test(
        "the pipeline's lines stand above the panel, each whole and once; Ctrl-C ends both and restores the modes"
    )
    func linesAndInterrupt() throws {
        let directory = try TemporaryDirectory()
        let terminal = try Self.start(directory)
        _ = try terminal.wait { $0.contains("line number 20 ") }
        try terminal.press("C-c")
        let screen = try terminal.wait { $0.contains("\nend=") }
        #expect(screen.contains("Pipeline process was ended by signal 2 (Interrupt)."), "\(screen)")
        for number in 0..<20 {
            let whole = screen.split(separator: "\n").filter { $0 == "line number \(number) of the pipeline" }
            #expect(whole.count == 1, "line \(number) in \(screen)")
        }
        #expect(!screen.contains("waiting for a stage"), "the panel stays behind: \(screen)")
        try Self.expectRestoredModes(directory)
    }

    @Test("? shows the keys, p stands still, q leaves the view and not the pipeline")
    func keys() throws {
        let directory = try TemporaryDirectory()
        let terminal = try Self.start(directory)
        try terminal.press("?")
        let help = try terminal.wait { $0.contains("keys: f flamegraph of 5 s") }
        #expect(help.contains("keys: f flamegraph of 5 s, p pause"), "\(help)")
        try terminal.press("p")
        let paused = try terminal.wait { $0.contains("paused; p goes on") }
        #expect(paused.contains("paused; p goes on"), "\(paused)")
        try terminal.press("p")
        try terminal.press("q")
        _ = try terminal.wait { $0.contains("line number 60 ") }
        let left = try terminal.wait { !$0.contains("keys: f flamegraph") || $0.contains("line number 60 ") }
        #expect(left.contains("line number 60 of the pipeline"), "\(left)")
        try terminal.press("C-c")
        _ = try terminal.wait { $0.contains("\nend=") }
        try Self.expectRestoredModes(directory)
    }

    @Test("a monitor that is killed loses neither the run, nor its lines, nor the terminal's modes")
    func killedMonitor() throws {
        let directory = try TemporaryDirectory()
        let terminal = try Self.start(directory)
        let monitors = try runCommand(["pgrep", "-f", "monitor-child"]).standardOutput.split(separator: "\n")
            .compactMap { Int32($0) }.filter { pid in
                (try? Files.linkTarget("/proc/\(pid)/cwd")) == directory.path
            }
        let monitor = try #require(monitors.first)
        let modes = try runCommand(["stty", "-g", "-F", Files.linkTarget("/proc/\(monitor)/fd/0")])
        let before = String(decoding: try Files.read(directory.path + "/before", limit: 4096), as: UTF8.self)
        #expect(!modes.standardOutput.isEmpty && modes.standardOutput != before, "the keyboard was not taken")
        _ = try runCommand(["kill", "-KILL", "\(monitor)"])
        let screen = try terminal.wait { $0.contains("line number 40 ") }
        #expect(screen.contains("line number 40 of the pipeline"), "\(screen)")
        try terminal.press("C-c")
        let end = try terminal.wait { $0.contains("\nend=") }
        #expect(end.contains("The monitor was ended by signal 9 (Killed) before the run was over"), "\(end)")
        try Self.expectRestoredModes(directory)
    }

    @Test("Ctrl-Z stops everything and gives the terminal back; fg goes on with both")
    func stopAndGoOn() throws {
        let directory = try TemporaryDirectory()
        let terminal = try Self.start(directory)
        try terminal.press("C-z")
        let stopped = try terminal.wait { $0.contains("Stopped") }
        #expect(stopped.contains("Stopped"), "\(stopped)")
        try terminal.run("stty -g > after; echo typed here")
        _ = try terminal.wait { $0.contains("\ntyped here") }
        try Self.expectRestoredModes(directory)
        try terminal.run("fg")
        let going = try terminal.wait { $0.contains("line number 30 ") && $0.contains("waiting for a stage") }
        #expect(going.contains("line number 30 of the pipeline"), "\(going)")
        #expect(going.contains("\ntyped here"), "what was typed in between is gone: \(going)")
        try terminal.press("C-c")
        let end = try terminal.wait { $0.contains("ended by signal 2") }
        #expect(end.contains("ended by signal 2"), "\(end)")
    }

    @Test("f draws a flamegraph of the running pipeline and says where it is")
    func flamegraph() throws {
        let directory = try TemporaryDirectory()
        let terminal = try Self.start(directory)
        try terminal.press("f")
        let screen = try terminal.wait { $0.contains("flamegraph: ") && $0.contains(".svg") }
        #expect(screen.contains("sampling process"), "\(screen)")
        #expect(screen.contains(" samples, "), "\(screen)")
        let pictures = try Files.names(inDirectory: directory.path + "/out/debug")
        #expect(pictures.count == 1 && pictures[0].hasPrefix("flamegraph_") && pictures[0].hasSuffix(".svg"))
        let picture = try Files.read("\(directory.path)/out/debug/\(pictures[0])", limit: 1 << 24)
        #expect(String(decoding: picture.prefix(4096), as: UTF8.self).contains("<svg"))
        try terminal.press("C-c")
        _ = try terminal.wait { $0.contains("\nend=") }
    }

    @Test(
        "A command that asks gets the terminal while it waits for the answer, and the keys again afterwards")
    func question() throws {
        let directory = try TemporaryDirectory()
        let program = "import time; name = input('Name? '); print('hello', name); time.sleep(3)"
        let terminal = try TestTerminal(in: directory.path)
        try terminal.run(
            "\(BuiltProduct.path("freeze-profile")) monitor --output-dir out -- python3 -c \"\(program)\"")
        let asked = try terminal.wait { $0.contains("\nName?") }
        #expect(asked.contains("\nName?"), "\(asked)")
        #expect(try !terminal.screen().contains("waiting for a stage"), "the panel is in the way")
        try terminal.run("faq")
        let answered = try terminal.wait { $0.contains("\nhello faq") && $0.contains("waiting for a stage") }
        #expect(answered.contains("\nhello faq") && answered.contains("waiting for a stage"), "\(answered)")
        try terminal.press("?")
        #expect(try terminal.wait { $0.contains("keys: f flamegraph") }.contains("keys: f flamegraph"))
        #expect(try terminal.wait { $0.contains(": summary") }.contains("python3: summary"))
    }

    @Test("A build server's terminal gets plain lines, no panel")
    func continuousIntegration() throws {
        let directory = try TemporaryDirectory()
        let terminal = try TestTerminal(in: directory.path, variables: ["CI=true"])
        try terminal.run(
            "\(BuiltProduct.path("freeze-profile")) monitor --output-dir out -- sleep 1; echo end=$?")
        let screen = try terminal.wait { $0.contains("\nend=0") }
        #expect(!screen.contains("waiting for a stage") && screen.contains("sleep: summary"), "\(screen)")
    }
}
