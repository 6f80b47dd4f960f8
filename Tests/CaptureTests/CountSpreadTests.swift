import FrozenProfile
import Measurement
import StackProfile
import Testing

@testable import Capture

@Suite("Counted runs that part")
struct CountSpreadTests {
    private func part(_ runs: Int64...) -> FrozenCounts.Part {
        FrozenCounts.Part(instructions: runs, systemCalls: .unavailable(reason: "not asked"))
    }

    private func counts(_ crunch: FrozenCounts.Part) throws -> FrozenCounts {
        FrozenCounts(
            engine: "qemu-user", identity: "", command: [], environment: [],
            stages: [
                .init(name: try #require(StageName("crunch")), part: crunch),
                .init(name: try #require(StageName("store")), part: part(5000, 5000)),
            ],
            outside: part(100, 100), total: part(1_000_000, 1_010_000))
    }

    private func functions() throws -> StackProfile {
        var builder = StackProfileBuilder()
        let weights: [(String, String, Int64, Int64)] = [
            ("crunch", "spin", 1000, 9000), ("crunch", "load", 900_000, 902_000),
            ("crunch", "same", 90_000, 90_000),
            ("store", "write", 5000, 5000),
        ]
        for (stage, function, first, second) in weights {
            for (run, weight) in [("s1/2", first), ("s1/3", second)] {
                let labels = builder.id(of: SampleLabels(stage: StageName(stage), run: run))
                try builder.add(
                    builder.stack([builder.id(of: Frame(function))]), weight: weight, labels: labels)
            }
        }
        return builder.build()
    }

    @Test("The stage is named with the functions that make most of it")
    func named() throws {
        let apart = try counts(part(991_000, 1_001_000))
        #expect(
            CountSpread.notes(apart, try functions()) == [
                "Counted runs of the same command are 1.00 % apart in crunch, most of it in spin and load: smaller changes of "
                    + "it are not seen."
            ])
        #expect(
            CountSpread.notes(apart, nil) == [
                "Counted runs of the same command are 1.00 % apart in crunch: smaller changes of it are not seen."
            ])
    }

    @Test("Where no stage was open, that is said")
    func outside() throws {
        var counts = try counts(part(1_000_000, 1_000_000))
        counts.outside = part(10_000, 12_000)
        #expect(
            CountSpread.notes(counts, nil) == [
                "Counted runs of the same command are 18.18 % apart outside of all stages: smaller changes of it are not seen."
            ])
    }

    @Test(
        "Nothing is said of runs that are as good as the same, of a single one, or of a stage that is next to nothing"
    )
    func silent() throws {
        #expect(CountSpread.notes(try counts(part(1_000_000, 1_000_900)), try functions()).isEmpty)
        #expect(CountSpread.notes(try counts(part(1_000_000)), try functions()).isEmpty)
        #expect(CountSpread.notes(try counts(part(100, 110)), try functions()).isEmpty)
    }
}
