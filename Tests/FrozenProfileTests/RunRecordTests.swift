import FrozenProfile
import LinuxProcess
import LinuxSystem
import Measurement
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

    @Test("It is JSON to Python, with stages in order and every value's class told")
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

    @Test(
        "What is wrong is told with the file, the key and the remedy",
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
                "'r.json': kind is the string 'guessed', but should be one of warm_up, measured, profiled. "
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
                Array(text.replacing("\"schema_version\": \"1.0\"", with: "\"schema_version\": \"2.0\"").utf8)
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
