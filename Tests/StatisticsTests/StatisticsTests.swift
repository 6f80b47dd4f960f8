import Statistics
import Testing

@Suite("Statistics by known answers")
struct StatisticsTests {
    @Test(
        "The differences that bound the 95 % interval are those of published tables",
        arguments: [(5, 3, 23), (8, 14, 51), (10, 24, 77), (12, 38, 107), (20, 128, 273)])
    func interval(count: Int, lower: Int, upper: Int) throws {
        // One sample is 0, count, 2 count ..., the other 1, 2 ... count: every difference has its own value, its rank.
        let first = (0..<count).map { Double(-$0 * count) }
        let second = (1...count).map(Double.init)
        let found = try #require(ShiftEstimate(from: first, to: second)).interval(tail: 0.025)
        #expect(found == Interval(lower: Double(lower), upper: Double(upper)))
    }

    @Test("The least probabilities that samples of equal size can reach are those of published tables")
    func leastProbability() throws {
        for (count, expected) in [(4, 0.0286), (5, 0.0079), (6, 0.0022), (7, 0.00058), (8, 0.00016)] {
            let low = (0..<count).map(Double.init)
            let found = try #require(MannWhitney.test(low, low.map { $0 + 100 }, alternative: .twoSided))
            #expect((found.probability / expected - 1).magnitude < 0.03)
        }
    }

    @Test("Samples in strata have the probabilities that counting all arrangements within strata gives")
    func strata() throws {
        // Python's itertools counted them: 100 arrangements, and 2,400 with ties.
        let two = [([1.0, 2.5], [0.5, 3.0, 1.7]), ([3.1, 0.2, 4.4], [2.2, 5.0])]
        let greater = try #require(MannWhitney.test(strata: two, alternative: .greater))
        #expect(greater.statistic == 5 && greater.isExact && (greater.probability - 0.72).magnitude < 1e-12)
        #expect(
            (try #require(MannWhitney.test(strata: two, alternative: .less)).probability - 0.42).magnitude
                < 1e-12)
        let tied = [
            ([1.0, 2, 2], [2, 0.5, 1]), ([13, 14.5, 15], [12, 12.5, 13]), ([7, 9], [7, 6]),
        ]
        let some = try #require(MannWhitney.test(strata: tied, alternative: .greater))
        #expect(some.statistic == 18.5 && (some.probability - 1.0 / 60).magnitude < 1e-12)
        #expect(MannWhitney.test(strata: [([1], []), ([1], [2])], alternative: .less) == nil)
        #expect(MannWhitney.test(strata: [], alternative: .less) == nil)
    }

