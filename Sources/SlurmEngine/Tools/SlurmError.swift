internal import Measurement

/// Why Slurm did not do what it was asked.
public enum SlurmError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A tool is not on PATH.
    case noTool(String)
    /// A tool could not be started, in one sentence.
    case cannotCall(String)
    /// A tool exited with an error; its words.
    case refused(tool: String, words: String)
    /// A tool did not come to its end, or printed what could not be read; in one sentence.
    case noAnswer(String)

    /// Slurm's words and what they mean here.
    public var description: String {
        switch self {
        case .noTool(let program):
            "There is no '\(PlainText.sanitized(program))' on PATH, so nothing can be given to Slurm. Run this on a machine that "
                + "submits jobs, or leave out --engine slurm to measure on this machine."
        case .cannotCall(let sentence): sentence
        case .refused(let tool, let words):
            words.isEmpty
                ? "\(tool) exits with an error and says nothing." : "\(tool) says: '\(words)'."
        case .noAnswer(let sentence): sentence
        }
    }
}
