import LinuxProcess
import LinuxSystem
import TestSupport
import Testing

@testable import StackSampler

/// Programs as other linkers, other C libraries and other file systems make them.
@Suite(.serialized) struct LinkageTests {
    @Test(
        "Code of the procedure linkage table is left for its caller, lazily bound or not",
        arguments: [
            ["-Wl,-z,lazy"], ["-Wl,-z,now"], ["-fcf-protection=full", "-Wl,-z,lazy", "-Wl,-z,ibtplt"],
        ])
    func procedureLinkage(flags: [String]) throws {
        let fixture = try NativeFixture("linkage", flags: ["-O1", "-fno-builtin"] + flags)
        let run = try fixture.sample(["400"])
        try fixture.remove()
        #expect(run.status == .code(0))
        let calling = run.samples(through: "calls_out")
        #expect(calling.count >= 15)
        for sample in run.distinct(calling) {
            #expect(run.names(sample).contains("main") && run.end(sample) == .complete)
        }
    }

    /// A thread is hardly ever caught in such a stub, so one is put there: at each of its bytes, with the stack as it is.
    @Test(
        "From each instruction of a lazily bound stub the caller is found, before and after it has pushed its number"
    )
    func stub() throws {
        let fixture = try NativeFixture("linkage", flags: ["-O1", "-fno-builtin", "-Wl,-z,lazy"])
        let sections = try NativeFixture.output(["readelf", "-SW", fixture.path]).text.split(separator: "\n")
        let line = try #require(sections.first { $0.contains(" .plt ") })
        let fields = line.split(separator: " ")
        let position = try #require(fields.firstIndex(of: ".plt"))
        // The first entry is the resolver's, each 16 bytes long.
        let stub = try #require(UInt64(fields[position + 2], radix: 16)) + 16
        let caller = try #require(fixture.functions["calls_out"]).lowerBound + 20
        let elf = try ElfImage(try OpenFile(fixture.path))
        let segment = try #require(elf.segments.first { $0.isExecutable && $0.fileOffset > 0 })
        let start = segment.address.value & ~0xFFF
        let recorder = SampleRecorder(SamplerConfiguration(), health: SamplerHealth(rung: "by hand"))
        let pid: Int32 = 4_194_303
        recorder.processes.apply(
            PerfMapping(
                processID: pid,
                mapping: MemoryMapping(
                    start: RuntimeAddress(start), end: RuntimeAddress(start + 0x10000),
                    fileOffset: segment.fileOffset & ~0xFFF, isExecutable: true, inode: 0, device: 0,
                    path: fixture.path, isDeleted: false), buildID: elf.buildID))
        // jmp, push, jmp: the number lies on the stack from the eleventh byte on.
        for (offset, words) in [(0, [caller, 7]), (6, [caller, 7]), (11, [9, caller])] as [(UInt64, [UInt64])]
        {
            var registers = [UInt64](repeating: 0, count: 17)
            registers[7] = 0x7FFF_0000_0000
            registers[8] = stub + offset
            let stack = words + [UInt64](repeating: 0, count: 8)
            try registers.withUnsafeBytes { registers in
                try stack.withUnsafeBytes { stack in
                    let moment = SampleRecorder.Moment(
                        threadID: pid, monotonicNanoseconds: 1,
                        registers: try #require(registers.baseAddress),
                        stack: stack, isStackCut: false)
                    let process = recorder.processes.process(pid)
                    let walk = try #require(recorder.walk(moment, of: process))
                    recorder.record(walk, moment, of: process)
                }
            }
            let profile = recorder.profile(periodNanoseconds: 1, samplerCPU: .zero)
            let frames = profile.stacks[profile.stacks.count - 1].frames.map { profile.frames[Int($0)] }
            try #require(frames.count >= 2)
            #expect(frames[0].address == .image(ImageAddress(stub + offset)))
            // Found by call-frame information, not guessed.
            #expect(frames[1].address == .image(ImageAddress(caller)) && !frames[1].isGuessed)
        }
        try fixture.remove()
    }

    private static let hasLLD = Programs.path(of: "clang") != nil && Programs.path(of: "ld.lld") != nil

