internal import CommandLineTool
internal import JSONDocument
internal import LinuxSystem
internal import LiveMonitor
internal import Measurement
internal import PodcastPipeline
internal import Synchronization

/// `podcast-scraper service`: runs as a configuration says, once or again and again, with a result record for each run.
enum ServiceCommand {
    static let syntax = CommandSyntax(
        name: "podcast-scraper service",
        summary: "Run as a configuration says, once or periodically, and print a result record for each run.",
        options: [
            .value("config", "FILE", "YAML with the feeds and the settings"),
            .value("every", "TIME", "run again after that time, such as 30m, 6h or 1d (default: once)"),
        ],
        examples: [
            (
                "podcast-scraper service --config podcasts.yaml --every 6h",
                "what a systemd unit starts; see docs/service.md"
            )
        ],
        notes: [
            "The record is one line of JSON on standard output: {\"success\": ..., \"summary\": ..., \"error\": ...}.",
            "SIGTERM and SIGINT end the service after the stage that runs; the next start goes on. SIGHUP reads the "
                + "configuration again and runs at once.",
            "Exit codes: 0 the run succeeded, or a signal ended the service, 4 an episode failed or the run could not go on, 64 wrong usage, 66 no feed, "
                + "no model or no configuration, 73 the output cannot be written.",
        ])

    static func run(_ parsed: ParsedArguments) throws(ToolFailure) -> ExitCode {
        guard let file = parsed.value("config") else {
            throw ToolFailure("There is no configuration. Give --config FILE.", .usage)
        }
        let period = try parsed.value("every").map { text throws(ToolFailure) in try Self.period(text) }
        let inbox: SignalInbox
        do throws(SystemError) {
            // Before any thread exists, so that none of them takes the signals.
            inbox = try SignalInbox(for: [SignalInbox.terminate, SignalInbox.interrupt, SignalInbox.hangUp])
        } catch {
            throw ToolFailure("\(error)", .failed)
        }
        while true {
            let round = try Round.run(file, inbox: inbox)
            Console.print(round.record)
            // Ended as it was asked to.
            if round.isEnded { return .success }
            guard let period else { return round.exitCode }
            if try !wait(for: period, inbox: inbox) { return .success }
        }
    }

    /// Waits until the next run is due. False when the service is to end.
    private static func wait(for period: Duration, inbox: borrowing SignalInbox) throws(ToolFailure) -> Bool {
        do throws(SystemError) {
            let deadline = SystemClock.monotonicNanoseconds + period.inNanoseconds
            while true {
                let left = Duration(nanosecondCount: max(0, deadline - SystemClock.monotonicNanoseconds))
                _ = try FileDescriptor.waitUntilReadable([inbox.descriptor], timeout: left)
                guard let signal = inbox.next() else {
                    if left == .zero { return true }
                    continue
                }
                return signal == SignalInbox.hangUp
            }
        } catch {
            throw ToolFailure("\(error)", .failed)
        }
    }

    static func period(_ text: String) throws(ToolFailure) -> Duration {
        let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
        guard let unit = text.last.flatMap({ units[$0] }), let count = Int64(text.dropLast()),
            (1...100_000).contains(count)
        else {
            throw ToolFailure(
                "The option '--every' needs a number with a unit, such as 30m, 6h or 1d, not '\(PlainText.sanitized(text))'.",
                .usage)
        }
        return .seconds(count * unit)
    }
}

/// One run of the service.
private struct Round {
    var record: String
    var exitCode: ExitCode
    /// Whether a signal ended it, and with it the service.
    var isEnded: Bool

    private static func make(_ exitCode: ExitCode, summary: String?, error: String?, isEnded: Bool = false)
        -> Round
    {
        let record = JSONText.object([
            ("success", exitCode == .success ? "true" : "false"),
            ("summary", summary.map(\.asJSON) ?? "null"),
            ("error", error.map(\.asJSON) ?? "null"),
        ])
        return Round(record: record, exitCode: exitCode, isEnded: isEnded)
    }

    /// Reads the configuration and runs what it says in a thread of its own, while this one waits for signals.
    static func run(_ file: String, inbox: borrowing SignalInbox) throws(ToolFailure) -> Round {
        do throws(ToolFailure) {
            let request = try RunRequest(Options(configurationFile: file))
            // A profiler that is missing is reported before anything is started.
            if request.memray && !HeapCapture.isActive { _ = try heapCapture(request) }
            return try run(request, inbox: inbox)
        } catch {
            Console.report(error, tool: ServiceCommand.syntax.name)
            return make(error.exitCode, summary: nil, error: error.message)
        }
    }

    private static func run(_ request: RunRequest, inbox: borrowing SignalInbox) throws(ToolFailure) -> Round
    {
        let log = try RunLog(request)
        let result = Mutex<Result<RunResult, ToolFailure>?>(nil)
        let isEnding = Mutex(false)
        do throws(SystemError) {
            let done = try FileDescriptor.pipe()
            let end = done.writeEnd.rawValue
            let thread = try DedicatedThread.start(name: "run") {
                var stoppable = request
                stoppable.settings.shouldStop = StopRequest { isEnding.withLock { $0 } }
                let outcome: Result<RunResult, ToolFailure>
                do throws(ToolFailure) {
                    outcome = .success(try runFeeds(stoppable, log))
                } catch {
                    outcome = .failure(error)
                }
                result.withLock { $0 = outcome }
                // The reader is this process; it waits for this byte.
                do throws(SystemError) { try FileDescriptor.write([1], to: end) } catch { return }
            }
            while true {
                let ready = try FileDescriptor.waitUntilReadable(
                    [done.readEnd.rawValue, inbox.descriptor], timeout: nil)
                if ready[0] { break }
                while let signal = inbox.next() {
                    if signal != SignalInbox.hangUp { isEnding.withLock { $0 = true } }
                }
            }
            thread.join()
        } catch {
            throw ToolFailure("\(error)", .failed)
        }
        let wasEnded = isEnding.withLock { $0 }
        switch result.withLock({ $0 }) {
        case .success(let outcome)?:
            let code = outcome.failures.max { $0.rawValue < $1.rawValue } ?? .success
            let error = outcome.failures.isEmpty ? nil : outcome.summary
            return make(code, summary: outcome.summary, error: error, isEnded: wasEnded)
        case .failure(let failure)?:
            return make(failure.exitCode, summary: nil, error: failure.message, isEnded: wasEnded)
        case nil: throw ToolFailure("The run ended without a result.", .failed)
        }
    }
}
