import ComparisonSimulation
import FrozenProfile
import Measurement
import TestSupport
import Testing

@testable import ProfileComparison

@Suite("Nodes of a cluster")
struct NodeSpreadTests {
    private static let stages = ["fetch", "crunch"]

    /// A profile of sessions on nodes: each has three runs of the wall time given, two stages of a quarter and three.
    ///
    /// - Parameter crunch: By what the second stage's time is multiplied, by node.
    private func profile(
        _ release: String, _ sessions: [(node: String, wall: Double)], crunch: [String: Double] = [:]
    ) throws -> FrozenProfile {
        var profile = MeasuredValues.profile(release, wall: sessions.map { [$0.wall, $0.wall, $0.wall] })
        for (index, session) in sessions.enumerated() {
            profile.sessions[index].place = SessionPlace(
                scheduler: "slurm", node: session.node, host: session.node, nodeClass: "2 CPUs",
                job: "1_\(index)",
                partition: nil)
            for run in profile.sessions[index].runs.indices {
                let walls = [0.25 * session.wall, 0.75 * session.wall * (crunch[session.node] ?? 1)]
                profile.sessions[index].runs[run].stages = try zip(Self.stages, walls).map { name, wall in
                    let use = ResourceUse([.wall: .value(wall), .cpu: .value(wall)])
                    return StageRun(
                        stage: try #require(StageName(name)), entered: .value(1), workSeconds: .value(wall),
                        use: use)
                }
                profile.sessions[index].runs[run].use[.wall] = .value(walls.reduce(0, +))
            }
        }
        return FrozenProfile(
            release: release, date: profile.date, datasetID: profile.datasetID,
            episodesProcessed: profile.episodesProcessed, environment: profile.environment,
            captureQuality: nil,
            recipe: nil, sessions: profile.sessions)
    }

    /// Two sessions on each of so many nodes; the last node may be slower.
    private func sessions(
        _ random: inout RandomNumbers, nodes: Int, slow: Double = 1, factor: Double = 1
    ) -> [(node: String, wall: Double)] {
        (1...nodes).flatMap { node in
            (0..<2).map { _ in
                let wall = 10 * factor * (node == nodes ? slow : 1) * (1 + 0.01 * random.normal())
                return ("c\(node)", wall)
            }
        }
    }

    private func spread(_ profiles: FrozenProfile...) -> NodeSpread {
        NodeSpread(profiles.map { SideEvidence($0, countsInvalid: true) })
    }

    /// Groups with the share by SciPy: `f_oneway`, and the component of variance that follows from its F.
    private static let shares: [([[Double]], Double)] = [
        ([[1, 2, 3], [2, 4], [8, 9, 10, 9]], 0.9432314410480349),
        ([[1, 2], [1.5, 1.6], [1, 2.2]], 0),
        ([[0.01, 0.012], [0.11, 0.12], [0.0, 0.003], [-0.01, 0.004]], 0.9878539327314895),
    ]

    @Test(
        "The share of the variance between groups is that of the analysis of variance",
        arguments: NodeSpreadTests.shares)
    func share(_ groups: [[Double]], _ expected: Double) throws {
        let share = try #require(NodeSpread.betweenShare(groups))
        #expect((share - expected).magnitude < 1e-9)
    }

    @Test("Where no node has several sessions, the variance between nodes is not known")
    func noShare() {
        #expect(NodeSpread.betweenShare([[1], [2], [3]]) == nil)
        #expect(NodeSpread.betweenShare([[1, 2, 3]]) == nil)
    }

    @Test("A slow node is named with its stages; left out by rule it is left out on both sides")
    func oddNode() throws {
        var random = RandomNumbers(seed: 7)
        let from = try profile("v1", sessions(&random, nodes: 4, slow: 1.12))
        let to = try profile("v2", sessions(&random, nodes: 4, slow: 1.12))
        let kept = Comparison(from: from, to: to)
        let sentence = try #require(kept.notes.first { $0.hasPrefix("Node c4 is ") })
        #expect(sentence.contains("% slower than the other 3 on all stages."), "\(sentence)")
        #expect(sentence.contains("Its 4 sessions count; --exclude-odd-nodes"))
        #expect(kept.notes.contains { $0.hasPrefix("Of the variance between sessions about ") })
        #expect(kept.from.sessions == 8)
        var settings = ComparisonSettings()
        settings.excludesOddNodes = true
        let excluded = Comparison(from: from, to: to, settings: settings)
        #expect(excluded.from.sessions == 6 && excluded.to.sessions == 6)
        #expect(excluded.notes.contains { $0.contains("Left out on both sides by rule: 4 of 16 sessions.") })
    }

    @Test("A node that is slow in one stage is said to be slow there")
    func oddStage() throws {
        var random = RandomNumbers(seed: 8)
        let slow = ["c4": 1.2]
        let from = try profile("v1", sessions(&random, nodes: 4), crunch: slow)
        let to = try profile("v2", sessions(&random, nodes: 4), crunch: slow)
        #expect(Comparison(from: from, to: to).notes.contains { $0.contains(", mostly in crunch.") })
    }

    @Test("Equal nodes are rarely called odd, and what a version costs more makes none odd")
    func equalNodes() throws {
        var random = RandomNumbers(seed: 9)
        var named = 0
        for _ in 0..<200 {
            let from = try profile("v1", sessions(&random, nodes: 4))
            let to = try profile("v2", sessions(&random, nodes: 4, factor: 1.3))
            if !spread(from, to).oddNodes.isEmpty { named += 1 }
        }
        #expect(named <= 10)
    }

    @Test("Two or three nodes are too few to call one odd, and sessions of no scheduler have no node")
    func fewNodes() throws {
        var random = RandomNumbers(seed: 10)
        let three = try profile("v1", sessions(&random, nodes: 3, slow: 2))
        #expect(spread(three).oddNodes.isEmpty)
        let none = spread(MeasuredValues.profile("v1", wall: [[1], [2]]))
        #expect(none.nodes == 0 && none.sentences(isExcluded: false).isEmpty)
    }

    @Test("A slow node on both sides makes no regression of equal versions")
    func noFalseAlarm() throws {
        var random = RandomNumbers(seed: 11)
        var alarms = 0
        for _ in 0..<200 {
            let from = try profile("v1", sessions(&random, nodes: 4, slow: 1.12))
            let to = try profile("v2", sessions(&random, nodes: 4, slow: 1.12))
            let comparison = Comparison(from: from, to: to)
            if comparison.rows.contains(where: { $0.stage == nil && $0.verdict == .regressed }) {
                alarms += 1
            }
        }
        #expect(alarms <= 7)
    }
}
