import LinuxProcess
import LinuxSystem
import StackSampler
import TestSupport
import Testing

/// What programs wait in, with a sampler beside them and without.
@Suite(.serialized) struct EveryWaitTests {
    @Test(
        "135 waits of 45 kinds return what they return without a sampler, interrupted as often",
        arguments: [true, false])
    func waits(_ usesPerfEvents: Bool) throws {
        let fixture = try NativeFixture("every-wait")
        let (first, second) = (try TemporaryDirectory(), try TemporaryDirectory())
        let alone = try runCommand([fixture.path, first.path])
        try #require(alone.status == .code(0))
        let lines = alone.standardOutput.split(separator: "\n")
        try #require(lines.count == 135)
        // Each wait ended, and where a handler does not restart calls, by the signal first.
        #expect(lines.allSatisfy { $0.contains(": ") && $0.contains(" -> 1 ") }, "\(alone.standardOutput)")
        #expect(lines.count { $0.contains("interrupted 1 times") } > 60, "\(alone.standardOutput)")
        var configuration = WallClockConfiguration()
        configuration.rateHertz = 1000
        configuration.stopBudget = 1
        configuration.usesPerfEvents = usesPerfEvents
        let run = try fixture.sampleByWallClock([second.path], configuration)
        try fixture.remove()
        #expect(run.status == .code(0))
        let sampled = run.output.split(separator: "\n")
        #expect(sampled.count == lines.count)
        let differences = zip(lines, sampled).filter { $0 != $1 }
        #expect(differences.isEmpty)
        // The sampler was there: it has seen the calls that they wait in.
        let calls = Set(run.profile.states.filter { $0.hasPrefix("blocked: ") })
        #expect(calls.count > 5, "\(calls)")
    }
}
