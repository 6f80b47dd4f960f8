import FrozenProfile
import LinuxProcess
import LinuxSystem
import Measurement
import ProfileSamples
import ProfileStore
import TestSupport
import Testing

@Suite("Whether a profile is what was frozen")
struct VerificationTests {
    private func frozen(in directory: TemporaryDirectory) throws -> String {
        let records = [
            try Samples.record(1, .warmUp, wall: 30), try Samples.record(2, wall: 8),
            try Samples.record(3, wall: 9), try Samples.record(4, .profiled, wall: 9.5),
        ]
        let store = ProfileStore(directory: directory.path)
        let version = try VersionName("v1")
        try store.freeze(
            try FrozenProfile(records: records, release: version), as: version,
            companions: [(.monitorLog, .bytes(Array("a log\n".utf8)))])
        return store.path(of: version)
    }

    private func edit(_ path: String, _ original: String, _ changed: String) throws {
        let text = String(decoding: try Files.read(path, limit: 1 << 20), as: UTF8.self)
        try #require(text.contains(original))
        try Files.replace(path, with: text.replacing(original, with: changed, maxReplacements: 1))
    }

    @Test("An untouched profile matches; its digest is that of the file without the line that holds it")
    func untouched() throws {
        let directory = try TemporaryDirectory()
        let path = try frozen(in: directory)
        let (profile, verification) = try Verification.verify(path: path)
        #expect(
            verification.findings.isEmpty && verification.passes(),
            "\(verification.findings) \(verification.notes)")
        #expect(profile.release == "v1")
        let digest = try runCommand(["sh", "-c", "grep -v '^content_sha256:' '\(path)' | sha256sum"])
        let bytes = try Files.read(path, limit: 1 << 20)
        #expect(digest.standardOutput.hasPrefix(ContentDigest(of: bytes).stated ?? "none"))
    }

    @Test("Transitions that the stage truth leaves out are said, and are no finding")
    func leftOut() throws {
        let directory = try TemporaryDirectory()
        let store = ProfileStore(directory: directory.path)
        let version = try VersionName("v1")
        let profile = try Samples.profile(release: "v1")
        var truth = StageTruth(
            release: "v1", datasetID: profile.datasetID, generatedAt: profile.date, run: profile.totals.use,
            stages: [], transitions: [], monitor: .init(isEnabled: true, lines: .value(1), bytes: .value(9)))
        truth.transitionsLeftOut = 1234
        try store.freeze(profile, as: version, companions: [(.stageTruth, .bytes(truth.encode()))])
        let verification = try Verification.verify(path: store.path(of: version)).verification
        #expect(verification.passes())
        #expect(
            verification.notes.contains(
                "'\(store.path(of: version, .stageTruth))' lists the first 100000 transitions; 1234 more are counted in the "
                    + "stages, and not listed."))
    }

    @Test("A changed comment is an edit, and nothing else; a changed summary does not follow from the runs")
    func edited() throws {
        let directory = try TemporaryDirectory()
        let path = try frozen(in: directory)
        try edit(path, "do not edit them by hand", "please edit them by hand")
        var verification = try Verification.verify(path: path).verification
        #expect(verification.findings.map(\.kind) == [.edited])
        #expect(verification.isEdited && !verification.passes() && verification.passes(allowingEdited: true))
        try edit(path, "    wall_time_s: 6.0", "    wall_time_s: 5.0")
        verification = try Verification.verify(path: path).verification
        #expect(!verification.passes(allowingEdited: true))
        #expect(
            verification.findings.last?.description
                == "stages.transcription.wall_time_s: the profile says 5.000000, its runs give 6.000000")
    }

    @Test(
        "Every derived value is computed again",
        arguments: [
            ("    share_of_wall: 0.7059", "    share_of_wall: 0.5", "stages.transcription.share_of_wall"),
            ("    runs: 2", "    runs: 3", "stages.rss_feed_fetch.runs"),
            ("  unattributed_wall_s: 1.5", "  unattributed_wall_s: 1.25", "totals.unattributed_wall_s"),
            ("  unattributed_cpu_s: 1.125", "  unattributed_cpu_s: 1.0", "totals.unattributed_cpu_s"),
            (
                "  avg_wall_time_per_episode_s: 1.7", "  avg_wall_time_per_episode_s: 1.8",
                "totals.avg_wall_time_per_episode_s"
            ),
            (
                "profiled_over_measured_wall: 1.1176", "profiled_over_measured_wall: 1.0",
                "capture_quality.perturbation.profiled_over_measured_wall"
            ),
            ("    recorded: 1000", "    recorded: 1001", "capture_quality.sampler.recorded"),
        ])
    func derived(original: String, changed: String, key: String) throws {
        let directory = try TemporaryDirectory()
        let path = try frozen(in: directory)
        try edit(path, original, changed)
        let findings = try Verification.verify(path: path).verification.findings
        #expect(findings.filter { $0.kind == .derived }.map(\.subject) == [key])
    }

    @Test(
        "Stages that used more than the run are refused, in the summary and in a run, whatever else matches")
    func negativeRest() throws {
        let directory = try TemporaryDirectory()
        let path = try frozen(in: directory)
        try edit(path, "  unattributed_cpu_s: 1.125", "  unattributed_cpu_s: -0.236000")
        let verification = try Verification.verify(path: path).verification
        #expect(
            verification.findings.filter { $0.kind == .account }.map(\.subject) == [
                "totals.unattributed_cpu_s"
            ])
        #expect(!verification.passes(allowingEdited: true))
        #expect(
            verification.findings.contains {
                $0.description
                    == "totals.unattributed_cpu_s: the profile says -0.236000, but it has to be 0 or more"
            })
        // Stages of 10 s in a run of 9 s.
        let run = Samples.run(1, wall: 9, [try Samples.stage("a", wall: 10, cpu: 2, peak: .value(1))])
        var profile = try Samples.profile()
        profile.sessions = [Session(id: "s1", startedAt: nil, observed: ObservedEnvironment(), runs: [run])]
        #expect(
            profile.deviations.contains {
                $0.kind == .account && $0.subject == "sessions.s1.runs.1: wall_time_s outside stages"
            })
    }

    @Test("Files beside it that are gone, longer or other ones are named")
    func companions() throws {
        let directory = try TemporaryDirectory()
        let path = try frozen(in: directory)
        let log = "\(directory.path)/v1.monitor.log"
        func finding() throws -> String? {
            try Verification.verify(path: path).verification.findings.first?.description
        }
        try Files.replace(log, with: "b log\n")
        #expect(try finding()?.contains("there is sha256 ") == true)
        try Files.replace(log, with: "a log\nmore\n")
        #expect(try finding() == "\(log): the profile says 6 bytes, there is 11 bytes")
        try Files.remove(log)
        #expect(try finding() == "\(log): the profile says a file of 6 bytes, there is none")
    }

    @Test("What an older file does not have is no finding, but is said")
    func older() throws {
        let directory = try TemporaryDirectory()
        let path = "\(directory.path)/old.yaml"
        try Files.replace(path, with: Samples.older)
        let verification = try Verification.verify(path: path).verification
        #expect(verification.passes())
        #expect(
            verification.notes == [
                "The file has no content_sha256, so whether it was changed cannot be told.",
                "The file has no runs, so what is derived in it cannot be computed again.",
            ])
    }

    @Test("Python, with PyYAML and its own medians, finds what the profile says")
    func oracle() throws {
        let directory = try TemporaryDirectory()
        let path = try frozen(in: directory)
        let result = try runCommand([
            "python3", "\(BuiltProduct.packageDirectory)/Tests/Fixtures/check-profile.py", path,
        ])
        #expect(result.status == .code(0), "\(result.standardOutput)\(result.standardError)")
        try edit(path, "    wall_time_s: 6.0", "    wall_time_s: 5.0")
        let changed = try runCommand([
            "python3", "\(BuiltProduct.packageDirectory)/Tests/Fixtures/check-profile.py", path,
        ])
        #expect(
            changed.standardOutput.contains("stages.transcription.wall_time_s: 5.0, but its runs give 6.0"))
    }

    @Test("Damaged at random, 1,000 times by default: refused, or read and found out, never a crash")
    func fuzzing() throws {
        let records = [try Samples.record(2, wall: 8), try Samples.record(4, .profiled, wall: 9.5)]
        let whole = try FrozenProfile(records: records, release: try VersionName("v1")).encode()
        var generator = SeededGenerator(seed: 20_260_211)
        var (refused, found) = (0, 0)
        for _ in 0..<Mutation.inputs / 3 {
            let damaged = Mutation.of([whole], changes: 1...2, using: &generator)
            do throws(ProfileError) {
                let profile = try FrozenProfile.decode(damaged, name: "p.yaml")
                let isFound = !ContentDigest(of: damaged).agrees || !profile.deviations.isEmpty
                if isFound { found += 1 }
                // A file that lost its digest cannot be checked.
                #expect(isFound || damaged == whole || ContentDigest(of: damaged).stated == nil)
            } catch {
                refused += 1
                #expect(!error.description.isEmpty)
            }
        }
        #expect(refused > Mutation.inputs / 30 && found > Mutation.inputs / 30)
    }
}
