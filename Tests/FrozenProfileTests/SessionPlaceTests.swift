import Measurement
import ProfileSamples
import Testing

@testable import FrozenProfile

@Suite("Where a scheduler had a session made")
struct SessionPlaceTests {
    private func record(
        _ session: String, node: String?, program: String? = nil, commit: String = "a", index: Int = 1,
        exit: Int = 0
    ) throws -> RunRecord {
        var run = Samples.run(index, wall: 8, [])
        run.exit = .value(exit)
        if exit != 0 { run.failure = RunFailure("exited with code \(exit)") }
        var record = RunRecord(
            toolVersion: "0", release: .value("v1"), session: try VersionName(session), run: run,
            recipe: Recipe(
                arguments: ["x"], configurationPath: nil,
                configurationSHA256: .unavailable(reason: "there is no configuration file"),
                inputSHA256: .unavailable(reason: "none"), environment: []), program: .value("x"),
            datasetID: .value("d"), episodesProcessed: .value(1),
            identity: EnvironmentIdentity([
                .gitCommit: .value(.text(commit)),
                .programDigest: program.map { .value(.text($0)) } ?? .unavailable(reason: "not read"),
            ]), monitor: nil,
            sampler: .none(reason: "none"), samplerCPUSeconds: .unavailable(reason: "none"))
        record.place = node.map {
            SessionPlace(
                scheduler: "slurm", node: $0, host: "h-\($0)", nodeClass: "2 CPUs, 8 GiB", job: "12_3",
                partition: "long")
        }
        return record
    }

    @Test("A record and a profile keep the node, the machine, the class and the job")
    func kept() throws {
        let record = try record("s1", node: "c3", program: "abc")
        #expect(try RunRecord.decode(record.encode(), name: "r") == record)
        let profile = try FrozenProfile(records: [record], release: VersionName("v1"))
        #expect(profile.sessions[0].place == record.place)
        let read = try FrozenProfile.decode(profile.encode(), name: "p")
        #expect(read.sessions[0].place == record.place)
        let plain = try FrozenProfile(records: [try self.record("s1", node: nil)], release: VersionName("v1"))
        #expect(!String(decoding: plain.encode(), as: UTF8.self).contains("place:"))
    }

    @Test("Where a run failed on another node, the session's node is that of the runs that count")
    func failedElsewhere() throws {
        let records = [
            try record("s1", node: "c1", index: 1, exit: 3), try record("s1", node: "c2", index: 2),
        ]
        let profile = try FrozenProfile(records: records, release: VersionName("v1"))
        #expect(profile.sessions[0].place?.node == "c2")
    }

    @Test("Sessions of another commit or program are refused, each with what differs")
    func mixed() throws {
        let records = [
            try record("s1", node: "c1", program: "aaaa"), try record("s2", node: "c2", program: "aaaa"),
            try record("s3", node: "c3", program: "bbbb"),
            try record("s4", node: "c4", program: "aaaa", commit: "z"),
        ]
        let error = #expect(throws: ProfileError.self) {
            try FrozenProfile(records: records, release: try VersionName("v1"))
        }
        let sentence = try #require(error?.description)
        #expect(sentence.contains("program_digest of run s1/1 is aaaa, that of s3/1 is bbbb"))
        #expect(sentence.contains("; git_commit of run s1/1 is a, that of s4/1 is z"), "\(sentence)")
        #expect(!sentence.contains("s2/1"))
    }
}
