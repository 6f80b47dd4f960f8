import LinuxProcess
import LinuxSystem
import Measurement
import TestSupport
import Testing

@testable import StackRecording

/// Whatever becomes of a sampler, the command that it samples runs to its end.
@Suite("A command outlives its samplers")
struct NeverHarmTests {
    private static let program = BuiltProduct.path("freeze-profile")
    private static let systemPath = "/usr/local/bin:/usr/bin:/bin"

    /// A directory with a program named py-spy in it.
    private static func pySpy(_ script: String, in directory: TemporaryDirectory) throws -> String {
        let place = "\(directory.path)/bin"
        try Files.createDirectories(place)
        try Files.replace("\(place)/py-spy", with: "#!\(script)\n")
        let allowed = try runCommand(["chmod", "755", "\(place)/py-spy"])
        try #require(allowed.status == .code(0))
        return place
    }

    /// A Python program that works for some time and then writes a file.
    private static func worker(in directory: TemporaryDirectory, seconds: Double) throws -> [String] {
        try Files.replace(
            "\(directory.path)/work.py",
            with: """
                import sys, time
                def grind():
                    return sum(i * i for i in range(2000))
                end = time.monotonic() + \(seconds)
                while time.monotonic() < end: grind()
                open(sys.argv[1], "w").write("done")
                """)
        return ["/usr/bin/python3", "\(directory.path)/work.py", "\(directory.path)/done"]
    }

    /// Attaches to the process that it is pointed at, as py-spy does, and never lets go.
    private static let holder = """
        /usr/bin/python3
        import ctypes, sys, time
        pid = int(sys.argv[sys.argv.index("--pid") + 1])
        ctypes.CDLL(None).ptrace(16, pid, 0, 0)
        time.sleep(1000)
        """

    @Test(
        "a py-spy that is broken, too old, hanging or holding its target costs its picture alone",
        arguments: [
            ("/bin/sh\necho 'pyenv: py-spy: command not found' >&2; exit 127", 3.0, "command not found"),
            ("/bin/sh\necho 'Error: Unsupported version of Python: 3.99' >&2; exit 1", 3.0, "3.99"),
            ("/bin/sh\nexit 0", 3.0, "py-spy wrote no stacks"),
            (holder, 4.0, "py-spy kept its target stopped for 2.0 s, and was ended"),
        ])
    func brokenPySpy(script: String, seconds: Double, reason: String) throws {
        let directory = try TemporaryDirectory()
        let path = try Self.pySpy(script, in: directory) + ":" + Self.systemPath
        let output = "\(directory.path)/out.folded"
        let result = try runCommand(
            [Self.program, "sample", "-o", output, "--"]
                + Self.worker(in: directory, seconds: seconds), environment: ["PATH": path])
        #expect(result.status == .code(0), "\(result.standardError)")
        #expect(Files.exists("\(directory.path)/done"))
        #expect(result.standardError.contains("Note: These are our own stacks, because py-spy gave none: "))
        #expect(result.standardError.contains(reason), "\(result.standardError)")
        #expect(try Files.size(output) > 0)
    }

    @Test("a py-spy that was asked for by name and fails ends nothing either")
    func pySpyAlone() throws {
        let directory = try TemporaryDirectory()
        let path =
            try Self.pySpy("/bin/sh\necho 'no luck' >&2; exit 1", in: directory) + ":" + Self.systemPath
        let result = try runCommand(
            [
                Self.program, "sample", "--sampler", "py-spy", "-o", "\(directory.path)/out.folded", "--",
            ] + Self.worker(in: directory, seconds: 3), environment: ["PATH": path])
        #expect(result.status == .code(4))
        #expect(Files.exists("\(directory.path)/done"))
        #expect(result.standardError.contains("No stacks were taken: py-spy wrote no stacks: no luck."))
    }

    @Test("stacks that cannot be written end nothing, and neither does the end of the tool")
    func commandRunsOn() throws {
        let directory = try TemporaryDirectory()
        let place = "\(directory.path)/place"
        try Files.createDirectories(place)
        let result = try runCommand([
            Self.program, "sample", "--sampler", "native", "--duration", "0.5", "-o", "\(place)/out.folded",
            "--", "sh", "-c",
            "rmdir \(place); i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; sleep 1; touch \(directory.path)/done",
        ])
        #expect(result.status == .code(73), "\(result.standardError)")
        #expect(result.standardError.contains("The command runs on to its end."))
        #expect(Files.exists("\(directory.path)/done"))

        var request = ChildRequest([
            Self.program, "sample", "-o", "\(directory.path)/out.svg", "--", "sh", "-c",
            "touch \(directory.path)/begun; sleep 1; touch \(directory.path)/over",
        ])
        request.standardError = .null
        var tool = try ChildProcess.start(request)
        for _ in 0..<200 where !Files.exists("\(directory.path)/begun") {
            SystemClock.sleep(for: .milliseconds(20))
        }
        tool.send(SignalInbox.kill)
        _ = try tool.wait()
        for _ in 0..<200 where !Files.exists("\(directory.path)/over") {
            SystemClock.sleep(for: .milliseconds(20))
        }
        #expect(Files.exists("\(directory.path)/over"))
    }

    @Test("py-spy's outermost frames, processes by number and command line, are left out")
    func withoutProcesses() {
        let text = """
            process 12:"python a.py";main (a.py:3);f (a.py:1) 7
            process 13:"sh -c x;
            y 4
            z";main (a.py:3) 2
            process 14:"python b.py" 3
            main (a.py:3);process 12:"x";g (a.py:2) 1

            """
        let kept = String(decoding: PySpy.withoutProcesses(Array(text.utf8)), as: UTF8.self)
        #expect(
            kept == """
                main (a.py:3);f (a.py:1) 7
                main (a.py:3) 2
                [unknown] 3
                main (a.py:3);process 12:"x";g (a.py:2) 1

                """)
    }

    @Test("A stop of py-spy that is over when one would look again ends nothing")
    func passingStop() {
        var asked = 0
        let found = PySpy.firstStop([11, 12]) { process -> Int32? in
            asked += 1
            return process == 12 && asked == 2 ? process : nil
        }
        #expect(found == 12 && asked == 2)
    }
}
