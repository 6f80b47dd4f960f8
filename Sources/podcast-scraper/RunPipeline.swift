internal import CommandLineTool
internal import LinuxProcess
internal import LinuxSystem
internal import LiveMonitor
internal import Measurement
internal import PodcastPipeline
internal import Stages

/// Runs the pipeline and prints how it went. Every run passes here, so that a monitor child has one place
/// to be started in and to end.
func runPipeline(_ request: RunRequest) throws(ToolFailure) -> ExitCode {
    try captureHeap(request)
    let log = try RunLog(request)
    let result = try runFeeds(request, log)
    if let path = result.metricsPath { Console.print(path) }
    if let worst = result.failures.max(by: { $0.rawValue < $1.rawValue }) {
        throw ToolFailure(result.summary, worst)
    }
    return .success
}

/// What a run over one feed or several came to.
struct RunResult {
    var metricsPath: String?
    /// A sentence.
    var summary: String
    /// What failed, as exit codes; empty when all is well.
    var failures: [ExitCode]
}

/// Runs one feed, or several of them in directories of their own.
func runFeeds(_ request: RunRequest, _ log: RunLog) throws(ToolFailure) -> RunResult {
    if request.feedURLs.count > 1 { return try CorpusRun(request, log).run() }
    let outcome = try runFeed(request, settings: request.settings, log: log, feed: nil)
    return RunResult(
        metricsPath: outcome.metricsPath, summary: outcome.sentence,
        failures: outcome.failed.isEmpty ? [] : [.failed])
}

/// Runs one feed under its monitor.
func runFeed(
    _ request: RunRequest, settings: PipelineSettings, log: RunLog, feed: String?
) throws(ToolFailure) -> PodcastPipeline.Outcome {
    var request = request
    request.settings = settings
    let watch = RunWatch(request)
    let tell: @Sendable (RunMessage) -> Void = { message in
        log.tell(message, feed: feed) { watch.tell($0) }
    }
    let reporter = StatusReporter(location: request.statusLocation) {
        tell(RunMessage("\(Options.syntax.name): \($0)", isProblem: true))
    }
    let outcome: PodcastPipeline.Outcome
    do throws(PipelineFailure) {
        outcome = try PodcastPipeline(settings, reporter: reporter, tell: tell).run()
    } catch {
        watch.finish()
        log.tell(RunMessage(error.message, isProblem: true), feed: feed) { _ in }
        throw ToolFailure(error.message, error.kind.exitCode)
    }
    if !settings.isDryRun { declare(outcome, request, tell: tell) }
    watch.finish()
    return outcome
}

extension PodcastPipeline.Outcome {
    /// How it went, in a sentence.
    var sentence: String {
        if failed.isEmpty { return "All \(episodes.count) episodes are done." }
        let place = metricsPath.map { " and in '\(PlainText.sanitized($0))'" } ?? ""
        return "\(failed.count) of \(episodes.count) episodes failed; the reasons are above\(place)."
    }
}

/// Reports to an observer what was run, on what, and what came of it.
private func declare(
    _ outcome: PodcastPipeline.Outcome, _ request: RunRequest, tell: (RunMessage) -> Void
) {
    guard let location = request.statusLocation else { return }
    #if DEBUG
        let buildMode = "debug"
    #else
        let buildMode = "release"
    #endif
    let facts = PipelineFacts(
        version: Options.version, buildMode: buildMode, inputDigest: outcome.inputDigest,
        outputDigest: outcome.outputDigest)
    do throws(SystemError) {
        try facts.write(location)
    } catch {
        tell(RunMessage("\(Options.syntax.name): what was run is not recorded. \(error)", isProblem: true))
    }
}

/// Starts this program again under a heap profiler when one was asked for and there is none yet.
private func captureHeap(_ request: RunRequest) throws(ToolFailure) {
    guard request.memray, !HeapCapture.isActive else { return }
    let heap = try heapCapture(request)
    Console.note("\(Options.syntax.name): \(heap.profiler) writes the heap to '\(heap.output)'")
    let failure = ProgramReplacement.run(heap.command, environment: [HeapCapture.activeVariable: "1"])
    throw ToolFailure(failure.description, .failed)
}

/// The heap profiler for a run; a failure when it is not there.
func heapCapture(_ request: RunRequest) throws(ToolFailure) -> HeapCapture {
    do throws(HeapCapture.Problem) {
        return try HeapCapture(
            [CurrentProcess.executable] + CurrentProcess.arguments.dropFirst(),
            outputDirectory: request.settings.outputDirectory, file: request.memrayOutput)
    } catch {
        if case .cannotWrite = error { throw ToolFailure(error.description, .cannotWrite) }
        throw ToolFailure(error.description, .failed)
    }
}
