import LinuxProcess
import LinuxSystem
import StackSampler
import Testing

/// Stacks of real programs, held against what the programs do and where `nm` says their functions are.
@Suite(.serialized) struct UnwindingTests {
    private func checkRecursion(depth: Int, flags: [String], stackBytes: Int = 32 << 10) throws {
        let fixture = try NativeFixture("recursion", flags: flags)
        var configuration = SamplerConfiguration()
        configuration.stackBytes = stackBytes
        let run = try fixture.sample(["\(depth)", "300"], configuration)
        try fixture.remove()
        #expect(run.status == .code(7))
        #expect(run.output == "\(depth)\n")
        let atBottom = run.samples(through: "at_the_bottom")
        #expect(atBottom.count >= 20)
        for sample in run.distinct(atBottom) {
            let names = run.names(sample)
            #expect(names.filter { $0 == "descend" }.count == depth + 1)
            #expect(names.filter { $0 == "main" }.count == 1)
            #expect(names.last == "_start")
            #expect(run.end(sample) == .complete)
        }
        #expect(run.profile.health.unwindFailed == 0)
    }

    @Test(
        "37 calls deep, every frame comes out, whatever the compiler's flags",
        arguments: [
            ["-O0"], ["-O2"], ["-O2", "-fomit-frame-pointer"], ["-O1", "-fno-omit-frame-pointer"],
            ["-O1", "-static"], ["-O1", "-static-pie"], ["-O1", "-no-pie"],
        ])
    func recursion(flags: [String]) throws {
        try checkRecursion(depth: 37, flags: flags)
    }

    @Test("500 calls deep, every frame comes out")
    func deepRecursion() throws {
        try checkRecursion(depth: 500, flags: ["-O2"], stackBytes: 60 << 10)
    }

    @Test("A file without a search table for its call-frame information is unwound by one built from it")
    func noSearchTable() throws {
        try checkRecursion(depth: 37, flags: ["-O2", "-static", "-Wl,--no-eh-frame-hdr"])
    }

    @Test("A stack larger than its copy ends as truncated, without a made-up root")
    func truncated() throws {
        let fixture = try NativeFixture("recursion", flags: ["-O0"])
        var configuration = SamplerConfiguration()
        configuration.stackBytes = 2048
        configuration.maximumStackBytesOfSample = 2048
        let run = try fixture.sample(["200", "200"], configuration)
        try fixture.remove()
        let atBottom = run.samples(through: "at_the_bottom")
        #expect(atBottom.count >= 20)
        for sample in run.distinct(atBottom) {
            let names = run.names(sample)
            #expect(run.end(sample) == .truncated)
            // What comes out is right as far as it goes: nothing but the recursion above the bottom.
            #expect(names.drop { $0 != "descend" }.allSatisfy { $0 == "descend" })
            #expect(names.contains("descend"))
        }
        #expect(run.profile.health.truncated >= atBottom.count)
    }

    @Test("Of a stack with more frames than wanted both ends are kept, and it is counted")
    func frameLimit() throws {
        let fixture = try NativeFixture("recursion", flags: ["-O2"])
        var configuration = SamplerConfiguration()
        configuration.maximumFrames = 20
        let run = try fixture.sample(["100", "150"], configuration)
        try fixture.remove()
        let atBottom = run.samples(through: "at_the_bottom")
        #expect(atBottom.count >= 10)
        for sample in run.distinct(atBottom) {
            let frames = run.profile.stacks[Int(sample.stackIndex)].frames.map { run.profile.frames[Int($0)] }
            #expect(frames.count == 20 && frames.count { $0.address == .none(.leftOut) } == 1)
            #expect(run.names(sample).contains("main") && run.end(sample) == .complete)
        }
        #expect(run.profile.health.withFramesLeftOut >= atBottom.count)
    }

    @Test(
        "A handler's stack goes on through the code that the signal interrupted, at its first instruction too"
    )
    func signals() throws {
        let fixture = try NativeFixture("signals", flags: ["-O1"])
        let run = try fixture.sample(["200"])
        try fixture.remove()
        #expect(run.output == "done\n")
        let inHandler = run.samples(through: "work_in_handler")
        #expect(inHandler.count >= 20)
        for sample in run.distinct(inHandler) {
            let names = run.names(sample).filter { !$0.hasPrefix("[") }
            #expect(names.contains("handler"))
            #expect(names.suffix(4) == ["interrupted", "outer", "main", "_start"])
            #expect(run.end(sample) == .complete)
        }
    }

    @Test("Stacks through the vdso are whole")
    func vdso() throws {
        let fixture = try NativeFixture("vdso", flags: ["-O1"])
        let run = try fixture.sample(["200"])
        try fixture.remove()
        let inVDSO = run.profile.samples.filter { run.names($0).first == "[[vdso]]" }
        #expect(inVDSO.count >= 5)
        #expect(inVDSO.allSatisfy { run.names($0).contains("main") && run.end($0) == .complete })
    }

    @Test(
        "Code without call-frame information is left by the look of the stack, and the frame found so is marked"
    )
    func noInformation() throws {
        let fixture = try NativeFixture("nocfi", flags: ["-O1"])
        let run = try fixture.sample(["500"])
        try fixture.remove()
        for function in ["bare_leaf", "framed"] {
            let inside = run.samples(through: function)
            #expect(inside.count >= 20)
            let whole = inside.filter { sample in
                let names = run.names(sample)
                let second = run.profile.stacks[Int(sample.stackIndex)].frames.dropFirst().first
                return names.prefix(3) == [function, "outer", "main"] && run.end(sample) == .complete
                    && second.map { run.profile.frames[Int($0)].isGuessed } == true
            }
            // In the few instructions that set a frame up or take it down nothing shows where the caller is.
            #expect(whole.count * 10 >= inside.count * 9)
        }
        #expect(run.profile.health.withGuessedFrames >= 40)
    }
}
