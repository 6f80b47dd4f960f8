import LinuxProcess
import LinuxSystem
import StackSampler
import TestSupport
import Testing

/// Whatever happens to the sampler, the target runs on as if it were not sampled.
@Suite(.serialized) struct HarmlessnessTests {
    private func tracer(of processID: Int32) throws -> String {
        let text = String(
            decoding: try Files.read("/proc/\(processID)/status", limit: 1 << 14), as: UTF8.self)
        return text.split(separator: "\n").first { $0.hasPrefix("TracerPid:") }.map(String.init) ?? ""
    }

    /// Times that a sampler is killed. By hand: FREEZE_PROFILE_KILLS=200.
    private static var kills: Int {
        CurrentProcess.environmentVariable("FREEZE_PROFILE_KILLS").flatMap { Int($0) } ?? 10
    }

    @Test("A stopped process is seen as stopped, and one that runs is not: the test detects both")
    func detector() throws {
        let fixture = try NativeFixture("shares")
        var child = try ChildProcess.start(ChildRequest([fixture.path, "500"]))
        SystemClock.sleep(for: .milliseconds(50))
        #expect(ThreadStates.stopped(of: child.pid).isEmpty)
        child.send(19)
        SystemClock.sleep(for: .milliseconds(50))
        #expect(ThreadStates.stopped(of: child.pid) == [child.pid])
        child.send(18)
        #expect(try child.wait(timeout: .seconds(20))?.status == .code(0))
        try fixture.remove()
    }

    @Test(
        "A sampler killed at a random moment leaves no thread stopped, no signal lost, and the same result",
        arguments: ["ptrace", "perf"])
    func killed(mode: String) throws {
        let fixture = try NativeFixture("steady", flags: ["-O2"])
        let size = "800"
        let undisturbed = try NativeFixture.output([fixture.path, size])
        #expect(undisturbed.status == .code(7))
        #expect(undisturbed.text.hasSuffix(" 1\n"))
        let probe = BuiltProduct.path("sampler-probe")
        var left = Self.kills
        var random = SystemRandomNumberGenerator()
        while left > 0 {
            let pipe = try FileDescriptor.pipe()
            var request = ChildRequest([fixture.path, size])
            request.standardOutput = .descriptor(pipe.writeEnd.rawValue)
            var target = try ChildProcess.start(request)
            // Several samplers one after the other, as long as the target runs.
            while left > 0, try target.wait(timeout: .zero) == nil {
                guard
                    try killOneSampler(
                        probe, mode, target.pid, after: Int.random(in: 0...30_000, using: &random))
                else { break }
                left -= 1
                let stopped = ThreadStates.stopped(of: target.pid)
                #expect(stopped.isEmpty, "threads \(stopped) of the target were left stopped")
            }
            let output = try NativeFixture.readAll(pipe.takeReadEnd())
            let outcome = try #require(try target.wait(timeout: .seconds(60)))
            #expect(outcome.status == .code(7))
            #expect(output == undisturbed.text)
        }
        try fixture.remove()
    }

    /// Starts a sampler on a process and kills it some microseconds after it began. False when the target was gone.
    private func killOneSampler(
        _ probe: String, _ mode: String, _ target: Int32, after microseconds: Int
    ) throws -> Bool {
        let pipe = try FileDescriptor.pipe()
        var request = ChildRequest([probe, mode, "\(target)", mode == "perf" ? "997" : "1000"])
        request.standardOutput = .descriptor(pipe.writeEnd.rawValue)
        var sampler = try ChildProcess.start(request)
        let output = pipe.takeReadEnd()
        let line = String(decoding: try output.read(upTo: 256), as: UTF8.self)
        if line == "sampling\n" { SystemClock.sleep(for: .microseconds(microseconds)) }
        sampler.send(9)
        _ = try sampler.wait(timeout: .seconds(20))
        return line == "sampling\n"
    }

    @Test("Between its samples, and after them, no process traces the target")
    func detached() throws {
        let fixture = try NativeFixture("shares")
        var child = try ChildProcess.start(ChildRequest([fixture.path, "900"]))
        SystemClock.sleep(for: .milliseconds(50))
        var configuration = WallClockConfiguration.unbudgeted
        configuration.rateHertz = 20
        let sampler = try PtraceSampler.attach(toRunning: child.pid, configuration)
        var traced = 0
        for _ in 0..<40 {
            SystemClock.sleep(for: .milliseconds(10))
            if try tracer(of: child.pid) != "TracerPid:\t0" { traced += 1 }
        }
        #expect(traced < 20)
        #expect(!sampler.finish().samples.isEmpty)
        #expect(try tracer(of: child.pid) == "TracerPid:\t0")
        #expect(try child.wait(timeout: .seconds(20))?.status == .code(0))
        try fixture.remove()
    }
}
