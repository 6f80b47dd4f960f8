import LinuxProcess
import LinuxSystem
import Measurement
import StackSampler
import Testing

/// What is sampled, when, and what it is worth.
@Suite(.serialized) struct SamplingTests {
    @Test(
        "Functions get the shares of the samples that they have of the CPU time, by the program's own clock")
    func shares() throws {
        let fixture = try NativeFixture("clocked-shares")
        let run = try fixture.sample(["20"])
        try fixture.remove()
        let functions = ["seventy", "twenty", "ten"]
        let spent = run.output.split { $0 == " " || $0 == "\n" }.compactMap { Double($0) }
        try #require(spent.count == 3)
        let leaves = run.profile.samples.map { run.names($0).first ?? "" }.filter { functions.contains($0) }
        try #require(leaves.count > 200)
        for (function, time) in zip(functions, spent) {
            let share = Double(leaves.count { $0 == function }) / Double(leaves.count)
            let truth = time / spent.reduce(0, +)
            #expect(abs(share - truth) < 0.1, "\(function): \(share) of \(leaves.count), really \(truth)")
        }
    }

    @Test("Samples stand for the CPU time that the process used, and lie between its start and its end")
    func weight() throws {
        let fixture = try NativeFixture("recursion")
        let pipe = try FileDescriptor.pipe()
        var request = ChildRequest([fixture.path, "3", "700"])
        request.standardOutput = .descriptor(pipe.writeEnd.rawValue)
        let before = SystemClock.monotonicNanoseconds
        let suspended = try SuspendedChild.prepare(request)
        let sampler = try PerfSampler.attach(to: suspended)
        var child = try suspended.release()
        let outcome = try #require(try child.wait(timeout: .seconds(30)))
        let after = SystemClock.monotonicNanoseconds
        let profile = sampler.finish()
        try fixture.remove()
        let sampled = Double(profile.samples.count) * Double(profile.periodNanoseconds)
        let used = Double(outcome.cpu.inNanoseconds)
        #expect(sampled > used * 0.8 && sampled < used * 1.1)
        #expect(profile.samples.allSatisfy { (before...after).contains($0.monotonicNanoseconds) })
        let times = profile.samples.map(\.monotonicNanoseconds)
        #expect(times == times.sorted())
        #expect(profile.health.attempted == profile.health.recorded + profile.health.lost)
        #expect(profile.health.samplerCPU > .zero)
    }

