import FrozenProfile
import LinuxProcess
import LinuxSystem
import Measurement
import TestSupport
import Testing
import YAMLDocument

/// A directory of profiles made by hand, and the tool run on it.
struct Shelf {
    let directory: TemporaryDirectory
    var store: ProfileStore { ProfileStore(directory: directory.path) }

    init() throws {
        directory = try TemporaryDirectory()
    }

    /// Freezes the fixture as a version, with its companions.
    func add(
        _ version: String, date: String = "2026-02-10T14:20:00Z", truth: Bool = true,
        change: (inout FrozenProfile) -> Void = { _ in }
    ) throws {
        var profile = try ProfileStore.load(path: BuiltProduct.fixture("frozen-profile.yaml"))
        profile.release = version
        profile.date = date
        change(&profile)
        var companions: [(kind: CompanionKind, source: CompanionSource)] = [
            (.monitorLog, .bytes(Array("a log of \(version)\n".utf8)))
        ]
        if truth { companions.append((.stageTruth, .bytes(Shelf.truth(of: profile).encode()))) }
        try store.freeze(profile, as: VersionName(version), companions: companions)
    }

    static func truth(of profile: FrozenProfile) -> StageTruth {
        StageTruth(
            release: profile.release, datasetID: profile.datasetID, generatedAt: profile.date,
            run: profile.totals.use,
            stages: profile.stages.map {
                .init(stage: $0.stage, entered: .value(1), use: $0.use, source: "event trace")
            }, transitions: [],
            monitor: .init(isEnabled: true, lines: .value(1), bytes: .value(9)))
    }

    func run(_ words: String...) throws -> CommandResult {
        try runCommand([BuiltProduct.path("freeze-profile")] + words + ["--profiles", directory.path])
    }

    /// All files with their digests, the directories in it included.
    func digests(_ path: String? = nil) throws -> [String: String] {
        let path = path ?? directory.path
        var found: [String: String] = [:]
        for name in try Files.names(inDirectory: path) {
            let one = "\(path)/\(name)"
            if Files.isDirectory(one) {
                found.merge(try digests(one)) { first, _ in first }
            } else {
                found[String(one.dropFirst(directory.path.count + 1))] = try SHA256.file(one).sha256
            }
        }
        return found
    }

    func text(_ name: String) throws -> String {
        String(decoding: try Files.read("\(directory.path)/\(name)", limit: 1 << 24), as: UTF8.self)
    }
}

@Suite("Promoting")
struct PromotionTests {
    private static let reason = ["--reason", "first with five runs: \"kept\"\n- x"]

