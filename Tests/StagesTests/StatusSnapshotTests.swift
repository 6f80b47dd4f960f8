import LinuxProcess
import LinuxSystem
import Measurement
import TestSupport
import Testing

@testable import Stages

@Suite("Reading the status file")
struct StatusSnapshotTests {
    private func parse(_ text: String) throws(StatusSnapshot.Problem) -> StatusSnapshot {
        try StatusSnapshot.parse(Array(text.utf8))
    }

    @Test("The six plain fields are enough")
    func plain() throws {
        let snapshot = try parse(
            #"{"pid": 42, "stage": "transcription", "started_at": 1770732181.25, "stage_started_at": 1770732190.5, "episode_idx": 3, "episode_total": 10}"#
        )
        #expect(snapshot.stage == .transcription)
        #expect(snapshot.pid == 42)
        #expect(snapshot.startedAt == Timestamp(secondsSinceEpoch: 1_770_732_181.25))
        #expect(snapshot.stageStartedAt == Timestamp(secondsSinceEpoch: 1_770_732_190.5))
        #expect(snapshot.episode == EpisodePosition(index: 3, total: 10))
        #expect(snapshot.activeStages == nil && snapshot.history == nil)
    }

    @Test("A field of a wrong type counts as absent, and an unknown one is ignored")
    func wrongTypes() throws {
        let snapshot = try parse(
            #"{"stage": "a", "pid": "1", "started_at": [], "stage_started_at": -5, "episode_idx": 1.5, "active_stages": "b", "history": {"x": 1}, "new": {"deep": [1]}}"#
        )
        #expect(snapshot.stage.text == "a")
        #expect(snapshot.pid == nil && snapshot.startedAt == nil && snapshot.stageStartedAt == nil)
        #expect(snapshot.episode == nil && snapshot.activeStages == nil && snapshot.history == nil)
        for pid in ["0", "-1", "1e10", "1.5", "null"] {
            #expect(try parse(#"{"stage": "a", "pid": \#(pid)}"#).pid == nil)
        }
    }

    @Test("A history entry that is damaged is left out, the others stay")
    func damagedHistory() throws {
        let good = #"{"stage": "a", "entered": 2, "wall_s": 1, "work_s": 2, "cpu_s": 0.5}"#
        let bad = [
            "1", "{}", #"{"stage": "b", "entered": 1, "wall_s": -1, "work_s": 2, "cpu_s": 1}"#,
            #"{"stage": "b", "entered": 1, "wall_s": 1e300, "work_s": 2, "cpu_s": 1}"#,
        ]
        let snapshot = try parse(
            #"{"stage": "x", "history": [\#((bad + [good]).joined(separator: ","))]}"#)
        let history = try #require(snapshot.history)
        #expect(history.map(\.stage.text) == ["a"])
        #expect(history.first?.work == .seconds(2))
    }

    @Test("A hostile name is cut and cleaned, one of nothing is refused")
    func names() throws {
        #expect(try parse(#"{"stage": "\u001b[2Ja"}"#).stage.text == "\u{FFFD}[2Ja")
        let long = String(repeating: "x", count: 10_000)
        #expect(try parse(#"{"stage": "\#(long)"}"#).stage.text.utf8.count == 1024)
        #expect(throws: StatusSnapshot.Problem.noStage) { try parse(#"{"stage": "  "}"#) }
        #expect(throws: StatusSnapshot.Problem.noStage) { try parse("{}") }
    }

    @Test(
        "What is no JSON object says so",
        arguments: ["", "[]", "{", "null", "\u{0}\u{0}", "{\"stage\": \"a\"", "\u{FEFF}{}"])
    func garbage(text: String) {
        #expect(throws: StatusSnapshot.Problem.notJSON) { try parse(text) }
    }

    @Test("A file that is not there, too long, endless or a directory is reported in bounded time")
    func files() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/status"
        #expect(throws: StatusSnapshot.Problem.missing) { try StatusSnapshot.read(path) }
        // Sparse: a hundred megabytes that take no room.
        #expect(try runCommand(["truncate", "-s", "100M", path]).status == .code(0))
        let problem = #expect(throws: StatusSnapshot.Problem.self) { try StatusSnapshot.read(path) }
        #expect(
            problem?.description
                == "'\(path)' is longer than the 262144 bytes that are read of such a file.")
        #expect(throws: StatusSnapshot.Problem.self) { try StatusSnapshot.read("/dev/zero") }
        #expect(throws: StatusSnapshot.Problem.self) { try StatusSnapshot.read(directory.path) }
    }
}
