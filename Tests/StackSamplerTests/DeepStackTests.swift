import LinuxProcess
import LinuxSystem
import Measurement
import Testing

@testable import StackSampler

/// Stacks that do not fit into what a sample copies at first.
@Suite(.serialized) struct DeepStackTests {
    private func descents(_ run: SampledRun, _ sample: RawSample) -> Int {
        run.names(sample).count { $0 == "descend" }
    }

    @Test(
        "2,000 small frames come out whole by perf events once enough stack is copied, all of them by ptrace")
    func twoThousand() throws {
        let fixture = try NativeFixture("recursion", flags: ["-O2"])
        var configuration = SamplerConfiguration()
        configuration.rateHertz = 199
        let perf = try fixture.sample(["2000", "1200"], configuration)
        var byWall = WallClockConfiguration.unbudgeted
        byWall.rateHertz = 50
        let ptrace = try fixture.sampleByWallClock(["2000", "500"], byWall)
        try fixture.remove()
        #expect(perf.output == "2000\n" && perf.status == .code(7))
        #expect(perf.profile.health.enlargements >= 1)
        #expect(perf.profile.health.stackBytes > SamplerConfiguration().stackBytes)
        let deep = perf.samples(through: "at_the_bottom")
        #expect(deep.count >= 20)
        let whole = deep.filter { perf.end($0) == .complete }
        // Enlarged three times, after eight samples each and some that were under way.
        #expect(deep.count - whole.count <= 60, "\(deep.count - whole.count) of \(deep.count) not whole")
        #expect(deep.suffix(deep.count / 4).allSatisfy { perf.end($0) == .complete })
        for sample in perf.distinct(whole) {
            #expect(descents(perf, sample) == 2001 && perf.names(sample).last == "_start")
        }
        let copied = ptrace.samples(through: "at_the_bottom")
        #expect(copied.count >= 5)
        for sample in ptrace.distinct(copied) {
            #expect(descents(ptrace, sample) == 2001 && ptrace.end(sample) == .complete)
        }
    }

    @Test("2,000 larger frames, more than a perf sample can hold, come out whole by ptrace")
    func twoThousandLarge() throws {
        let fixture = try NativeFixture("recursion", flags: ["-O0"])
        var configuration = WallClockConfiguration.unbudgeted
        configuration.rateHertz = 50
        let run = try fixture.sampleByWallClock(["2000", "500"], configuration)
        try fixture.remove()
        let deep = run.samples(through: "at_the_bottom")
        #expect(deep.count >= 5)
        for sample in run.distinct(deep) {
            #expect(descents(run, sample) == 2001 && run.names(sample).contains("main"))
            #expect(run.end(sample) == .complete)
        }
    }

    /// 100 calls deep, in frames of which a sample copies fewer.
    private func shortCopy(_ flags: [String]) throws -> SampledRun {
        let fixture = try NativeFixture("recursion", flags: flags)
        var configuration = SamplerConfiguration()
        configuration.stackBytes = 1024
        configuration.maximumStackBytesOfSample = 1024
        let run = try fixture.sample(["100", "900"], configuration)
        try fixture.remove()
        return run
    }

    @Test("Beyond the copied stack the chain of frame pointers goes on, marked as guessed")
    func splice() throws {
        let run = try shortCopy(["-O0", "-fno-omit-frame-pointer"])
        let deep = run.samples(through: "at_the_bottom")
        #expect(deep.count >= 30)
        let continued = deep.filter { descents(run, $0) == 101 && run.names($0).contains("main") }
        // Not those caught where a frame pointer is just being set up or taken down.
        #expect(continued.count * 10 >= deep.count * 9, "\(continued.count) of \(deep.count)")
        for sample in run.distinct(continued) {
            let frames = run.profile.stacks[Int(sample.stackIndex)].frames.map { run.profile.frames[Int($0)] }
            let firstGuess = frames.firstIndex(where: \.isGuessed) ?? 0
            #expect(firstGuess > 3 && frames[firstGuess...].allSatisfy(\.isGuessed))
            // libc keeps no frame pointers, so what lies above main is not known: no root is made up.
            #expect(run.end(sample) == .truncated)
        }
        let health = run.profile.health
        #expect(health.continuedByFramePointers >= continued.count && health.truncated >= continued.count)
    }

    @Test("Without frame pointers nothing goes on beyond the copied stack, which stays marked as truncated")
    func noFramePointers() throws {
        let run = try shortCopy(["-O2", "-fomit-frame-pointer"])
        let deep = run.samples(through: "at_the_bottom")
        #expect(deep.count >= 30)
        for sample in run.distinct(deep) {
            #expect(run.end(sample) == .truncated)
            #expect(descents(run, sample) < 101 && !run.names(sample).contains("main"))
        }
        #expect(run.profile.health.continuedByFramePointers == 0)
    }

    @Test("A frame of 100 KB, which no sample holds, is followed by its frame pointer")
    func largeFrame() throws {
        let fixture = try NativeFixture("bigframe", flags: ["-O1", "-fno-omit-frame-pointer"])
        let run = try fixture.sample(["1000"])
        try fixture.remove()
        let deep = run.samples(through: "deep_work")
        #expect(deep.count >= 30)
        let continued = deep.filter {
            run.names($0).filter { !$0.hasPrefix("[") } == ["deep_work", "big_frame", "above", "main"]
        }
        #expect(continued.count * 10 >= deep.count * 9, "\(continued.count) of \(deep.count)")
    }

