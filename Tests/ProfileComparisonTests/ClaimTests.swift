import FrozenProfile
import Measurement
import ProfileComparison
import Statistics
import TestSupport
import Testing

/// Measurements whose right answer is known, and that a test of medians alone gets wrong.
@Suite("Claims that hold")
struct ClaimTests {
    private func wall(_ comparison: Comparison) throws -> ComparisonRow {
        try #require(comparison.rows.first { $0.stage == nil && $0.metric == .wall })
    }

    /// Twelve runs around a level.
    private static let quiet = [
        1.0, 1.002, 0.999, 1.001, 1.003, 0.998, 1.004, 0.997, 1.0005, 1.0015, 0.9985, 1.0025,
    ]
    /// The same where one in four takes four times as long.
    private static let stalling = quiet.enumerated().map { $0.offset % 4 == 3 ? 4 * $0.element : $0.element }

    @Test("One run in four that takes four times as long is not unchanged, in turn and frozen, and is named")
    func stalls() throws {
        let settings = {
            var settings = ComparisonSettings()
            settings.budgets.commandLine[.init(stage: nil, metric: .wall)] = 10
            return settings
        }()
        for copies in [1, 2, 3] {
            let (quiet, stalling) = (
                (0..<copies).flatMap { _ in Self.quiet }, (0..<copies).flatMap { _ in Self.stalling }
            )
            let turns = Comparison(
                interleaved: MeasuredValues.profile("a", wall: [quiet]),
                with: MeasuredValues.profile("b", wall: [stalling]), settings: settings)
            let row = try wall(turns)
            #expect(row.verdict != .unchanged && row.verdict != .improved)
            // With 36 pairs nine such runs are no accident any more.
            #expect(copies < 3 || row.verdict == .regressed)
            #expect((try #require(row.parts[.mean]).percent - 75).magnitude < 1)
            #expect(row.toKinds?.slow == 3 * copies && row.fromKinds == nil)
            // As many more pairs are advised as it takes, not as the typical run alone would take.
            if row.verdict == .inconclusive {
                #expect((24...40).contains(try #require(row.remedy?.runsPerSide)), "\(row.remedy as Any)")
            }
            #expect(turns.headline.contains("the typical run is about the same"))
            #expect(turns.headline.contains("\(3 * copies) of \(12 * copies) runs take 4 times as long"))
        }
        let frozen = Comparison(
            from: MeasuredValues.profile("v1", wall: [Self.quiet, Self.quiet, Self.quiet]),
            to: MeasuredValues.profile("v2", wall: [Self.stalling, Self.stalling, Self.stalling]),
            settings: settings)
        #expect(try wall(frozen).verdict != .unchanged)
    }

