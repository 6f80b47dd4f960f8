import FrozenProfile
import LinuxProcess
import LinuxSystem
import Measurement
import MessageDigest
import ProfileSamples
import TestSupport
import Testing

@Suite("Run records")
struct RunRecordTests {
    @Test("A record is read back as it was written, and written again as the same bytes")
    func roundTrip() throws {
        let record = try Samples.record(4, .profiled, wall: 9.25)
        let bytes = record.encode()
        let back = try RunRecord.decode(bytes, name: "r.json")
        #expect(back == record)
        #expect(back.encode() == bytes)
        #expect(record.name == "s1/4" && record.stem == "004-profiled")
    }

    @Test("It is JSON to Python, with stages in order and the class of every value")
    func oracle() throws {
        let directory = try TemporaryDirectory()
        let path = "\(directory.path)/r.json"
        try Files.replace(path, with: try Samples.record(2, wall: 8).encode())
        let script = """
            import json, sys
            r = json.load(open(sys.argv[1]))
            assert r["schema"] == "freeze-profile.run-record" and r["kind"] == "measured" and r["index"] == 2
            assert [s["stage"] for s in r["stages"]] == ["rss_feed_fetch", "transcription"]
            assert r["stages"][1]["peak_rss_mb"] == {"unavailable": "clear_refs was refused: Operation not permitted"}
            assert set(r["classes"].values()) == {"exact", "noisy", "derived"}
            keys = set(r["totals"]) | {k for s in r["stages"] for k in s}
            assert keys - {"stage", "shared", "source", "peak_method"} <= set(r["classes"]), keys
            """
        let result = try runCommand(["python3", "-c", script, path])
        #expect(result.status == .code(0), "\(result.standardError)")
    }

