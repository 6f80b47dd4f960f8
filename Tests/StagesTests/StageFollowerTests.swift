import LinuxSystem
import Measurement
import TestSupport
import Testing

@testable import Stages

@Suite("Following a status file")
struct StageFollowerTests {
    private static func label(_ follower: StageFollower, _ time: Int64) -> String? {
        follower.timeline()?.label(atMonotonicNanoseconds: time, threadID: 1)
    }

    @Test("notes each stage from the moment it is named, or was by its own word")
    func changes() throws {
        let directory = try TemporaryDirectory()
        let file = "\(directory.path)/status.json"
        let follower = StageFollower(statusFile: file, existing: .isOfEarlierRun)
        #expect(Self.label(follower, SystemClock.monotonicNanoseconds) == nil)
        try Files.replace(file, with: "{\"stage\":\"one\"}")
        follower.look()
        let between = SystemClock.monotonicNanoseconds
        SystemClock.sleep(for: .milliseconds(30))
        let told = SystemClock.now.secondsSinceEpoch - 0.01
        try Files.replace(file, with: "{\"stage\":\"two\",\"stage_started_at\":\(told)}")
        follower.look()
        let after = SystemClock.monotonicNanoseconds
        #expect(Self.label(follower, between) == "one")
        #expect(Self.label(follower, after - 5_000_000) == "two")
        #expect(Self.label(follower, after) == "two")
        try Files.replace(file, with: "garbage")
        follower.look()
        #expect(Self.label(follower, SystemClock.monotonicNanoseconds) == "two")
    }

    @Test("A status file that grows beyond what is read is counted, with the reason")
    func tooLong() throws {
        let directory = try TemporaryDirectory()
        let file = "\(directory.path)/status.json"
        let follower = StageFollower(statusFile: file, existing: .isOfEarlierRun)
        try Files.replace(file, with: "{\"stage\":\"one\"}")
        follower.look()
        #expect(follower.notes.isEmpty)
        let padding = String(repeating: "x", count: StatusSnapshot.maximumBytes)
        for stage in ["two", "three"] {
            try Files.replace(file, with: "{\"stage\":\"\(stage)\",\"padding\":\"\(padding)\"}")
            follower.look()
        }
        #expect(
            follower.notes == [
                "The status file '\(file)' could not be read 2 times, and stages may be missing. '\(file)' is longer than the "
                    + "262144 bytes that are read of such a file."
            ])
    }

    @Test(
        "what an earlier run left behind is not taken for a command's own word, but for a running process's")
    func leftover() throws {
        let directory = try TemporaryDirectory()
        let file = "\(directory.path)/status.json"
        try Files.replace(file, with: "{\"stage\":\"old\"}")
        let follower = StageFollower(statusFile: file, existing: .isOfEarlierRun)
        follower.look()
        #expect(Self.label(follower, SystemClock.monotonicNanoseconds) == nil)
        try Files.replace(file, with: "{\"stage\":\"new\"}")
        follower.look()
        #expect(Self.label(follower, SystemClock.monotonicNanoseconds) == "new")
        let attached = StageFollower(statusFile: file, existing: .isOfThisRun(since: 0))
        #expect(Self.label(attached, SystemClock.monotonicNanoseconds) == "new")
    }
}
