import FrozenProfile
import LinuxProcess
import LinuxSystem
import Measurement
import ProfileSamples
import ProfileStore
import TestSupport
import Testing

@Suite("Raw values that are too many for the profile's text")
struct RunsCompanionTests {
    private func profile(runs: Int, release: String = "v1") throws -> FrozenProfile {
        try Samples.profile(runs: runs, release: release)
    }

    private var fewRuns: Int { FrozenProfile.maximumInlineRows / 3 }

    @Test("Few values stand in the text, more in a companion, and both are loaded as they were frozen")
    func threshold() throws {
        let directory = try TemporaryDirectory()
        let store = ProfileStore(directory: directory.path)
        let few = try store.freeze(try profile(runs: fewRuns), as: VersionName("few"))
        let many = try store.freeze(try profile(runs: fewRuns + 1), as: VersionName("many"))
        #expect(
            try Files.names(inDirectory: directory.path) == ["few.yaml", "many.runs.jsonl.gz", "many.yaml"])
        #expect(few.runsPlace == .inline && few.companions.isEmpty)
        #expect(many.runsPlace == .companion && many.companions.map(\.kind) == ["runs"])
        #expect(try store.load(VersionName("few")) == few)
        #expect(try store.load(VersionName("many")) == many)
        #expect(try store.load(VersionName("many")).measuredRuns.count == fewRuns + 1)
        #expect(try Verification.verify(path: store.path(of: VersionName("many"))).verification.passes())
        // The companion is a gzip file to others.
        let lines = try runCommand(["sh", "-c", "gzip -dc '\(directory.path)/many.runs.jsonl.gz' | wc -l"])
        #expect(lines.standardOutput.contains("\(1 + fewRuns + 1 + 2)"))
    }

    @Test("A version that is replaced by a smaller one loses the companion")
    func replaced() throws {
        let directory = try TemporaryDirectory()
        let store = ProfileStore(directory: directory.path)
        let version = try VersionName("v1")
        try store.freeze(try profile(runs: 200), as: version)
        try store.freeze(try profile(runs: 5), as: version, force: true)
        #expect(try Files.names(inDirectory: directory.path) == ["v1.yaml"])
    }

    @Test(
        "A companion that is missing or another one: the profile is not loaded, and verify names the file",
        arguments: ["missing", "other", "not gzip"])
    func damaged(how: String) throws {
        let directory = try TemporaryDirectory()
        let store = ProfileStore(directory: directory.path)
        let version = try VersionName("v1")
        try store.freeze(try profile(runs: 200), as: version)
        try store.freeze(try profile(runs: 201), as: VersionName("v2"))
        let file = store.path(of: version, .runs)
        switch how {
        case "missing": try Files.remove(file)
        case "other":
            try Files.replace(
                file, with: try Files.read(store.path(of: VersionName("v2"), .runs), limit: 1 << 20))
        default: try Files.replace(file, with: "values\n")
        }
        let error = #expect(throws: ProfileError.self) { try store.load(version) }
        #expect(error?.description.hasPrefix("The raw values in '\(file)' cannot be used. ") == true)
        let (summary, verification) = try Verification.verify(path: store.path(of: version))
        #expect(summary.stages.count == 2)
        #expect(verification.findings.map(\.kind) == [.companion])
        #expect(verification.findings.map(\.subject) == [file])
        #expect(verification.notes.contains { $0.hasPrefix("Without its raw values") })
        // What needs no raw values is still there.
        #expect(try ProfileStore.loadSummary(path: store.path(of: version)).stages.count == 2)
    }

    @Test("A changed summary does not follow from the runs of the companion")
    func derived() throws {
        let directory = try TemporaryDirectory()
        let store = ProfileStore(directory: directory.path)
        let version = try VersionName("v1")
        try store.freeze(try profile(runs: 200), as: version)
        let path = store.path(of: version)
        let text = String(decoding: try Files.read(path, limit: 1 << 20), as: UTF8.self)
        try #require(text.contains("    cpu_time_s: 0.25\n"))
        try Files.replace(
            path, with: text.replacing("    cpu_time_s: 0.25\n", with: "    cpu_time_s: 0.2\n"))
        let findings = try Verification.verify(path: path).verification.findings
        #expect(findings.contains { $0.kind == .derived && $0.subject == "stages.rss_feed_fetch.cpu_time_s" })
    }

    @Test("It goes where its profile goes: promoted, archived, finished after a kill, pruned")
    func carried() throws {
        let directory = try TemporaryDirectory()
        let store = ProfileStore(directory: directory.path)
        let frozen = try store.freeze(try profile(runs: 200), as: VersionName("v1"))
        try store.freeze(try profile(runs: 200, release: "v2"), as: VersionName("v2"))

        let promotion = try Promotion(
            .init(
                source: "v1", id: "r1", reason: "a test", requiresStageTruth: false, tool: "test",
                at: Timestamp(nanosecondsSinceEpoch: 1_770_000_000_000_000_000)), in: store)
        #expect(promotion.copies.map(\.to).contains { $0.hasSuffix("/references/r1.runs.jsonl.gz") })
        try promotion.perform()
        #expect(try store.references.load(VersionName("r1")).sessions == frozen.sessions)
        let reference = store.references.path(of: try VersionName("r1"))
        #expect(try Verification.verify(path: reference).verification.passes())

        try Archiving("v1", in: store, force: true).perform()
        #expect(try store.archive.load(VersionName("v1")) == frozen)
        #expect(
            try Files.names(inDirectory: directory.path).filter { $0.hasPrefix("v") } == [
                "v2.runs.jsonl.gz", "v2.yaml",
            ])

        // What a freeze that was killed after writing everything leaves.
        let staging = "\(directory.path)/.freezing-v1.abcdef"
        try Files.move(store.archive.directory, to: staging)
        try Files.replace("\(staging)/complete", with: "v1\nruns")
        try store.recover()
        #expect(try store.load(VersionName("v1")) == frozen)

        try Pruning(store, rule: .init(keep: 1)).perform()
        let left = try Files.names(inDirectory: directory.path).filter { $0.hasPrefix("v") }
        #expect(left == ["v2.runs.jsonl.gz", "v2.yaml"])
    }
}
