import LinuxProcess
import LinuxSystem
import Measurement
import StackProfile
import TestSupport
import Testing

@testable import StackRecording

/// `freeze-profile sample --mode wall`, and what happens where the kernel refuses a way of sampling.
@Suite("Sampling what threads wait for, from the command line", .serialized)
struct WallClockCommandTests {
    static let program = BuiltProduct.path("freeze-profile")

    /// A program from Tests/Fixtures/native, compiled.
    static func fixture(_ name: String, in directory: TemporaryDirectory) throws -> String {
        let path = "\(directory.path)/\(name)"
        let source = BuiltProduct.fixture("native/\(name).c")
        let compiled = try runCommand(["gcc", "-O1", "-pthread", "-o", path, source])
        try #require(compiled.status == .code(0), "\(compiled.standardError)")
        return path
    }

    private static func stacks(_ path: String) throws -> [(frames: [String], weight: Int)] {
        let profile = try FoldedStacks.read(try Files.read(path, limit: 1 << 24)).profile
        return profile.samples.map { (profile.frames(of: $0).map(\.function), Int($0.weight)) }
    }

    @Test("Threads that sleep, wait for a pipe and compute are distinguished by state and function")
    func states() throws {
        let directory = try TemporaryDirectory()
        let target = try Self.fixture("sleep-pipe-spin", in: directory)
        let output = "\(directory.path)/out.folded"
        let result = try runCommand([
            Self.program, "sample", "--mode", "wall", "--stop-budget", "100", "-o", output, "--", target,
            "1200",
        ])
        // The target ends with 7, and its stacks are written all the same.
        #expect(result.status == .code(4) && result.standardOutput == "done\n")
        #expect(result.standardError.contains("' with ptrace and libunwind\nptrace wall-clock at 100 Hz, "))
        // Stops are needed only where perf events are refused or a stack is very deep.
        #expect(
            result.standardError.contains("Note: No thread had to be stopped.")
                || result.standardError.contains("Note: Threads were stopped "))
        let stacks = try Self.stacks(output)
        func weight(_ state: String, _ function: String) -> Int {
            stacks.filter { $0.frames.first == state && $0.frames.contains(function) }
                .reduce(0) { $0 + $1.weight }
        }
        // 120 moments of each thread, at random: four standard deviations are 44.
        let all = 60...190
        #expect(all.contains(weight("blocked: clock_nanosleep", "dozes_in_here")), "\(stacks)")
        #expect(all.contains(weight("blocked: read", "reads_the_pipe")), "\(stacks)")
        #expect(all.contains(weight("running", "spins_around")), "\(stacks)")
        #expect(all.contains(weight("blocked: futex", "main")), "\(stacks)")
    }

    @Test("A stage that waits shows why, in every format")
    func stages() throws {
        let directory = try TemporaryDirectory()
        let target = try Self.fixture("sleep-pipe-spin", in: directory)
        let script = """
            status() { printf '{"stage":"%s"}' "$1" > "$PIPELINE_STATUS_FILE.new"
            mv "$PIPELINE_STATUS_FILE.new" "$PIPELINE_STATUS_FILE"; }
            status waiting; sleep 0.6; status mixed; \(target) 600; status done
            """
        let packed = "\(directory.path)/out.pb.gz"
        let result = try runCommand([
            Self.program, "sample", "--mode", "wall", "--stop-budget", "100", "-o", packed, "--", "sh", "-c",
            script,
        ])
        #expect(result.status == .code(0), "\(result.standardError)")
        let profile = try Pprof.read(try Files.read(packed, limit: 1 << 24))
        func weight(_ stage: String, _ state: String) -> Int64 {
            profile.samples.filter {
                let labels = profile.labels(of: $0)
                return labels.stage?.text == stage && labels.state == state
            }.reduce(0) { $0 + $1.weight }
        }
        #expect(weight("waiting", "blocked: clock_nanosleep") > 20)
        #expect(weight("mixed", "blocked: read") > 20)
        #expect(weight("mixed", "running") > 10)
        for name in ["out.svg", "out.folded", "out.json"] {
            let path = "\(directory.path)/\(name)"
            let rendered = try runCommand([Self.program, "render", packed, "-o", path])
            #expect(rendered.status == .code(0), "\(rendered.standardError)")
            let text = String(decoding: try Files.read(path, limit: 1 << 24), as: UTF8.self)
            #expect(text.contains("blocked: read"))
            if name == "out.svg" { #expect(text.contains("weight by stage and state")) }
            if name == "out.folded" { #expect(text.contains("mixed;blocked: read;clone3;")) }
        }
        let byThread = "\(directory.path)/threads.folded"
        let grouped = try runCommand([
            Self.program, "render", packed, "--by", "thread,state", "-o", byThread,
        ])
        #expect(grouped.status == .code(0))
        let text = String(decoding: try Files.read(byThread, limit: 1 << 24), as: UTF8.self)
        #expect(text.contains("\nspins;running;") && text.contains("dozes;blocked: clock_nanosleep;"))
    }

    @Test(
        "Where perf events are refused, one sentence says so and ptrace goes on; where both are, both say why"
    )
    func refusals() throws {
        let directory = try TemporaryDirectory()
        let forbid = try Self.fixture("forbid", in: directory)
        let target = try Self.fixture("shares", in: directory)
        let output = "\(directory.path)/out.folded"
        func sample(forbidding what: String, _ options: [String]) throws -> CommandResult {
            try runCommand(
                [forbid, what, Self.program, "sample", "-o", output] + options + ["--", target, "700"])
        }
        let perf =
            "Cannot use perf events: the kernel refuses perf_event_open (Operation not permitted), as it does under "
            + "the seccomp profiles of containers. Allow the call there, or give CAP_PERFMON."
        let ptrace =
            "Cannot use ptrace: the kernel refuses it (Operation not permitted), as it does under the seccomp profiles "
            + "of containers. Allow it there, for instance with `--cap-add SYS_PTRACE`."
        let fallen = try sample(forbidding: "perf", ["--stop-budget", "100"])
        #expect(fallen.status == .code(0), "\(fallen.standardError)")
        #expect(
            fallen.standardError.hasPrefix("\(perf)\nsampling '\(target)' with ptrace and libunwind\n"),
            "\(fallen.standardError)")
        #expect(fallen.standardError.contains("Note: CPU time was estimated from the moments"))
        let stacks = try Self.stacks(output)
        let working = stacks.filter { $0.frames.contains("seventy") }.reduce(0) { $0 + $1.weight }
        #expect(working >= 15)
        try Files.remove(output)

        let alone = try sample(forbidding: "perf", ["--sampler", "perf"])
        #expect(alone.status == .code(4) && alone.standardError == "freeze-profile sample: \(perf)\n")
        let wall = try sample(forbidding: "ptrace", ["--mode", "wall"])
        #expect(wall.status == .code(4) && wall.standardError == "freeze-profile sample: \(ptrace)\n")
        let both = try sample(forbidding: "both", [])
        #expect(both.status == .code(4))
        #expect(both.standardError == "freeze-profile sample: \(perf) \(ptrace)\n")
        #expect(!Files.exists(output))

        let doctor = try runCommand([forbid, "both", Self.program, "doctor"], environment: ["PATH": "/none"])
        #expect(doctor.status == .code(4))
        #expect(doctor.standardOutput.contains("no      ptrace "))
        #expect(doctor.standardOutput.hasSuffix("nor by ptrace, nor by py-spy.\n"))
        let half = try runCommand([forbid, "perf", Self.program, "doctor"], environment: ["PATH": "/none"])
        #expect(half.status == .code(0))
    }

    @Test("What is tried, in which order")
    func ladder() throws {
        func ladder(
            _ sampler: RecordingSampler, _ mode: SamplingMode, pySpy: String? = "/p"
        ) throws -> SamplerLadder {
            try SamplerLadder(sampler, mode: mode, pySpy: pySpy)
        }
        // Our own are tried whatever py-spy does: it only goes along.
        #expect(try ladder(.automatic, .cpu).rungs == [.perf, .ptrace])
        #expect(try ladder(.automatic, .cpu).pySpy == "/p")
        #expect(try ladder(.automatic, .cpu, pySpy: nil).rungs == [.perf, .ptrace])
        #expect(try ladder(.automatic, .wall).rungs == [.ptrace])
        #expect(try ladder(.native, .cpu).rungs == [.perf, .ptrace])
        #expect(try ladder(.native, .cpu).pySpy == nil)
        #expect(try ladder(.perf, .cpu).rungs == [.perf])
        #expect(try ladder(.ptrace, .cpu).rungs == [.ptrace])
        #expect(try ladder(.pySpy, .cpu).rungs == [])
        #expect(throws: StackRecordingError.self) { try ladder(.pySpy, .cpu, pySpy: nil) }
        #expect(throws: StackRecordingError.refused(SamplerLadder.perfKnowsNoWaiting)) {
            try ladder(.perf, .wall)
        }
    }

    /// Times that the command is killed. By hand: FREEZE_PROFILE_KILLS=200, as Benchmarks/sampler/harmless.sh does.
    private static var kills: Int {
        CurrentProcess.environmentVariable("FREEZE_PROFILE_KILLS").flatMap { Int($0) } ?? 6
    }

    @Test(
        "The command killed at a random moment leaves no thread stopped, no signal lost, and the same result",
        arguments: [["--mode", "wall", "--rate", "1000", "--stop-budget", "100"], ["--sampler", "perf"]])
    func killed(options: [String]) throws {
        let directory = try TemporaryDirectory()
        let target = [try Self.fixture("steady", in: directory), "1500"]
        let undisturbed = try runCommand(target)
        #expect(undisturbed.status == .code(7) && undisturbed.standardOutput.hasSuffix(" 1\n"))
        var left = Self.kills
        while left > 0 {
            let pipe = try FileDescriptor.pipe()
            var request = ChildRequest(target)
            request.standardOutput = .descriptor(pipe.writeEnd.rawValue)
            var child = try ChildProcess.start(request)
            while left > 0, try child.wait(timeout: .zero) == nil {
                try killOneCommand(options, child.pid, "\(directory.path)/out.folded", isEarly: left % 3 == 0)
                left -= 1
                let stopped = ThreadStates.stopped(of: child.pid)
                #expect(stopped.isEmpty, "threads \(stopped) of the target were left stopped")
            }
            let output = pipe.takeReadEnd()
            var bytes: [UInt8] = []
            while case let chunk = try output.read(upTo: 4096), !chunk.isEmpty { bytes += chunk }
            let outcome = try #require(try child.wait(timeout: .seconds(60)))
            #expect(outcome.status == .code(7))
            #expect(String(decoding: bytes, as: UTF8.self) == undisturbed.standardOutput)
        }
        #expect(!Files.exists("\(directory.path)/out.folded"))
    }

    /// Starts the command on a process and kills it: some milliseconds after it says that it samples, or, early, at
    /// any moment since its start.
    private func killOneCommand(
        _ options: [String], _ target: Int32, _ output: String, isEarly: Bool
    ) throws {
        let pipe = try FileDescriptor.pipe()
        var request = ChildRequest(
            [Self.program, "sample", "--pid", "\(target)", "--duration", "30", "-o", output] + options)
        request.standardError = .descriptor(pipe.writeEnd.rawValue)
        // Killed, it cannot remove its own directory; the test's directory goes with it.
        request.environment["TMPDIR"] = Files.directory(of: output)
        var command = try ChildProcess.start(request)
        let said = pipe.takeReadEnd()
        if !isEarly { _ = try said.read(upTo: 256) }
        SystemClock.sleep(for: .microseconds(Int.random(in: 0...(isEarly ? 120_000 : 40_000))))
        command.send(SignalInbox.kill)
        _ = try command.wait(timeout: .seconds(20))
    }
}
