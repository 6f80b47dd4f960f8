internal import CommandLineTool
internal import JobRuns
internal import LinuxSystem
internal import Measurement

/// `freeze-profile monitor --clock`: answers each line with what the clocks of this node show.
enum ClockAnswers {
    /// How it is started on a node.
    static var program: [String] { [CurrentProcess.executable, "monitor", "--clock"] }

    static func run() throws(ToolFailure) -> ExitCode {
        do throws(SystemError) {
            let input = try FileDescriptor.duplicate(Terminal.standardInput)
            while true {
                let piece = try input.read(upTo: 4096)
                if piece.isEmpty { return .success }
                for byte in piece where byte == UInt8(ascii: "\n") {
                    try FileDescriptor.write("\(NodeMoment.now().line)\n", to: Terminal.standardOutput)
                }
            }
        } catch {
            throw ToolFailure(error.description, .failed)
        }
    }
}
