import LinuxProcess
import LinuxSystem
import Measurement
import TestSupport
import Testing

/// What becomes of a pipeline when parts of the tool are killed under it.
@Suite("A pipeline outlives its watchers", .serialized)
struct MonitorLossTests {
    /// Prints thirty lines in three seconds and writes down each that was printed.
    private static let program = """
        import signal, sys, time
        for i in range(30):
            try:
                print("line number %d" % i, file=sys.stderr, flush=True)
                mark = "printed"
            except OSError as error:
                mark = "refused"
            with open("marks", "a") as file:
                file.write("%s %d\\n" % (mark, i))
            time.sleep(0.1)
        """

    private struct Scene {
        let directory: TemporaryDirectory
        let terminal: TestTerminal
        /// The tool's process, the monitor and the pipeline.
        let tool: Int32
        let monitor: Int32
        let pipeline: Int32

        init() throws {
            directory = try TemporaryDirectory()
            try Files.replace(directory.path + "/pipeline.py", with: program)
            terminal = try TestTerminal(in: directory.path)
            try terminal.run(
                "\(BuiltProduct.path("freeze-profile")) monitor --output-dir out -- python3 pipeline.py; echo end=$?"
            )
            _ = try terminal.wait { $0.contains("line number 3\n") && $0.contains("waiting for a stage") }
            let here = directory.path
            let all = ProcessTree.allProcesses().filter {
                (try? Files.linkTarget("/proc/\($0.pid)/cwd")) == here
            }
            func find(_ word: String) throws -> Int32 {
                try #require(
                    all.first {
                        ProcessCommandLine.words(of: $0.pid).dropFirst().first == word
                    }?.pid, "\(all)")
            }
            tool = try find("monitor")
            monitor = try find("--freeze-profile-monitor-child")
            pipeline = try find("pipeline.py")
        }

        func marks() throws -> [String] {
            String(decoding: try Files.read(directory.path + "/marks", limit: 1 << 20), as: UTF8.self)
                .split(separator: "\n").map(String.init)
        }

        /// Waits for the pipeline's end; false when it still runs.
        func pipelineEnds() throws -> Bool {
            do {
                return try ProcessHandle(pid: pipeline).hasEnded(within: .seconds(15))
            } catch {
                return true
            }
        }
    }

    private static let allPrinted = (0..<30).map { "printed \($0)" }

    @Test("The tool is killed: the monitor goes on to print the lines, and writes its summary at the end")
    func toolKilled() throws {
        let scene = try Scene()
        let monitor = try ProcessHandle(pid: scene.monitor)
        _ = try runCommand(["kill", "-KILL", "\(scene.tool)"])
        #expect(try scene.pipelineEnds())
        #expect(try scene.marks() == Self.allPrinted)
        #expect(try monitor.hasEnded(within: .seconds(10)), "the monitor stays behind")
        let screen = try scene.terminal.wait { $0.contains("line number 29") && $0.contains(": summary") }
        #expect(screen.contains("end=137") && screen.contains("python3: summary"), "\(screen)")
        for number in 0..<30 {
            #expect(
                screen.split(separator: "\n").contains { $0.hasSuffix("line number \(number)") }, "\(screen)")
        }
        #expect(try scene.terminal.isCursorVisible())
        // The shell has its keyboard.
        try scene.terminal.run("echo typed")
        #expect(try scene.terminal.wait { $0.contains("\ntyped") }.contains("\ntyped"))
    }

    @Test("The monitor is killed: the tool prints the lines, gives the terminal back and says what is lost")
    func monitorKilled() throws {
        let scene = try Scene()
        _ = try runCommand(["kill", "-KILL", "\(scene.monitor)"])
        #expect(try scene.pipelineEnds())
        #expect(try scene.marks() == Self.allPrinted)
        let screen = try scene.terminal.wait { $0.contains("\nend=") }
        #expect(screen.contains("\nend=0"), "\(screen)")
        #expect(
            screen.contains("The monitor was ended by signal 9 (Killed) before the run was over"), "\(screen)"
        )
        let missing = (0..<30).filter { !screen.contains("line number \($0)\n") }
        #expect(missing.isEmpty, "\(missing) in \(screen)")
        #expect(try scene.terminal.isCursorVisible())
    }

    @Test("The monitor is stopped: after a time the tool ends it, and the pipeline's lines go on")
    func monitorStopped() throws {
        let scene = try Scene()
        _ = try runCommand(["kill", "-STOP", "\(scene.monitor)"])
        #expect(try scene.pipelineEnds())
        #expect(try scene.marks() == Self.allPrinted)
        let screen = try scene.terminal.wait { $0.contains("\nend=") }
        #expect(screen.contains("\nend=0") && screen.contains("line number 29\n"), "\(screen)")
    }

    @Test("Both are killed: the pipe has no reader; a pipeline that ignores the broken pipe runs on")
    func bothKilled() throws {
        let scene = try Scene()
        _ = try runCommand(["kill", "-KILL", "\(scene.tool)", "\(scene.monitor)"])
        #expect(try scene.pipelineEnds())
        let marks = try scene.marks()
        #expect(marks.count == 30 && marks.last == "refused 29", "\(marks)")
        try scene.terminal.run("stty sane; echo typed")
        #expect(try scene.terminal.wait { $0.contains("\ntyped") }.contains("\ntyped"))
    }

    @Test("A signal to the whole process group reaches the pipeline once; one to the tool alone is passed on")
    func groupSignals() throws {
        let directory = try TemporaryDirectory()
        let marks = directory.path + "/marks"
        var request = ChildRequest([
            BuiltProduct.path("freeze-profile"), "monitor", "--output-dir", directory.path + "/out", "--",
            "sh", "-c",
            "trap 'echo term >> \(marks)' TERM; trap 'echo int >> \(marks)' INT; echo ready >> \(marks); "
                + "for i in $(seq 60); do sleep 0.05; done; exit 3",
        ])
        request.standardError = .null
        request.standardInput = .null
        request.leadsProcessGroup = true
        var child = try ChildProcess.start(request)
        func lines() throws -> [String] {
            guard Files.exists(marks) else { return [] }
            return String(decoding: try Files.read(marks, limit: 4096), as: UTF8.self).split(separator: "\n")
                .map(String.init)
        }
        for _ in 0..<200 where try lines().isEmpty { SystemClock.sleep(for: .milliseconds(50)) }
        child.sendToGroup(SignalInbox.terminate)
        SystemClock.sleep(for: .milliseconds(700))
        #expect(try lines() == ["ready", "term"])
        child.send(SignalInbox.terminate)
        SystemClock.sleep(for: .milliseconds(700))
        #expect(try lines() == ["ready", "term", "term"])
        child.sendToGroup(SignalInbox.interrupt)
        #expect(try child.wait(timeout: .seconds(20))?.status == .code(3))
        #expect(try lines() == ["ready", "term", "term", "int"])
        // The monitor has stayed: the log is whole.
        let log = String(
            decoding: try Files.read(directory.path + "/out/.monitor.log", limit: 1 << 20), as: UTF8.self)
        #expect(log.contains("\npipeline_exited=1 exit_code=3"), "\(log)")
    }
}
