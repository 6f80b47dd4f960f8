internal import CommandLineTool
internal import LinuxProcess
internal import LinuxSystem
internal import LiveMonitor
internal import Measurement
internal import PipelineStatus
internal import PodcastPipeline

/// One run, all its settings known.
struct RunRequest: Equatable {
    var settings: PipelineSettings
    var monitor: Bool
    var monitorPane: Bool
    var memray: Bool
    var memrayOutput: String?

    /// The request in a command line, with what it leaves out taken from the configuration and the environment.
    init(_ options: Options) throws(ToolFailure) {
        var configuration = PipelineConfiguration()
        if let file = options.configurationFile {
            do throws(PipelineFailure) {
                configuration = try PipelineConfiguration.read(file)
            } catch {
                throw ToolFailure(error.message, error.kind.exitCode)
            }
        }
        guard let feed = options.feedURL ?? configuration.feedURL else {
            throw ToolFailure("There is no feed to read. Give its address, or --config FILE.", .usage)
        }
        // An observer that wants a fresh directory for each run comes before the configuration, which is the same for all.
        let requested = CurrentProcess.environmentVariable(StatusLocation.outputDirectoryVariable)
        let directory = [options.outputDirectory, requested, configuration.outputDirectory]
            .compactMap { $0 }.first { !$0.isEmpty }
        guard let directory else {
            throw ToolFailure("There is no place for the results. Give --output-dir DIR.", .usage)
        }
        settings = PipelineSettings(feedURL: feed, outputDirectory: directory)
        settings.maximumEpisodes = options.maximumEpisodes ?? configuration.maximumEpisodes
        if let model = options.modelDirectory ?? configuration.modelDirectory {
            settings.modelDirectory = model
        }
        monitor = options.monitor || configuration.monitor ?? false
        monitorPane = options.monitorPane
        memray = options.memray || configuration.memray ?? false
        memrayOutput = options.memrayOutput
    }

    /// Where the status goes: where an observer asked for it, else beside the results when a monitor will read it.
    var statusLocation: StatusLocation? {
        StatusLocation.requestedByObserver()
            ?? (monitor ? StatusLocation(outputDirectory: settings.outputDirectory) : nil)
    }
}

/// Runs the pipeline and tells a person how it went. Every run passes here, so that a monitor child has one place
/// to be started in and to end.
func runPipeline(_ request: RunRequest) throws(ToolFailure) -> ExitCode {
    try captureHeap(request)
    let watch = RunWatch(request)
    let reporter = StatusReporter(location: request.statusLocation) {
        watch.tell("\(Options.syntax.name): \($0)")
    }
    let outcome: PodcastPipeline.Outcome
    do throws(PipelineFailure) {
        outcome = try PodcastPipeline(request.settings, reporter: reporter, tell: { watch.tell($0) }).run()
    } catch {
        watch.finish()
        throw ToolFailure(error.message, error.kind.exitCode)
    }
    declare(outcome, request) { watch.tell($0) }
    watch.finish()
    Console.print(outcome.metricsPath)
    guard outcome.failed.isEmpty else {
        throw ToolFailure(
            "\(outcome.failed.count) of \(outcome.episodes.count) episodes failed; the reasons are above and in "
                + "'\(PlainText.sanitized(outcome.metricsPath))'.", .failed)
    }
    return .success
}

/// Tells an observer what was run, on what, and what came of it.
private func declare(
    _ outcome: PodcastPipeline.Outcome, _ request: RunRequest, tell: (String) -> Void
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
        tell("\(Options.syntax.name): what was run is not told. \(error)")
    }
}

/// Starts this program again under a heap profiler when one was asked for and there is none yet.
private func captureHeap(_ request: RunRequest) throws(ToolFailure) {
    guard request.memray, !HeapCapture.isActive else { return }
    let heap: HeapCapture
    do throws(HeapCapture.Problem) {
        heap = try HeapCapture(
            [CurrentProcess.executable] + CommandLine.arguments.dropFirst(),
            outputDirectory: request.settings.outputDirectory, file: request.memrayOutput)
    } catch {
        if case .cannotWrite = error { throw ToolFailure(error.description, .cannotWrite) }
        throw ToolFailure(error.description, .failed)
    }
    Console.note("\(Options.syntax.name): \(heap.profiler) writes the heap to '\(heap.output)'")
    let failure = ProgramReplacement.run(heap.command, environment: [HeapCapture.activeVariable: "1"])
    throw ToolFailure(failure.description, .failed)
}

extension PipelineFailure.Kind {
    fileprivate var exitCode: ExitCode {
        switch self {
        case .input: .noInput
        case .output: .cannotWrite
        case .run: .failed
        }
    }
}
