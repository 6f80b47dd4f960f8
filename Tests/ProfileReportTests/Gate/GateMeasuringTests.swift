import FrozenProfile
import LinuxProcess
import LinuxSystem
import Measurement
import ProfileComparison
import ProfileStore
import TestSupport
import Testing

@Suite("A gate that measures what frozen runs leave open")
struct GateMeasuringTests {
    /// Two versions of one session each, of scripts that sleep.
    private struct Shelf {
        let directory: TemporaryDirectory
        var path: String { directory.path }

        init() throws {
            directory = try TemporaryDirectory()
            for (version, seconds) in [("v1", "0.05"), ("v2", "0.3")] {
                try Files.replace("\(path)/\(version).sh", with: "sleep \(seconds)\n")
                let made = try runCommand(
                    [
                        BuiltProduct.path("freeze-profile"), "capture", "--version", version, "--output",
                        "\(path)/\(version).yaml", "--runs", "2", "--stack-runs", "0", "--skip-warmup",
                        "--canaries", "0", "--", "sh", "\(path)/\(version).sh",
                    ], in: path)
                try #require(made.status == .code(0), "\(made.standardError)")
            }
        }

        func gate(_ options: [String]) throws -> CommandResult {
            try runCommand(
                [BuiltProduct.path("freeze-profile"), "gate", "v1", "v2", "--profiles", path] + options,
                in: path)
        }
    }

    @Test("It runs both recipes until they decide, or until the time is up")
    func measuring() throws {
        let shelf = try Shelf()
        #expect(try shelf.gate([]).status == .code(2))
        let decided = try shelf.gate(["--undecided", "measure", "--measure-seconds", "300"])
        #expect(decided.status == .code(1), "\(decided.standardOutput)\(decided.standardError)")
        #expect(decided.standardOutput.contains("- total.wall: regressed by "))
        #expect(decided.standardOutput.contains("12 pairs of runs made now ("))
        #expect(decided.standardError.contains("v1 runs: sh "))
        // One pair beside the one that warms up is made in any case, and decides nothing.
        let short = try shelf.gate(["--undecided", "measure", "--measure-seconds", "1"])
        #expect(short.status == .code(2), "\(short.standardOutput)\(short.standardError)")
        #expect(short.standardOutput.contains(" of runs made now ("))
    }

    @Test("It has to know what to run, and asks no profile that was changed")
    func refusals() throws {
        let shelf = try Shelf()
        let same = try shelf.gate(["--undecided", "measure", "--a", "sh x", "--b", "sh x"])
        #expect(same.status == .code(64) && same.standardError.contains("Say where the old program is: --a"))
        #expect(try shelf.gate(["--measure-seconds", "9"]).status == .code(64))
        let unused = try shelf.gate(["--undecided", "warn", "--a", "sh x"])
        #expect(unused.status == .code(64))
        #expect(unused.standardError.contains("--a belongs to --undecided measure."))
        #expect(try shelf.gate(["--undecided", "measure", "--measure-seconds", "0"]).status == .code(64))
        let file = "\(shelf.path)/v1.yaml"
        let text = String(decoding: try Files.read(file, limit: 1 << 20), as: UTF8.self)
        try Files.replace(file, with: text.replacing("v1.sh", with: "v3.sh"))
        let edited = try shelf.gate(["--undecided", "measure"])
        #expect(edited.status == .code(3), "\(edited.standardOutput)\(edited.standardError)")
        #expect(!edited.standardError.contains("v1 runs:"))
    }

    @Test(
        "What was decided stays, what is open takes the verdict of the later runs, with the bounds of these")
    func settling() throws {
        func profile(_ name: String, _ wall: [Double]) -> FrozenProfile { Self.profile(name, wall) }
        let runs = (0..<12).map { 1 + 0.001 * Double($0 * 5 % 12) }
        var open = Comparison(from: profile("v1", runs), to: profile("v2", runs))
        #expect(open.outcome == .verdict(.inconclusive))
        let slower = Comparison(interleaved: profile("a", runs), with: profile("b", runs.map { 1.5 * $0 }))
        #expect(open.settle(by: slower) >= 2)
        #expect(open.outcome == .verdict(.regressed))
        let row = try #require(open.rows.first { $0.metric == .wall })
        #expect(row.change == slower.rows.first { $0.metric == .wall }?.change)
        let same = Comparison(interleaved: profile("a", runs), with: profile("b", runs))
        #expect(open.settle(by: same) == 0 && open.outcome == .verdict(.regressed))
    }

    @Test("A row that is too small passes if it cannot have changed by as much as counts, and only then")
    func belowFloor() throws {
        let runs = (0..<12).map { 1 + 0.001 * Double($0 * 5 % 12) }
        func decide(_ old: [Double], _ new: [Double]) throws -> GateDecision {
            // CPU time of a few milliseconds beside a second of wall time.
            func profile(_ name: String, _ date: String, _ cpu: [Double]) -> FrozenProfile {
                var made = Self.profile(name, runs)
                made.date = date
                for index in cpu.indices { made.sessions[0].runs[index].use[.cpu] = .value(cpu[index]) }
                return made
            }
            let comparison = Comparison(
                interleaved: profile("v1", "2026-02-10T10:00:00Z", old),
                with: profile("v2", "2026-02-11T10:00:00Z", new))
            let evidence = GateEvidence(
                comparison: comparison, today: try #require(CalendarDay("2026-02-12")))
            return GateDecision(evidence, agreements: GateAgreements())
        }
        let tiny = runs.map { 0.002 * $0 }
        let passed = try decide(tiny, tiny)
        #expect(passed.verdict == .passed, "\(GateText.render(passed))")
        #expect(try decide(tiny, runs.map { 0.02 * $0 }).verdict == .regressed)
        // Wide enough apart to hide more than 5 ms.
        let wild = tiny.enumerated().map { $0.offset % 2 == 0 ? 0.001 : 0.02 }
        #expect(try decide(tiny, wild).verdict != .passed)
    }

    private static func profile(_ name: String, _ wall: [Double]) -> FrozenProfile {
        FrozenProfile(
            release: name, date: "2026-02-10T14:20:00Z", datasetID: .value("set"),
            episodesProcessed: .value(1),
            environment: ProfileEnvironment(
                identity: EnvironmentIdentity(), observed: ObservedEnvironment()),
            captureQuality: nil, recipe: nil,
            sessions: [
                Session(
                    id: "s1", startedAt: nil, observed: ObservedEnvironment(),
                    runs: wall.enumerated().map { index, seconds in
                        Run(
                            index: index + 1, kind: .measured, startedAt: nil, exit: .value(0),
                            use: ResourceUse(
                                wallSeconds: .value(seconds), cpuSeconds: .value(0.9 * seconds),
                                peakResidentMB: .value(100),
                                averageCPUPercent: .unavailable(reason: "not asked for")), stages: [])
                    })
            ])
    }
}