    @Test("Equal medians of even counts are equal: the number shown is the number judged")
    func evenRuns() throws {
        let from = MeasuredValues.profile("v1", wall: [0, 0.002, -0.002].map { [1 + $0, 2 + $0] })
        let to = MeasuredValues.profile("v2", wall: [0, 0.001, 0.002].map { [1.5 + $0, 1.5 - $0] })
        let row = try wall(Comparison(from: from, to: to))
        #expect(row.verdict != .regressed)
        let (old, new) = (try #require(row.from?.value), try #require(row.to?.value))
        #expect((old - 1.5).magnitude < 1e-5 && (new - 1.5).magnitude < 1e-5)
        #expect((try #require(row.change).percent - 100 * (new / old - 1)).magnitude < 1e-9)
        #expect(row.fromKinds?.slow == 3)
    }

    @Test("A session that happens to begin with the slow kind counts; one whose version always does not")
    func firstRuns() throws {
        let slow = [4.0, 1, 1.002, 0.998, 1.001]
        let later = [1.0, 1.001, 4.01, 0.999, 1.002]
        let quiet = Array(Self.quiet.prefix(5))
        let from = MeasuredValues.profile("v1", wall: [quiet, quiet, quiet])
        let some = Comparison(from: from, to: MeasuredValues.profile("v2", wall: [slow, later, quiet]))
        #expect(some.to.sessions == 3)
        let always = Comparison(from: from, to: MeasuredValues.profile("v2", wall: [slow, slow, slow]))
        #expect(always.to.sessions == 0)
    }

    @Test(
        "Few sessions of two kinds fall apart by chance: no verdict, whatever the numbers",
        arguments: [(2, 2), (3, 1), (1, 3), (1, 1), (4, 2)])
    func fewSessions(old: Int, new: Int) throws {
        func sessions(_ count: Int, _ level: Double) -> [[Double]] {
            (0..<count).map { session in Self.quiet.map { $0 * level * (1 + 0.0005 * Double(session)) } }
        }
        let comparison = Comparison(
            from: MeasuredValues.profile("v1", wall: sessions(old, 1)),
            to: MeasuredValues.profile("v2", wall: sessions(new, 1.5)))
        #expect(comparison.outcome == .verdict(.inconclusive))
        let three = Comparison(
            from: MeasuredValues.profile("v1", wall: sessions(3, 1)),
            to: MeasuredValues.profile("v2", wall: sessions(3, 1.5)))
        #expect(three.outcome == .verdict(.regressed))
    }

    @Test("Sessions that are equal to the last digit have a variance all the same")
    func equalSessions() throws {
        let comparison = Comparison(
            from: MeasuredValues.profile("v1", wall: [[10], [10], [10]]),
            to: MeasuredValues.profile("v2", wall: [[15], [15], [15]]))
        let change = try #require(try wall(comparison).change)
        #expect(change.interval.lower < change.estimate && change.estimate < change.interval.upper)
        #expect(try #require(wall(comparison).regressionProbability) > 0.01)
        let lone = Comparison(
            from: MeasuredValues.profile("v1", wall: [[10], [10], [10]]),
            to: MeasuredValues.profile("v2", wall: [[15]]))
        #expect(lone.outcome == .verdict(.inconclusive))
    }

    @Test(
        "Below the smallest difference that counts nothing is called unchanged, and a smaller one can be asked for"
    )
    func belowFloor() throws {
        let (short, longer) = (Self.quiet.map { $0 * 0.0012 }, Self.quiet.map { $0 * 0.0047 })
        var settings = ComparisonSettings()
        settings.budgets.commandLine[.init(stage: nil, metric: .wall)] = 0
        func row(_ settings: ComparisonSettings) throws -> ComparisonRow {
            try wall(
                Comparison(
                    interleaved: MeasuredValues.profile("a", wall: [short]),
                    with: MeasuredValues.profile("b", wall: [longer]), settings: settings))
        }
        #expect(try row(settings).verdict == .inconclusive)
        #expect(try #require(row(settings).reason).hasPrefix("Too short to say"))
        settings.budgets.floors[.wall] = 0.0001
        #expect(try row(settings).verdict == .regressed)
    }

    @Test("From 0 in all runs to 0.9 s in all runs is a change")
    func fromZero() throws {
        let walls = [Self.quiet]
        func profile(_ cpu: Double) -> FrozenProfile {
            MeasuredValues.profile(
                "v", wall: walls, cpu: walls.map { $0.map { $0 * cpu } },
                peak: walls.map { $0.map { _ in 100 } })
        }
        let comparison = Comparison(interleaved: profile(0), with: profile(0.9))
        #expect(comparison.outcome == .verdict(.regressed))
        #expect(comparison.headline.contains("s of CPU time, and had none"))
        let row = try #require(comparison.rows.first { $0.stage == nil && $0.metric == .cpu })
        #expect(row.verdict == .regressed)
        #expect(ComparisonText(comparison).render().contains("was 0"))
    }

    @Test("A stage that only some runs enter is compared on those, and says in how many")
    func someRuns() throws {
        var versions = Versions()
        versions.stages.append(.init(name: "retry", wall: 3, cpu: 2, peak: 50))
        let older = try Versions().profile("v1", Versions.steady)
        var newer = try versions.profile("v2", Versions.steady)
        let retry = try #require(StageName("retry"))
        for session in newer.sessions.indices {
            for run in newer.sessions[session].runs.indices where run != 2 {
                newer.sessions[session].runs[run].stages.removeAll { $0.stage == retry }
            }
        }
        newer = FrozenProfile(
            release: "v2", date: newer.date, datasetID: newer.datasetID,
            episodesProcessed: newer.episodesProcessed, environment: newer.environment, captureQuality: nil,
            recipe: nil, sessions: newer.sessions)
        let comparison = Comparison(from: older, to: newer)
        #expect(comparison.presence[retry]?.to == 5)
        #expect(ComparisonText(comparison).render().contains("retry (added, in 5 of 25 runs)"))
        let both = Comparison(from: newer, to: newer)
        #expect(ComparisonText(both).render().contains("retry, in 5 of 25 runs, now in 5 of 25"))
    }
}
