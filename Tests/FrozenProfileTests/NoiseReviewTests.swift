import Measurement
import ProfileSamples
import TestSupport
import Testing

@testable import FrozenProfile

@Suite("Noise reported at capture time")
struct NoiseReviewTests {
    /// Runs of these wall times, in no order that means anything unless the test gives it one.
    private static func session(
        _ walls: [Double] = [10, 10.02, 9.99, 10.01, 10.0, 10.03, 9.98],
        canary: [Canary.Moment: Double] = [.start: 0.1, .middle: 0.1005, .end: 0.1],
        surroundings: [RunEnvironmentKey: Double] = quiet, use: [Metric: Double] = [:], swapped: Double = 0,
        of disturbed: Int? = nil
    ) -> Session {
        var runs = walls.enumerated().map { Samples.run($0 + 1, wall: $1, []) }
        for index in runs.indices {
            let isNormal = disturbed != nil && index != disturbed
            runs[index].surroundings = RunEnvironment(
                (isNormal ? quiet : surroundings).mapValues { .value($0) })
            runs[index].use[.involuntarySwitches] = .value(60)
            runs[index].use[.runQueueWait] = .value(0.1)
            for (metric, value) in use where !isNormal { runs[index].use[metric] = .value(value) }
            runs[index].surroundings?.ranges[.swapUsed] = swap(from: 100, to: isNormal ? 100 : 100 + swapped)
        }
        var session = Session(id: "s", startedAt: nil, observed: ObservedEnvironment(), runs: runs)
        session.canaries = [Canary(name: "c-1", repetitions: canary.mapValues { .value([$0]) })]
        return session
    }

    private static let quiet: [RunEnvironmentKey: Double] = [
        .steal: 0.2, .othersShare: 1.5, .thermalThrottles: 0, .quotaThrottled: 0,
    ]

    /// Swapped out for a moment only.
    private static func swap(from before: Double, to most: Double) -> Reading<ObservedRange> {
        .value(ObservedRange(before: before, after: before, lowest: before, highest: most))
    }

    @Test("A quiet session on a quiet machine has nothing to say")
    func silence() {
        #expect(NoiseReview(Self.session()).findings == [])
    }

    @Test(
        "Each detector finds what it is for, and nothing else does",
        arguments: [
            (
                NoiseReview.Kind.fewRuns, Self.session([10, 10.01, 9.99]),
                "3 measured runs say little about how much the values vary. Take at least 5: --runs 5."
            ),
            (
                .involuntarySwitches, Self.session(use: [.involuntarySwitches: 4000], of: 2),
                "Run 3 lost a CPU to other tasks 534 times in a CPU second. Stop what else runs on the machine, "
                    + "or give the pipeline fewer threads than there are CPUs."
            ),
            (
                .runQueueWait, Self.session(use: [.runQueueWait: 3], of: 0),
                "Run 1 waited for a CPU for 40 % as long as it had one. Stop what else runs on the machine, "
                    + "or give the pipeline fewer threads than there are CPUs."
            ),
            (
                .steal, Self.session(surroundings: changed(.steal, 7.25)),
                "During run 1 the hypervisor gave 7.3 % of the CPU time to other machines. 6 more runs had more than "
                    + "usual. Measure on a machine that does not share its CPUs, or repeat such runs: "
                    + "--repeat-disturbed 2."
            ),
            (
                .otherProcesses, Self.session(surroundings: changed(.othersShare, 31), of: 6),
                "During run 7 other processes used 31.0 % of the CPU time. Stop what else runs on the machine, "
                    + "or repeat such runs: --repeat-disturbed 2."
            ),
            (
                .throttling, Self.session(surroundings: changed(.thermalThrottles, 2), of: 1),
                "During run 2 the CPUs were held back, by heat or by a quota. Let the machine cool down between "
                    + "sessions, and raise the quota of the control group."
            ),
            (
                .swapping, Self.session(swapped: 300, of: 1),
                "During run 2 300 MB were swapped out. Give the machine more memory, or stop what else uses it."
            ),
            (
                .canaryDrift, Self.session(canary: [.start: 0.1, .middle: 0.1, .end: 0.103]),
                "The machine's speed changed by 3.0 % during the session (canary c-1). "
                    + "Add a session at a quieter time: --append."
            ),
            (
                .trend, Self.session([10, 10.01, 10.02, 10.03, 10.04, 10.05]),
                "The runs became slower one after the other (Mann-Kendall, p = 0.0028). "
                    + "Look for what grows from run to run: files, caches, heat."
            ),
            (
                .trend, Self.session([10.05, 10.04, 10.03, 10.02, 10.01, 10]),
                "The runs became faster one after the other (Mann-Kendall, p = 0.0028). "
                    + "Something still warms up: begin with more warm-up runs."
            ),
            (
                .slowFirstRun, Self.session([14, 10.02, 9.99, 10.01, 10.0, 10.03, 9.98, 10.01]),
                "The first measured run was much slower than the others (14.00 s; their median 10.01 s). "
                    + "One warm-up run was not enough: begin with more, or look for what the first run leaves behind."
            ),
            (
                .spread, Self.session([10, 11, 9, 12, 10.5, 8.5, 9.5]),
                "The wall times of the runs vary by 14.8 %. "
                    + "Smaller changes cannot be distinguished from noise; more runs help only against chance."
            ),
        ] as [(NoiseReview.Kind, Session, String)])
    func detection(kind: NoiseReview.Kind, session: Session, text: String) {
        let findings = NoiseReview(session).findings
        #expect(findings.map(\.kind) == [kind])
        #expect(findings.first?.text == text)
    }

