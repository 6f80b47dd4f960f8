import Testing

@testable import StackSampler

/// Samples held against the kernel's clocks.
struct ClockAccountTests {
    private let period: Int64 = 1_000_000

    private func closed(
        _ account: inout ClockAccount, total: Int64? = nil, isUnbiased: Bool = false,
        names: [Int32: String] = [:]
    ) -> ClockAccount.Outcome {
        account.close(total: total, root: (1, "root"), at: 1_000, isUnbiased: isUnbiased) {
            names[$0] ?? "root"
        }
    }

    @Test("Commands that end before their first sample are missing by name, and what was sampled is not")
    func shortCommands() {
        var account = ClockAccount(periodNanoseconds: period)
        account.begin(1, clock: 5 * period)
        for index in Int32(0)..<100 {
            account.fork(10 + index, nameOfFormer: "", at: 0)
            account.leave(10 + index, nanoseconds: 400_000)
            account.settle(at: Int64(index)) { $0 == 1 ? "root" : "true" }
        }
        for _ in 0..<50 { account.sample(1) }
        account.see(1, clock: 55 * period)
        let outcome = closed(
            &account, names: Dictionary(uniqueKeysWithValues: (10..<110).map { ($0, "true") }))
        #expect(outcome.counted == 90 * period && outcome.sampled == 50 * period)
        #expect(outcome.missing.allSatisfy { $0.name == "true" })
        #expect(outcome.missing.reduce(0) { $0 + $1.weight } == 40)
        // Missed when they ran, not at the end.
        #expect(outcome.missing.contains { $0.monotonicNanoseconds < 50 })
    }

    @Test("Time before a process has a name is settled under the name that it gets")
    func nameless() {
        var account = ClockAccount(periodNanoseconds: period)
        account.begin(1, clock: 0)
        account.see(1, clock: 6 * period)
        account.settle(at: 10) { _ in "" }
        for _ in 0..<94 { account.sample(1) }
        account.see(1, clock: 100 * period)
        account.settle(at: 20) { _ in "root" }
        let outcome = closed(&account)
        // 6 of 100 periods are missing, and all of them are of that name.
        #expect(outcome.counted == 100 * period && outcome.sampled == 94 * period)
        #expect(Set(outcome.missing.map(\.name)) == ["root"])
    }

    @Test("What a counter of the whole knows of and no process does is put down to the first one")
    func rest() {
        var account = ClockAccount(periodNanoseconds: period)
        account.begin(1, clock: 0)
        for _ in 0..<10 { account.sample(1) }
        let outcome = closed(&account, total: 50 * period)
        #expect(outcome.counted == 50 * period && outcome.sampled == 10 * period)
        #expect(outcome.missing.map(\.weight) == [40] && outcome.missing.map(\.name) == ["root"])
    }

    @Test("Chance is not taken for missing time where samples come at random, and more than chance is")
    func chance() {
        for (samples, isMissing) in [(Int64(9_900), false), (9_600, true)] {
            var account = ClockAccount(periodNanoseconds: period)
            account.begin(1, clock: 0)
            account.sample(1, weight: samples)
            account.see(1, clock: 10_000 * period)
            let outcome = closed(&account, isUnbiased: true)
            #expect(outcome.missing.isEmpty != isMissing)
        }
    }

    @Test("Samples that are late by a turn leave nothing missing")
    func lateSamples() {
        var account = ClockAccount(periodNanoseconds: period)
        account.begin(1, clock: 0)
        for turn in 1...20 {
            account.see(1, clock: Int64(turn) * 100 * period)
            account.settle(at: Int64(turn)) { _ in "root" }
            account.sample(1, weight: 100)
        }
        let outcome = closed(&account)
        #expect(outcome.missing.isEmpty && outcome.sampled == 2_000 * period)
    }

    @Test("A number that is used again is another process")
    func reuse() {
        var account = ClockAccount(periodNanoseconds: period)
        account.fork(10, nameOfFormer: "", at: 0)
        account.leave(10, nanoseconds: 30 * period)
        account.fork(10, nameOfFormer: "first", at: 1)
        account.leave(10, nanoseconds: 50 * period)
        let outcome = closed(&account, names: [10: "second"])
        #expect(outcome.missing.map(\.name).sorted() == ["first", "second"])
        #expect(outcome.missing.map(\.weight).sorted() == [30, 50])
    }
}
