import LinuxProcess
import LinuxSystem
import StackSampler
import TestSupport
import Testing

/// The two ways of sampling.
enum Rung: String, CaseIterable, CustomTestStringConvertible {
    case perf, ptrace
    var testDescription: String { rawValue }
}

extension NativeFixture {
    /// Runs the program under either sampler.
    func sample(_ rung: Rung, _ arguments: [String], hertz: Int = 250) throws -> SampledRun {
        if rung == .perf { return try sample(arguments) }
        var configuration = WallClockConfiguration.unbudgeted
        configuration.rateHertz = hertz
        return try sampleByWallClock(arguments, configuration)
    }
}

/// Programs that samplers get wrong, under both of ours.
@Suite(.serialized) struct DifficultTargetsTests {
    @Test("Functions caught while they enter and leave have their callers", arguments: Rung.allCases)
    func epilogues(rung: Rung) throws {
        let fixture = try NativeFixture("epilogues", flags: ["-O2", "-fomit-frame-pointer"])
        let run = try fixture.sample(rung, ["500"])
        try fixture.remove()
        let saving = run.samples(through: "saves")
        #expect(saving.count >= 15)
        for sample in run.distinct(saving) {
            #expect(run.names(sample).contains("main"))
            #expect(run.end(sample) == .complete)
        }
    }

    @Test("A program with two executable segments is unwound from either", arguments: Rung.allCases)
    func twoSegments(rung: Rung) throws {
        for layout in [
            ["-Wl,--section-start=.far=0x4000000"], ["-no-pie", "-Wl,--section-start=.far=0x4000000"],
            ["-Wl,-z,noseparate-code"],
        ] {
            let fixture = try NativeFixture("farcode", flags: ["-O1"] + layout)
            let run = try fixture.sample(rung, ["250"])
            try fixture.remove()
            #expect(run.status == .code(0))
            let near = run.samples(through: "near_work")
            let far = run.samples(through: "far_work")
            #expect(near.count >= 5 && far.count > near.count)
            for sample in run.distinct(far) {
                #expect(
                    Array(run.names(sample).filter { !$0.hasPrefix("[") }.suffix(3)) == [
                        "far_work", "main", "_start",
                    ])
                #expect(run.end(sample) == .complete)
            }
        }
    }

    @Test(
        "A shared object loaded where another one was is unwound by its own tables", arguments: Rung.allCases)
    func reloaded(rung: Rung) throws {
        let fixture = try NativeFixture("plugins", flags: ["-O1"])
        let directory = Files.directory(of: fixture.path)
        let source = Files.directory(of: Files.directory(of: #filePath)) + "/Fixtures/native/plugin.c"
        for (name, size) in [("a.so", 64), ("b.so", 4096)] {
            let built = try NativeFixture.output(
                [
                    "gcc", "-O1", "-fomit-frame-pointer", "-shared", "-fPIC", "-DFRAME=\(size)", "-o",
                    "\(directory)/\(name)", source,
                ])
            try #require(built.status == .code(0))
        }
        // Mappings are read anew twice a second by the wall clock.
        let run = try fixture.sample(rung, ["1200", "\(directory)/a.so", "\(directory)/b.so"])
        try fixture.remove()
        #expect(run.status == .code(0))
        #expect(run.output == "1\n", "the second did not take the first one's place: the test tests nothing")
        for name in ["a.so", "b.so"] {
            let through = run.profile.samples.filter { run.names($0).contains("[\(name)]") }
            #expect(through.count >= 40)
            let whole = through.filter { run.end($0) == .complete && run.names($0).contains("main") }
            // By the wall clock, what lies between a change and the next reading may be wrong.
            #expect(Double(whole.count) >= Double(through.count) * (rung == .perf ? 1 : 0.5))
        }
    }

    @Test("Two hundred threads are sampled, those that wait too by the wall clock", arguments: Rung.allCases)
    func crowd(rung: Rung) throws {
        let fixture = try NativeFixture("crowd")
        let run = try fixture.sample(rung, ["700"], hertz: 50)
        try fixture.remove()
        #expect(run.status == .code(7) && run.output == "done\n")
        let busy = run.samples(through: "busy")
        #expect(Set(busy.map(\.threadIndex)).count >= 3)
        #expect(run.distinct(busy).allSatisfy { run.end($0) == .complete })
        guard rung == .ptrace else { return }
        let waiting = run.samples(through: "member").filter {
            run.profile.states[Int($0.stateIndex)] == "blocked: futex"
        }
        #expect(Set(waiting.map(\.threadIndex)).count >= 190)
        let stops = try #require(run.profile.health.stops)
        #expect(stops.spared > stops.count)
    }

    @Test("Threads that come and go all the time all come back", arguments: Rung.allCases)
    func churn(rung: Rung) throws {
        let fixture = try NativeFixture("churn")
        let run = try fixture.sample(rung, ["800"], hertz: 1000)
        try fixture.remove()
        #expect(run.status == .code(7) && run.output == "1\n")
        if rung == .ptrace {
            #expect(!run.samples(through: "brief").isEmpty)
        } else {
            // A perf event counts each thread's time from its start: one that ends sooner than a period has no sample.
            #expect(run.profile.health.endedUnsampled > 100)
        }
    }

    @Test("Programs that end under the sampler end as they would without it", arguments: Rung.allCases)
    func endings(rung: Rung) throws {
        let fixture = try NativeFixture("recursion")
        for _ in 0..<25 {
            let run = try fixture.sample(rung, ["5", "12"], hertz: 1000)
            #expect(run.status == .code(7) && run.output == "5\n")
        }
        try fixture.remove()
    }

    @Test("A program whose file has been deleted is unwound all the same", arguments: Rung.allCases)
    func deleted(rung: Rung) throws {
        let fixture = try NativeFixture("recursion")
        var child = try ChildProcess.start(ChildRequest([fixture.path, "9", "700"]))
        SystemClock.sleep(for: .milliseconds(100))
        try Files.remove(fixture.path)
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
        let bottom = run.samples(through: "at_the_bottom")
        try Files.removeTree(Files.directory(of: fixture.path))
        #expect(bottom.count >= 15)
        #expect(run.distinct(bottom).allSatisfy { run.end($0) == .complete })
        #expect(run.distinct(bottom).allSatisfy { run.names($0).filter { $0 == "descend" }.count == 10 })
    }
}
