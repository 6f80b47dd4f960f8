import FrozenProfile
import FunctionAttribution
import Measurement
import StackProfile
import TestSupport
import Testing

@Suite("Which functions a change is made of")
struct AttributionTests {
    private let base = StackSamples(seconds: [
        ["main", "decode"]: 1.0,
        ["main", "decode", "ngram_search"]: 3.0,
        ["main", "decode", "ngram_search", "log_add"]: 1.0,
        ["main", "load", "parse"]: 0.8,
        ["main", "store", "compress"]: 1.2,
        ["main", "store"]: 0.3,
    ])

    private func changed(_ change: (inout [[String]: Double]) -> Void) -> StackSamples {
        var other = base
        other.seed = 2
        other.release = "v2"
        change(&other.seconds)
        return other
    }

    @Test("A function that costs ten percent more is named first, and no other is named")
    func tenPercent() throws {
        let result = try base.attribution(to: changed { $0[["main", "decode", "ngram_search"]] = 3.3 })
        let first = try #require(result.functions.first)
        #expect(first.function == "ngram_search")
        #expect(first.label == .changed)
        #expect((0.2...0.4).contains(first.selfChange))
        #expect((0.2...0.45).contains(first.totalChange))
        #expect(result.functions.filter { $0.label != nil }.count == 1)
        #expect(result.leaders.map(\.function) == ["ngram_search"])
        #expect(result.explanation().hasPrefix("ngram_search accounts for "))
        #expect(result.basis == .seconds)
        #expect(result.before.runs == 10)
    }

    @Test("The functions' changes and the residual are the stage's change")
    func additive() throws {
        for seed in 3..<13 as Range<UInt64> {
            var other = changed { $0[["main", "store", "compress"]] = 1.5 }
            other.seed = seed
            let result = try base.attribution(to: other)
            let sum = result.functions.reduce(0) { $0 + $1.selfChange }
            #expect((sum + result.residual - result.change).magnitude < 1e-12)
            #expect(result.residual.magnitude < 0.1)
        }
    }

    @Test("With one run a side the functions add up to the stage, and nothing is called significant")
    func oneRun() throws {
        var (older, newer) = (base, changed { $0[["main", "decode", "ngram_search"]] = 6 })
        older.runs = 1
        newer.runs = 1
        let result = try older.attribution(to: newer)
        #expect(result.residual.magnitude < 1e-9)
        #expect(result.tested == 0)
        #expect(!result.hasReplicates)
        let first = try #require(result.functions.first)
        #expect(first.function == "ngram_search")
        #expect(first.label == nil && first.pValue == nil)
        let interval = try #require(first.samplingInterval)
        #expect(interval.contains(first.selfChange) && interval.lowerBound > 2)
        #expect(result.explanation().hasSuffix("(one run a side)"))
        #expect(result.notes.contains { $0.hasPrefix("One run a side") })
    }

    @Test("A function under another caller has moved, and has not changed")
    func movedToAnotherCaller() throws {
        let result = try base.attribution(
            to: changed {
                $0[["main", "store", "compress"]] = nil
                $0[["main", "load", "compress"]] = 1.2
            })
        let compress = try #require(result.functions.first { $0.function == "compress" })
        #expect(compress.label == .moved)
        #expect(compress.callers == .init(before: "store", after: "load"))
        #expect(result.functions.filter { $0.label == .changed }.isEmpty)
        #expect(result.functions.filter { $0.label == .moved }.count == 1)
    }

    @Test("Cost that a function handed to a new helper is a shift, not a regression")
    func extractedHelper() throws {
        let result = try base.attribution(
            to: changed {
                $0[["main", "decode", "ngram_search"]] = 1.0
                $0[["main", "decode", "ngram_search", "expand"]] = 2.0
            })
        let helper = try #require(result.functions.first { $0.function == "expand" })
        #expect(helper.label == .new)
        #expect(helper.shiftedWithin == "ngram_search")
        let giver = try #require(result.functions.first { $0.function == "ngram_search" })
        #expect(giver.label == .moved)
        #expect(giver.shiftedWithin == "decode")
        #expect(result.leaders.isEmpty)
    }

