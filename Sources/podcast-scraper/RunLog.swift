internal import CommandLineTool
internal import JSONDocument
internal import LinuxSystem
internal import Measurement
internal import PodcastPipeline
internal import Synchronization

/// What a run prints: on standard error, and in a log file when one was asked for.
final class RunLog: Sendable {
    private let file: FileDescriptor?
    private let isJSON: Bool
    private let isQuiet: Bool
    private let hasFailed = Mutex(false)

    init(_ request: RunRequest) throws(ToolFailure) {
        isJSON = request.logsJSON
        isQuiet = request.isQuiet
        guard let path = request.logFile else {
            file = nil
            return
        }
        do throws(SystemError) {
            try Files.createDirectories(Files.directory(of: path))
            file = try FileDescriptor.open(path, .append, followingLinks: false)
        } catch {
            throw ToolFailure(PlainText.sanitized("\(error)"), .cannotWrite)
        }
    }

    /// Prints something: a whole line in each place.
    ///
    /// - Parameters:
    ///   - message: What.
    ///   - feed: The feed it is about, where there are several.
    ///   - show: How it is put on the terminal.
    func tell(_ message: RunMessage, feed: String? = nil, show: (String) -> Void) {
        if !isQuiet || message.isProblem { show(feed.map { "\($0): \(message.text)" } ?? message.text) }
        guard file != nil else { return }
        let time = SystemClock.now.iso8601
        let line: String
        if isJSON {
            let members: [(String, String?)] = [
                ("time", time.asJSON), ("level", (message.isProblem ? "warning" : "info").asJSON),
                ("feed", feed?.asJSON), ("message", message.text.asJSON),
            ]
            line = JSONText.object(members)
        } else {
            line = [time, message.isProblem ? "warning" : "info", feed, message.text].compactMap { $0 }
                .joined(separator: " ")
        }
        do throws(SystemError) {
            try file?.write(Array((line + "\n").utf8))
        } catch {
            // A full disk ends the run by what the run itself writes; the log's loss is reported once.
            let isFirst = hasFailed.withLock { failed in
                defer { failed = true }
                return !failed
            }
            if isFirst { show("\(Options.syntax.name): The log is not being written. \(error)") }
        }
    }
}
