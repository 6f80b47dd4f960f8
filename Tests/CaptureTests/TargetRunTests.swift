import LinuxProcess
import LinuxSystem
import Measurement
import TestSupport
import Testing

@testable import Capture

@Suite("Running the measured command")
struct TargetRunTests {
    private static func run(_ command: [String], in workspace: TemporaryDirectory) throws
        -> TargetRun.Finished
    {
        let directory = try RunDirectory(workspace: workspace.path, name: "measured", fixedOutput: nil)
        let signals = try SignalInbox(for: [])
        return try TargetRun(name: "measured", command: command, directory: directory).run(signals: signals)
    }

    @Test("the output directory is put into the words and into the environment")
    func placeholder() throws {
        let workspace = try TemporaryDirectory()
        let script =
            "printf %s \"$0\" && test \"$PIPELINE_OUTPUT_DIR\" = \"$0\" && test -n \"$PIPELINE_STATUS_FILE\""
        let finished = try Self.run(["sh", "-c", script, "{output_dir}"], in: workspace)
        #expect(finished.outcome.status == .code(0))
        let said = try Files.read(finished.directory.standardOutput, limit: 4096)
        #expect(String(decoding: said, as: UTF8.self) == finished.directory.output)
    }

    @Test("wall time, CPU time and the program are the child's")
    func accounts() throws {
        let workspace = try TemporaryDirectory()
        let finished = try Self.run(["sh", "-c", "sleep 0.4"], in: workspace)
        #expect(finished.wall >= .milliseconds(400))
        // The clock is not set meanwhile: a step is compared with the time that passed.
        #expect(abs(finished.wallClockStep.inSeconds) < 0.1)
        #expect(finished.outcome.cpu < .milliseconds(200))
        #expect(finished.executable != nil)
        let busy = try Self.run(
            ["sh", "-c", "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done"], in: workspace)
        #expect(busy.outcome.cpu > .milliseconds(10))
    }

    @Test("a command that is not there gets a sentence")
    func notFound() throws {
        let workspace = try TemporaryDirectory()
        #expect(throws: CaptureError.cannotStart(.notFound(program: "no-such-program"))) {
            try Self.run(["no-such-program"], in: workspace)
        }
        let error = CaptureError.cannotStart(.notFound(program: "no-such-program"))
        #expect(
            error.description
                == "Cannot run 'no-such-program': there is no such program. Check the spelling, or give its path."
        )
    }

    @Test("how a failed command is reported: run, ending, and last words without control characters")
    func failureText() {
        let error = CaptureError.targetFailed(
            FailedRun(
                run: "measured", reason: "exited with code 3",
                lastLines: ["loading", "disk \u{1B}[31mon fire"]))
        #expect(
            error.description == """
                The command exited with code 3 in the measured run, so no profile was written.
                The last lines of its standard error:
                  | loading
                  | disk \u{FFFD}[31mon fire
                """)
    }
}