    @Test("New and gone functions are reported, with what they may have cost unseen")
    func newAndGone() throws {
        let result = try base.attribution(
            to: changed {
                $0[["main", "load", "parse"]] = nil
                $0[["main", "verify"]] = 0.5
            })
        let verify = try #require(result.functions.first { $0.function == "verify" })
        #expect(verify.label == .new)
        #expect(verify.before.own == 0)
        let bound = try #require(verify.unseenBound)
        #expect((0.0001...0.002).contains(bound))
        #expect(result.functions.first { $0.function == "parse" }?.label == .gone)
        // Its own place had samples on both sides.
        #expect(result.functions.first { $0.function == "load" }?.label == .gone)
        #expect(verify.selfChange > 0.4)
    }

    @Test("A function seen in few runs is not called new")
    func rare() throws {
        var newer = changed { $0[["main", "cold_path"]] = 0.0004 }
        newer.spread = 0
        let result = try base.attribution(to: newer)
        #expect(result.functions.first { $0.function == "cold_path" }?.label == nil)
    }

    @Test("Two captures of one version name at most the stated share of functions")
    func nothingChanged() throws {
        var wide = StackSamples(seconds: [:], rate: 500, spread: 0.05)
        for index in 0..<60 {
            wide.seconds[["main", "caller\(index % 7)", "f\(index)"]] = 0.02 + 0.01 * Double(index % 9)
        }
        var comparisonsWithLabels = 0
        for seed in 0..<40 as Range<UInt64> {
            var (older, newer) = (wide, wide)
            older.seed = 2 * seed + 100
            newer.seed = 2 * seed + 101
            let result = try older.attribution(to: newer)
            if result.functions.contains(where: { $0.label != nil }) { comparisonsWithLabels += 1 }
        }
        // Under the null any discovery is a false one: 10 % of comparisons, here of 40.
        #expect(comparisonsWithLabels <= 9)
    }

    @Test("Few runs name a function whose ranks alone could not be called", arguments: [2, 3, 4])
    func fewRuns(runs: Int) throws {
        func sides(_ seconds: Double) -> (StackSamples, StackSamples) {
            var (older, newer) = (base, changed { $0[["main", "decode", "ngram_search"]] = seconds })
            older.runs = runs
            newer.runs = runs
            return (older, newer)
        }
        let (older, newer) = sides(runs == 2 ? 9 : 4.5)
        let result = try older.attribution(to: newer)
        #expect(!result.isTestedByRanks && result.tested == 6)
        #expect(result.notes.contains { $0.hasPrefix("So few runs cannot be tested by their ranks") })
        let first = try #require(result.functions.first)
        #expect(first.function == "ngram_search" && first.label == .changed, "\(first)")
        #expect(result.leaders.map(\.function) == ["ngram_search"])
        #expect(!result.explanation().contains("runs a side"))
        // With more runs ranks decide.
        #expect(try base.attribution(to: changed { _ in }).isTestedByRanks)
    }

    @Test(
        "What two runs a side show beyond their scatter, but not enough to call it changed, is said to differ"
    )
    func differs() throws {
        var (older, newer) = (base, changed { $0[["main", "decode", "ngram_search"]] = 3.36 })
        older.runs = 2
        newer.runs = 2
        let result = try older.attribution(to: newer)
        let first = try #require(result.functions.first)
        #expect(first.function == "ngram_search" && first.label == nil && first.isNotable, "\(first)")
        let interval = try #require(first.samplingInterval)
        #expect(interval.contains(first.selfChange) && interval.lowerBound > 0)
        #expect(result.explanation().hasSuffix("(2 runs a side, too few to call it changed)"))
        #expect(AttributionText(result).lines().joined(separator: " ").contains("s by its runs"))
    }

    @Test("With few runs a moved function has moved, and a handed-out cost is a shift", arguments: [3, 4])
    func fewRunsMoves(runs: Int) throws {
        var older = base
        older.runs = runs
        func attribution(_ change: (inout [[String]: Double]) -> Void) throws -> Attribution {
            var newer = changed(change)
            newer.runs = runs
            return try older.attribution(to: newer)
        }
        let elsewhere = try attribution {
            $0[["main", "store", "compress"]] = nil
            $0[["main", "load", "compress"]] = 1.2
        }
        let compress = try #require(elsewhere.functions.first { $0.function == "compress" })
        #expect(compress.label == .moved && compress.callers == .init(before: "store", after: "load"))
        #expect(elsewhere.functions.filter { $0.label == .changed }.isEmpty)
        let handed = try attribution {
            $0[["main", "decode", "ngram_search"]] = 1.0
            $0[["main", "decode", "ngram_search", "expand"]] = 2.0
        }
        let giver = try #require(handed.functions.first { $0.function == "ngram_search" })
        #expect(giver.label == .moved && giver.shiftedWithin == "decode", "\(giver)")
        #expect(handed.leaders.isEmpty)
    }

