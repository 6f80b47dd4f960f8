import FrozenProfile
import LinuxSystem
import Measurement
import MessageDigest
import ProfileSamples
import TestSupport
import Testing
import YAMLDocument

@Suite("The JSON Schema of frozen profiles")
struct SchemaTests {
    /// A profile with every key that the format has.
    private func whole() throws -> FrozenProfile {
        var profile = try Samples.profile()
        for metric in Metric.allCases where !Metric.primary.contains(metric) {
            profile.stages[0].use[metric] = .value(3)
            profile.totals.use[metric] = .unavailable(reason: "refused")
            profile.sessions[0].runs[1].use[metric] = .value(7)
            profile.sessions[0].runs[1].stages[0].use[metric] = .value(7.5)
        }
        for key in IdentityKey.allCases { profile.environment.identity[key] = .value(.text("x")) }
        let observed = ObservedEnvironment(
            Dictionary(uniqueKeysWithValues: ObservedKey.allCases.map { ($0, .value(1.5)) }),
            governor: .value("performance"))
        profile.environment.observed = observed
        profile.environment.other["hostname"] = .text("kept")
        profile.totals.other["sampling_note"] = .text("kept")
        profile.other["reviewed_by"] = .text("kept")
        profile.stages[0].isShared = true
        profile.sessions[0].canaries = [
            Canary(
                name: "c-1",
                repetitions: [.start: .value([0.1, 0.2]), .end: .unavailable(reason: "no disk")])
        ]
        let range = Reading.value(ObservedRange(before: 1, after: 2, lowest: 0.5, highest: 3))
        profile.sessions[0].runs[1].surroundings = RunEnvironment(
            Dictionary(uniqueKeysWithValues: RunEnvironmentKey.allCases.map { ($0, .value(1)) }),
            ranges: Dictionary(uniqueKeysWithValues: ObservedKey.states.map { ($0, range) }))
        profile.sessions[0].runs[3].failure = RunFailure("was ended by signal 9 (Killed)")
        profile.captureQuality?.attempts = [
            .measured: RunAttempts(attempted: 4, recorded: 3),
            .profiled: RunAttempts(attempted: 1, recorded: 1),
        ]
        profile.captureQuality?.review = .init(sessions: 1, disturbedRuns: 1, findings: ["few_runs"])
        profile.sessions[0].runs[1].disturbance = "the hypervisor took 9 % of the CPU time"
        profile.sessions[0].runs[1].outputDigest = "abc"
        profile.sessions[0].runs[1].wallClockStepSeconds = -3600
        profile.sessions[0].runs[1].stages[0].isShared = true
        profile.companions = CompanionKind.allCases.map {
            Companion(kind: $0.rawValue, file: "v1\($0.suffix)", sha256: SHA256.hexadecimal(of: []), bytes: 0)
        }
        profile.promoted = ["promoted_id": .text("r1"), "reason": .text("x")]
        return profile
    }

    private func problems(_ documents: [String]) throws -> [[String]] {
        let directory = try TemporaryDirectory()
        var files: [String] = []
        for (index, document) in documents.enumerated() {
            files.append("\(directory.path)/\(index).yaml")
            try Files.replace(files[index], with: document)
        }
        return try ProfileSchema.problems(in: files)
    }

    @Test(
        "What is written is valid: a plain profile, one with every key, one without runs, and the older schema's"
    )
    func valid() throws {
        let older = try FrozenProfile.decode(Array(Samples.older.utf8), name: "old.yaml")
        let documents = try [Samples.profile(), whole(), older].map {
            String(decoding: $0.encode(), as: UTF8.self)
        }
        var apart = try whole()
        apart.runsPlace = .companion
        let text = String(decoding: apart.encode(), as: UTF8.self)
        #expect(try problems(documents + [Samples.older, text]) == [[], [], [], [], []])
    }

    @Test("What the reader refuses, the schema refuses, and it names the place")
    func invalid() throws {
        let text = String(decoding: try whole().encode(), as: UTF8.self)
        let changes: [(String, String, place: String)] = [
            ("release: v1.2.0\n", "", ""),
            ("    wall_time_s: 1.0625\n", "    wall_time_s: -1\n", "stages/rss_feed_fetch/wall_time_s"),
            ("    wall_time_s: 1.0625\n", "    wall_time_s: fast\n", "stages/rss_feed_fetch/wall_time_s"),
            ("    wall_time_s: 1.0625\n", "    wall_time_s: null\n", "stages/rss_feed_fetch/wall_time_s"),
            ("    wall_time_s: 1.0625\n", "    wall_tme_s: 1.0625\n", "stages/rss_feed_fetch"),
            ("episodes_processed: 5\n", "episodes_processed: 2.5\n", "episodes_processed"),
            ("    kind: warm_up\n", "    kind: warmup\n", "sessions/0/runs/0/kind"),
            ("    exit: 137\n", "    exit: -9\n", "sessions/0/runs/3/exit"),
            ("    steal_pct: 1.0\n", "    steel_pct: 1.0\n", ""),
            ("file: v1.monitor.log\n", "file: ../v1.monitor.log\n", "companions/monitor_log/file"),
            ("      - 0.1\n", "      - -0.1\n", "sessions/0/canaries/c-1/start_s"),
            ("\nschema_version: '2.3'\n", "\nschema_version: '4.0'\n", "schema_version"),
            // Only a profile whose raw values stand in a companion is of schema 3.
            ("\nschema_version: '2.3'\n", "\nschema_version: '3.0'\n", ""),
            ("\nrelease: ", "\nraw_values: companion\nrelease: ", "raw_values"),
            (
                "        highest: 3.0\n", "        higest: 3.0\n",
                "sessions/0/runs/1/surroundings"
            ),
        ]
        var documents: [String] = []
        for change in changes {
            let range = try #require(text.firstRange(of: change.0), "\(change.0)")
            var copy = text
            copy.replaceSubrange(range, with: change.1)
            documents.append(copy)
        }
        for (change, found) in zip(changes, try problems(documents)) {
            #expect(!found.isEmpty, "\(change.1)")
            #expect(found.contains { $0.hasPrefix(change.place) }, "\(change.1): \(found)")
        }
    }

    @Test("The schema names every metric and key that the code has")
    func sameKeys() throws {
        let text = String(decoding: try Files.read(ProfileSchema.path, limit: 1 << 20), as: UTF8.self)
        let keys =
            Metric.allCases.flatMap { [$0.rawValue, $0.runKey] } + IdentityKey.allCases.map(\.rawValue)
            + ObservedKey.allCases.map(\.rawValue) + RunEnvironmentKey.allCases.map(\.rawValue)
        for key in keys { #expect(text.contains("\"\(key)\": "), "\(key)") }
    }
}