    @Test(
        "A program as lld lays it out, with and without a read-only segment of its own, is unwound",
        .enabled(if: hasLLD, "clang and lld are not on PATH"),
        arguments: [["-Wl,--rosegment"], ["-Wl,--no-rosegment"], ["-no-pie", "-Wl,--rosegment"]])
    func lld(flags: [String]) throws {
        let fixture = try NativeFixture(
            "recursion", flags: ["-O1", "-fomit-frame-pointer", "-fuse-ld=lld"] + flags, compiler: "clang")
        try checkRecursion(fixture)
    }

    private static let hasMusl = Programs.path(of: "musl-gcc") != nil

    @Test(
        "Programs of musl are unwound, through its signal trampoline too, which says of itself nothing",
        .enabled(if: hasMusl, "musl-gcc is not on PATH"),
        arguments: [[], ["-static"], ["-static-pie"]])
    func musl(flags: [String]) throws {
        try checkRecursion(
            NativeFixture("recursion", flags: ["-O1"] + flags, compiler: "musl-gcc"), root: nil)
        let fixture = try NativeFixture("signals", flags: ["-O1"] + flags, compiler: "musl-gcc")
        let run = try fixture.sample(["200"])
        try fixture.remove()
        #expect(run.output == "done\n")
        let inHandler = run.samples(through: "work_in_handler")
        #expect(inHandler.count >= 15)
        for sample in run.distinct(inHandler) {
            let names = run.names(sample)
            #expect(names.contains("handler") && names.contains("interrupted") && names.contains("main"))
        }
    }

    /// - Parameter root: The outermost function; nil where the C library has no information on its beginning.
    private func checkRecursion(_ fixture: NativeFixture, root: String? = "_start") throws {
        for rung in Rung.allCases {
            let run = try fixture.sample(rung, ["37", "300"])
            #expect(run.output == "37\n" && run.status == .code(7))
            let deep = run.samples(through: "at_the_bottom")
            #expect(deep.count >= 10)
            for sample in run.distinct(deep) {
                let names = run.names(sample)
                #expect(names.count { $0 == "descend" } == 38 && names.count { $0 == "main" } == 1)
                if let root { #expect(names.last == root && run.end(sample) == .complete) }
            }
        }
        try fixture.remove()
    }

    @Test(
        "A program of another mount namespace is unwound by its own file, not by the one of that name here",
        .enabled(
            if: CurrentProcess.userID == 0 && Programs.path(of: "unshare") != nil, "needs root and unshare"),
        arguments: Rung.allCases)
    func mountNamespace(rung: Rung) throws {
        let fixture = try NativeFixture("recursion")
        let directory = Files.directory(of: fixture.path)
        let kept = "\(directory).kept"
        let copied = try runCommand(["cp", fixture.path, kept])
        try #require(copied.status == .code(0))
        let script = """
            mount --make-rprivate / && mount -t tmpfs none \(directory) && cp \(kept) \(fixture.path) &&
            exec \(fixture.path) 37 900
            """
        var child = try ChildProcess.start(ChildRequest(["unshare", "-m", "sh", "-c", script]))
        SystemClock.sleep(for: .milliseconds(250))
        // What has this name here is another program.
        let replaced = try runCommand(["cp", "/bin/true", fixture.path])
        try #require(replaced.status == .code(0))
        let profile: RawProfile
        if rung == .perf {
            let sampler = try PerfSampler.attach(toRunning: child.pid)
            _ = try child.wait(timeout: .seconds(20))
            profile = sampler.finish()
        } else {
            let sampler = try PtraceSampler.attach(toRunning: child.pid, .unbudgeted)
            _ = try child.wait(timeout: .seconds(20))
            profile = sampler.finish()
        }
        let run = SampledRun(profile: profile, fixture: fixture, output: "", status: .code(7))
        let deep = run.samples(through: "at_the_bottom")
        try Files.remove(kept)
        try fixture.remove()
        #expect(deep.count >= 10)
        for sample in run.distinct(deep) {
            #expect(run.names(sample).count { $0 == "descend" } == 38 && run.end(sample) == .complete)
        }
    }
}
