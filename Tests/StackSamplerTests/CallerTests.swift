import LinuxProcess
import StackSampler
import Testing

/// Callers that are named are callers.
@Suite(.serialized) struct CallerTests {
    @Test(
        "Code without call-frame information: what lies on the stack from earlier calls is not taken for a caller",
        arguments: [
            ["-fno-omit-frame-pointer", "-mno-omit-leaf-frame-pointer"],
            ["-fno-omit-frame-pointer", "-momit-leaf-frame-pointer"], ["-fomit-frame-pointer"],
        ])
    func staleReturns(_ flags: [String]) throws {
        let fixture = try NativeFixture(
            "stale-returns", flags: ["-O1", "-fno-asynchronous-unwind-tables", "-fno-unwind-tables"] + flags)
        let run = try fixture.sample(["1500"])
        try fixture.remove()
        let working = run.profile.samples.map { run.names($0) }.filter {
            $0.first?.hasPrefix("work_") == true
        }
        try #require(working.count > 40)
        let callers = working.filter { $0.count > 1 }.map { ($0[0], $0[1]) }
        // A caller that is left out may be; one that has never called may not.
        let wrong = callers.filter { worker, caller in
            caller != "call_" + worker.dropFirst("work_".count) && caller != "main"
        }
        #expect(wrong.isEmpty, "\(wrong.count) of \(callers.count): \(wrong.prefix(3))")
        guard flags.contains("-mno-omit-leaf-frame-pointer") else { return }
        let right = callers.filter { $0.1 == "call_" + $0.0.dropFirst("work_".count) }
        #expect(right.count * 100 >= working.count * 95, "\(right.count) of \(working.count)")
        #expect(working.filter { $0.contains("main") }.count * 100 >= working.count * 95)
    }

    @Test("Text that a program has copied to memory without a file has its names")
    func movedText() throws {
        let fixture = try NativeFixture("moved-text")
        var child = try ChildProcess.start(ChildRequest([fixture.path, "800"]))
        let sampler = try PerfSampler.attach(toRunning: child.pid)
        _ = try child.wait(timeout: .seconds(20))
        let run = SampledRun(profile: sampler.finish(), fixture: fixture, output: "", status: .code(0))
        let named = run.samples(through: "works_in_moved_text")
        try fixture.remove()
        #expect(named.count > 100)
    }
}
