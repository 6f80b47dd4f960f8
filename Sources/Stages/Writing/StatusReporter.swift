public import Measurement
internal import Synchronization

/// What a pipeline calls to say which stage it is in.
///
/// Each transition replaces the status file and appends a line to the event trace. A reporter without a location
/// does nothing and costs an untaken branch. Writing never fails the pipeline: the first problem is reported once.
public final class StatusReporter: Sendable {
    /// A reporter that writes nothing.
    public static let disabled = StatusReporter(location: nil, onProblem: { _ in })

    private let output: Mutex<StatusOutput?>

    /// A reporter that writes to a location, or nowhere.
    ///
    /// - Parameters:
    ///   - location: The files to write; nil to write nothing.
    ///   - onProblem: Called at most once, with a sentence, when writing has failed.
    public init(location: StatusLocation?, onProblem: @escaping @Sendable (String) -> Void) {
        output = Mutex(location.map { StatusOutput(location: $0, onProblem: onProblem) })
    }

    /// Runs a stage: everything in the body belongs to it, and it ends also when the body throws.
    public func stage<Result, Failure: Error>(
        _ name: StageName, episode: EpisodePosition? = nil, _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        begin(name, episode: episode)
        defer { end(name, episode: episode) }
        return try body()
    }

    /// Opens a span of a stage. The same stage may have several open spans, from several threads.
    public func begin(_ name: StageName, episode: EpisodePosition? = nil) {
        output.withLock { $0?.add(.begin, name, episode: episode) }
    }

    /// Closes a span of a stage: the latest that this thread opened, else the oldest. A stage that is not open is left alone.
    public func end(_ name: StageName, episode: EpisodePosition? = nil) {
        output.withLock { $0?.add(.end, name, episode: episode) }
    }

    /// Closes every open span and says that the last stage is over.
    public func finish() {
        output.withLock { $0?.finish() }
    }
}
