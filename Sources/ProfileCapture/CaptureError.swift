public import LinuxProcess
internal import Measurement

/// Why a capture ended without a profile.
public enum CaptureError: Error, Equatable, Sendable {
    /// The command could not be started.
    case cannotStart(SpawnError)
    /// The command ran and failed: which run, how it ended, and the last lines it wrote to standard error.
    case targetFailed(run: String, status: ExitStatus, lastLines: [String])
    /// The command was ended because the capture was: Ctrl-C, or a request to end.
    case interrupted(run: String)
    /// Measuring failed, in one sentence.
    case measurementFailed(String)
    /// Something could not be written, in one sentence.
    case cannotWrite(String)
    /// The version exists already, in one sentence.
    case wouldOverwrite(String)
    /// An input is missing, in one sentence.
    case noInput(String)
    /// It ended before all runs were made; those that were finished are kept, and the sentence says how to go on.
    indirect case incomplete(cause: CaptureError, kept: String)
}

extension CaptureError: CustomStringConvertible {
    /// What happened and what it means for the profile.
    public var description: String {
        switch self {
        case .cannotStart(let error): return error.description
        case .targetFailed(let run, let status, let lastLines):
            let ending = "The command \(status) in the \(run) run, so no profile was written."
            guard !lastLines.isEmpty else { return ending + " It wrote nothing to standard error." }
            let quoted = lastLines.map { "  | " + PlainText.sanitized($0, maximumCharacters: 200) }
            return ([ending + " The last lines of its standard error:"] + quoted).joined(separator: "\n")
        case .interrupted(let run):
            return "Interrupted in the \(run) run. The command was ended, and no profile was written."
        case .measurementFailed(let sentence), .cannotWrite(let sentence), .wouldOverwrite(let sentence),
            .noInput(let sentence):
            return sentence
        case .incomplete(let cause, let kept): return "\(cause)\n\(kept)"
        }
    }
}
