import FrozenProfile
import LinuxSystem
import Measurement
import ProfileComparison
import Statistics
import Testing

@Suite("The noise ledger")
struct NoiseLedgerTests {
    private func learnt() throws -> NoiseLedger {
        let profile = try Versions().profile("v1", Array(Versions.noisy.prefix(3)))
        var ledger = NoiseLedger(
            file: "ledger.yaml", machine: MachineClass(profile.environment.identity),
            workload: Workload(profile))
        ledger.learn(from: profile, date: "2026-02-10")
        return ledger
    }

    @Test("It learns the variance of a version's sessions, and pools it with what it knows")
    func learning() throws {
        var ledger = try learnt()
        let entry = try #require(ledger[nil, .wall])
        let medians = [1.01, 1.05, 0.97].map(Logarithm.natural)
        let variance = try #require(VarianceEstimate(of: medians))
        #expect((entry.sessions.variance - variance.variance).magnitude < 1e-6)
        #expect(entry.sessions.degreesOfFreedom == 2 && entry.runsPerSession == 5 && entry.sessionCount == 3)
        // Memory did not differ at all.
        #expect(ledger[.transcription, .peakResident]?.sessions.variance == 0)
        ledger.learn(from: try Versions().profile("v2", Versions.threeSteady), date: "2026-03-01")
        let pooled = try #require(ledger[nil, .wall])
        #expect(pooled.sessions.degreesOfFreedom == 4 && pooled.sessions.variance < entry.sessions.variance)
        #expect(pooled.firstDate == "2026-02-10" && pooled.lastDate == "2026-03-01")
        // One session shows nothing about the variance between sessions.
        ledger.learn(from: try Versions().profile("v3", [Versions.steady[0]]), date: "2026-03-02")
        #expect(ledger[nil, .wall] == pooled)
    }

    @Test("What is written is read again, and read by who applies it to the same machine and workload")
    func roundTrip() throws {
        var ledger = try learnt()
        ledger.proposeBudgets(sessions: 3)
        let bytes = ledger.encode()
        let read = try NoiseLedger.decode(bytes, file: "ledger.yaml")
        #expect(read.encode() == bytes)
        #expect(read.machine == ledger.machine && read.workload == ledger.workload)
        #expect(
            read[.transcription, .wall]?.proposedBudgetPercent
                == ledger[.transcription, .wall]?.proposedBudgetPercent)

        let profile = try Versions().profile("v9", Versions.steady)
        #expect(read.applies(to: profile))
        var other = profile
        other.environment.identity[.cpuModel] = .value(.text("another"))
        #expect(!read.applies(to: other))
        other = profile
        other.datasetID = .value("another")
        #expect(!read.applies(to: other))
    }

    @Test("It remembers how far the machine wandered in the sessions it was learnt from")
    func drift() throws {
        var profile = try Versions().profile("v1", Array(Versions.noisy.prefix(3)))
        for index in profile.sessions.indices {
            profile.sessions[index].canaries = [
                Canary(name: "still", repetitions: [.start: .value([1]), .end: .value([1])]),
                Canary(name: "fixed work", repetitions: [.start: .value([1]), .end: .value([1.01])]),
            ]
        }
        var ledger = try learnt()
        ledger.learn(from: profile, date: "2026-02-11")
        let one = try #require(VarianceEstimate(of: [0, Logarithm.natural(1.01)]))
        // Of four degrees of freedom, two are of sessions without a canary.
        let drift = try #require(ledger[nil, .wall]).driftVariance
        #expect((drift - one.variance / 2).magnitude < 1e-12)
        let read = try NoiseLedger.decode(ledger.encode(), file: "ledger.yaml")
        #expect((try #require(read[nil, .wall]).driftVariance - drift).magnitude < 1e-9)
        // Files of before were learnt from quiet sessions.
        #expect(String(decoding: try learnt().encode(), as: UTF8.self).contains("drift_sd_ln") == false)
    }

    @Test("Noise that is larger than the standard budget gets a larger one, quiet metrics keep the standard")
    func budgets() throws {
        var ledger = try learnt()
        ledger.proposeBudgets(sessions: 3)
        #expect(try #require(ledger[nil, .wall]?.proposedBudgetPercent) > 10)
        #expect(ledger[nil, .peakResident]?.proposedBudgetPercent == 2)
    }

    @Test("A note asks the user to renew an old ledger")
    func staleness() throws {
        let ledger = try learnt()
        #expect(ledger.staleness(today: "2026-05-11") == nil)
        #expect(ledger.staleness(today: "2026-05-12")?.contains("last measured on 2026-02-10") == true)
    }

    @Test(
        "A damaged ledger is refused with its place",
        arguments: [
            ("schema_version: '9.0'", "schema_version should be of the kind that is read, 1.1"),
            (
                "{schema_version: '1.0', total: {wall_time_s: {session_sd_ln: -1}}}",
                "total.wall_time_s.session_sd_ln should be a number from 0 to 10"
            ),
            ("{schema_version: '1.0', total: {walltime: {}}}", "total.walltime should be a metric's name"),
            (
                "{schema_version: '1.0', stages: {a: {cpu_time_s: {session_sd_ln: 0.1, degrees_of_freedom: 0}}}}",
                "stages.a.cpu_time_s.degrees_of_freedom should be a number from 1 to 1000000"
            ),
        ])
    func damaged(text: String, sentence: String) {
        #expect(
            throws: NoiseLedger.Refusal(
                description: "'ledger.yaml': \(sentence). Correct it, or calibrate again.")
        ) { try NoiseLedger.decode(Array(text.utf8), file: "ledger.yaml") }
    }
}