    @Test(
        "A profile becomes a reference with its companions under the new name, stamped, the source untouched")
    func promoting() throws {
        let shelf = try Shelf()
        try shelf.add("v1.2.0-wip")
        let before = try shelf.digests()
        let result = try shelf.run("promote", "v1.2.0-wip", "podcast-2026", Self.reason[0], Self.reason[1])
        #expect(result.status == .code(0), "\(result.standardError)")
        let references = shelf.store.references
        #expect(
            result.standardOutput.split(separator: "\n").map(String.init)
                == ["yaml", "stage_truth.json", "monitor.log"].map {
                    "\(references.directory)/podcast-2026.\($0)"
                })
        #expect(
            result.standardError.contains(
                "Note: It rests on 3 measured runs; a reference should have at least 5."))
        #expect(result.standardError.contains("Note: Its release is still called v1.2.0-wip."))
        let reference = try references.load(VersionName("podcast-2026"))
        var source = try shelf.store.load(VersionName("v1.2.0-wip"))
        #expect(references.damagedCompanions(of: reference).isEmpty)
        #expect(
            reference.companions.map(\.file) == ["podcast-2026.stage_truth.json", "podcast-2026.monitor.log"])
        #expect(reference.companions.map(\.sha256) == source.companions.map(\.sha256))
        let stamp = try #require(reference.promoted)
        #expect(stamp.keys == ["promoted_id", "promoted_from", "promoted_at", "reason", "promoted_by"])
        #expect(stamp["promoted_id"] == .text("podcast-2026"))
        #expect(stamp["promoted_from"] == .text("\(shelf.directory.path)/v1.2.0-wip.yaml"))
        #expect(stamp["reason"] == .text(Self.reason[1]))
        #expect(stamp["promoted_by"]?.asText?.hasPrefix("freeze-profile ") == true)
        #expect(stamp["promoted_at"]?.asText?.hasSuffix("Z") == true)
        source.promoted = reference.promoted
        source.companions = reference.companions
        #expect(source == reference)
        #expect(try shelf.digests().filter { !$0.key.hasPrefix("references/") } == before)
    }

    @Test("Profiles of real runs, and references made of them, are what the JSON Schema says")
    func schema() throws {
        let toolkit = try Toolkit()
        for (version, command) in [("v1", Toolkit.shellPipeline), ("v2", Toolkit.pythonPipeline)] {
            let result = try toolkit.capture(
                version, ["--skip-warmup", "--dataset-id", "d", "--canaries", "1", "--sampler", "none"],
                command)
            try #require(result.status == .code(0), "\(result.standardError)")
        }
        let store = ProfileStore(directory: toolkit.directory.path)
        let promoted = try runCommand([
            BuiltProduct.path("freeze-profile"), "promote", "v1", "r1", "--reason", "x", "--profiles",
            store.directory,
        ])
        let hasEpisodes = try store.load(VersionName("v1")).episodesProcessed.value != nil
        #expect(promoted.status == .code(hasEpisodes ? 0 : 66), "\(promoted.standardError)")
        var files = ["v1", "v2"].map { "\(store.directory)/\($0).yaml" }
        if hasEpisodes { files.append("\(store.references.directory)/r1.yaml") }
        #expect(try ProfileSchema.problems(in: files) == files.map { _ in [] })
        let run = try #require(try store.load(VersionName("v1")).measuredRuns.first)
        #expect((0...100).contains(try #require(run.surroundings?[.othersShare].value)))
        let canaries = try #require(try store.load(VersionName("v1")).sessions.first?.canaries)
        #expect(canaries.count == 3 && canaries.allSatisfy { $0.drift.value != nil })
    }

    @Test("A dry run says what it would write and writes nothing")
    func dryRun() throws {
        let shelf = try Shelf()
        try shelf.add("v1")
        let before = try shelf.digests()
        let result = try shelf.run("promote", "v1", "r1", "--reason", "x", "--dry-run")
        #expect(result.status == .code(0))
        let path = shelf.directory.path
        #expect(result.standardOutput.hasPrefix("\(path)/references/r1.yaml <- \(path)/v1.yaml\n"))
        #expect(result.standardOutput.split(separator: "\n").count == 3)
        #expect(try shelf.digests() == before)
        #expect(!Files.exists("\(path)/references"))
    }

    @Test(
        "Names of work in progress, and names that are none, are refused",
        arguments: ["v1-wip", "WIP", "v1.WiP.2", "../x", "a/b", ""])
    func names(id: String) throws {
        let shelf = try Shelf()
        try shelf.add("v1")
        let before = try shelf.digests()
        let result = try shelf.run("promote", "v1", id, "--reason", "x")
        #expect(result.status == .code(64))
        #expect(
            result.standardError.contains(
                id.lowercased().contains("wip")
                    ? "'\(id)' cannot name a reference: it contains 'wip', and a reference is not work in progress. "
                        + "Choose another name." : "cannot name a version"))
        #expect(try shelf.digests() == before)
    }

    @Test("A reference is never replaced: not by another promotion, not by a capture with --force")
    func immutable() throws {
        let shelf = try Shelf()
        try shelf.add("v1")
        try shelf.add("v2")
        #expect(try shelf.run("promote", "v1", "r1", "--reason", "x").status == .code(0))
        let before = try shelf.digests()
        let second = try shelf.run("promote", "v2", "r1", "--reason", "y")
        #expect(second.status == .code(73))
        let path = "\(shelf.directory.path)/references/r1.yaml"
        #expect(
            second.standardError.contains(
                "Reference r1 is there already in '\(path)', and references are never replaced. Choose another name."
            ))
        let profile = try shelf.store.load(VersionName("v2"))
        let inside = ProfileStore(directory: "\(shelf.directory.path)/references/../references/")
        #expect(throws: ProfileError.referenceExists(id: "r1", file: inside.path(of: try VersionName("r1"))))
        {
            try inside.freeze(profile, as: VersionName("r1"), force: true)
        }
        #expect(try shelf.digests() == before)
    }

    @Test("A reason is required, and more than spaces")
    func reason() throws {
        let shelf = try Shelf()
        try shelf.add("v1")
        let none = try shelf.run("promote", "v1", "r1")
        #expect(none.status == .code(64))
        #expect(none.standardError.contains("Say why this profile becomes a reference: --reason"))
        #expect(try shelf.run("promote", "v1", "r1", "--reason", "  ").status == .code(64))
        #expect(try shelf.run("promote", "v1").status == .code(64))
    }

    @Test("Everything that is wrong with the source is told at once, and nothing is written")
    func unfit() throws {
        let shelf = try Shelf()
        try shelf.add("v1", truth: false) { profile in
            profile.datasetID = .unavailable(reason: "not given: --dataset-id")
            profile.totals.use.peakResidentMB = .unavailable(reason: "no /proc")
            profile.stages[0].use.wallSeconds = .value(99)
            profile.environment.identity = EnvironmentIdentity()
        }
        try Files.replace("\(shelf.directory.path)/v1.monitor.log", with: "edited")
        let before = try shelf.digests()
        let result = try shelf.run("promote", "v1", "r1", "--reason", "x")
        #expect(result.status == .code(66))
        let path = shelf.directory.path
        for sentence in [
            "'\(path)/v1.yaml' cannot be promoted:", "- It has no dataset_id: not given: --dataset-id.",
            "- It has no totals.peak_rss_mb: no /proc.",
            "- It does not tell where it was measured: environment.identity is empty.",
            "- stages.rss_feed_fetch.wall_time_s: the profile says 99.000000, its runs give 1.062500",
            "- \(path)/v1.monitor.log: the profile says 12 bytes, there is 6 bytes",
            "- It has no stage truth '\(path)/v1.stage_truth.json'; --no-stage-truth-required goes without.",
        ] { #expect(result.standardError.contains(sentence), "\(sentence)") }
        #expect(try shelf.digests() == before)
    }

    @Test(
        "The stage truth has to be that of the profile; one that is missing can be excused, a wrong one cannot"
    )
    func stageTruth() throws {
        let shelf = try Shelf()
        try shelf.add("v1", truth: false)
        #expect(try shelf.run("promote", "v1", "r1", "--reason", "x").status == .code(66))
        let excused = try shelf.run("promote", "v1", "r1", "--reason", "x", "--no-stage-truth-required")
        #expect(excused.status == .code(0))
        #expect(
            try Files.names(inDirectory: "\(shelf.directory.path)/references") == [
                "r1.monitor.log", "r1.yaml",
            ])
        var foreign = try shelf.store.load(VersionName("v1"))
        foreign.release = "v9"
        foreign.stages.removeLast()
        let path = "\(shelf.directory.path)/v1.stage_truth.json"
        try Files.replace(path, with: Shelf.truth(of: foreign).encode())
        let wrong = try shelf.run("promote", "v1", "r2", "--reason", "x", "--no-stage-truth-required")
        #expect(wrong.status == .code(66))
        #expect(wrong.standardError.contains("- '\(path)' is of release v9, not of v1."))
        #expect(wrong.standardError.contains("- '\(path)' has no transcription."))
        try Files.replace(path, with: "{\"schema_version\": ")
        let damaged = try shelf.run("promote", "v1", "r2", "--reason", "x")
        #expect(damaged.standardError.contains("'\(path)': the document is not JSON, or cut off"))
    }

    @Test("A profile of the older schema can be promoted, and keeps what it said")
    func older() throws {
        let shelf = try Shelf()
        let text = """
            release: v2.6-wip
            date: '2026-04-10T09:24:33Z'
            dataset_id: e2e
            episodes_processed: 2
            environment: {hostname: studio.local, cpu: arm, cpu_cores_logical: 14, ram_total_gb: 48.0, git_sha: 39e4607}
            stages:
              summarization: {wall_time_s: 204.4, peak_rss_mb: 6924, avg_cpu_pct: 246.61}
            totals: {peak_rss_mb: 7159, wall_time_s: 111.9925, avg_wall_time_per_episode_s: 55.9962, sampling_note: x}
            """
        try Files.replace("\(shelf.directory.path)/old.yaml", with: text)
        let result = try shelf.run("promote", "old", "v2.6", "--reason", "x", "--no-stage-truth-required")
        #expect(result.status == .code(0), "\(result.standardError)")
        let source = try shelf.store.load(VersionName("old"))
        let reference = try shelf.store.references.load(VersionName("v2.6"))
        #expect(reference.stages == source.stages && reference.totals == source.totals)
        #expect(reference.environment == source.environment)
        #expect(reference.promoted?["promoted_id"] == .text("v2.6"))
    }

    @Test("Sources that are not there")
    func missing() throws {
        let shelf = try Shelf()
        try shelf.add("v1.2.0")
        let near = try shelf.run("promote", "v1.2.1", "r1", "--reason", "x")
        #expect(near.status == .code(66))
        #expect(near.standardError.contains("Did you mean v1.2.0?"))
        let path = try shelf.run("promote", "/nowhere/v1.yaml", "r1", "--reason", "x")
        #expect(path.status == .code(66))
        #expect(path.standardError.contains("Cannot read '/nowhere/v1.yaml': No such file or directory."))
    }

    @Test("On a full disk no part of a reference is there", .enabled(if: CurrentProcess.userID == 0))
    func fullDisk() throws {
        let shelf = try Shelf()
        try shelf.add("v1")
        let target = "\(shelf.directory.path)/references"
        try Files.createDirectories(target)
        let mounted = try runCommand(["mount", "-t", "tmpfs", "-o", "size=8k", "tmpfs", target])
        try #require(mounted.status == .code(0), "\(mounted.standardError)")
        let result = try shelf.run("promote", "v1", "r1", "--reason", "x")
        let names = try Files.names(inDirectory: target)
        _ = try runCommand(["umount", target])
        #expect(result.status == .code(73))
        #expect(result.standardError.contains("No space left on device"))
        #expect(names == [])
    }
}