    @Test(
        "Few runs of one version name at most the stated share of functions, however much they scatter",
        arguments: [2, 3, 4], [0.01, 0.05, 0.15])
    func nothingChangedInFewRuns(runs: Int, spread: Double) throws {
        var wide = StackSamples(seconds: [:], runs: runs, rate: 500, spread: spread)
        for index in 0..<40 {
            wide.seconds[["main", "caller\(index % 7)", "f\(index)"]] = 0.1 + 0.2 * Double(index % 9)
        }
        var comparisonsWithLabels = 0
        for seed in 0..<40 as Range<UInt64> {
            var (older, newer) = (wide, wide)
            older.seed = 2 * seed + 300
            newer.seed = 2 * seed + 301
            let result = try older.attribution(to: newer)
            #expect(!result.isTestedByRanks)
            if result.functions.contains(where: { $0.label != nil }) { comparisonsWithLabels += 1 }
        }
        // A rate of 10 % makes more than 9 of 40 with probability 0.005.
        #expect(comparisonsWithLabels <= 9)
    }

    @Test("A function that calls itself is counted once")
    func recursion() throws {
        var older = StackSamples(seconds: [["main", "walk", "visit", "walk", "walk"]: 2], runs: 1)
        older.spread = 0
        var newer = older
        newer.seed = 2
        let result = try older.attribution(to: newer)
        let walk = try #require(result.functions.first { $0.function == "walk" })
        #expect((walk.before.total - 2).magnitude < 1e-9)
        #expect((walk.before.own - 2).magnitude < 1e-9)
    }

    @Test("Without CPU seconds shares are compared, and it is said")
    func sharesOnly() throws {
        let result = try base.attribution(
            to: changed { $0[["main", "decode", "ngram_search"]] = 6 }, knowsCPU: false)
        #expect(result.basis == .shares(reason: "not measured"))
        #expect(result.before.median == 100 && result.change == 0)
        #expect(result.functions.first { $0.function == "ngram_search" }?.label == .changed)
    }

    @Test("Stacks of different samplers, or without samples, are not compared")
    func refusals() throws {
        var other = base
        other.sampler = "py-spy"
        other.release = "v2"
        #expect(
            throws: AttributionRefusal(
                "The stacks of v1 were taken by perf events and libunwind, those of v2 by py-spy: what one "
                    + "counts is not what the other counts, so functions cannot be compared. Capture both with one "
                    + "sampler.")
        ) {
            try AttributionPair(before: base.input(), after: other.input())
        }
        var empty = try base.input()
        empty.stacks = .empty()
        #expect(
            throws: AttributionRefusal(
                "The stacks of v1 hold no samples, so no function can be compared.")
        ) {
            try AttributionPair(before: empty, after: base.input())
        }
        let pair = try AttributionPair(before: base.input(), after: base.input())
        #expect(
            throws: AttributionRefusal(
                "The stacks of v1 have no samples of stage download, so its functions cannot be compared.")
        ) {
            try pair.attribution(of: StageName("download"))
        }
    }

    @Test("A profile without run labels is one run")
    func unlabelled() throws {
        let pair = try AttributionPair(
            before: base.input(knowsCPU: false, isLabelled: false),
            after: base.input(knowsCPU: false, isLabelled: false))
        let result = try pair.attribution(of: nil)
        #expect(result.before.runs == 1)
        #expect(result.change == 0)
    }

    @Test("A program that was renamed and a library of a new version are what they were")
    func renamedModules() throws {
        var older = base
        older.modules = ["log_add": "libm-2.31.so", "main": "tool-1.1"]
        var newer = changed { _ in }
        newer.modules = ["log_add": "libm.so.6", "main": "tool-1.2"]
        let result = try older.attribution(to: newer)
        #expect(result.functions.filter { $0.label == .new || $0.label == .gone }.isEmpty)
        #expect(result.functions.count { $0.function == "log_add" } == 1)
    }
}
