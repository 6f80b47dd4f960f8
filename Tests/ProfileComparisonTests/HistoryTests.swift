import FrozenProfile
import Measurement
import ProfileComparison
import Statistics
import TestSupport
import Testing

@Suite("History of versions")
struct HistoryTests {
    // MARK: - Steps

    @Test("A lucky session is marked, and a step that a comparison shows has its verdict")
    func verdicts() throws {
        let lucky = Versions.steady[0].map { 0.53 * $0 }
        let profiles = [
            try Versions().profile("v1", date: "2026-02-10T10:00:00Z", Versions.steady),
            try Versions().profile("v2", date: "2026-02-11T10:00:00Z", [lucky]),
            try Versions().profile("v3", date: "2026-02-12T10:00:00Z", Versions.steady),
            try Versions().profile(
                "v4", date: "2026-02-13T10:00:00Z", Versions.steady.map { $0.map { 1.5 * $0 } }),
        ]
        let history = History(profiles) { from, to in Comparison(from: from, to: to) }
        let trend = history.trend(of: .wall, in: nil)
        #expect(trend.points[1].outcome == .verdict(.inconclusive))
        #expect((try #require(trend.points[1].changePercent) + 47).magnitude < 0.5)
        let between = Comparison(from: profiles[0], to: profiles[3])
        let row = try #require(between.rows.first { $0.stage == nil && $0.metric == .wall })
        #expect(row.verdict == .regressed && trend.spanOutcome == .verdict(.regressed))
        let text = HistoryText(usesUTF8: false).detail(trend)
        #expect(
            text.contains("~-47.0 %  inconclusive") && text.contains("~ is no change that could be shown"))
        // Against the version before; the lucky one may itself be what is in question.
        let steady = History([profiles[0], profiles[3]]) { from, to in Comparison(from: from, to: to) }
        let plain = HistoryText(usesUTF8: false).detail(steady.trend(of: .wall, in: nil))
        #expect(plain.contains("+50.0 %  REGRESSED") && !plain.contains("~"))
        #expect(HistoryJSON.text([trend]).contains("\"verdict\": \"inconclusive\""))
    }

    @Test("A known step is found where it is", arguments: [4, 6, 9, 15])
    func knownStep(at place: Int) {
        var random = SeededGenerator(seed: UInt64(place))
        let values = (0..<20).map { ($0 < place ? 1.0 : 1.1) + 0.01 * random.normal() }
        #expect(ChangePoints.indices(in: values) == [place])
    }

    @Test("Counted instructions have a history of their own, whatever the machine")
    func counted() throws {
        func profile(_ release: String, _ instructions: Int64?, identity: String, cpu: String) throws
            -> FrozenProfile
        {
            var versions = Versions()
            versions.identity[.cpuModel] = .value(.text(cpu))
            var profile = try versions.profile(release, [[1, 1.001, 0.999]])
            profile.date = "2026-01-0\(release.suffix(1))T00:00:00Z"
            guard let instructions else { return profile }
            let part = FrozenCounts.Part(instructions: [instructions], systemCalls: .value([:]))
            profile.counts = .value(
                FrozenCounts(
                    engine: "qemu-user", identity: identity, command: ["p"], environment: [], stages: [],
                    outside: part, total: part))
            return profile
        }
        let history = History([
            try profile("v1", 2_000_000_000, identity: "QEMU 7", cpu: "one"),
            try profile("v2", nil, identity: "", cpu: "one"),
            try profile("v3", 2_100_000_000, identity: "QEMU 7", cpu: "another"),
            try profile("v4", 3_000_000_000, identity: "QEMU 8", cpu: "another"),
        ])
        let trend = history.trend(of: .instructions, in: nil)
        #expect(trend.points.map(\.value.value) == [2e9, nil, 2.1e9, 3e9])
        #expect(trend.points.map { $0.changePercent.map { ($0 * 1000).rounded() } } == [nil, nil, 5000, nil])
        #expect(trend.points.map { $0.breakReason != nil } == [false, false, false, true])
        let text = HistoryText(usesUTF8: false).detail(trend)
        #expect(text.contains("2100"))
        #expect(text.contains("no counted run was made"))
    }

    @Test("Up and back down are two steps")
    func upAndDown() {
        var random = SeededGenerator(seed: 3)
        let values = (0..<30).map { (10..<20).contains($0) ? 1.2 : 1.0 }.map { $0 + 0.01 * random.normal() }
        #expect(ChangePoints.indices(in: values) == [10, 20])
    }

    @Test("Constant values, few values and one wild value have no step")
    func nothing() {
        #expect(ChangePoints.indices(in: [Double](repeating: 2, count: 40)).isEmpty)
        #expect(ChangePoints.indices(in: [1, 1, 1, 1, 2, 2, 2, 2, 2]).isEmpty)
        #expect(ChangePoints.indices(in: (0..<20).map { $0 == 9 ? 50 : 1 + 0.001 * Double($0 % 3) }).isEmpty)
        #expect(ChangePoints.indices(in: []).isEmpty)
    }

    @Test("Pure noise is given a step in at most the stated share of cases", arguments: [10, 24, 80])
    func falseAlarms(count: Int) {
        var random = SeededGenerator(seed: UInt64(count))
        let trials = 300
        let alarms = (0..<trials).count { trial in
            let values = (0..<count).map { _ in
                // Half of the series with heavy tails: some runs are contaminated.
                let wild = trial.isMultiple(of: 2) && Double.random(in: 0..<1, using: &random) < 0.05
                return 0.02 * random.normal() + (wild ? 0.15 : 0)
            }
            return !ChangePoints.indices(in: values).isEmpty
        }
        // 5 % of 300 are 15; 26 is three standard deviations more.
        #expect(alarms <= 26, "\(alarms) of \(trials)")
    }

    // MARK: - Trends

    private func version(
        _ number: Int, wall: Double, sessions: [Double] = [1], identity: [IdentityKey: Reading<Fact>] = [:]
    ) throws -> FrozenProfile {
        var versions = Versions()
        versions.identity = identity
        let day = number + 1
        return try versions.profile(
            "v1.\(number).0", date: "2026-01-\(day < 10 ? "0" : "")\(day)T00:00:00Z",
            sessions.map { [$0, $0 * 1.001, $0 * 0.999] }, slower: ["transcription": wall])
    }

    @Test("Versions stand in order of date, with the change from one to the next")
    func order() throws {
        let history = History([
            try version(2, wall: 1.21), try version(0, wall: 1), try version(1, wall: 1.1),
        ])
        let trend = history.trend(of: .wall, in: StageName("transcription"))
        #expect(trend.points.map(\.release) == ["v1.0.0", "v1.1.0", "v1.2.0"])
        #expect(trend.points[0].changePercent == nil)
        #expect((trend.points[2].changePercent.map { ($0 - 10).magnitude } ?? 99) < 0.01)
        #expect(history.stages.map(\.text) == ["rss_feed_fetch", "transcription"])
    }

    @Test("Another machine breaks the line, and nothing is compared across the break")
    func breaks() throws {
        let other: [IdentityKey: Reading<Fact>] = [.cpuModel: .value(.text("another"))]
        let trend = History([
            try version(0, wall: 1), try version(1, wall: 1.01), try version(2, wall: 5, identity: other),
            try version(3, wall: 5.05, identity: other),
        ]).trend(of: .wall, in: StageName("transcription"))
        #expect(trend.parts == [0..<2, 2..<4])
        #expect(trend.points[2].breakReason == "cpu_model was same, now another")
        #expect(trend.points[2].changePercent == nil)
        #expect(trend.points[3].changePercent != nil)
    }

    @Test("Steps are marked within a machine, not between machines")
    func steps() throws {
        let other: [IdentityKey: Reading<Fact>] = [.cpuModel: .value(.text("another"))]
        let profiles = try (0..<24).map { number in
            try version(
                number,
                wall: (number < 12 ? 1 : 3) * (number >= 18 ? 1.3 : 1) * (1 + 0.002 * Double(number * 7 % 5)),
                identity: number < 12 ? [:] : other)
        }
        let trend = History(profiles).trend(of: .wall, in: StageName("transcription"))
        #expect(trend.points.indices.filter { trend.points[$0].isChangePoint } == [18])
    }

    @Test("Sessions give an interval, by Student's t")
    func intervals() throws {
        let one = History([try version(0, wall: 1)]).trend(of: .wall, in: StageName("transcription"))
        #expect(one.points[0].interval == nil)
        let three = History([try version(0, wall: 1, sessions: [1, 1.02, 0.98])])
            .trend(of: .wall, in: StageName("transcription"))
        let interval = try #require(three.points[0].interval)
        // t(0.975, 2) = 4.303, the logarithms' standard deviation 0.02, a new one of sqrt(4/3): half width 0.0994.
        #expect((interval.upper / 6 - 1.1043).magnitude < 0.002)
        #expect((interval.lower / 6 - 0.905).magnitude < 0.002)
    }

    @Test("Tables keep to 80 columns, whatever the names")
    func tables() throws {
        var profiles = try (0..<14).map { try version($0, wall: $0 < 7 ? 1 : 1.5) }
        profiles[3].release = String(repeating: "very-long-", count: 9)
        profiles[4].stages[1].use.wallSeconds = .unavailable(reason: "the pipeline did not tell \u{1B}[31m")
        let history = History(profiles)
        let trends =
            [history.trend(of: .wall, in: nil)] + history.stages.map { history.trend(of: .wall, in: $0) }
        for usesUTF8 in [false, true] {
            let text = HistoryText(usesUTF8: usesUTF8)
            let all = text.overview(trends) + text.detail(trends[2])
            for line in all.split(separator: "\n") { #expect(line.count <= 80, "\(line)") }
            #expect(all.contains("<- step"))
            #expect(all.contains("1 step"))
            #expect(all.contains(usesUTF8 ? "▁" : "_"))
            #expect(!all.contains("\u{1B}"))
            #expect(all.contains("n/a (1)") && all.contains("the pipeline did not tell"))
        }
    }
}

extension SeededGenerator {
    /// A number from the standard normal distribution, nearly: the sum of twelve uniform ones.
    fileprivate mutating func normal() -> Double {
        (0..<12).reduce(-6) { sum, _ in sum + Double.random(in: 0..<1, using: &self) }
    }
}