@Suite("Archiving and pruning")
struct ArchivingTests {
    @Test("An old version moves with its companions, byte by byte, and is still found")
    func archiving() throws {
        let shelf = try Shelf()
        try shelf.add("v1", date: "2026-01-01T00:00:00Z")
        try shelf.add("v2", date: "2026-02-01T00:00:00Z")
        let before = try shelf.digests()
        let trial = try shelf.run("archive", "v1", "--dry-run")
        #expect(trial.status == .code(0))
        #expect(try shelf.digests() == before)
        let result = try shelf.run("archive", "v1")
        #expect(result.status == .code(0), "\(result.standardError)")
        let path = shelf.directory.path
        #expect(result.standardOutput == trial.standardOutput)
        #expect(result.standardOutput.contains("\(path)/v1.yaml -> \(path)/archive/v1.yaml\n"))
        var expected = before.filter { $0.key.hasPrefix("v2") }
        for (name, digest) in before where name.hasPrefix("v1") { expected["archive/\(name)"] = digest }
        #expect(try shelf.digests() == expected)
        // Found, and refused for what the fixture says of itself: one of its runs failed.
        #expect(try shelf.run("diff", "v1", "v2").status == .code(3))
        let again = try shelf.run("archive", "v1")
        #expect(again.status == .code(73))
        #expect(again.standardError.contains("v1 is in the archive already: '\(path)/archive/v1.yaml'."))
    }

