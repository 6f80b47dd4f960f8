import FrozenProfile
import LinuxProcess
import LinuxSystem
import Measurement
import ProfileStore
import TestSupport
import Testing
import YAMLDocument

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
        #expect(promoted.status == .code(0), "\(promoted.standardError)")
        let files =
            ["v1", "v2"].map { "\(store.directory)/\($0).yaml" }
            + ["\(store.references.directory)/r1.yaml"]
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

    @Test("Everything that is wrong with the source is reported at once, and nothing is written")
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
            "- It does not say where it was measured: environment.identity is empty.",
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

    @Test("A pipeline without episodes is promoted, with a note that says what cannot be checked")
    func withoutEpisodes() throws {
        let shelf = try Shelf()
        try shelf.add("v1") {
            $0.episodesProcessed = .unavailable(reason: "the pipeline tells no number of episodes")
            $0.totals.wallSecondsPerEpisode = $0.episodesProcessed.map { _ in 0 }
        }
        let result = try shelf.run("promote", "v1", "r1", "--reason", "x")
        #expect(result.status == .code(0), "\(result.standardError)")
        #expect(
            result.standardError.contains(
                "It does not say how many items it worked on, so a comparison cannot check that: "
                    + "the pipeline tells no number of episodes."))
        let reference = try shelf.store.references.load(VersionName("r1"))
        #expect(reference.episodesProcessed.value == nil)
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
        // To the program that wrote it, it is the same document with its promotion.
        let compared = try runCommand(
            [
                "python3", "-c",
                """
                import sys, yaml
                old, new = (yaml.safe_load(open(path)) for path in sys.argv[1:])
                assert new.pop('promoted')['promoted_id'] == 'v2.6'
                assert old == new, (old, new)
                """,
                "\(shelf.directory.path)/old.yaml", "\(shelf.directory.path)/references/v2.6.yaml",
            ])
        #expect(compared.status == .code(0), "\(compared.standardError)")
        #expect(!(try shelf.text("references/v2.6.yaml")).contains("sessions;"))
        #expect(try shelf.run("verify", "references/v2.6").status == .code(0))
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
