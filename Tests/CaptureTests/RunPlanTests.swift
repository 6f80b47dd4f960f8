import FrozenProfile
import LinuxSystem
import Measurement
import TestSupport
import Testing

@testable import Capture

@Suite("Which runs a session lacks")
struct RunPlanTests {
    private func record(_ index: Int, _ kind: RunKind, wall: Double) throws -> RunRecord {
        let use = ResourceUse([.wall: .value(wall)])
        return RunRecord(
            toolVersion: "0", release: .value("v1"), session: try VersionName("s1"),
            run: Run(index: index, kind: kind, startedAt: nil, exit: .value(0), use: use, stages: []),
            recipe: Recipe(
                arguments: ["x"], configurationPath: nil, configurationSHA256: .unavailable(reason: "none"),
                inputSHA256: .unavailable(reason: "none"), environment: []), program: .value("x"),
            datasetID: .value("d"), episodesProcessed: .value(1), identity: EnvironmentIdentity(),
            monitor: nil, sampler: .none(reason: "none"), samplerCPUSeconds: .unavailable(reason: "none"))
    }

    private func request() throws -> CaptureRequest {
        var request = CaptureRequest(version: try VersionName("v1"), command: ["x"], toolVersion: "0")
        request.measuredRuns = 3
        request.profiledRuns = 2
        return request
    }

    @Test("A new session needs all, warm-up first, profiled last; how long is not known before the first")
    func fresh() throws {
        let plan = RunPlan(try request(), finished: [])
        #expect(plan.missing == [.warmUp, .measured, .measured, .measured, .profiled, .profiled])
        #expect(plan.nextIndex == 1 && plan.left == nil)
    }

    @Test("A session that was interrupted needs the missing ones, with numbers of their own")
    func continued() throws {
        var plan = RunPlan(
            try request(),
            finished: [
                try record(1, .warmUp, wall: 9), try record(2, .measured, wall: 4),
                try record(3, .measured, wall: 6),
            ])
        #expect(plan.missing == [.measured, .profiled, .profiled])
        #expect(plan.nextIndex == 4)
        #expect(plan.expected == .seconds(5) && plan.left == .seconds(15))
        plan.finish(try record(4, .measured, wall: 5))
        #expect(plan.missing == [.profiled, .profiled] && plan.nextIndex == 5 && plan.made == 1)
        plan.finish(try record(5, .profiled, wall: 8))
        #expect(plan.left == .seconds(8))
        plan.skip(.profiled)
        #expect(plan.missing.isEmpty && plan.left == .zero)
    }

    @Test("More than wanted is no reason to make any")
    func enough() throws {
        let finished = try (1...9).map { try record($0, $0 < 5 ? .measured : .profiled, wall: 1) }
        var request = try request()
        request.warmUpRuns = 0
        #expect(RunPlan(request, finished: finished).missing.isEmpty)
    }

    @Test("In a directory, records are what is named like one")
    func names() throws {
        #expect(
            LoadedRecord.isRecordName("002-measured.json") && LoadedRecord.isRecordName("1000-warm_up.json"))
        for name in [
            "measured.json", "002-measured.yaml", "002-other.json", "x-measured.json", "-measured.json",
        ] {
            #expect(!LoadedRecord.isRecordName(name), "\(name)")
        }
    }
}
