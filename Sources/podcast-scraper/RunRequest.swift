internal import CommandLineTool
internal import LinuxSystem
internal import Measurement
internal import PodcastPipeline
internal import Stages

/// One run, all its settings known.
struct RunRequest: Equatable {
    /// The settings of the first feed; those of others differ in the address and the directory only.
    var settings: PipelineSettings
    /// The feeds' addresses, one at least.
    var feedURLs: [String]
    var feedsParallel: Int
    var monitor: Bool
    var monitorPane: Bool
    var memray: Bool
    var memrayOutput: String?
    var logFile: String?
    var logsJSON: Bool
    var isQuiet: Bool

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
        let given = options.given
        feedURLs = given.feedURLs.isEmpty ? configuration.feedURLs : given.feedURLs
        guard let feed = feedURLs.first else {
            throw ToolFailure("There is no feed to read. Give its address, or --config FILE.", .usage)
        }
        var seen: Set<String> = []
        if let twice = feedURLs.first(where: { !seen.insert($0).inserted }) {
            throw ToolFailure("The feed '\(WebAddress.shown(twice))' is given twice.", .usage)
        }
        // An observer that wants a fresh directory for each run comes before the configuration, which is the same for all.
        let requested = CurrentProcess.environmentVariable(StatusLocation.outputDirectoryVariable)
        let directory = [given.outputDirectory, requested, configuration.outputDirectory]
            .compactMap { $0 }.first { !$0.isEmpty }
        guard let directory else {
            throw ToolFailure("There is no place for the results. Give --output-dir DIR.", .usage)
        }
        settings = PipelineSettings(feedURL: feed, outputDirectory: directory)
        monitor = given.monitor ?? configuration.monitor ?? false
        monitorPane = options.monitorPane
        memray = given.memray ?? configuration.memray ?? false
        memrayOutput = given.memrayOutput ?? configuration.memrayOutput
        logFile = given.logFile ?? configuration.logFile
        logsJSON = (given.logFormat ?? configuration.logFormat) == "json"
        isQuiet = given.isQuiet ?? configuration.isQuiet ?? false
        // An observer reads one status file, which feeds at the same time would write over each other.
        feedsParallel = Self.isObserved ? 1 : given.feedsParallel ?? configuration.feedsParallel ?? 1
        settings.take(given, over: configuration)
        settings.addresses = AddressPolicy(
            allowsLocal: given.allowsLocal ?? configuration.allowsLocal ?? false,
            loopbackPort: Self.servedPort(of: feed))
    }

    /// The port of the server that `loopback-feed` has started for this run, when the feed is the one it serves: what a
    /// person serves to this program is meant to be fetched.
    private static func servedPort(of feed: String) -> UInt16? {
        let prefix = "http://127.0.0.1:"
        guard CurrentProcess.environmentVariable("LOOPBACK_FEED_URL") == feed, feed.hasPrefix(prefix) else {
            return nil
        }
        return UInt16(feed.dropFirst(prefix.count).prefix { $0.isNumber })
    }

    /// Whether an observer has started this run, gave it a directory and watches its status.
    static var isObserved: Bool {
        StatusLocation.requestedByObserver() != nil
            && CurrentProcess.environmentVariable(StatusLocation.outputDirectoryVariable)?.isEmpty == false
    }

    /// Whether a monitor is started: one that watches already is not doubled.
    var startsMonitor: Bool { monitor && !Self.isObserved }

    /// Where the status goes: where an observer asked for it, else beside the results when a monitor will read it.
    var statusLocation: StatusLocation? {
        StatusLocation.requestedByObserver()
            ?? (monitor ? StatusLocation(outputDirectory: settings.outputDirectory) : nil)
    }
}

extension PipelineSettings {
    fileprivate mutating func take(_ given: PipelineConfiguration, over file: PipelineConfiguration) {
        selection.maximum = given.maximumEpisodes ?? file.maximumEpisodes
        selection.offset = given.offset ?? file.offset ?? selection.offset
        selection.order = given.order ?? file.order ?? selection.order
        selection.since = given.since ?? file.since
        selection.until = given.until ?? file.until
        resumption = given.resumption ?? file.resumption ?? resumption
        isDryRun = given.isDryRun ?? file.isDryRun ?? isDryRun
        workers = given.workers ?? file.workers ?? workers
        downloadAhead = given.downloadAhead ?? file.downloadAhead ?? downloadAhead
        transcripts = given.transcripts ?? file.transcripts ?? transcripts
        preset = given.preset ?? file.preset ?? preset
        retries.count = given.retries ?? file.retries ?? retries.count
        if let size = given.maximumMediaMB ?? file.maximumMediaMB {
            mediaLimits.maximumBytes = Int64(size) << 20
        }
        if let seconds = given.mediaTimeout ?? file.mediaTimeout {
            mediaLimits.totalTimeout = .seconds(seconds)
        }
        modelDirectory = given.modelDirectory ?? file.modelDirectory ?? modelDirectory
    }
}

extension PipelineFailure.Kind {
    var exitCode: ExitCode {
        switch self {
        case .input: .noInput
        case .output: .cannotWrite
        case .run: .failed
        }
    }
}