    @Test(
        "More is taken when more than 1 % of the samples are cut, up to the limit, and not for a few at the start; the chain of frame pointers from 0.1 % on"
    )
    func window() {
        let start = StackWindow.Extent(bytes: 16_384, hasChain: false)
        var window = StackWindow(start, limit: 50_000)
        #expect(window.next(.init(samples: 7, cut: 7)) == nil)
        #expect(window.next(.init(samples: 10_000, cut: 9)) == nil)
        #expect(window.next(.init(samples: 1000, cut: 9)) == .init(bytes: 16_384, hasChain: true))
        #expect(window.next(.init(samples: 1000, cut: 11)) == .init(bytes: 32_768, hasChain: true))
        window.change(to: .init(bytes: 32_768, hasChain: true), .init(samples: 1000, cut: 11))
        #expect(window.next(.init(samples: 1010, cut: 18)) == nil)
        #expect(window.next(.init(samples: 1010, cut: 19)) == .init(bytes: 50_000, hasChain: true))
        window.change(to: .init(bytes: 50_000, hasChain: true), .init(samples: 1010, cut: 19))
        #expect(window.next(.init(samples: 5000, cut: 4000)) == nil)
        var refused = StackWindow(start, limit: 50_000)
        refused.stay()
        #expect(refused.next(.init(samples: 1000, cut: 1000)) == nil)
    }

    @Test(
        "After a change of events each sample counts once: of the earlier ones up to the change, of the later after it"
    )
    func generations() {
        let ownership = EventOwnership()
        ownership.remember(identifier: 1, threadID: 10)
        ownership.remember(identifier: 2, threadID: 11)
        #expect(ownership.counts(identifier: 1, threadID: 10, time: 5))
        #expect(!ownership.counts(identifier: 1, threadID: 11, time: 5))
        ownership.beginGeneration()
        for (identifier, thread) in [(3, 10), (4, 11), (5, 12)] {
            ownership.remember(identifier: UInt64(identifier), threadID: Int32(thread))
        }
        ownership.endEarlierGenerations(at: 100)
        // Thread 12 had inherited the first event; what that saw before the change still counts.
        #expect(ownership.counts(identifier: 1, threadID: 12, time: 99))
        #expect(ownership.counts(identifier: 2, threadID: 11, time: 100))
        #expect(!ownership.counts(identifier: 2, threadID: 11, time: 101))
        #expect(!ownership.counts(identifier: 1, threadID: 12, time: 101))
        #expect(ownership.counts(identifier: 5, threadID: 12, time: 101))
        #expect(!ownership.counts(identifier: 3, threadID: 12, time: 101))
        ownership.beginGeneration()
        ownership.remember(identifier: 6, threadID: 10)
        ownership.dropGeneration()
        #expect(ownership.counts(identifier: 3, threadID: 10, time: 200))
    }

    @Test("Threads and children keep being sampled, each once, while the copies grow")
    func enlargementWithThreads() throws {
        let fixture = try NativeFixture("deep-threads", flags: ["-O0", "-fomit-frame-pointer"])
        var configuration = SamplerConfiguration()
        configuration.stackBytes = 1024
        configuration.maximumStackBytesOfSample = 16 << 10
        let pipe = try FileDescriptor.pipe()
        var request = ChildRequest([fixture.path, "600"])
        request.standardOutput = .descriptor(pipe.writeEnd.rawValue)
        let suspended = try SuspendedChild.prepare(request)
        let sampler = try PerfSampler.attach(to: suspended, configuration)
        var child = try suspended.release()
        _ = try NativeFixture.readAll(pipe.takeReadEnd())
        let outcome = try #require(try child.wait(timeout: .seconds(30)))
        let profile = sampler.finish()
        try fixture.remove()
        #expect(profile.health.enlargements >= 2 && profile.health.problems.isEmpty)
        let run = SampledRun(profile: profile, fixture: fixture, output: "", status: outcome.status)
        let deep = run.samples(through: "deep_work")
        #expect(Set(deep.map(\.threadIndex)).count == 5)
        #expect(Set(deep.map { profile.threads[Int($0.threadIndex)].processID }).count == 2)
        #expect(deep.suffix(deep.count / 6).allSatisfy { run.end($0) == .complete })
        let sampled = Double(profile.samples.count) * Double(profile.periodNanoseconds) / 1e9
        #expect(sampled > outcome.cpu.inSeconds * 0.75 && sampled < outcome.cpu.inSeconds * 1.1)
    }

    @Test("Where cycles cannot be counted the CPU clock is used, and the health says so")
    func cycles() throws {
        let fixture = try NativeFixture("recursion", flags: ["-O2"])
        var configuration = SamplerConfiguration()
        configuration.event = .cycles
        let run = try fixture.sample(["5", "500"], configuration)
        try fixture.remove()
        let health = run.profile.health
        if health.rung == PerfSampler.rung {
            #expect(health.problems.contains { $0.hasPrefix("Cycles could not be counted (") })
        } else {
            #expect(health.rung == PerfSampler.cyclesRung)
        }
        // Either way a sample stands for about a period, of the CPU time that a busy machine leaves to the program.
        let count = run.samples(through: "at_the_bottom").count
        #expect((30...800).contains(count), "\(count)")
    }
}
