import FrozenProfile
import LinuxProcess
import LinuxSystem
import Measurement
import ProfileStore
import TestSupport
import Testing

@Suite("Captures on a machine that is not their own", .serialized)
struct DisturbedRunTests {
    @Test("A disturbed run is marked, kept, and made again as often as asked, and only the last counts")
    func repeated() throws {
        let toolkit = try Toolkit()
        // Two busy processes for each CPU take at least half of what there is.
        let count = try Machine.allowedCPUs() * 2
        var request = ChildRequest([
            "sh", "-c", "i=0; while [ $i -lt \(count) ]; do (while :; do :; done) & i=$((i+1)); done; wait",
        ])
        request.leadsProcessGroup = true
        var spinners = try ChildProcess.start(request)
        defer {
            spinners.sendToGroup(SignalInbox.kill)
            _ = Result { try spinners.wait(timeout: .seconds(5)) }
        }
        let result = try toolkit.capture(
            "v1", ["--skip-warmup", "--stack-runs", "0", "--repeat-disturbed", "1", "--canaries", "1"],
            Toolkit.shellPipeline)
        try #require(result.status == .code(0), "\(result.standardError)")
        let profile = try ProfileStore.load(path: toolkit.yaml("v1"))
        let runs = try #require(profile.sessions.first?.runs)
        #expect(runs.map(\.kind) == [.measured, .measured])
        #expect(runs.map(\.isRepeated) == [true, false])
        #expect(runs.allSatisfy { $0.disturbance?.contains("other processes took") == true })
        #expect(profile.measuredRuns.map(\.index) == [2] && profile.totals.runs == 1)
        #expect(result.standardError.contains("run 1 is made again: "))
        #expect(result.standardError.contains("Noise: During run 2 other processes used "))
        #expect(result.standardError.contains("; --repeat-disturbed was not enough."))
        #expect(profile.sessions.first?.canaries.count == 3)
        let verified = try runCommand([BuiltProduct.path("freeze-profile"), "verify", toolkit.yaml("v1")])
        #expect(verified.status == .code(0), "\(verified.standardError)")
        #expect(try ProfileSchema.problems(in: [toolkit.yaml("v1")]) == [[]])
    }
}
