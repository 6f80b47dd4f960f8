import LinuxProcess
import LinuxSystem
import StackSampler
import Testing

/// The sampler of wall-clock time and threads that wait: what they see of it, and what it sees of them.
@Suite(.serialized) struct WaitingTests {
    /// The way that users have: running threads are looked at by perf events, waiting ones through /proc.
    private static var usual: WallClockConfiguration {
        var configuration = WallClockConfiguration()
        configuration.rateHertz = 400
        return configuration
    }

    @Test("No system call of any kind is interrupted, in threads that wait and in loops that wait and work")
    func interruptions() throws {
        let fixture = try NativeFixture("waiting-calls")
        let bare = try NativeFixture.output([fixture.path, "300"])
        #expect(bare.text == "0\n")
        let run = try fixture.sampleByWallClock(["1500"], Self.usual)
        try fixture.remove()
        #expect(run.status == .code(0))
        #expect(run.output == "0\n")
        let profile = run.profile
        #expect(profile.health.stops?.count == 0 && profile.health.problems.isEmpty)
        let states = Set(profile.samples.map { profile.states[Int($0.stateIndex)] })
        let expected = [
            "epoll_wait", "poll", "read", "recvfrom", "rt_sigtimedwait", "msgrcv", "futex", "pause",
        ].map { "blocked: \($0)" }
        #expect(states.isSuperset(of: expected), "\(states)")
        // Every one is followed to its root, although most of its registers are not known.
        let waiting = profile.samples.filter { run.names($0).contains("waits") }
        let whole = waiting.filter { run.end($0) == .complete }
        #expect(waiting.count > 100 && whole.count * 100 >= waiting.count * 95)
    }

    @Test("A parent that waits in vfork has its callers, whose address is in a register alone")
    func vfork() throws {
        let fixture = try NativeFixture("vfork-parent")
        let run = try fixture.sampleByWallClock(["500"], Self.usual)
        try fixture.remove()
        let waiting = run.samples(through: "waits_for_child")
        #expect(waiting.reduce(0) { $0 + Int($1.weight) } > 20)
        #expect(run.distinct(waiting).allSatisfy { run.names($0).contains("main") })
    }

    @Test("A process whose first thread has ended is sampled through the others", arguments: [true, false])
    func endedLeader(_ byCPU: Bool) throws {
        let fixture = try NativeFixture("ended-leader")
        var child = try ChildProcess.start(ChildRequest([fixture.path, "900"]))
        SystemClock.sleep(for: .milliseconds(200))
        #expect(ProcessStat.ofProcess(child.pid)?.hasEnded == false)
        let profile: RawProfile
        if byCPU {
            let sampler = try PerfSampler.attach(toRunning: child.pid)
            _ = try child.wait(timeout: .seconds(20))
            profile = sampler.finish()
        } else {
            let sampler = try PtraceSampler.attach(toRunning: child.pid)
            _ = try child.wait(timeout: .seconds(20))
            profile = sampler.finish()
        }
        let run = SampledRun(profile: profile, fixture: fixture, output: "", status: .code(0))
        let working = run.samples(through: "outlives_leader").reduce(0) { $0 + Int($1.weight) }
        try fixture.remove()
        #expect(working > (byCPU ? 100 : 10))
    }
}
