internal import LinuxSystem
internal import Measurement

/// Why a run ended early: one or more sentences, and which kind of failure it is.
public struct PipelineFailure: Error, Equatable, Sendable {
    /// What a failure means to the process that started the run.
    public enum Kind: Equatable, Sendable {
        /// A feed, a model or a configuration is missing or unreadable.
        case input
        /// An output cannot be written.
        case output
        /// A tool is missing, or the work itself failed.
        case run
    }

    public var kind: Kind
    public var message: String

    /// A failure of a kind.
    public init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    /// A failure to write.
    static func output(_ error: SystemError) -> PipelineFailure {
        let remedy = error.isNoSpace ? " Free some space, or choose another --output-dir." : ""
        return PipelineFailure(.output, PlainText.sanitized(error.description) + remedy)
    }
}

/// Why a stage failed: for one episode, or for the run because every other episode would meet the same.
enum StageFailure: Error, Equatable {
    case episode(String)
    case run(PipelineFailure)
}
