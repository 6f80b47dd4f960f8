import ComparisonSimulation
import FrozenProfile
import Measurement
import ProfileComparison
import TestSupport
import Testing

/// Comparisons that learn the noise between sessions from other frozen versions.
@Suite("The shelf knows its noise")
struct ShelfNoiseTests {
    /// A version whose two sessions take so many times as long.
    private static func version(
        _ number: Int, level: Double = 1, _ versions: Versions = Versions()
    ) throws -> FrozenProfile {
        let sessions = [0, 1].map { session in
            let own = 0.0007 * Double((number * 5 + session * 3) % 7)
            return (0..<6).map { run in level * (1 + own + 0.0003 * Double(run * 5 % 6)) }
        }
        return try versions.profile("v\(number)", date: "2026-02-1\(number)T10:00:00Z", sessions)
    }

    private static func compare(
        _ from: FrozenProfile, _ to: FrozenProfile, shelf: [FrozenProfile]
    ) -> Comparison {
        var settings = ComparisonSettings()
        if !shelf.isEmpty { settings.shelf = ShelfNoise(shelf, from: from, to: to) }
        return Comparison(from: from, to: to, settings: settings)
    }

    @Test("Two sessions a side decide from the third version on, and not without the shelf")
    func decides() throws {
        let versions = try (1...5).map { try Self.version($0) }
        #expect(
            Self.compare(versions[1], versions[2], shelf: []).outcome == .verdict(.inconclusive))
        // A third version is enough for unchanged; for regressed it takes one more.
        #expect(
            Self.compare(versions[1], versions[2], shelf: Array(versions[..<3])).outcome
                == .verdict(.unchanged))
        let slower = try Self.version(5, level: 1.2)
        #expect(
            Self.compare(versions[3], slower, shelf: Array(versions[..<4])).outcome == .verdict(.regressed))
        #expect(Self.compare(versions[3], slower, shelf: []).outcome == .verdict(.inconclusive))
    }

    @Test("A real step between older versions hides nothing, and it is said what the verdict rests on")
    func steps() throws {
        var versions = try [(1, 1.0), (2, 1.0), (3, 1.3), (4, 1.3), (5, 1.3)].map {
            try Self.version($0.0, level: $0.1)
        }
        versions.append(try Self.version(6, level: 1.45))
        let comparison = Self.compare(versions[4], versions[5], shelf: versions)
        #expect(comparison.outcome == .verdict(.regressed))
        let note = try #require(comparison.notes.first { $0.hasPrefix("Noise between sessions") })
        #expect(note.contains("4 other versions on the shelf, with the old side 10 sessions"))
        #expect(
            note.contains("(2026-02-11 to 2026-02-15)") && note.contains("1 step between versions left out"))
        #expect(comparison.json.contains("\"noise\": {\"source\": \"shelf\""))
        #expect(
            comparison.json.contains("\"shelf\": {\"versions\": [\"v1\", \"v2\", \"v3\", \"v4\", \"v5\"]"))
        #expect(ComparisonText(comparison).render().contains("--no-shelf"))
    }

    @Test("Other machines, other work and other stages teach nothing, and are counted")
    func leftOut() throws {
        var machine = Versions()
        machine.identity[.cpuModel] = .value(.text("another"))
        var stages = Versions()
        stages.stages.removeLast()
        var work = try Self.version(3)
        work.datasetID = .value("another")
        let shelf = [try Self.version(1, level: 1, machine), try Self.version(2, level: 1, stages), work]
        let noise = ShelfNoise(shelf, from: try Self.version(4), to: try Self.version(5))
        #expect(noise.isEmpty)
        #expect(noise.leftOut == ["of another machine": 1, "with other stages": 1, "of other work": 1])
        // The two sides themselves are no neighbours to learn from.
        let sides = try [4, 5].map { try Self.version($0) }
        #expect(ShelfNoise(sides, from: sides[0], to: sides[1]).isEmpty)
    }

    @Test("A ledger that the user made comes before the shelf")
    func ledgerFirst() throws {
        let versions = try (1...4).map { try Self.version($0) }
        var settings = ComparisonSettings()
        settings.shelf = ShelfNoise(versions, from: versions[2], to: versions[3])
        var ledger = NoiseLedger(
            file: "ledger.yaml", machine: MachineClass(versions[0].environment.identity),
            workload: Workload(versions[0]))
        ledger.learn(from: try Versions().profile("calibration", Versions.noisy), date: "2026-02-10")
        settings.ledger = ledger
        let comparison = Comparison(from: versions[2], to: versions[3], settings: settings)
        #expect(comparison.json.contains("\"noise\": {\"source\": \"ledger\""))
    }

    @Test(
        "With a step every third version neither verdict is false too often, whatever sessions differ by",
        arguments: NoiseModel.SessionShape.allCases)
    func rates(shape: NoiseModel.SessionShape) {
        var noise = NoiseModel(runDeviation: 0.005, sessionDeviation: 0.01)
        noise.sessionShape = shape
        var simulation = Simulation(noise: noise, plan: .sessions(2, runs: 6, ledger: 0), change: 0.03)
        simulation.shelf = SimulatedShelf(versions: 6, stepEvery: 3)
        let rates = simulation.rates(60, seed: 31)
        // A rate of 5 % makes more than 9 of 60 with probability 0.001.
        #expect(rates.number(.regressed) <= 9)
        #expect(rates.number(.unchanged) + rates.number(.improved) <= 9)
    }

    @Test("A change is found only with the shelf, though every third version is a step")
    func power() {
        let noise = NoiseModel(runDeviation: 0.005, sessionDeviation: 0.003)
        var simulation = Simulation(noise: noise, plan: .sessions(2, runs: 6, ledger: 0), change: 0.1)
        #expect(simulation.rates(20, seed: 32).number(.regressed) == 0)
        simulation.shelf = SimulatedShelf(versions: 6, stepEvery: 3)
        #expect(simulation.rates(20, seed: 32).number(.regressed) >= 18)
    }
}