    @Test("A failed run's record says so, and is read back as it was written")
    func failed() throws {
        var record = try Samples.record(3, wall: 2)
        record.run.exit = .value(137)
        record.run.failure = RunFailure("was ended by signal 9 (Killed)")
        record.openStages = [try #require(StageName("transcription"))]
        record.leftOutput = "/tmp/freeze-profile-failed.abc"
        record.files = [
            Companion(
                kind: "standard_error", file: "003-measured.stderr.log", sha256: SHA256.hexadecimal(of: []),
                bytes: 0)
        ]
        let bytes = record.encode()
        let text = String(decoding: bytes, as: UTF8.self)
        #expect(text.contains("\"exit\": 137,\n  \"failed\": \"was ended by signal 9 (Killed)\",\n"))
        let back = try RunRecord.decode(bytes, name: "r.json")
        #expect(back == record && back.encode() == bytes)
        #expect(back.run.hasFailed && !back.run.counts && back.file(.standardError) != nil)
        record.run.exit = .value(0)
        record.run.failure = RunFailure("signal 15 (Terminated)", isInterruption: true)
        let interrupted = try RunRecord.decode(record.encode(), name: "r.json")
        #expect(interrupted == record && interrupted.run.hasFailed)
    }

    @Test("A record of schema 1.0 is read into the model of today")
    func older() throws {
        var record = try Samples.record(2, wall: 8)
        let text = String(decoding: record.encode(), as: UTF8.self)
            .replacing("\"schema_version\": \"1.2\"", with: "\"schema_version\": \"1.0\"")
            .replacing(
                "\"observed\": {\"before\": {\"load_1m\": 0.25}}",
                with: "\"observed\": {\"before\": {\"load_1m\": 0.25}, \"after\": {\"load_1m\": 0.5}}")
        #expect(text.contains("\"after\""))
        record.run.surroundings = RunEnvironment(
            ranges: [.load: .value(ObservedRange(before: 0.25, after: 0.5, lowest: 0.25, highest: 0.5))])
        #expect(try RunRecord.decode(Array(text.utf8), name: "r.json") == record)
    }

    @Test("Failed runs of the same are among a profile's runs and do not count; others are not")
    func failedRunsInProfile() throws {
        let good = try (1...3).map { try Samples.record($0, wall: Double($0) + 7) }
        var failed = try Samples.record(4, wall: 99)
        failed.run.exit = .value(3)
        failed.run.failure = RunFailure("exited with code 3")
        var beforeTheFix = try Samples.record(5, wall: 99)
        beforeTheFix.run.failure = RunFailure("exited with code 1")
        beforeTheFix.run.exit = .value(1)
        beforeTheFix.identity[.buildMode] = .value(.text("debug"))
        var interrupted = try Samples.record(6, wall: 99)
        interrupted.run.failure = RunFailure("signal 2 (Interrupt)", isInterruption: true)
        let profile = try FrozenProfile(
            records: good + [failed, beforeTheFix, interrupted], release: try VersionName("v1"))
        #expect(profile.sessions.flatMap(\.runs).map(\.index) == [1, 2, 3, 4])
        // One that is left out does not count for the start of its session either.
        beforeTheFix.run.startedAt = "2020-01-01T00:00:00.000Z"
        let later = try Samples.record(1, wall: 5, session: "s2", hour: 13)
        let two = try FrozenProfile(records: good + [beforeTheFix, later], release: try VersionName("v1"))
        #expect(two.sessions.map(\.id) == ["s2", "s1"])
        #expect(profile.totals.use.wallSeconds == .value(9) && profile.totals.runs == 3)
        #expect(profile.captureQuality?.attempts == [.measured: RunAttempts(attempted: 4, recorded: 3)])
        #expect(
            profile.captureQuality?.notes.first
                == "1 of 4 runs failed and does not count: s1/4 exited with code 3.")
        #expect(profile.deviations.isEmpty)
        var told = profile
        told.captureQuality?.attempts[.measured]?.attempted = 3
        #expect(
            told.deviations.map(\.description) == [
                "capture_quality.attempts.measured.attempted: the profile says 3, its runs give 4"
            ])
        #expect(try FrozenProfile.decode(profile.encode(), name: "p") == profile)
    }

    @Test(
        "An error names the file, the key and the remedy",
        arguments: [
            (
                "\"index\": 2", "\"index\": -2",
                "'r.json': index is -2, but should be a whole number that is not negative. "
            ),
            (
                "\"wall_s\": 8.0", "\"wall_s\": -8.0",
                "'r.json': totals.wall_s is -8, but should be a number that is not negative. "
            ),
            (
                "\"kind\": \"measured\"", "\"kind\": \"guessed\"",
                "'r.json': kind is the string 'guessed', but should be one of warm_up, measured, profiled, counted. "
            ),
            (
                "\"session\": \"s1\"", "\"session\": \"../s1\"",
                "'r.json': session is the string '../s1', but should be letters, digits and . _ + -, such as 's1'. "
            ),
            (
                "\"stage\": \"transcription\"", "\"stage\": \"rss_feed_fetch\"",
                "'r.json': stages[1] is a mapping, but should be a stage with a name of its own. "
            ),
            ("\"tool_version\": \"0.1.0\",", "", "'r.json' has no tool_version. "),
        ])
    func refusals(original: String, changed: String, sentence: String) throws {
        let text = String(decoding: try Samples.record(2, wall: 8).encode(), as: UTF8.self)
        try #require(text.contains(original))
        let damaged = text.replacing(original, with: changed, maxReplacements: 1)
        #expect(failure(Array(damaged.utf8)) == sentence + "Make this run again, or leave its record out.")
    }

    @Test("What is no record, or one of the future, is refused in a sentence")
    func otherFiles() throws {
        let text = String(decoding: try Samples.record(2, wall: 8).encode(), as: UTF8.self)
        #expect(
            failure(Array("{}".utf8))
                == "'r.json' has no stages. Make this run again, or leave its record out.")
        #expect(
            failure(Array("{\"stages\": []}".utf8))
                == "'r.json' is not a run record. Its key schema does not say 'freeze-profile.run-record'.")
        #expect(failure(Array("[1]".utf8)) == "'r.json' is not a run record. It is no JSON object.")
        #expect(
            failure(Array(text.utf8.prefix(300)))
                == "'r.json' is not a run record. Line 13: it ends in the middle of a value; it was cut off.")
        #expect(
            failure(
                Array(text.replacing("\"schema_version\": \"1.2\"", with: "\"schema_version\": \"2.0\"").utf8)
            )
                == "'r.json' has schema 2.0, and this version of freeze-profile reads up to 1.x. "
                + "Use a newer freeze-profile.")
        #expect(
            failure(Array(text.replacing("\"index\": 2", with: "\"index\": 2, \"index\": 3").utf8))
                == "'r.json' is not a run record. Line 7: the name 'index' is there twice; remove one.")
    }

    @Test("Damaged at random, 3,000 times by default: read or refused, never a crash")
    func fuzzing() throws {
        let samples = [
            try Samples.record(4, .profiled, wall: 9.25).encode(), try Samples.record(2, wall: 8).encode(),
        ]
        var generator = SeededGenerator(seed: 20_260_210)
        var refused = 0
        for _ in 0..<Mutation.inputs {
            let damaged = Mutation.of(samples, changes: 1...3, using: &generator)
            do throws(ProfileError) {
                let record = try RunRecord.decode(damaged, name: "r.json")
                // What can be read can be written, and is then the same again.
                let written = record.encode()
                #expect(try RunRecord.decode(written, name: "again").encode() == written)
            } catch {
                refused += 1
                #expect(!error.description.isEmpty)
            }
        }
        #expect(refused > Mutation.inputs / 3)
        #expect(refused < Mutation.inputs)
    }

    private func failure(_ bytes: [UInt8]) -> String? {
        do throws(ProfileError) {
            _ = try RunRecord.decode(bytes, name: "r.json")
            return nil
        } catch {
            return error.description
        }
    }
}
