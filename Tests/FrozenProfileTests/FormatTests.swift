import FrozenProfile
import LinuxSystem
import Measurement
import MessageDigest
import ProfileSamples
import Testing
import YAMLDocument

@Suite("The file of a frozen profile")
struct FormatTests {
    @Test("A profile is read back as it was written, and written again as the same bytes")
    func roundTrip() throws {
        var profile = try Samples.profile()
        profile.companions = [
            Companion(
                kind: "stage_truth", file: "v1.stage_truth.json", sha256: SHA256.hexadecimal(of: []), bytes: 0
            )
        ]
        profile.promoted = ["at": .text("2026-02-11")]
        profile.other["reviewed_by"] = .sequence([.text("no")])
        profile.totals.other["sampling_note"] = .text("x")
        let bytes = profile.encode()
        let back = try FrozenProfile.decode(bytes, name: "p.yaml")
        #expect(back == profile)
        #expect(back.encode() == bytes)
    }

    @Test("The file looks as the golden one")
    func golden() throws {
        let path = Files.directory(of: Files.directory(of: #filePath)) + "/Fixtures/frozen-profile.yaml"
        let bytes = try Samples.profile().encode()
        if CurrentProcess.isSwitchedOn("RECORD_GOLDENS") {
            try Files.replace(path, with: bytes)
            Issue.record(
                "The golden file has been recorded; look at it and run again without RECORD_GOLDENS.")
        }
        let golden = try Files.read(path, limit: 1 << 20)
        #expect(String(decoding: bytes, as: UTF8.self) == String(decoding: golden, as: UTF8.self))
    }

    @Test("A file of schema 2.2, before reviews and companions of raw values, is read as it was")
    func schemaTwoTwo() throws {
        let path = Files.directory(of: Files.directory(of: #filePath)) + "/Fixtures/frozen-profile-2.2.yaml"
        let profile = try FrozenProfile.decode(Files.read(path, limit: 1 << 20), name: "old.yaml")
        #expect(profile.schema == SchemaVersion(major: 2, minor: 2))
        #expect(profile.runsPlace == .inline && profile.captureQuality?.review == nil)
        var expected = try Samples.profile()
        expected.schema = profile.schema
        #expect(profile == expected)
    }

    @Test("A file of the older schema is read; what it does not say is unavailable")
    func olderSchema() throws {
        let profile = try FrozenProfile.decode(Array(Samples.older.utf8), name: "old.yaml")
        #expect(profile.schema == .older)
        #expect(profile.release == "v2.6-wip")
        #expect(profile.episodesProcessed == .value(2))
        #expect(
            profile.stages.map(\.stage.text) == ["speaker_detection", "summarization", "vector_indexing"])
        #expect(profile.stages[1].use.peakResidentMB == .value(6924))
        #expect(profile.stages[1].use.cpuSeconds == .unavailable(reason: "not recorded by the older schema"))
        #expect(
            profile.stages[2].use.peakResidentMB
                == .unavailable(reason: "0 in the older schema, where no sample fell into the stage"))
        #expect(profile.stages[0].use.averageCPUPercent == .value(0))
        #expect(profile.totals.use.wallSeconds == .value(111.9925))
        #expect(profile.environment.identity[.cpuModel] == .value(.text("arm")))
        #expect(profile.environment.identity[.gitDirty] == .value(.bool(true)))
        #expect(
            profile.environment.identity[.libc] == .unavailable(reason: "not recorded by the older schema"))
        #expect(profile.environment.other["hostname"] == .text("studio.local"))
        #expect(profile.sessions.isEmpty && profile.recipe == nil && profile.captureQuality == nil)
        #expect(profile.environment.identity[.usableCPUs] == .value(.number(14)))
        #expect(profile.environment.identity[.memoryClass] == .value(.number(48)))
        let again = try FrozenProfile.decode(profile.encode(), name: "new.yaml")
        // There are no runs of which values of a newer schema would be medians.
        #expect(again.schema == .older)
        #expect(again.stages == profile.stages)
        #expect(again.totals == profile.totals)
        #expect(again.environment == profile.environment)
    }

    @Test(
        "An error names the file, the key and the remedy",
        arguments: [
            (
                "    wall_time_s: 204.4", "    wall_time_s: -3",
                "'p.yaml': stages.summarization.wall_time_s is -3, but should be a number that is not negative. "
                    + "Correct it, or freeze this version again."
            ),
            (
                "    wall_time_s: 204.4", "    wall_time_s: .nan",
                "'p.yaml': stages.summarization.wall_time_s is not a number, but should be a number that is not "
                    + "negative. Correct it, or freeze this version again."
            ),
            (
                "    wall_time_s: 204.4", "    wall_time_s: fast",
                "'p.yaml': stages.summarization.wall_time_s is the string 'fast', but should be a number that is "
                    + "not negative. Correct it, or freeze this version again."
            ),
            (
                "episodes_processed: 2", "episodes_processed: 2.5",
                "'p.yaml': episodes_processed is 2.5, but should be a whole number that is not negative. "
                    + "Correct it, or freeze this version again."
            ),
            (
                "release: v2.6-wip\n", "",
                "'p.yaml' has no release. Add it, or freeze this version again."
            ),
            (
                "release: v2.6-wip\n", "release: v2.6-wip\nschema_version: '4.1'\n",
                "'p.yaml' has schema 4.1, and this version of freeze-profile reads up to 3.x. "
                    + "Use a newer freeze-profile."
            ),
            (
                "release: v2.6-wip\n", "release: v2.6-wip\nschema_version: newest\n",
                "'p.yaml': schema_version is the string 'newest', but should be a version such as '2.3'. "
                    + "Correct it, or freeze this version again."
            ),
            (
                "release: v2.6-wip\n", "release: v2.6-wip\nrelease: v2\n",
                "'p.yaml' is not a frozen profile. Line 2, column 1: the key 'release' is there twice; "
                    + "remove one of them."
            ),
            (
                "totals:\n", "totals: &x\n",
                "'p.yaml' is not a frozen profile. Line 29, column 9: anchors (&name) and aliases (*name) are not "
                    + "read; write the value out."
            ),
            (
                "  speaker_detection:", "  ' summarization':",
                "'p.yaml': stages is a mapping with the key 'summarization', but should be a mapping of stages, "
                    + "each with a name of its own. Correct it, or freeze this version again."
            ),
        ])
    func refusals(original: String, changed: String, sentence: String) throws {
        let range = try #require(Samples.older.firstRange(of: original))
        let text = Samples.older.replacingCharacters(in: range, with: changed)
        #expect(failure(of: Array(text.utf8)) == sentence)
    }

    @Test("A commit that looks like a number in an older file stays what it is")
    func olderCommit() throws {
        let text = Samples.older.replacing("git_sha: 39c4b70", with: "git_sha: 39e4607")
        let profile = try FrozenProfile.decode(Array(text.utf8), name: "old.yaml")
        #expect(profile.environment.identity[.gitCommit] == .value(.text("39e4607")))
    }

    @Test("Garbage, and a document that is no mapping, are refused")
    func garbage() {
        #expect(
            failure(of: []) == """
                'p.yaml': the document is no value, but should be a mapping. Correct it, or freeze this version again.
                """)
        #expect(failure(of: Array("- 1\n".utf8))?.contains("the document is a list") == true)
        #expect(
            failure(of: [0xFF, 0x00, 0x01])?.hasPrefix("'p.yaml' is not a frozen profile. Line 1") == true)
    }

    @Test("A file cut off anywhere is refused, or read without the runs that are missing")
    func truncation() throws {
        let whole = try Samples.profile().encode()
        var refused = 0
        for length in stride(from: 0, to: whole.count, by: 7)
        where failure(of: Array(whole.prefix(length))) != nil {
            refused += 1
        }
        #expect(refused > 100)
        #expect(failure(of: whole) == nil)
    }

    @Test("A file of schema 2.0, which had four metrics, is read as it was")
    func earlierMinor() throws {
        let text = String(decoding: try Samples.profile().encode(), as: UTF8.self)
        let profile = try FrozenProfile.decode(
            Array(text.replacing("schema_version: '2.3'", with: "schema_version: '2.0'").utf8), name: "p")
        #expect(profile.schema == SchemaVersion(major: 2, minor: 0))
        #expect(profile.totals.use.metrics == Metric.primary)
        #expect(profile.totals.use[.diskRead] == .unavailable(reason: "not recorded"))
    }

    @Test("Metrics that only some runs have are kept, and their medians derived")
    func furtherMetrics() throws {
        var profile = try Samples.profile()
        for index in profile.sessions[0].runs.indices.dropFirst(2) {
            profile.sessions[0].runs[index].use[.diskRead] = .value(4096 * Double(index))
            profile.sessions[0].runs[index].stages[0].use[.instructions] = .unavailable(reason: "no counter")
        }
        profile = FrozenProfile(
            release: "v1", date: profile.date, datasetID: profile.datasetID,
            episodesProcessed: profile.episodesProcessed, environment: profile.environment,
            captureQuality: profile.captureQuality, recipe: profile.recipe, sessions: profile.sessions)
        #expect(profile.totals.use[.diskRead] == .value(12288))
        #expect(profile.stages[0].use[.instructions] == .unavailable(reason: "no counter"))
        let text = String(decoding: profile.encode(), as: UTF8.self)
        #expect(text.contains("  disk_read_bytes: 12288\n"))
        #expect(try FrozenProfile.decode(Array(text.utf8), name: "p") == profile)
    }

    @Test("A newer minor version is read, and keys that are not known are kept")
    func newerMinor() throws {
        let text = String(decoding: try Samples.profile().encode(), as: UTF8.self)
        let changed = text.replacing("schema_version: '2.3'", with: "schema_version: '2.7'\nnew_key: 1")
        let profile = try FrozenProfile.decode(Array(changed.utf8), name: "p")
        #expect(profile.schema == SchemaVersion(major: 2, minor: 7))
        #expect(profile.other["new_key"] == .integer(1))
    }

    @Test("A companion's name cannot lead out of the directory")
    func companionPath() throws {
        var profile = try Samples.profile()
        profile.companions = [
            Companion(kind: "x", file: "../../etc/passwd", sha256: SHA256.hexadecimal(of: []), bytes: 0)
        ]
        #expect(
            failure(of: profile.encode())
                == "'p.yaml': companions.x.file is the string '../../etc/passwd', but should "
                + "be the name of a file in the profile's directory. Correct it, or freeze this version again."
        )
    }

    private func failure(of bytes: [UInt8]) -> String? {
        do throws(ProfileError) {
            _ = try FrozenProfile.decode(bytes, name: "p.yaml")
            return nil
        } catch {
            return error.description
        }
    }
}

extension String {
    fileprivate func replacingCharacters(in range: Range<String.Index>, with text: String) -> String {
        var copy = self
        copy.replaceSubrange(range, with: text)
        return copy
    }

    @Test(
        "Days that no calendar has are refused",
        arguments: [
            ("2026-02-10T14:20:00Z", true), ("2026-02-10", true), ("2024-02-29", true),
            ("2026-02-10 14:20", true),
            ("2026-13-45", false), ("2026-02-29", false), ("2100-02-29T00:00:00Z", false),
            ("2026-00-10", false),
            ("2026-02-10T24:00:00Z", false), ("yesterday", false), ("2026-2-1", false),
            ("2026-02-10x", false),
        ])
    func dates(text: String, isValid: Bool) {
        let bytes = Array(Samples.older.replacing("2026-04-10T09:24:33Z", with: text).utf8)
        if isValid {
            #expect(throws: Never.self) { try FrozenProfile.decode(bytes, name: "p.yaml") }
        } else {
            let refusal = #expect(throws: ProfileError.self) {
                try FrozenProfile.decode(bytes, name: "p.yaml")
            }
            #expect(refusal?.description.contains("a date such as 2026-02-10T14:20:00Z") == true)
        }
    }
}
