import FrozenProfile
import LinuxProcess
import LinuxSystem
import Measurement
import ProfileStore
import TestSupport
import Testing

/// Pipelines that move what they write while they run.
@Suite("Output that is moved while the run goes on")
struct MovedOutputTests {
    private static let tool = BuiltProduct.path("freeze-profile")
    private static let stages = """
        tool='\(tool)'
        "$tool" stage fetch; sleep 0.3
        "$tool" stage rotate; MOVE; sleep 0.3
        "$tool" stage build; sleep 0.3
        "$tool" stage --done
        """

    private func run(
        _ command: [String], move: String, in directory: TemporaryDirectory
    ) throws -> CommandResult {
        try Files.replace("\(directory.path)/p.sh", with: Self.stages.replacing("MOVE", with: move))
        return try runCommand([Self.tool] + command + ["--", "sh", "./p.sh"], in: directory.path)
    }

    @Test(
        "Stages after the move are measured too, and profile and verify say what became of the directory",
        arguments: [
            (
                #"mv "$PIPELINE_OUTPUT_DIR" old; mkdir "$PIPELINE_OUTPUT_DIR""#,
                "was replaced by another one while the run went on"
            ),
            (#"mv "$PIPELINE_OUTPUT_DIR" old"#, "was replaced by another one while the run went on"),
            (#"ln -sfn other link"#, "leads elsewhere now"),
            (
                #"mv "$PIPELINE_OUTPUT_DIR"/.pipeline_events.jsonl old"#,
                "was replaced by another file while the run went on"
            ),
            (#": > "$PIPELINE_OUTPUT_DIR"/.pipeline_events.jsonl"#, "was cut short while the run went on"),
        ])
    func capture(move: String, sentence: String) throws {
        let directory = try TemporaryDirectory()
        for name in ["out", "other"] { try Files.createDirectories("\(directory.path)/\(name)") }
        _ = try runCommand(["ln", "-s", "out", "\(directory.path)/link"])
        let made = try run(
            [
                "capture", "--version", "v1", "--output", "v1.yaml", "--canaries", "0", "--skip-warmup",
                "--stack-runs", "0",
                "--sampler", "none", "--output-dir", "link",
            ], move: move, in: directory)
        try #require(made.status == .code(0), "\(made.standardError)")
        let profile = try ProfileStore.load(path: "\(directory.path)/v1.yaml")
        #expect(profile.stages.map(\.stage.text) == ["fetch", "rotate", "build"])
        for stage in profile.stages {
            // Each sleeps 0.3 s; a stage that swallowed the next one would have 0.6.
            #expect((0.3..<0.58).contains(try #require(stage.use.wallSeconds.value)), "\(stage.stage)")
        }
        let verified = try runCommand([Self.tool, "verify", "v1.yaml"], in: directory.path)
        #expect(verified.status == .code(0))
        #expect(
            verified.standardOutput.contains("note: ") && verified.standardOutput.contains(sentence),
            "\(verified)")
        #expect(verified.standardOutput.contains("It has no stacks: "))
        #expect(try Files.size("\(directory.path)/v1.monitor.log") > 0)
    }

    @Test(
        "monitor says where its log is, or how much of it is lost",
        arguments: [
            (#"mv "$PIPELINE_OUTPUT_DIR" old; mkdir "$PIPELINE_OUTPUT_DIR""#, "old/.monitor.log'"),
            (
                #"mv "$PIPELINE_OUTPUT_DIR"/.monitor.log "$PIPELINE_OUTPUT_DIR"/.monitor.log.1"#,
                "out/.monitor.log.1'"
            ),
            (#": > "$PIPELINE_OUTPUT_DIR"/.monitor.log"#, "is incomplete: it was cut short"),
            (#"rm "$PIPELINE_OUTPUT_DIR"/.monitor.log"#, "is incomplete: it was removed"),
        ])
    func monitor(move: String, sentence: String) throws {
        let directory = try TemporaryDirectory()
        let made = try run(["monitor", "--output-dir", "out"], move: move, in: directory)
        try #require(made.status == .code(0))
        for stage in ["fetch", "rotate", "build"] {
            #expect(made.standardError.contains("\n \(stage) "), "\(made.standardError)")
        }
        #expect(made.standardError.contains(sentence), "\(made.standardError)")
    }

    @Test("verify says what a profile has not: stage truth, log, stages")
    func absences() throws {
        let directory = try TemporaryDirectory()
        let made = try runCommand(
            [
                Self.tool, "capture", "--version", "v1", "--output", "v1.yaml", "--canaries", "0",
                "--skip-warmup",
                "--sampler", "none", "--no-stage-truth", "--", "true",
            ], in: directory.path)
        try #require(made.status == .code(0), "\(made.standardError)")
        let verified = try runCommand([Self.tool, "verify", "v1.yaml"], in: directory.path)
        for sentence in ["It has no stages.", "It has no stage truth.", "It has no stacks: not asked for."] {
            #expect(verified.standardOutput.contains("  note: \(sentence)\n"), "\(verified.standardOutput)")
        }
    }
}
