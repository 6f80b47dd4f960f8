internal import FrozenProfile
internal import LinuxSystem
internal import Measurement
internal import StackRecording

extension RunMaker {
    /// How a command ended that was run and not measured.
    public struct Unmeasured: Sendable {
        /// Why it counts as failed, after "the command"; nil when it ended well.
        public var failure: String?
        /// Whether it was ended because we were asked to end.
        public var isInterruption: Bool
        /// The last lines that it printed, without control characters.
        public var lastLines: [String]
        /// The end of what it printed, to either stream.
        public var output: [UInt8]
    }

    /// The most bytes of what such a command prints that are kept: its last.
    private static let outputLimit = 1 << 20

    /// Runs a shell's command line to its end, such as a build. It gets Ctrl-C passed on as a run does, and what it leaves
    /// running is ended: a daemon of a build tool would disturb the runs that follow.
    ///
    /// - Parameters:
    ///   - line: What `sh -c` is given.
    ///   - directory: Where it is started.
    public borrowing func run(_ line: String, in directory: String) throws(CaptureError) -> Unmeasured {
        let place = try unmeasuredDirectory()
        // One stream, so that errors stand where they happened.
        var run = TargetRun(
            name: "build", command: ["/bin/sh", "-c", "exec 2>&1\n\(line)"], directory: place,
            guardian: guardian)
        run.workingDirectory = directory
        let finished = try run.run(signals: signals)
        let output: [UInt8]
        do throws(Files.ReadError) {
            output = try Files.readEnd(place.standardOutput, limit: Self.outputLimit)
        } catch {
            output = Array("\(error)\n".utf8)
        }
        let lines = LastLines.read(place.standardOutput, count: 10)
        Files.discardTree(Files.directory(of: place.standardOutput))
        return Unmeasured(
            failure: finished.failure?.reason, isInterruption: finished.failure?.isInterruption ?? false,
            lastLines: lines.map { PlainText.sanitized($0, maximumCharacters: 200) }, output: output)
    }

    private borrowing func unmeasuredDirectory() throws(CaptureError) -> RunDirectory {
        do throws(SystemError) {
            return try RunDirectory(workspace: workspace.path, name: "unmeasured", fixedOutput: nil)
        } catch {
            throw .cannotWrite(error.description)
        }
    }
}