    @Test("Only differences within a stratum are estimated from, however far strata lie apart")
    func stratifiedShift() throws {
        let strata = [
            ([1.0, 1.1, 1.2, 1.35], [1.5, 1.62, 1.7, 1.31]),
            ([11.0, 11.15, 11.22, 11.31], [11.5, 11.63, 11.72, 11.45]),
        ]
        let estimate = try #require(ShiftEstimate(strata: strata))
        #expect((estimate.hodgesLehmann - 0.405).magnitude < 1e-12)
        // 5 of the 32 differences lie outside each bound: the sum of two statistics of 4 against 4 values is at most 5 with a
        // probability of no more than 2.5 %, by counting.
        let interval = estimate.interval(tail: 0.025)
        #expect((interval.lower - 0.21).magnitude < 1e-12 && (interval.upper - 0.57).magnitude < 1e-12)
        // Without strata the distance of both says nothing of the difference.
        let pooled = try #require(
            ShiftEstimate(from: strata.flatMap { $0.0 }, to: strata.flatMap { $0.1 }))
        #expect(pooled.interval(tail: 0.025).halfWidth > 4)
    }

    @Test("Samples of any sizes are tested, exactly up to the stated product of sizes")
    func sizes() throws {
        let many = (0..<2500).map(Double.init)
        let one = try #require(MannWhitney.test(many, [-1], alternative: .greater))
        #expect(one.isExact && (one.probability - 1 / 2501).magnitude < 1e-12)
        let mirrored = try #require(MannWhitney.test([-1], many, alternative: .less))
        #expect(mirrored.isExact && (mirrored.probability - 1 / 2501).magnitude < 1e-12)
        #expect(try #require(MannWhitney.test(many, [-1, -2], alternative: .greater)).isExact == false)
        // Ten thousand differences a value, found without making them.
        let estimate = try #require(ShiftEstimate(from: many, to: many.map { $0 + 5 }))
        #expect(estimate.hodgesLehmann == 5)
        #expect(MannWhitney.test([], [1], alternative: .less) == nil)
        #expect(MannWhitney.test([.nan], [1], alternative: .less) == nil)
        #expect(ShiftEstimate(from: [1], to: [.infinity]) == nil)
    }

    @Test("Where test and interval can be compared they agree: a shift outside is refuted, one inside is not")
    func agreement() throws {
        let old = [1.0, 1.5, 2.25, 3, 4.125, 5, 6.5]
        let new = [2.5, 3.75, 4.5, 5.25, 6.25, 7.75]
        let tail = 0.025
        let interval = try #require(ShiftEstimate(from: old, to: new)).interval(tail: tail)
        func probability(_ shift: Double) throws -> Double {
            try #require(MannWhitney.test(old, new.map { $0 - shift }, alternative: .less)).probability
        }
        #expect(try probability(interval.lower - 1e-9) <= tail)
        #expect(try probability(interval.lower + 1e-9) > tail)
    }

    @Test(
        "Session variance: too little is refused, a ledger supplies it, and more sessions narrow the interval"
    )
    func sessions() throws {
        #expect(throws: SessionTest.Obstacle.unknownVariance(degreesOfFreedom: 0, needed: 5)) {
            try SessionTest(old: [1], new: [1.1], ledger: nil)
        }
        #expect(throws: SessionTest.Obstacle.unknownVariance(degreesOfFreedom: 1, needed: 2)) {
            try SessionTest(old: [1, 1.01], new: [1.1], ledger: nil)
        }
        #expect(throws: SessionTest.Obstacle.noSession) { try SessionTest(old: [], new: [1], ledger: nil) }
        let ledger = VarianceEstimate(variance: 0.0001, degreesOfFreedom: 10)
        let single = try SessionTest(old: [1], new: [1.1], ledger: ledger)
        #expect(single.variance == ledger)
        // The two-sided 95 % quantile for 10 degrees of freedom is 2.228139.
        #expect(
            (single.interval(tail: 0.025).halfWidth - 2.2281388520 * 0.01 * 2.0.squareRoot()).magnitude < 1e-9
        )
        let needed = try #require(single.sessionsNeeded(halfWidth: 0.02, tail: 0.025))
        let enough = try SessionTest(
            old: Array(repeating: 1, count: needed), new: Array(repeating: 1.1, count: needed),
            ledger: VarianceEstimate(variance: 0.0001, degreesOfFreedom: 10))
        #expect(needed > 1 && enough.variance.variance < 0.0001)
        #expect(single.shareOfDrift == 0)
        let constant = try SessionTest(old: [1, 1, 1], new: [1.1, 1.1], ledger: nil)
        #expect(constant.probability(atMost: 0.05) == 0 && constant.probability(atMost: 0.2) == 1)
    }

    @Test("Drift of the machine widens the interval where the variance does not know it, and nowhere else")
    func drift() throws {
        let ledger = VarianceEstimate(variance: 0.0001, degreesOfFreedom: 10)
        let quiet = try SessionTest(old: [1], new: [1.1], ledger: ledger)
        let drift = VarianceEstimate(variance: 0.0004, degreesOfFreedom: 2)
        func test(_ drift: SessionTest.Drift) throws -> SessionTest {
            try SessionTest(old: [1], new: [1.1], ledger: ledger, drift: drift)
        }
        let one = try test(.init(new: drift))
        #expect((one.standardError * one.standardError - (2 * 0.0001 + 0.0004)).magnitude < 1e-12)
        // Satterthwaite: 0.0006 squared over 0.0002 squared / 10 and 0.0004 squared / 2.
        #expect((one.degreesOfFreedom - 36 / (0.4 + 8)).magnitude < 1e-9)
        #expect((one.shareOfDrift - (1 - (1 / 3.0).squareRoot())).magnitude < 1e-9)
        #expect(one.interval(tail: 0.025).halfWidth > 2 * quiet.interval(tail: 0.025).halfWidth)
        // A ledger that was learnt from sessions that drifted as much knows it already.
        #expect(try test(.init(old: drift, new: drift, ledger: 0.0004)).standardError == quiet.standardError)
        let part = try test(.init(old: drift, new: drift, ledger: 0.0003))
        #expect((part.standardError * part.standardError - (2 * 0.0001 + 2 * 0.0001)).magnitude < 1e-12)

        // Sessions that drifted alike already have the drift in their variance.
        let values = ([1.0, 1.02, 1.01], [1.1, 1.12, 1.09])
        let bare = try SessionTest(old: values.0, new: values.1, ledger: nil)
        let alike = try SessionTest(
            old: values.0, new: values.1, ledger: nil, drift: .init(old: drift, new: drift))
        #expect(alike.standardError == bare.standardError && alike.degreesOfFreedom == 4)
        let unlike = try SessionTest(old: values.0, new: values.1, ledger: nil, drift: .init(new: drift))
        #expect(
            (unlike.standardError * unlike.standardError - bare.standardError * bare.standardError
                - 0.0002 / 3).magnitude < 1e-12)
        #expect(
            try #require(one.sessionsNeeded(halfWidth: 0.02, tail: 0.025))
                > (try #require(quiet.sessionsNeeded(halfWidth: 0.02, tail: 0.025))))
    }
}
