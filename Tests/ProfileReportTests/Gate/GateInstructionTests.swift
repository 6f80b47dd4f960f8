import FrozenProfile
import Measurement
import ProfileComparison
import ProfileReport
import TestSupport
import Testing

@Suite("Executed instructions at the gate")
struct GateInstructionTests {
    private static func profile(_ version: String, day: Int, decoding: Int64) throws -> FrozenProfile {
        let stage = try #require(StageName("decode"))
        let use = ResourceUse(
            wallSeconds: .value(2), cpuSeconds: .value(1.8), peakResidentMB: .value(100),
            averageCPUPercent: .unavailable(reason: "not asked for"))
        var profile = FrozenProfile(
            release: version, date: "2026-02-1\(day)T14:20:00Z", datasetID: .value("set"),
            episodesProcessed: .value(1),
            environment: ProfileEnvironment(
                identity: EnvironmentIdentity(), observed: ObservedEnvironment()),
            captureQuality: nil, recipe: nil,
            sessions: (1...5).map { session in
                Session(
                    id: "s\(session)", startedAt: nil, observed: ObservedEnvironment(),
                    runs: (1...3).map { index in
                        Run(
                            index: index, kind: .measured, startedAt: nil, exit: .value(0), use: use,
                            stages: [
                                StageRun(
                                    stage: stage, entered: .value(1), workSeconds: use.wallSeconds, use: use)
                            ])
                    })
            })
        func part(_ instructions: Int64) -> FrozenCounts.Part {
            FrozenCounts.Part(instructions: [instructions, instructions + 100], systemCalls: .value([:]))
        }
        profile.counts = .value(
            FrozenCounts(
                engine: "qemu-user", identity: "QEMU 7.2.22, CPU max", command: ["pipeline"], environment: [],
                stages: [.init(name: stage, part: part(decoding))], outside: part(0),
                total: part(decoding)))
        return profile
    }

    private static func decide(_ agreements: GateAgreements) throws -> GateDecision {
        let from = try profile("v1", day: 1, decoding: 1_000_000_000)
        let to = try profile("v2", day: 2, decoding: 1_200_000_000)
        let evidence = GateEvidence(
            comparison: Comparison(from: from, to: to, settings: ComparisonSettings(gate: .stages)),
            shelf: [GateEvidence.Entry(from), GateEvidence.Entry(to)],
            today: try #require(CalendarDay("2026-02-13")))
        return GateDecision(evidence, agreements: agreements)
    }

    private static func acceptance(
        _ stage: String?, ceiling: Double, baseline: Double = 1_000_000_050
    ) throws -> GateAgreements.Acceptance {
        let day = try #require(CalendarDay("2026-03-01"))
        return GateAgreements.Acceptance(
            target: .init(stage: stage.flatMap { StageName($0) }, metric: .instructions), baseline: "v1",
            baselineValue: baseline, version: "v2", ceiling: ceiling,
            until: day, reason: "a larger model",
            owner: "ann", link: "https://example.org/42")
    }

    @Test("More instructions fail, each stage and the whole run as a row, until both are accepted")
    func accepting() throws {
        let failed = try Self.decide(GateAgreements())
        #expect(failed.verdict == .regressed)
        #expect(
            GateText.failures(failed) == [
                "total.instructions: regressed by 20 %.", "decode.instructions: regressed by 20 %.",
            ])
        let one = try Self.acceptance("decode", ceiling: 1.3e9)
        #expect(try Self.decide(GateAgreements(acceptances: [one])).verdict == .regressed)
        let both = GateAgreements(acceptances: [one, try Self.acceptance(nil, ceiling: 1.3e9)])
        let passed = try Self.decide(both)
        #expect(passed.verdict == .passed, "\(GateText.render(passed))")
        #expect(passed.agreed.count == 2)
        // What is written is read again, with the unit.
        let bytes = both.encode()
        #expect(try GateAgreements.decode(bytes, file: "gate.yaml").encode() == bytes)
    }

    @Test("An acceptance holds up to its ceiling, of the baseline that it names, and covers no time")
    func limits() throws {
        let low = try [nil, "decode"].map { try Self.acceptance($0, ceiling: 1.1e9) }
        #expect(try Self.decide(GateAgreements(acceptances: low)).verdict == .regressed)
        let wrong = [try Self.acceptance(nil, ceiling: 1.3e9, baseline: 9e8)]
        #expect(try Self.decide(GateAgreements(acceptances: wrong)).verdict == .refused)
        let ceiling = GateAgreements(ceilings: [
            .init(target: .init(stage: nil, metric: .instructions), maximum: 1.1e9)
        ])
        let above = try Self.decide(ceiling)
        #expect(GateText.failures(above).contains { $0.contains("more than the ceiling of 1100000000") })
        let gone = GateAgreements(ceilings: [
            .init(target: .init(stage: StageName("gone"), metric: .instructions), maximum: 1)
        ])
        #expect(try Self.decide(gone).verdict == .refused)
    }
}
