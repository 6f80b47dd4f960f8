import LinuxProcess
import LinuxSystem
import Measurement
import StackSampler
import Testing

extension NativeFixture {
    /// Runs the program with arguments under the sampler of wall-clock time.
    func sampleByWallClock(
        _ arguments: [String], _ configuration: WallClockConfiguration = .unbudgeted
    ) throws -> SampledRun {
        let pipe = try FileDescriptor.pipe()
        var request = ChildRequest([path] + arguments)
        request.standardOutput = .descriptor(pipe.writeEnd.rawValue)
        let suspended = try SuspendedChild.prepare(request)
        let sampler = try PtraceSampler.attach(to: suspended, configuration)
        var child = try suspended.release()
        let output = try Self.readAll(pipe.takeReadEnd())
        let outcome = try #require(try child.wait(timeout: .seconds(60)))
        return SampledRun(
            profile: sampler.finish(), fixture: self, output: output, status: outcome.status)
    }
}

extension WallClockConfiguration {
    /// Running threads are stopped, as where perf events are refused. On a loaded machine a stop lasts as long as we wait for
    /// a CPU: tests of other things set no budget.
    static var unbudgeted: WallClockConfiguration {
        var configuration = WallClockConfiguration()
        configuration.stopBudget = 1
        configuration.usesPerfEvents = false
        return configuration
    }
}

/// What the wall-clock sampler sees, and what it leaves alone.
@Suite(.serialized) struct PtraceSamplingTests {
    @Test("Threads that compute, sleep and wait weigh the same, each in its state and its function")
    func states() throws {
        let fixture = try NativeFixture("waits")
        let run = try fixture.sampleByWallClock(["1500"])
        try fixture.remove()
        #expect(run.status == .code(7))
        #expect(run.output == "done\n")
        let profile = run.profile
        func weight(_ function: String, _ state: String) -> Double {
            let chosen = profile.samples.filter {
                run.names($0).contains(function) && profile.states[Int($0.stateIndex)] == state
            }
            return chosen.reduce(0) { $0 + Double($1.weight) } * Double(profile.periodNanoseconds) / 1e9
        }
        // Four standard deviations of 150 moments, and a machine that is shared.
        let whole = 1.0...2.2
        #expect(whole.contains(weight("computes", "running")))
        #expect(whole.contains(weight("sleeps_once", "blocked: clock_nanosleep")))
        #expect(whole.contains(weight("waits_for_lock", "blocked: futex")))
        #expect(whole.contains(weight("sleeps_often", "blocked: clock_nanosleep")))
        let names = Set(profile.threads.map(\.threadName))
        #expect(names.isSuperset(of: ["computes", "sleeps-once", "sleeps-often", "waits-for-lock"]))
        let stops = try #require(profile.health.stops)
        // Three threads stand still nearly always.
        #expect(stops.spared > stops.count)
        #expect(stops.total > .zero && stops.longest > .zero && stops.longest <= stops.total)
        #expect(stops.interruptedCalls == 0)
    }

    @Test("A thread that gets its name while it stands still has it from then on, without another stop")
    func lateName() throws {
        let fixture = try NativeFixture("late-name")
        let run = try fixture.sampleByWallClock(["3000"])
        try fixture.remove()
        #expect(run.status == .code(7))
        let sleeping = run.samples(through: "sleeps")
        let names = sleeping.map { run.profile.threads[Int($0.threadIndex)].threadName }
        let change = try #require(names.firstIndex(of: "named-late"))
        #expect(change > 0 && names[..<change].allSatisfy { $0 == "late-name" })
        #expect(names[change...].allSatisfy { $0 == "named-late" })
        let named = sleeping[change...].reduce(0) { $0 + Double($1.weight) }
        #expect((0.3...0.8).contains(named / sleeping.reduce(0) { $0 + Double($1.weight) }))
    }

    @Test("A frame of 100 KB is truncated in a perf sample, and whole in a copy that grows")
    func largeFrame() throws {
        let fixture = try NativeFixture("bigframe")
        let perf = try fixture.sample(["400"])
        let wall = try fixture.sampleByWallClock(["700"])
        try fixture.remove()
        let cut = perf.samples(through: "deep_work")
        #expect(cut.count >= 20)
        for sample in perf.distinct(cut) {
            #expect(perf.end(sample) == .truncated)
            #expect(perf.names(sample).contains("big_frame") && !perf.names(sample).contains("main"))
        }
        let whole = wall.samples(through: "deep_work")
        #expect(whole.count >= 5)
        for sample in wall.distinct(whole) {
            #expect(wall.end(sample) == .complete)
            #expect(
                wall.names(sample).filter { !$0.hasPrefix("[") } == [
                    "deep_work", "big_frame", "above", "main", "_start",
                ])
        }
    }

    @Test("A thread that costs more than its budget is sampled less often, and its samples stand for more")
    func budget() throws {
        let fixture = try NativeFixture("shares")
        var configuration = WallClockConfiguration()
        configuration.rateHertz = 1000
        configuration.stopBudget = 0.005
        configuration.usesPerfEvents = false
        let run = try fixture.sampleByWallClock(["1500"], configuration)
        try fixture.remove()
        let health = run.profile.health
        let stops = try #require(health.stops)
        #expect(stops.deferredByBudget > 300)
        // What is over the budget is at most the stop that used it up, and what the first samples have free.
        #expect(stops.total < .milliseconds(1700) * 0.005 + .microseconds(500) + stops.longest)
        let weight = run.profile.samples.reduce(0) { $0 + Int($1.weight) }
        #expect(weight + health.lost > 800)
        #expect(run.profile.samples.count < weight + health.lost)
    }

    @Test("A process that is stopped stays stopped, is seen as stopped, and is continued by its owner")
    func stoppedProcess() throws {
        let fixture = try NativeFixture("shares")
        var child = try ChildProcess.start(ChildRequest([fixture.path, "1200"]))
        SystemClock.sleep(for: .milliseconds(100))
        let sampler = try PtraceSampler.attach(toRunning: child.pid, .unbudgeted)
        SystemClock.sleep(for: .milliseconds(200))
        child.send(19)
        SystemClock.sleep(for: .milliseconds(400))
        #expect(ProcessStat.ofProcess(child.pid)?.state == "T")
        let profile = sampler.finish()
        #expect(ProcessStat.ofProcess(child.pid)?.state == "T")
        let states = profile.samples.map { profile.states[Int($0.stateIndex)] }
        #expect(states.contains("stopped") && states.contains("running"))
        child.send(18)
        #expect(try child.wait(timeout: .seconds(20))?.status == .code(0))
        try fixture.remove()
    }

    @Test("A thread in uninterruptible sleep is sampled from outside, without waiting for it")
    func uninterruptible() throws {
        let fixture = try NativeFixture("uninterruptible")
        let before = SystemClock.monotonicNanoseconds
        let run = try fixture.sampleByWallClock(["600"])
        try fixture.remove()
        #expect(run.status == .code(0))
        #expect(SystemClock.monotonicNanoseconds - before < 20_000_000_000)
        let states = run.profile.samples.map { run.profile.states[Int($0.stateIndex)] }
        #expect(states.contains { $0.hasPrefix("uninterruptible") })
        #expect((run.profile.health.stops?.fromOutside ?? 0) > 0)
    }

    @Test("Programs that a process starts, and the one it becomes, are followed")
    func family() throws {
        let fixture = try NativeFixture("family")
        let run = try fixture.sampleByWallClock(["500"])
        try fixture.remove()
        #expect(run.samples(through: "forked_work").count >= 3)
        #expect(run.samples(through: "executed_work").count >= 3)
    }
}
