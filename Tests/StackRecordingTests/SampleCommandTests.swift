import LinuxProcess
import LinuxSystem
import StackProfile
import TestSupport
import Testing

@testable import StackRecording

/// `freeze-profile sample` and `render` as a person runs them.
@Suite("Sampling from the command line")
struct SampleCommandTests {
    private static let program = BuiltProduct.path("freeze-profile")

    private static func run(_ arguments: [String], environment: [String: String] = [:]) throws
        -> CommandResult
    {
        try runCommand([program] + arguments, environment: environment)
    }

    /// A program that spends 70, 20 and 10 % of its time in three functions.
    private static func shares(in directory: TemporaryDirectory) throws -> String {
        let path = "\(directory.path)/shares"
        let source = BuiltProduct.fixture("native/shares.c")
        let compiled = try runCommand(["gcc", "-O1", "-pthread", "-o", path, source])
        try #require(compiled.status == .code(0))
        return path
    }

    private static func text(_ path: String) throws -> String {
        String(decoding: try Files.read(path, limit: 1 << 26), as: UTF8.self)
    }

    @Test("a command's stacks go through the function that costs most, and health is printed in one line")
    func command() throws {
        let directory = try TemporaryDirectory()
        let output = "\(directory.path)/out.folded"
        let result = try Self.run(
            ["sample", "-o", output, "--", try Self.shares(in: directory), "700"])
        #expect(result.status == .code(0))
        #expect(result.standardOutput == "")
        let lines = result.standardError.split(separator: "\n")
        #expect(lines.first == "sampling '\(directory.path)/shares' with perf events and libunwind")
        let pattern =
            /perf cpu-clock at 997 Hz, [0-9.]+ m?s: [0-9]+ samples, [0-9]+ lost, [0-9]+ truncated, [0-9]+ not walked to their root, [0-9.]+ % of frames unknown, [0-9.]+ % of [0-9.]+ m?s CPU time by the kernel's clocks/
        #expect(
            try lines.last.map { try pattern.wholeMatch(in: $0) != nil } == true, "\(result.standardError)")
        let stacks = try FoldedStacks.read(Array(try Self.text(output).utf8)).profile
        let costs = Dictionary(
            uniqueKeysWithValues: stacks.functionCosts().map { ($0.function, Double($0.totalWeight)) })
        let all = try #require(costs["main"])
        #expect(abs((costs["seventy"] ?? 0) / all - 0.7) < 0.12)
        #expect(abs((costs["twenty"] ?? 0) / all - 0.2) < 0.12)
    }

    @Test("a running process is sampled for a time and left alone, in every format")
    func runningProcess() throws {
        let directory = try TemporaryDirectory()
        var request = ChildRequest([try Self.shares(in: directory), "20000"])
        request.standardInput = .null
        var child = try ChildProcess.start(request)
        let before = SystemClock.monotonicNanoseconds
        for name in ["a.svg", "a.folded", "a.pb.gz", "a.json"] {
            let path = "\(directory.path)/\(name)"
            let result = try Self.run([
                "sample", "--pid", "\(child.pid)", "--duration", "0.4", "--rate", "499", "--output", path,
            ])
            #expect(result.status == .code(0), "\(result.standardError)")
            #expect(result.standardError.contains("perf cpu-clock at 499 Hz"))
            #expect(Files.isRegularFile(path))
        }
        #expect(SystemClock.monotonicNanoseconds - before < 15_000_000_000)
        #expect(try child.wait(timeout: .zero) == nil)
        #expect(try Self.text("\(directory.path)/a.svg").contains("seventy"))
        let names = try Files.names(inDirectory: directory.path)
        #expect(names == ["a.folded", "a.json", "a.pb.gz", "a.svg", "shares"])
        let pprof = try Pprof.read(try Files.read("\(directory.path)/a.pb.gz", limit: 1 << 20))
        #expect(pprof.labelSets.contains { $0.process == "shares" })
    }

    @Test("samples carry the stages that a command names in its status file")
    func stages() throws {
        let directory = try TemporaryDirectory()
        let shares = try Self.shares(in: directory)
        let script = """
            status() { printf '{"stage":"%s"}' "$1" > "$PIPELINE_STATUS_FILE.new"
            mv "$PIPELINE_STATUS_FILE.new" "$PIPELINE_STATUS_FILE"; }
            status alpha; \(shares) 300; status beta; \(shares) 600; status done
            """
        let output = "\(directory.path)/out.folded"
        let result = try Self.run(["sample", "-o", output, "--", "sh", "-c", script])
        #expect(result.status == .code(0), "\(result.standardError)")
        let profile = try FoldedStacks.read(Array(try Self.text(output).utf8)).profile
        let costs = profile.functionCosts()
        let alpha = costs.first { $0.function == "alpha" }?.totalWeight ?? 0
        let beta = costs.first { $0.function == "beta" }?.totalWeight ?? 0
        #expect(alpha > 50)
        #expect(Double(beta) / Double(max(alpha, 1)) > 1.3)
        #expect(alpha + beta >= profile.totalWeight * 9 / 10)
        let byProcess = try Self.run([
            "sample", "-o", output, "--by", "process", "--", "sh", "-c", script,
        ])
        #expect(byProcess.status == .code(0))
        #expect(try Self.text(output).contains("shares;_start;"))
    }

    @Test("Ctrl-C ends the recording and the command, and what was sampled is written")
    func interrupt() throws {
        let directory = try TemporaryDirectory()
        let output = "\(directory.path)/out.svg"
        var request = ChildRequest([
            Self.program, "sample", "-o", output, "--", try Self.shares(in: directory), "60000",
        ])
        request.standardInput = .null
        request.standardError = .null
        // As in a terminal, where Ctrl-C reaches the command too.
        request.leadsProcessGroup = true
        var child = try ChildProcess.start(request)
        SystemClock.sleep(for: .seconds(1))
        #expect(try child.wait(timeout: .zero) == nil)
        child.sendToGroup(SignalInbox.interrupt)
        let outcome = try #require(try child.wait(timeout: .seconds(20)))
        #expect(outcome.status == .code(0))
        #expect(try Self.text(output).contains("seventy"))
    }

    @Test("what cannot be sampled gets a sentence and exit code 4, and leaves no file")
    func refusals() throws {
        let directory = try TemporaryDirectory()
        let output = "\(directory.path)/out.svg"
        func refused(_ arguments: [String]) throws -> (String, LinuxProcess.ExitStatus) {
            let result = try Self.run(["sample", "-o", output] + arguments)
            #expect(!Files.exists(output))
            let last = result.standardError.split(separator: "\n").last.map(String.init) ?? ""
            return (String(last.trimmingPrefix("freeze-profile sample: ")), result.status)
        }
        #expect(
            try refused(["--pid", "4194303"])
                == ("Cannot sample process 4194303: there is no such process.", .code(4)))
        #expect(
            try refused(["--", "no-such-program"])
                == (
                    "Cannot run 'no-such-program': there is no such program. Check the spelling, or give its path.",
                    .code(4)
                ))
        let atOnce = try refused(["--rate", "1", "--", "true"])
        #expect(
            atOnce.0.hasSuffix(
                "the command exited with code 0 before it had used 1.0 s of CPU time, which is one sample. "
                    + "Sample something that runs longer, or raise --rate."))
        #expect(atOnce.1 == .code(4))
        var request = ChildRequest(["sleep", "30"])
        request.standardInput = .null
        let sleeper = try ChildProcess.start(request)
        SystemClock.sleep(for: .milliseconds(100))
        let silent = try refused(["--pid", "\(sleeper.pid)", "--duration", "0.3", "--rate", "10"])
        #expect(
            silent.0.hasSuffix(
                "process \(sleeper.pid) used less than 100 ms of CPU time, which is one sample. Only threads that run "
                    + "are sampled, not those that wait."))
        #expect(silent.1 == .code(4))
        sleeper.send(SignalInbox.kill)
        // Ended, and not waited for by us: a zombie.
        SystemClock.sleep(for: .milliseconds(200))
        #expect(
            try refused(["--pid", "\(sleeper.pid)"])
                == (
                    "Cannot sample process \(sleeper.pid) (sleep): it has ended, and only waits for its parent to take "
                        + "note.", .code(4)
                ))
    }

    @Test(
        "another user's process is refused with the remedy",
        .enabled(if: CurrentProcess.userID == 0 && Programs.path(of: "runuser") != nil))
    func foreign() throws {
        // Built in a directory that others may not enter, the program has to be where they may.
        let directory = try TemporaryDirectory()
        let opened = try runCommand(["chmod", "755", directory.path])
        try #require(opened.status == .code(0))
        let copied = try runCommand(["cp", Self.program, "\(directory.path)/freeze-profile"])
        try #require(copied.status == .code(0))
        let result = try runCommand(
            [
                "runuser", "-u", "nobody", "--", "\(directory.path)/freeze-profile", "sample", "--pid",
                "\(CurrentProcess.pid)", "--duration", "0.2", "-o", "-", "--format", "svg",
            ], environment: ["TMPDIR": "/tmp"])
        #expect(result.status == .code(4))
        #expect(
            result.standardError.hasSuffix(
                "Cannot sample process \(CurrentProcess.pid): it belongs to another user or is protected. Run as the same "
                    + "user, or give CAP_PERFMON and CAP_SYS_PTRACE.\n"), "\(result.standardError)")
    }

    private static let pySpy = Programs.path(of: "py-spy")

    @Test("a Python process is sampled by py-spy if installed, which is reported", .enabled(if: pySpy != nil))
    func pythonTarget() throws {
        let directory = try TemporaryDirectory()
        let (script, output) = ("\(directory.path)/hot.py", "\(directory.path)/out.folded")
        let body = "def innermost():\n    return sum(i * i for i in range(2000))\nimport time\n"
        try Files.replace(
            script, with: body + "end = time.time() + 20\nwhile time.time() < end: innermost()\n")
        let python = try #require(
            ["/usr/bin/python3", "python3"].first { Programs.path(of: $0) != nil })
        var request = ChildRequest([python, script])
        request.standardInput = .null
        var child = try ChildProcess.start(request)
        SystemClock.sleep(for: .milliseconds(500))
        let result = try Self.run([
            "sample", "--pid", "\(child.pid)", "--sampler", "py-spy", "--duration", "1", "-o", output,
        ])
        #expect(result.status == .code(0), "\(result.standardError)")
        #expect(result.standardError.contains("py-spy at 100 Hz, "))
        #expect(result.standardError.contains(" samples, losses not known, "))
        #expect(try Self.text(output).contains("innermost"))
        #expect(try child.wait(timeout: .zero) == nil)
    }

    @Test("a sampler that is not there is named with the remedy")
    func noPySpy() throws {
        let result = try Self.run(
            ["sample", "--sampler", "py-spy", "-o", "-", "--format", "svg", "--", "/bin/true"],
            environment: ["PATH": "/nonexistent"])
        #expect(result.status == .code(4))
        #expect(
            result.standardError
                == "freeze-profile sample: Cannot sample with py-spy: py-spy is not on PATH. Install it with `pip install "
                + "py-spy`, or say --sampler native.\n")
    }

    @Test("a command that fails gets exit code 4, and its stacks are written all the same")
    func failingCommand() throws {
        let directory = try TemporaryDirectory()
        let output = "\(directory.path)/out.svg"
        let result = try Self.run([
            "sample", "-o", output, "--", "sh", "-c", "\(try Self.shares(in: directory)) 200; exit 3",
        ])
        #expect(result.status == .code(4))
        #expect(
            result.standardError.hasSuffix(
                "The command exited with code 3. Its stacks were written all the same.\n"))
        #expect(Files.isRegularFile(output))
    }

    @Test(
        "a wrong line gets a sentence and exit code 64",
        arguments: [
            (
                ["-o", "x.svg"],
                "Say '--pid', or put a command to run after '--'. See 'freeze-profile sample --help'."
            ),
            (
                ["-o", "x.svg", "--pid", "1", "--", "a"],
                "Give either '--pid' or a command, not both. See 'freeze-profile sample --help'."
            ),
            (["--pid", "1"], "Say where to write: --output FILE, or -o FILE."),
            (["--pid", "x", "-o", "x.svg"], "'x' is no process number."),
            (["--pid", "0", "-o", "x.svg"], "'0' is no process number."),
            (
                ["--pid", "1", "-o", "x.dat"],
                "The name 'x.dat' does not show the format: say --format "
                    + "svg, folded, pprof, speedscope, firefox, callgrind, chrome-trace."
            ),
            (
                ["--pid", "1", "-o", "x.svg", "--by", "stag"],
                "There is no label 'stag'; there are stage, thread, process, state. Did you mean 'stage'?"
            ),
            (
                ["--pid", "1", "-o", "x.pb.gz", "--by", "stage"],
                "A pprof file is not grouped: its samples keep stage, state, thread and process as labels. Leave out --by."
            ),
            (
                ["--pid", "1", "-o", "x.svg", "--rate", "0"],
                "The rate '0' is not a whole number from 1 to 10000."
            ),
            (
                ["--pid", "1", "-o", "x.svg", "--mode", "wal"],
                "There is no mode 'wal'; there are cpu, wall. Did you mean 'wall'?"
            ),
            (
                ["--pid", "1", "-o", "x.svg", "--mode", "wall", "--sampler", "perf"],
                "Perf events sample CPU time only, not what threads wait for. Say --sampler ptrace, or --mode cpu."
            ),
            (
                ["--pid", "1", "-o", "x.svg", "--sampler", "ptrace", "--rate", "2000"],
                "The rate 2000 is too much by the wall clock: each thread is sampled at most 1000 times a second."
            ),
            (
                ["--pid", "1", "-o", "x.svg", "--stop-budget", "0"],
                "The stop-budget '0' is not a number of percent from 0.01 to 100."
            ),
            (
                ["--pid", "1", "-o", "x.svg", "--duration", "nan"],
                "The duration 'nan' is not a number of seconds from 0.01 to 1000000."
            ),
            (
                ["--pid", "1", "-o", "x.svg", "--sampler", "none"],
                "There is no sampler 'none'; there are auto, native, py-spy, perf, ptrace."
            ),
        ])
    func wrongLines(line: [String], sentence: String) throws {
        let result = try Self.run(["sample"] + line)
        #expect(result.status == .code(64))
        #expect(result.standardError == "freeze-profile sample: \(sentence)\n")
    }

    @Test("killed while it samples, it leaves nothing in the temporary directory")
    func killed() throws {
        let directory = try TemporaryDirectory()
        let place = "\(directory.path)/tmp"
        try Files.createDirectories(place)
        let names = { try Files.names(inDirectory: place) }
        var target = try ChildProcess.start(ChildRequest(["sleep", "60"]))
        defer { _ = try? target.terminate(grace: .zero) }
        // The command that is being sampled runs on, and keeps its directory until it ends.
        for (what, leaves) in [(["--", "sleep", "3"], 1), (["--pid", "\(target.pid)"], 0)] {
            var request = ChildRequest(
                [Self.program, "sample", "-o", "\(directory.path)/out.svg"] + what)
            request.environment = ["TMPDIR": place]
            let errors = try FileDescriptor.open("\(directory.path)/err\(leaves)", .createNew)
            request.standardError = .descriptor(errors.rawValue)
            var tool = try ChildProcess.start(request)
            for _ in 0..<100 where try !Self.text("\(directory.path)/err\(leaves)").contains("sampling ") {
                SystemClock.sleep(for: .milliseconds(50))
            }
            // A command gets a place to report its stages; a process that is only sampled needs none.
            #expect(try names().count == leaves)
            tool.send(SignalInbox.kill)
            _ = try tool.wait()
            #expect(try names().count == leaves)
            for _ in 0..<200 where try !names().isEmpty { SystemClock.sleep(for: .milliseconds(50)) }
            #expect(try names() == [])
        }
    }

    /// A program that runs in eight libraries with so many symbols that reading them takes a while.
    private static func manySymbols(in directory: TemporaryDirectory) throws -> String {
        let path = "\(directory.path)/many"
        try Files.replace(
            "\(path).s",
            with: """
                .altmacro
                .macro name n
                a_function_with_a_rather_long_name_\\n: nop
                .endm
                .text
                .set i, 0
                .rept 300000
                name %i
                .set i, i+1
                .endr
                .section .note.GNU-stack,"",@progbits

                """)
        try Files.replace(
            "\(path)-spin.c", with: "void spin(void) { for (volatile long i = 0; i < 30000000; i++); }")
        try Files.replace(
            "\(path).c",
            with: """
                #include <dlfcn.h>
                int main(int count, char **libraries) {
                    for (int i = 1; i < count; i++) ((void (*)(void))dlsym(dlopen(libraries[i], 2), "spin"))();
                }
                """)
        let compiled = try runCommand(
            ["gcc", "-O1", "-shared", "-fPIC", "-o", "\(path)-1.so", "\(path)-spin.c", "\(path).s"])
        try #require(compiled.status == .code(0), "\(compiled.standardError)")
        try #require(try runCommand(["gcc", "-o", path, "\(path).c"]).status == .code(0))
        let library = try Files.read("\(path)-1.so", limit: 1 << 28)
        for number in 2...8 { try Files.replace("\(path)-\(number).so", with: library) }
        return "\(path) " + (1...8).map { "\(path)-\($0).so" }.joined(separator: " ")
    }

    @Test("a long naming of functions shows a bar on a terminal, and elsewhere nothing")
    func namingBar() throws {
        let directory = try TemporaryDirectory()
        let program = try Self.manySymbols(in: directory)
        let terminal = try TestTerminal(in: directory.path)
        try terminal.run("\(Self.program) sample -o a.folded -- \(program)")
        let during = try terminal.wait(upTo: 60) { $0.contains("naming functions [") }
        #expect(during.contains(/naming functions \[[#.]{20}\] [0-9]+ %/), "\(during)")
        let after = try terminal.wait(upTo: 60) { $0.contains("perf cpu-clock") }
        #expect(after.contains("perf cpu-clock") && !after.contains("naming functions"), "\(after)")

        let plain = try Self.run(
            ["sample", "-o", "\(directory.path)/b.folded", "--"]
                + program.split(separator: " ").map(String.init))
        #expect(plain.status == .code(0))
        #expect(!plain.standardError.contains("naming") && !plain.standardError.contains("\u{1B}"))
        #expect(try Self.text("\(directory.path)/b.folded").contains("main"))
    }
}
