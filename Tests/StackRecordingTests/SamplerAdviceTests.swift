import StackSampler
import Testing

@testable import StackRecording

/// What is said of samples that cannot be fully trusted.
@Suite("Advice on a sampler's health")
struct SamplerAdviceTests {
    private func health(
        lost: Int = 0, truncated: Int = 0, atFrameLimit: Int = 0, stackBytes: Int = 8 << 10
    ) -> SamplerHealth {
        var health = SamplerHealth(rung: "perf cpu-clock")
        (health.received, health.recorded, health.lost) = (1000, 1000, lost)
        (health.truncated, health.cutAtFrameLimit, health.stackBytes) = (truncated, atFrameLimit, stackBytes)
        return health
    }

    @Test("Nothing is said where less than a hundredth is amiss")
    func silence() {
        #expect(health(lost: 9, truncated: 9).advice == [])
    }

    @Test("Lost samples want a lower rate")
    func lost() {
        #expect(
            health(lost: 40).advice == [
                "4 % of the samples were lost, because the sampler got too little of the CPUs to keep up. A lower --rate helps."
            ])
    }

    @Test("Cut stacks want a longer recording, or ptrace once perf events can copy no more")
    func truncated() {
        #expect(
            health(truncated: 250, stackBytes: 16 << 10).advice == [
                "25 % of the stacks lack their outermost callers: only 16 KiB of each had been copied when it ended. A longer recording copies more."
            ])
        #expect(
            health(truncated: 250, stackBytes: 62 << 10).advice == [
                "25 % of the stacks lack their outermost callers: they are larger than the 62 KiB that perf events can copy of each. --sampler ptrace copies up to 1 MiB."
            ])
        #expect(
            health(truncated: 5, atFrameLimit: 5).advice == [
                "5 stacks had too many frames to keep, and were cut there."
            ])
    }

    @Test("Time that was not sampled wants a privilege only where that helps")
    func missing() {
        var health = health()
        health.includesKernelTime = true
        health.clocks = ClockComparison(
            kernel: .seconds(2), sampled: .seconds(1),
            missing: [.init(command: "sh", time: .milliseconds(200))])
        #expect(health.advice.map { $0.contains("Run as root, give CAP_PERFMON") } == [true])
        health.watchesCPUs = true
        #expect(
            health.advice == [
                "200 ms of 'sh', 10.0 % of all CPU time, was not sampled and is shown as `[not sampled]`: it ran between the moments at which samples are taken."
            ])
    }

    @Test("What a limit of ours leaves out is said, with the number and what helps")
    func limits() {
        var health = health()
        health.beyondLimit = 7
        health.stacksBeyondLimit = 9
        (health.ringBytes, health.ringBytesWanted) = (2 << 20, 4 << 20)
        for number in 0..<(SamplerHealth.problemLimit + 3) { health.note("Problem \(number).") }
        let advice = health.advice
        #expect(advice.count == 4)
        #expect(
            advice[0].hasPrefix(
                "7 samples came after the first 40000000 and were left out; they are counted as lost."))
        #expect(
            advice[1].hasPrefix("9 samples had a new stack when the 512 MiB for distinct stacks were full"))
        #expect(advice[1].contains("`[stack not kept]`"))
        #expect(advice[2].hasPrefix("The kernel gave 2048 KiB of buffer for each CPU instead of 4096"))
        #expect(advice[3] == "3 further problems are not listed.")
    }

    @Test("Under ptrace no sampler is recommended that is in use already")
    func ptrace() {
        var health = health(lost: 500, truncated: 100, stackBytes: 1 << 20)
        health.stops = StopAccount()
        #expect(
            health.advice == [
                "10 % of the stacks lack their outermost callers: they are larger than the 1024 KiB that are copied of each."
            ])
    }
}
