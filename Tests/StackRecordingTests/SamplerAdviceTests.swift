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
