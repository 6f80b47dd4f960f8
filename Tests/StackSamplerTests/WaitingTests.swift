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
        // The parent, and not the child, which runs in the same functions.
        let waiting = run.profile.samples.filter {
            run.profile.states[Int($0.stateIndex)].hasSuffix(": vfork")
        }
        #expect(waiting.reduce(0) { $0 + Int($1.weight) } > 20)
        #expect(
            run.distinct(waiting).allSatisfy {
                run.end($0) == .complete && Set(run.names($0)).isSuperset(of: ["main", "waits_for_child"])
            })
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

    @Test(
        "Beside thousands of threads that wait, the one that works has all its moments",
        arguments: [true, false])
    func idleCrowd(_ samplesRunningOnly: Bool) throws {
        let fixture = try NativeFixture("idle-crowd")
        let pipe = try FileDescriptor.pipe()
        var request = ChildRequest([fixture.path, "3000", "2000"])
        request.standardOutput = .descriptor(pipe.writeEnd.rawValue)
        var child = try ChildProcess.start(request)
        let readEnd = pipe.takeReadEnd()
        #expect(try FileDescriptor.waitUntilReadable([readEnd.rawValue], timeout: .seconds(20))[0])
        let begin = SystemClock.monotonicNanoseconds
        var configuration = WallClockConfiguration()
        configuration.rateHertz = 100
        configuration.samplesRunningOnly = samplesRunningOnly
        let sampler = try PtraceSampler.attach(toRunning: child.pid, configuration)
        let outcome = try child.wait(timeout: .seconds(30))
        let elapsed = Double(SystemClock.monotonicNanoseconds - begin)
        let run = SampledRun(
            profile: sampler.finish(), fixture: fixture, output: "", status: try #require(outcome).status)
        #expect(run.status == .code(7))
        let moments = run.samples(through: "works").reduce(0) { $0 + Double($1.weight) }
        try fixture.remove()
        // It may have been at work for a while before it was first seen.
        let share = moments * Double(run.profile.periodNanoseconds) / elapsed
        #expect(share > 0.5 && share < 1.5, "\(moments) moments in \(elapsed / 1e9) s")
        #expect(run.profile.health.stops?.count == 0)
    }
}
