import FrozenProfile
import LinuxSystem
import Measurement
import ProfileSamples
import Testing

@Suite("Profiles made of run records")
struct ProfileFromRecordsTests {
    private func records() throws -> [RunRecord] {
        [
            try Samples.record(1, .warmUp, wall: 30), try Samples.record(2, wall: 8),
            try Samples.record(3, wall: 9), try Samples.record(4, wall: 8.5),
            try Samples.record(5, .profiled, wall: 9.5), try Samples.record(6, .profiled, wall: 9.5),
            try Samples.record(1, wall: 7, session: "evening", hour: 19),
        ]
    }

    private func failure(_ records: [RunRecord]) throws -> String? {
        let version = try VersionName("v1")
        do throws(ProfileError) {
            _ = try FrozenProfile(records: records, release: version)
            return nil
        } catch {
            return error.description
        }
    }

    @Test("The same records in any order give the same bytes")
    func order() throws {
        let records = try records()
        let version = try VersionName("v1")
        let bytes = try FrozenProfile(records: records, release: version).encode()
        for _ in 0..<20 {
            #expect(try FrozenProfile(records: records.shuffled(), release: version).encode() == bytes)
        }
        #expect(try FrozenProfile(records: records.reversed(), release: version).encode() == bytes)
    }

    @Test("Sessions stand in order of time, runs in theirs; summaries are of all measured runs")
    func content() throws {
        let profile = try FrozenProfile(records: try records(), release: try VersionName("v1"))
        #expect(profile.sessions.map(\.id) == ["s1", "evening"])
        #expect(profile.sessions[0].runs.map(\.index) == [1, 2, 3, 4, 5, 6])
        #expect(profile.totals.use.wallSeconds == .value(8.25))
        #expect(profile.totals.runs == 4)
        #expect(profile.date == "2026-02-10T19:01:00Z")
        let quality = try #require(profile.captureQuality)
        #expect(quality.profiledOverMeasuredWall == .value(1.1515))
        #expect(quality.sampler.recorded == .value(2000))
        #expect(quality.sampler.lost == .value(4))
        #expect(quality.sampler.python == .init(proven: 1920, unproven: 60, failed: 2))
        #expect(quality.runs.map(\.run) == ["s1/2", "s1/3", "s1/4", "s1/5", "s1/6", "evening/1"])
        #expect(quality.runs[3].sampler?.lost == .value(2) && quality.runs[0].sampler == nil)
        #expect(profile.environment.identity[.gitDirty] == .value(.bool(false)))
        let back = try FrozenProfile.decode(profile.encode(), name: "p")
        #expect(back.captureQuality == profile.captureQuality)
        #expect(back.sessions == profile.sessions)
        #expect(back.environment == profile.environment)
        #expect(back.recipe == profile.recipe)
        #expect(back.stages == profile.stages)
        #expect(back.totals == profile.totals)
        #expect(back == profile)
    }

    @Test("Records of different things are refused, with what differs")
    func mixed() throws {
        let one = try Samples.record(2, wall: 8)
        var other = try Samples.record(3, wall: 8)
        other.recipe.arguments = ["another"]
        #expect(
            try failure([one, other])
                == "These records do not belong together: the command of run s1/2 is 'podcast-scraper {output_dir}', "
                + "that of s1/3 is 'another'. Freeze each kind by itself.")
        other = try Samples.record(3, wall: 8)
        other.datasetID = .value("elsewhere")
        #expect(try failure([one, other])?.contains("the data set of run s1/2 is 'indicator_v1'") == true)
        other = try Samples.record(3, wall: 8)
        other.identity[.cpuModel] = .value(.text("Other CPU"))
        #expect(try failure([other, one])?.contains("cpu_model of run s1/2 is Example CPU") == true)
        other = try Samples.record(3, wall: 8)
        other.identity[.buildMode] = .unavailable(reason: "not told")
        #expect(try failure([one, other]) == nil)
    }

    @Test("A run given twice, and records without a measured run, are refused")
    func unusable() throws {
        let one = try Samples.record(2, wall: 8)
        #expect(
            try failure([one, one])
                == "Two of the records are of run s1/2. Leave one out, or give its session another name.")
        #expect(
            try failure([try Samples.record(1, .warmUp, wall: 3)])
                == "Among the records is no measured run that ended well, so there is nothing to freeze. "
                + "Add the record of one.")
    }

    @Test("Runs that produced different things, or saw stages in another order, are reported")
    func notes() throws {
        var one = try Samples.record(2, wall: 8)
        var other = try Samples.record(3, wall: 8)
        one.run.outputDigest = "aaaaaaaaaaaaaaaa"
        other.run.outputDigest = "bbbbbbbbbbbbbbbb"
        one.identity[.stageGraph] = .value(.text("1"))
        other.identity[.stageGraph] = .value(.text("2"))
        other.identity[.gitDirty] = .value(.bool(true))
        let profile = try FrozenProfile(records: [one, other], release: try VersionName("v1"))
        #expect(
            profile.captureQuality?.notes == [
                "The machine was busy. (One of 2 runs of which this is said.)",
                "The output of run s1/2 has the digest aaaaaaaaaaaa, that of run s1/3 bbbbbbbbbbbb: "
                    + "the runs did not do the same.",
            ])
        #expect(
            profile.environment.identity[.stageGraph]
                == .unavailable(reason: "stages were entered in another order in some runs"))
        #expect(profile.environment.identity[.gitDirty] == .value(.bool(true)))
    }
}
