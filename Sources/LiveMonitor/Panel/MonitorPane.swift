internal import LinuxProcess
internal import LinuxSystem
internal import Measurement

/// The view in a pane of its own, beside the pipeline's, where the terminal is tmux's.
///
/// The pane runs `freeze-profile monitor --pid N`, so that one monitor alone watches: two would reset each other's
/// high-water marks.
public enum MonitorPane {
    /// Why there is no pane. The view is shown where the pipeline is instead.
    public enum Problem: Error, Equatable, CustomStringConvertible {
        case notInTmux
        case noProgram
        case refused(String)

        /// A sentence with what happens instead.
        public var description: String {
            let reason =
                switch self {
                case .notInTmux: "this terminal is not in tmux (TMUX is not set)"
                case .noProgram: "the program 'freeze-profile' is not beside this one and not in PATH"
                case .refused(let how): "tmux \(how)"
                }
            return "There is no pane for the view, because \(reason). It is shown here."
        }
    }

    /// The program that the pane will run.
    public static func program() throws(Problem) -> String {
        guard CurrentProcess.environmentVariable("TMUX").map({ !$0.isEmpty }) ?? false else {
            throw .notInTmux
        }
        guard let program = MonitorConfiguration.findFlamegraphProgram() else { throw .noProgram }
        return program
    }

    /// Opens the pane. Its summary stays until Enter is pressed there.
    public static func open(pid: Int32, statusFile: String, program: String) throws(Problem) {
        guard let tmux = Programs.installed("tmux") else { throw .refused("is not in PATH") }
        var request = ChildRequest([
            tmux, "split-window", "-d", "-v", "-l", "16", "sh", "-c",
            "\"$@\"; echo 'Enter closes this pane.'; read _",
            "sh", program, "monitor", "--pid", "\(pid)", "--status-file", statusFile,
        ])
        request.standardInput = .null
        do {
            var child = try ChildProcess.start(request)
            guard let outcome = try child.wait(timeout: .seconds(5)) else {
                throw Problem.refused("does not answer")
            }
            guard outcome.status == .code(0) else { throw Problem.refused("\(outcome.status)") }
        } catch let problem as Problem {
            throw problem
        } catch {
            throw .refused("could not be started: \(error)")
        }
    }
}
