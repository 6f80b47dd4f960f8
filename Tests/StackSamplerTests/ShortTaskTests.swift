import LinuxProcess
import LinuxSystem
import Measurement
import StackSampler
import Testing

/// Programs whose time is spent in threads and processes that end sooner than a period.
@Suite(.serialized) struct ShortTaskTests {
    private static let isRoot = CurrentProcess.userID == 0

    private func weight(_ run: SampledRun, _ function: String) -> Double {
        run.samples(through: function).reduce(0) { $0 + Double($1.weight) }
    }

    private func notSampled(_ profile: RawProfile) -> [RawSample] {
        profile.samples.filter { sample in
            profile.stacks[Int(sample.stackIndex)].frames.contains {
                profile.frames[Int($0)].address == .none(.notSampled)
            }
        }
    }

    @Test(
        "Sampled by CPU, short tasks and a long one have the shares that their own clocks show",
        .enabled(if: isRoot, "events of a whole CPU need privilege"),
        arguments: [("thread", 1_000, 400), ("fork", 800, 500), ("exec", 200, 1_000)])
    func byCPU(_ kind: String, _ count: Int, _ microseconds: Int) throws {
        var configuration = SamplerConfiguration()
        configuration.includesKernelTime = true
        let fixture = try NativeFixture("short-tasks")
        let run = try fixture.sample([kind, "\(count)", "\(microseconds)"], configuration)
        try fixture.remove()
        let printed = run.output.split { $0 == " " || $0 == "\n" }.compactMap { Double($0) }
        try #require(printed.count == 3)
        let (short, long) = (weight(run, "short_work"), weight(run, "long_work"))
        let truth = printed[0] / (printed[0] + printed[1])
        // Each sample falls into one or the other by chance: four standard deviations.
        let deviation = (truth * (1 - truth) / (short + long)).squareRoot()
        #expect(abs(short / (short + long) - truth) < 4 * deviation, "\(short) and \(long) of \(printed)")
        let clocks = try #require(run.profile.health.clocks)
        #expect(try #require(clocks.sampledShare) > 0.9)
        #expect(notSampled(run.profile).isEmpty, "\(clocks)")
    }

    @Test(
        "Sampled by thread, what short tasks used is shown as not sampled, under the command's name, to 2 %",
        arguments: [("thread", 1_000, 400, "short-tasks"), ("exec", 300, 600, "short-tasks")])
    func byThread(_ kind: String, _ count: Int, _ microseconds: Int, _ name: String) throws {
        var configuration = SamplerConfiguration()
        configuration.watchesCPUs = false
        configuration.includesKernelTime = true
        let fixture = try NativeFixture("short-tasks")
        let run = try fixture.sample([kind, "\(count)", "\(microseconds)"], configuration)
        try fixture.remove()
        let profile = run.profile
        let missing = notSampled(profile)
        let clocks = try #require(profile.health.clocks)
        let commands = Set(missing.map { profile.threads[Int($0.threadIndex)].processName })
        #expect(commands == [name])
        // Samples and what is missing are all of the kernel's time.
        let shown = profile.samples.reduce(0) { $0 + Double($1.weight) } * Double(profile.periodNanoseconds)
        let kernel = Double(clocks.kernel.inNanoseconds)
        #expect(abs(shown - kernel) < 0.02 * kernel, "\(shown) of \(kernel)")
        let printed = run.output.split { $0 == " " || $0 == "\n" }.compactMap { Double($0) }
        try #require(printed.count == 3)
        #expect(kernel > printed[0] + printed[1])
        let hidden = missing.reduce(0) { $0 + Double($1.weight) } * Double(profile.periodNanoseconds)
        #expect(hidden + weight(run, "short_work") * Double(profile.periodNanoseconds) > 0.95 * printed[0])
    }

    private static var fromOutside: WallClockConfiguration {
        var configuration = WallClockConfiguration()
        configuration.samplesRunningOnly = true
        configuration.rateHertz = 1000
        return configuration
    }

    @Test("Looked at from outside, children of 20 ms are found while they run")
    func children() throws {
        let fixture = try NativeFixture("short-tasks")
        let run = try fixture.sampleByWallClock(["fork", "30", "20000"], Self.fromOutside)
        try fixture.remove()
        let printed = run.output.split { $0 == " " || $0 == "\n" }.compactMap { Double($0) }
        try #require(printed.count == 3)
        let (short, long) = (weight(run, "short_work"), weight(run, "long_work"))
        // On a machine that is shared a child may run before we do.
        #expect((0.35...0.6).contains(short / (short + long)), "\(short) and \(long) of \(printed)")
    }

    @Test(
        "Looked at from outside, what children used that ended before they were found is shown as not sampled"
    )
    func unseenChildren() throws {
        let fixture = try NativeFixture("short-tasks")
        let run = try fixture.sampleByWallClock(["exec", "600", "300"], Self.fromOutside)
        try fixture.remove()
        let printed = run.output.split { $0 == " " || $0 == "\n" }.compactMap { Double($0) }
        try #require(printed.count == 3)
        let clocks = try #require(run.profile.health.clocks)
        // The last look may be a tenth of a second old.
        #expect(Double(clocks.kernel.inNanoseconds) > 0.8 * printed[2], "\(clocks) of \(printed)")
        #expect(Double(clocks.kernel.inNanoseconds) < 1.1 * printed[2], "\(clocks) of \(printed)")
        // A busy machine lets threads wait for a CPU, and their samples stand for that too.
        guard try #require(clocks.sampledShare) < 0.9 else { return }
        let missing = notSampled(run.profile).reduce(0) { $0 + Double($1.weight) } * 1e6
        let found = weight(run, "short_work") * 1e6
        #expect(missing + found > 0.7 * printed[0], "\(missing) and \(found) of \(printed)")
        #expect(clocks.missing.map(\.command) == ["short-tasks"])
    }

    @Test("Looked at from outside, a long program leaves nothing missing")
    func nothingMissingFromOutside() throws {
        let fixture = try NativeFixture("threads")
        let run = try fixture.sampleByWallClock(["400"], Self.fromOutside)
        try fixture.remove()
        let clocks = try #require(run.profile.health.clocks)
        #expect(clocks.missing.isEmpty, "\(clocks)")
    }

    @Test("A long program leaves nothing missing, sampled by CPU and by thread", arguments: [true, false])
    func nothingMissing(_ watchesCPUs: Bool) throws {
        var configuration = SamplerConfiguration()
        configuration.watchesCPUs = watchesCPUs
        configuration.includesKernelTime = true
        let fixture = try NativeFixture("threads")
        let run = try fixture.sample(["400"], configuration)
        try fixture.remove()
        let clocks = try #require(run.profile.health.clocks)
        let share = try #require(clocks.sampledShare)
        #expect((0.95...1.05).contains(share), "\(clocks)")
        #expect(clocks.missing.isEmpty)
    }
}
