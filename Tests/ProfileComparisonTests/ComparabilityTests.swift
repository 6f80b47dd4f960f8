import FrozenProfile
import Measurement
import ProfileComparison
import ProfileSamples
import Statistics
import Testing

@Suite("What must not differ")
struct ComparabilityTests {
    private func comparison(
        allowing keys: Set<String> = [], _ change: (inout FrozenProfile) -> Void
    ) throws -> Comparison {
        var newer = try Versions().profile("v2", Versions.threeSteady)
        change(&newer)
        return Comparison(
            from: try Versions().profile("v1", Versions.threeSteady), to: newer,
            settings: ComparisonSettings(allowances: keys))
    }

    @Test("Another machine or workload is refused with a list, and no number is shown")
    func refused() throws {
        let refused = try comparison {
            $0.datasetID = .value("other\u{1B}[31m")
            $0.environment.identity[.cpuModel] = .value(.text("Other CPU"))
            $0.environment.identity[.kernelMajor] = .unavailable(reason: "not asked")
        }
        #expect(refused.outcome == .notComparable)
        #expect(refused.rows.isEmpty)
        #expect(refused.comparability.refusals.map(\.key) == ["dataset_id", "cpu_model"])
        let text = ComparisonText(refused).render()
        #expect(
            text.contains("! dataset_id differs: indicator_v1, now other\u{FFFD}[31m. (--allow dataset_id)"))
        #expect(text.contains("possibly different: kernel_major."))
        #expect(!text.contains("wall s"))
    }

    @Test("What is allowed is compared, and the report says so")
    func allowed() throws {
        let allowed = try comparison(allowing: ["cpu_model"]) {
            $0.environment.identity[.cpuModel] = .value(.text("Other CPU"))
        }
        #expect(allowed.outcome == .verdict(.unchanged))
        #expect(allowed.comparability.allowed.map(\.key) == ["cpu_model"])
        #expect(
            ComparisonText(allowed).render().contains(
                "! cpu_model differs: same, now Other CPU. (allowed: cpu_model)"))
        // Another key does not help.
        let refused = try comparison(allowing: ["libc"]) {
            $0.environment.identity[.cpuModel] = .value(.text("Other CPU"))
        }
        #expect(refused.outcome == .notComparable)
    }

    @Test(
        "Each thing that must not differ is refused by itself",
        arguments: ["stages", "git_dirty", "exit_status", "episodes_processed"])
    func single(key: String) throws {
        let refused = try comparison { profile in
            switch key {
            case "stages":
                profile.stages = [profile.stages[0]].map {
                    var stage = $0
                    stage.stage = .done
                    return stage
                }
            case "git_dirty": profile.environment.identity[.gitDirty] = .value(.bool(true))
            case "exit_status":
                profile.sessions[0].runs[1].exit = .value(137)
                profile.sessions[1].runs[1].exit = .value(1)
            default: profile.episodesProcessed = .value(6)
            }
        }
        #expect(refused.outcome == .notComparable)
        #expect(refused.comparability.refusals.map(\.key) == [key])
    }

    @Test("Samplers of different rungs, rates or health are refused; none at all is nothing to differ")
    func samplers() throws {
        func quality(_ name: String, rate: Double, lost: Int) -> CaptureQuality {
            CaptureQuality(
                sampler: .init(
                    name: name, reason: nil, rateHz: .value(rate), attempted: .value(1000),
                    recorded: .value(1000 - lost),
                    lost: .value(lost), truncated: .value(0), unwindFailed: .value(0),
                    unknownFramesPercent: .value(0)),
                profiledOverMeasuredWall: .value(1), monitorCPUSeconds: .value(0),
                samplerCPUSeconds: .value(0),
                notes: [])
        }
        func comparability(_ newer: CaptureQuality) throws -> Comparability {
            var from = try Versions().profile("v1", Versions.threeSteady)
            from.captureQuality = quality("perf cpu-clock", rate: 997, lost: 10)
            var to = try Versions().profile("v2", Versions.threeSteady)
            to.captureQuality = newer
            return Comparison(from: from, to: to).comparability
        }
        func refusals(_ newer: CaptureQuality) throws -> [String] {
            try comparability(newer).refusals.map(\.key)
        }
        #expect(try refusals(quality("perf cpu-clock", rate: 997, lost: 20)) == [])
        #expect(try refusals(quality("py-spy", rate: 100, lost: 10)) == ["sampler", "sampler_rate"])
        // Times come from other runs, so bad stacks are no reason not to compare them.
        let bad = try comparability(quality("perf cpu-clock", rate: 997, lost: 100))
        #expect(bad.refusals.isEmpty && bad.warnings.map(\.key) == ["sampler_health"])
        #expect(try refusals(quality("none", rate: 1, lost: 0)) == [])
    }

    @Test("A session that drifts or was not warmed up is left out and named; it counts when that is allowed")
    func sessions() throws {
        let cold = [1.5, 1.0, 1.001, 0.999, 1.002, 1.0]
        let drifting = (0..<16).map { 1 + 0.01 * Double($0) }
        // One session among others that begins with a slow run is one of two kinds of runs.
        let older = try Versions().profile("v1", Versions.threeSteady)
        let once = Comparison(from: older, to: try Versions().profile("v2", Versions.threeSteady + [cold]))
        #expect(once.to.sessions == 4)
        for (sessions, left, reason) in [
            ([cold, cold], 0, "The first measured run was much slower than the others"),
            (Versions.threeSteady + [drifting], 3, "The runs became slower one after the other"),
        ] {
            let newer = try Versions().profile("v2", sessions)
            let strict = Comparison(from: older, to: newer)
            #expect(strict.to.sessions == left)
            let sentence = try #require(
                strict.comparability.warnings.map(\.sentence).first { $0.contains("is left out") })
            #expect(sentence.hasPrefix("Session s\(left + 1) of v2 is left out. \(reason)"))
            let lenient = Comparison(
                from: older, to: newer, settings: ComparisonSettings(allowances: ["invalid_session"]))
            #expect(lenient.to.sessions == sessions.count)
            #expect(lenient.comparability.allowed.count == sessions.count - left)
        }
    }

    @Test("Fixed work that took another time forbids the comparison; a little noise does not")
    func canaries() throws {
        func profile(_ release: String, seconds: Double, last: Double? = nil) throws -> FrozenProfile {
            var profile = try Versions().profile(release, Versions.threeSteady)
            for index in profile.sessions.indices {
                let repetitions = (0..<5).map { seconds * (1 + 0.001 * Double(($0 * 3 + index) % 5)) }
                profile.sessions[index].canaries = [
                    Canary(
                        name: "sha256-16MiB-1",
                        repetitions: [
                            .start: .value(repetitions),
                            .end: .value(index == 0 ? [last ?? seconds] : repetitions),
                        ])
                ]
            }
            return profile
        }
        let older = try profile("v1", seconds: 0.1)
        #expect(
            Comparison(from: older, to: try profile("v2", seconds: 0.101)).outcome == .verdict(.unchanged))
        let slower = Comparison(from: older, to: try profile("v2", seconds: 0.105))
        #expect(
            slower.comparability.refusals.map(\.sentence)
                == ["The machine was slower for v2: fixed work (sha256-16MiB-1) took 5 % more time."])
        let faster = Comparison(from: older, to: try profile("v2", seconds: 0.095))
        #expect(
            faster.comparability.refusals.map(\.sentence)
                == ["The machine was faster for v2: fixed work (sha256-16MiB-1) took 5 % less time."])
    }

    @Test("A machine that changed its speed within a session takes no session away, and is reported")
    func drift() throws {
        let older = try Versions().profile("v1", Versions.threeSteady)
        var newer = try Versions().profile("v2", Versions.threeSteady)
        let quiet = try #require(Comparison(from: older, to: newer).rows.first?.change)
        // Runs that felt it, and runs that did not.
        func drift(_ profile: inout FrozenProfile) {
            profile.sessions[0].canaries = [
                Canary(
                    name: "sha256-16MiB-1",
                    repetitions: [.start: .value([0.1]), .middle: .value([0.1]), .end: .value([0.11])])
            ]
        }
        drift(&newer)
        let unfelt = try #require(Comparison(from: older, to: newer).rows.first)
        #expect(try #require(unfelt.change).interval.halfWidth < 1.2 * quiet.interval.halfWidth)
        newer = try Versions().profile("v2", [[1, 1.1, 0.9, 1.05, 0.95]] + Versions.threeSteady.dropFirst())
        drift(&newer)
        let drifted = Comparison(from: older, to: newer)
        #expect(drifted.to.sessions == 3)
        #expect(
            drifted.comparability.warnings.map(\.sentence) == [
                "Session s1 of v2: The machine's speed changed by 10.0 % during the session (canary sha256-16MiB-1)."
            ])
        let wall = try #require(drifted.rows.first)
        let memory = try #require(drifted.rows.first { $0.metric == .peakResident })
        #expect(try #require(wall.change).interval.halfWidth > 3 * quiet.interval.halfWidth)
        #expect(wall.shareOfDrift ?? 0 > 0.7 && memory.shareOfDrift == nil)
        let share = ((wall.shareOfDrift ?? 0) * 100).fixed(0)
        #expect(
            ComparisonText(drifted).render().replacing("\n  ", with: " ").contains(
                "The machine's speed wandered more in these sessions than in those that the noise was learnt from; up to \(share) % "
                    + "of the bounds' width is for that."))
    }

    @Test("A canary that differs from session to session as much as between versions forbids nothing")
    func restlessMachine() throws {
        func profile(_ release: String, _ seconds: [Double]) throws -> FrozenProfile {
            var profile = try Versions().profile(release, Versions.threeSteady)
            for (index, seconds) in seconds.enumerated() {
                // Twenty repetitions that agree are still one measurement of the machine.
                let timed = Reading.value((0..<20).map { seconds * (1 + 0.0001 * Double($0 % 3)) })
                profile.sessions[index].canaries = [
                    Canary(name: "sha256-16MiB-1", repetitions: [.start: timed, .end: timed])
                ]
            }
            return profile
        }
        let older = try profile("v1", [0.1, 0.11, 0.105])
        #expect(
            Comparison(from: older, to: try profile("v2", [0.112, 0.105, 0.118])).outcome != .notComparable)
        #expect(Comparison(from: older, to: try profile("v2", [0.2, 0.21, 0.19])).outcome == .notComparable)
    }

    @Test("Swapped sides and other stages are reported, not refused")
    func told() throws {
        let swapped = Comparison(
            from: try Versions().profile("v2", date: "2026-03-01T00:00:00Z", Versions.threeSteady),
            to: try Versions().profile("v1", Versions.threeSteady))
        #expect(swapped.outcome == .verdict(.unchanged))
        #expect(
            swapped.comparability.warnings.map(\.sentence)
                == ["v2 is the newer one by date: the sides may be swapped."])
    }

    @Test(
        "What the older schema says of the machine is compared: CPUs and memory forbid, names are said",
        arguments: [
            ("cpu_cores_logical: 14", "cpu_cores_logical: 8", "usable_cpus differs: 14, now 8.", true),
            ("ram_total_gb: 48.0", "ram_total_gb: 16.0", "memory_class_gb differs: 48, now 16.", true),
            ("ram_total_gb: 48.0", "ram_total_gb: 47.6", "", false),
            (
                "hostname: studio.local", "hostname: laptop.local",
                "hostname differs: studio.local, now laptop.local. They may have been measured on different machines.",
                false
            ),
            ("cpu: arm", "cpu: i386", "cpu_model differs: arm, now i386.", true),
        ])
    func olderMachines(old: String, new: String, sentence: String, forbids: Bool) throws {
        let text = Samples.older.replacing("git_dirty: true", with: "git_dirty: false")
        try #require(text.contains(old))
        let from = try FrozenProfile.decode(Array(text.utf8), name: "a.yaml")
        let to = try FrozenProfile.decode(Array(text.replacing(old, with: new).utf8), name: "b.yaml")
        let comparison = Comparison(from: from, to: to)
        #expect((comparison.outcome == .notComparable) == forbids)
        let said = comparison.comparability.differences.filter { $0.key != "same" && $0.key != "unknown" }
        #expect(
            said.map(\.sentence).filter { $0.contains("differs") } == (sentence.isEmpty ? [] : [sentence]))
    }
}