    @Test("The newest version stays, unless by force")
    func newest() throws {
        let shelf = try Shelf()
        try shelf.add("v9", date: "2026-01-01T00:00:00Z")
        try shelf.add("v10", date: "2026-02-01T00:00:00Z")
        let before = try shelf.digests()
        let result = try shelf.run("archive", "v10")
        #expect(result.status == .code(64))
        #expect(
            result.standardError.contains(
                "v10 is the newest version in '\(shelf.directory.path)', and the next one will be compared with it."
            ))
        #expect(try shelf.digests() == before)
        #expect(try shelf.run("archive", "v10", "--force").status == .code(0))
        #expect(try shelf.store.versions().map(\.text) == ["v9"])
    }

    @Test("A move that was cut short at any point is finished by asking again")
    func interrupted() throws {
        let whole = try Shelf()
        try whole.add("v1", date: "2026-01-01T00:00:00Z")
        try whole.add("v2", date: "2026-02-01T00:00:00Z")
        let before = try whole.digests()
        #expect(try whole.run("archive", "v1").status == .code(0))
        let after = try whole.digests()
        let names = ["v1.yaml", "v1.monitor.log", "v1.stage_truth.json"]
        // Everything copied, and none, one or two of the originals removed; or only companions copied yet.
        for removed in 0...3 {
            let shelf = try Shelf()
            try shelf.add("v1", date: "2026-01-01T00:00:00Z")
            try shelf.add("v2", date: "2026-02-01T00:00:00Z")
            #expect(try shelf.digests() == before)
            try Files.createDirectories(shelf.store.archive.directory)
            for name in names where removed < 3 || name != "v1.yaml" {
                let bytes = try Files.read("\(shelf.directory.path)/\(name)", limit: 1 << 20)
                try Files.replace("\(shelf.store.archive.directory)/\(name)", with: bytes)
            }
            if removed < 3 {
                for name in names.prefix(removed) { try Files.remove("\(shelf.directory.path)/\(name)") }
            }
            #expect(try shelf.run("archive", "v1").status == .code(0))
            #expect(try shelf.digests() == after)
        }
    }

    @Test("Something else of that name in the archive is not replaced")
    func conflict() throws {
        let shelf = try Shelf()
        try shelf.add("v1", date: "2026-01-01T00:00:00Z")
        try shelf.add("v2", date: "2026-02-01T00:00:00Z")
        try Files.createDirectories(shelf.store.archive.directory)
        try Files.replace("\(shelf.store.archive.directory)/v1.monitor.log", with: "another\n")
        let before = try shelf.digests()
        let result = try shelf.run("archive", "v1")
        #expect(result.status == .code(73))
        #expect(result.standardError.contains("is there already and is not the same as"))
        #expect(try shelf.digests() == before)
    }

    @Test("A version that is not there, or cannot be read, is told and stays")
    func unreadable() throws {
        let shelf = try Shelf()
        #expect(try shelf.run("archive", "v1").status == .code(66))
        try Files.replace("\(shelf.directory.path)/v1.yaml", with: "release: [")
        let result = try shelf.run("archive", "v1")
        #expect(result.status == .code(66))
        #expect(result.standardError.contains("is not a frozen profile"))
        #expect(Files.exists("\(shelf.directory.path)/v1.yaml"))
    }

    @Test("Pruning shows what it removes, keeps the newest, the references and what has no date")
    func pruning() throws {
        let shelf = try Shelf()
        for (index, version) in ["v1", "v2", "v3", "v4"].enumerated() {
            try shelf.add(version, date: "2026-0\(index + 1)-01T00:00:00Z")
        }
        try shelf.add("undated", change: { $0.date = "yesterday" })
        try Files.replace("\(shelf.directory.path)/broken.yaml", with: "- 1\n")
        try Files.replace("\(shelf.directory.path)/notes.txt", with: "mine\n")
        #expect(try shelf.run("promote", "v1", "r1", "--reason", "x").status == .code(0))
        let before = try shelf.digests()
        let trial = try shelf.run("prune", "--keep", "2", "--dry-run")
        #expect(trial.status == .code(0))
        #expect(trial.standardError.contains("Would remove:\n  v1 of 2026-01-01, "))
        #expect(trial.standardError.contains("undated was left alone: its date is not one"))
        #expect(trial.standardError.contains("broken was left alone: "))
        #expect(try shelf.digests() == before)
        let result = try shelf.run("prune", "--keep", "2")
        #expect(result.status == .code(0), "\(result.standardError)")
        #expect(result.standardOutput == trial.standardOutput)
        #expect(result.standardOutput.split(separator: "\n").count == 6)
        let expected = before.filter { !$0.key.hasPrefix("v1.") && !$0.key.hasPrefix("v2.") }
        #expect(try shelf.digests() == expected)
        // All are older than a day ago, and the newest stays all the same.
        #expect(try shelf.run("prune", "--older-than", "0").status == .code(0))
        #expect(try shelf.digests() == expected.filter { !$0.key.hasPrefix("v3.") })
        let nothing = try shelf.run("prune")
        #expect(nothing.status == .code(0) && nothing.standardError.contains("There is nothing to remove."))
    }

    @Test("What a killed freeze left is removed, what a living one is writing is not")
    func leftovers() throws {
        let shelf = try Shelf()
        try shelf.add("v1")
        let left = "\(shelf.directory.path)/.freezing-v2.abc123"
        try Files.createDirectories("\(left)/replaced")
        try Files.replace("\(left)/v2.yaml", with: "half")
        var living: FileDescriptor? = try FileDescriptor.open(shelf.directory.path, .read)
        try living?.lockExclusively()
        // While somebody holds the directory, pruning waits.
        let blocked = try runCommand(
            [BuiltProduct.path("freeze-profile"), "prune", "--profiles", shelf.directory.path],
            timeout: .milliseconds(700))
        #expect(blocked.status != .code(0))
        #expect(Files.exists("\(left)/v2.yaml"))
        living = nil
        let result = try shelf.run("prune")
        #expect(result.status == .code(0))
        #expect(result.standardError.contains("left over by a freeze that was killed, 4 B"))
        #expect(result.standardOutput == "\(left)\n")
        #expect(!Files.exists(left))
        #expect(try shelf.store.versions().map(\.text) == ["v1"])
    }

    @Test("Records go with their version, or when asked for, and never from under a living capture")
    func records() throws {
        let shelf = try Shelf()
        try shelf.add("v1", date: "2026-01-01T00:00:00Z")
        try shelf.add("v2", date: "2026-02-01T00:00:00Z")
        let base = "\(shelf.directory.path)/.records"
        for session in ["v1/s1", "v2/s1", "v2/s2", "unfinished/s1"] {
            try Files.createDirectories("\(base)/\(session)")
            try Files.replace("\(base)/\(session)/001-measured.json", with: "{}")
        }
        try Files.replace("\(base)/.gitignore", with: "*\n")
        #expect(try shelf.run("prune", "--keep", "1").status == .code(0))
        #expect(!Files.exists("\(base)/v1/s1") && Files.exists("\(base)/v2/s1"))
        let living = try FileDescriptor.open("\(base)/v2/s2", .read)
        try living.lockExclusively()
        let result = try shelf.run("prune", "--records")
        #expect(result.status == .code(0))
        #expect(result.standardError.contains("  run records of unfinished, session s1, 2 B\n"))
        #expect(!Files.exists("\(base)/v2/s1") && !Files.exists("\(base)/unfinished/s1"))
        #expect(Files.exists("\(base)/v2/s2/001-measured.json") && Files.exists("\(base)/.gitignore"))
        #expect(try shelf.store.versions().map(\.text) == ["v2"])
    }

    @Test("References are not pruned, and numbers that are none are refused")
    func refusals() throws {
        let shelf = try Shelf()
        try shelf.add("v1")
        #expect(try shelf.run("promote", "v1", "r1", "--reason", "x").status == .code(0))
        let result = try runCommand([
            BuiltProduct.path("freeze-profile"), "prune", "--keep", "1", "--profiles",
            "\(shelf.directory.path)/references",
        ])
        #expect(result.status == .code(64))
        #expect(result.standardError.contains("holds references, which are kept for ever"))
        for words in [["--keep", "0"], ["--keep", "x"], ["--older-than", "-1"]] {
            let wrong = try shelf.run("prune", words[0], words[1])
            #expect(wrong.status == .code(64))
            #expect(wrong.standardError.contains("is not a whole number from"))
        }
    }
}