    @Test("Advice does not suggest what was done already")
    func advice() {
        let first = Self.session([14, 10.02, 9.99, 10.01, 10.0, 10.03, 9.98, 10.01])
        let cold = NoiseReview(first, options: .init(warmUpRuns: 0)).findings.first?.advice
        #expect(cold == "Let a warm-up run fill the caches: leave out --skip-warmup.")
        let busy = Self.session(surroundings: Self.changed(.othersShare, 31))
        let repeated = NoiseReview(busy, options: .init(repeatsOfDisturbed: 2)).findings.first?.advice
        #expect(repeated == "Stop what else runs on the machine; --repeat-disturbed was not enough.")
        let drifting = Self.session(canary: [.start: 0.1, .end: 0.2])
        #expect(
            NoiseReview(drifting, options: .init(canAppend: false)).findings.first?.advice
                == "Measure again at a quieter time.")
    }

    @Test("Runs that were not watched, that failed or that were not measured give no findings")
    func notCounted() {
        var session = Self.session()
        for index in session.runs.indices { session.runs[index].surroundings = nil }
        session.runs.append(Samples.run(8, .warmUp, wall: 90, []))
        session.runs.append(Samples.run(9, .profiled, wall: 90, []))
        session.runs.append(Samples.run(10, wall: 90, exit: 1, []))
        session.canaries = []
        #expect(NoiseReview(session).findings == [])
        session.runs = []
        #expect(NoiseReview(session).findings.map(\.kind) == [.fewRuns])
    }

    @Test(
        "A run is disturbed beyond the stated limits, and not at them",
        arguments: [
            (RunEnvironmentKey.steal, 5.0, 5.1, "the hypervisor took 5.1 % of the CPU time"),
            (.othersShare, 20, 21, "other processes took 21.0 % of the CPU time"),
            (.thermalThrottles, 0, 3, "a CPU was slowed down because of heat (3 times)"),
        ])
    func disturbance(key: RunEnvironmentKey, fine: Double, tooMuch: Double, phrase: String) {
        func found(_ value: Double) -> String? {
            var run = Samples.run(1, wall: 1, [])
            run.surroundings = RunEnvironment([key: .value(value)])
            return NoiseReview.disturbance(of: run)
        }
        #expect(found(fine) == nil)
        #expect(found(tooMuch) == phrase)
    }

    @Test("Drift of the machine is distinguished from scatter of the canary by its repetitions at one moment")
    func driftAndScatter() {
        func review(_ start: [Double], _ end: [Double]) -> NoiseReview.Finding? {
            var session = Self.session()
            session.canaries = [Canary(name: "c-1", repetitions: [.start: .value(start), .end: .value(end)])]
            return NoiseReview(session).findings.first
        }
        let steady = review([0.1, 0.1001, 0.0999, 0.1, 0.1002], [0.105, 0.1051, 0.1049, 0.105, 0.1052])
        #expect(
            steady?.sentence
                == "The machine's speed changed by 5.0 % during the session (canary c-1, whose repetitions at one moment "
                + "vary by 0.2 %).")
        #expect(steady?.kind == .canaryDrift)
        let scattering = review([0.1, 0.115, 0.09, 0.103, 0.12], [0.108, 0.095, 0.125, 0.112, 0.1])
        #expect(scattering?.kind == .canaryScatter)
        #expect(
            scattering?.text
                == "The canary c-1 scatters so much that a change of the machine's speed of 4.9 % may be chance: up to "
                + "42.4 % would be. Time it more often: --canaries 15.")
        // Two repetitions are too few to decide, and then a drift counts as one.
        #expect(review([0.1, 0.1], [0.12, 0.12])?.kind == .canaryDrift)
    }

    @Test("A drift by chance alone is called drift in few sessions, the fewer the more it is repeated")
    func driftByChance() {
        var generator = SeededGenerator(seed: 7)
        func normal() -> Double {
            (0..<12).reduce(-6) { sum, _ in sum + Double.random(in: 0..<1, using: &generator) }
        }
        func alarms(repetitions: Int) -> Int {
            (0..<1000).count { _ in
                let canary = Canary(
                    name: "c",
                    repetitions: Dictionary(
                        uniqueKeysWithValues: Canary.Moment.allCases.map {
                            ($0, .value((0..<repetitions).map { _ in 0.1 * (1 + 0.04 * normal()) }))
                        }))
                guard let drift = canary.drift.value, let chance = canary.driftByChance.value else {
                    return false
                }
                return drift > chance
            }
        }
        let (five, fifteen) = (alarms(repetitions: 5), alarms(repetitions: 15))
        #expect((40...120).contains(five) && (2...40).contains(fifteen), "\(five) and \(fifteen) of 1000")
    }

    @Test("A run during which much was swapped out is disturbed")
    func swapping() {
        var run = Samples.run(1, wall: 1, [])
        run.surroundings = RunEnvironment(ranges: [.swapUsed: Self.swap(from: 100, to: 116)])
        #expect(NoiseReview.disturbance(of: run) == nil)
        run.surroundings = RunEnvironment(ranges: [.swapUsed: Self.swap(from: 100, to: 117)])
        #expect(NoiseReview.disturbance(of: run) == "17 MB were swapped out")
    }

    @Test("How long a run took never makes it a disturbed one")
    func unbiased() {
        var run = Samples.run(1, wall: 1000, [])
        #expect(NoiseReview.disturbance(of: run) == nil)
        run.surroundings = RunEnvironment(Self.quiet.mapValues { .value($0) })
        #expect(NoiseReview.disturbance(of: run) == nil)
        run.surroundings?[.steal] = .value(6)
        run.surroundings?[.othersShare] = .value(50)
        #expect(
            NoiseReview.disturbance(of: run)
                == "the hypervisor took 6.0 % of the CPU time, other processes took 50.0 % of the CPU time")
    }

    @Test(
        "The trend's probability is that of a count of all orders",
        arguments: [
            [1.0, 2, 3, 4], [2, 1, 4, 3, 5], [3, 1, 2, 5, 4, 6], [4, 3, 2, 1, 5, 6, 7], [1, 1, 2, 3],
        ])
    func mannKendall(row: [Double]) throws {
        let trend = try #require(MannKendall(row))
        func sum(_ row: [Double]) -> Int {
            var total = 0
            for later in row.indices {
                for earlier in 0..<later {
                    total += row[later] > row[earlier] ? 1 : row[later] < row[earlier] ? -1 : 0
                }
            }
            return total
        }
        #expect(trend.sum == sum(row))
        var extreme = 0
        var all = 0
        // Every order of as many different values.
        func permute(_ row: [Double], _ place: Int) {
            if place == row.count {
                all += 1
                if abs(sum(row)) >= abs(trend.sum) { extreme += 1 }
                return
            }
            for other in place..<row.count {
                var next = row
                next.swapAt(place, other)
                permute(next, place + 1)
            }
        }
        permute(row.indices.map(Double.init), 0)
        #expect(abs(trend.probability - Double(extreme) / Double(all)) < 1e-12)
    }

    @Test("In runs without a trend one is seen as seldom as promised")
    func falseAlarms() {
        var state: UInt64 = 42
        func random() -> Double {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Double(state >> 11) / Double(1 << 53)
        }
        var alarms = 0
        for _ in 0..<2000 {
            let row = (0..<8).map { _ in random() }
            if let trend = MannKendall(row), trend.probability < 0.01 { alarms += 1 }
        }
        // At most 1 % are expected, and fewer than 2 % in all but one of a million such series.
        #expect(alarms < 40)
        #expect(alarms > 0)
    }

    private static func changed(_ key: RunEnvironmentKey, _ value: Double) -> [RunEnvironmentKey: Double] {
        var values = quiet
        values[key] = value
        return values
    }
}