    @Test("Threads that start later are sampled under their own names")
    func threads() throws {
        let fixture = try NativeFixture("threads")
        let run = try fixture.sample(["150"])
        try fixture.remove()
        let working = run.samples(through: "thread_work")
        let names = working.map { run.profile.threads[Int($0.threadIndex)].threadName }
        for index in 0..<4 { #expect(names.count { $0 == "worker-\(index)" } >= 10) }
        #expect(run.distinct(working).allSatisfy { run.end($0) == .complete })
        #expect(run.profile.threads.allSatisfy { $0.processName == "threads" })
    }

    @Test("Children are sampled, those that run another program as well, each under its identifier and name")
    func family() throws {
        let fixture = try NativeFixture("family")
        let run = try fixture.sample(["150"])
        try fixture.remove()
        let forked = run.samples(through: "forked_work")
        let executed = run.samples(through: "executed_work")
        #expect(forked.count >= 10 && executed.count >= 10)
        let forkedProcesses = Set(forked.map { run.profile.threads[Int($0.threadIndex)].processID })
        let executedProcesses = Set(executed.map { run.profile.threads[Int($0.threadIndex)].processID })
        #expect(forkedProcesses.count == 1 && executedProcesses.count == 1)
        #expect(forkedProcesses != executedProcesses)
        #expect(run.distinct(forked + executed).allSatisfy { run.end($0) == .complete })
    }

    @Test("A process that runs already is sampled from then on, its older threads included")
    func attachToRunning() throws {
        let fixture = try NativeFixture("threads")
        var child = try ChildProcess.start(ChildRequest([fixture.path, "400"]))
        SystemClock.sleep(for: .milliseconds(250))
        let sampler = try PerfSampler.attach(toRunning: child.pid)
        let outcome = try #require(try child.wait(timeout: .seconds(30)))
        let run = SampledRun(
            profile: sampler.finish(), fixture: fixture, output: "", status: outcome.status)
        try fixture.remove()
        #expect(outcome.status == .code(0))
        let working = run.samples(through: "thread_work")
        #expect(working.count >= 40)
        #expect(Set(working.map(\.threadIndex)).count >= 3)
        #expect(run.distinct(working).allSatisfy { run.end($0) == .complete })
        // Nothing is counted twice: a thread has no more samples than it had time.
        #expect(Double(run.profile.samples.count) * 1.003 < outcome.cpu.inSeconds * 1000 * 1.1)
        #expect(run.profile.threads.contains { $0.threadName.hasPrefix("worker-") })
    }

    @Test("A sampler that is dropped leaves its target alone")
    func dropped() throws {
        let fixture = try NativeFixture("recursion")
        let pipe = try FileDescriptor.pipe()
        var request = ChildRequest([fixture.path, "5", "300"])
        request.standardOutput = .descriptor(pipe.writeEnd.rawValue)
        let suspended = try SuspendedChild.prepare(request)
        func sampleBriefly(_ child: borrowing SuspendedChild) throws { _ = try PerfSampler.attach(to: child) }
        try sampleBriefly(suspended)
        var child = try suspended.release()
        let output = try NativeFixture.readAll(pipe.takeReadEnd())
        let outcome = try #require(try child.wait(timeout: .seconds(30)))
        try fixture.remove()
        #expect(output == "5\n")
        #expect(outcome.status == .code(7))
    }

    @Test("Samples are lost while the ring is not drained, and are counted")
    func lost() throws {
        // One ring of the smallest size, and stacks that fill it in four samples.
        let fixture = try NativeFixture("recursion", flags: ["-O0"])
        var configuration = SamplerConfiguration()
        configuration.ringBytes = 0
        configuration.sharedRingBytes = 0
        configuration.stackBytes = 60 << 10
        configuration.rateHertz = 10_000
        let run = try fixture.sample(["10", "400"], configuration)
        try fixture.remove()
        #expect(run.profile.health.ringBytes == 128 << 10)
        #expect(run.profile.health.lost > 0)
        #expect(run.profile.health.attempted == run.profile.health.received + run.profile.health.lost)
    }

    @Test("Samples whose stack finds no room are kept as what they are, and add up")
    func stackLimit() throws {
        let fixture = try NativeFixture("recursion")
        var configuration = SamplerConfiguration()
        // Room for no stack of more than four frames.
        configuration.maximumStackBytes = 16
        let run = try fixture.sample(["3", "200"], configuration)
        try fixture.remove()
        let profile = run.profile
        #expect(profile.health.stacksBeyondLimit > 0)
        #expect(profile.samples.count == profile.health.recorded)
        let rest = profile.samples.count { sample in
            profile.stacks[Int(sample.stackIndex)].frames.map { profile.frames[Int($0)].address } == [
                .none(.notKept)
            ]
        }
        #expect(rest == profile.health.stacksBeyondLimit)
    }

    @Test("What exceeds the limit of samples is counted, not kept")
    func limit() throws {
        let fixture = try NativeFixture("recursion")
        var configuration = SamplerConfiguration()
        configuration.maximumSamples = 10
        let run = try fixture.sample(["3", "200"], configuration)
        try fixture.remove()
        #expect(run.profile.health.recorded == 10)
        #expect(run.profile.health.beyondLimit > 0)
        // What is not kept is shown as missing.
        let shown = run.profile.samples.reduce(0) { $0 + Int($1.weight) }
        #expect(shown > 10 && run.profile.health.clocks?.missing.count == 1)
    }

    @Test("A process that is gone cannot be sampled, and the error says so")
    func goneProcess() throws {
        var child = try ChildProcess.start(ChildRequest(["true"]))
        _ = try child.wait()
        let pid = child.pid
        let error = #expect(throws: SamplerError.self) { _ = try PerfSampler.attach(toRunning: pid) }
        #expect(error == .noSuchProcess(pid: pid))
        #expect(error?.description == "Cannot sample process \(pid): there is no such process.")
    }

    @Test("Sampling is available on this machine, as the other tests need")
    func availability() throws {
        try SamplerAvailability.check().get()
    }
}
