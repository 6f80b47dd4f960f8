internal import LinuxSystem
internal import Measurement
public import Stages

/// The pipeline: from a feed's address to transcripts, summaries, insights, graphs, metrics and a search index.
///
/// An episode that fails is reported and the others go on; what would fail every episode (no disk space, no ffmpeg, no model)
/// ends the run. What is finished is not done again, and a run that was killed is continued by the same run made again.
public final class PodcastPipeline {
    /// What a run achieved.
    public struct Outcome: Sendable {
        public var feedTitle: String
        public var episodes: [EpisodeReport]
        /// The file with the figures; nil when the episodes were only listed.
        public var metricsPath: String?
        /// A digest of the episodes as they came: titles and audio. The feed's address is not in it.
        public var inputDigest: String
        /// A digest of all outputs: the same for every run that recognised the same.
        public var outputDigest: String

        /// The episodes that could not be processed to their end.
        public var failed: [EpisodeReport] { episodes.filter { $0.failure != nil } }
    }

    private let settings: PipelineSettings
    private let reporter: StatusReporter
    private let tell: @Sendable (RunMessage) -> Void
    private let output: OutputFiles

    /// A pipeline.
    ///
    /// - Parameters:
    ///   - settings: What it works on.
    ///   - reporter: Called at each change of stage.
    ///   - tell: Called with a line for a person as the run proceeds, from any thread.
    public init(
        _ settings: PipelineSettings, reporter: StatusReporter, tell: @escaping @Sendable (RunMessage) -> Void
    ) {
        self.settings = settings
        self.reporter = reporter
        self.tell = tell
        output = OutputFiles(directory: settings.outputDirectory)
    }

    /// Runs all stages. What cannot succeed is refused before any work is done.
    public func run() throws(PipelineFailure) -> Outcome {
        let model = try SpeechModel(directory: settings.modelDirectory)
        try AudioPreprocessing.checkTool()
        let client = try makeClient()
        try output.prepare()
        let lock = try OutputLock.take(output)
        let outcome: Outcome
        do throws(PipelineFailure) {
            outcome = try process(client: client, model: model)
            // What is kept of episodes that failed is what the next run goes on with.
            try output.removeWork(withContent: outcome.failed.isEmpty)
        } catch {
            // The failure that ended the run is the one to report, not a second one while tidying up.
            do throws(PipelineFailure) { try output.removeWork(withContent: false) } catch {
                tell(RunMessage(error.message, isProblem: true))
            }
            throw error
        }
        reporter.finish()
        withExtendedLifetime(lock) {}
        return outcome
    }

    private func process(client: HTTPClient, model: SpeechModel) throws(PipelineFailure) -> Outcome {
        let start = SystemClock.monotonicNanoseconds
        var stages = StageRunner(reporter: reporter)
        let fetched = try stages.run(.rssFeedFetch) { () throws(PipelineFailure) in
            try FeedStore(client: client, output: output).fetch(settings.feedURL)
        }
        let feed = fetched.feed
        for note in feed.notes { tell(RunMessage("The feed: \(note)", isProblem: true)) }
        let records = try EpisodeCatalogue(output)
        let tasks = tasks(of: feed, model: model, records: records)
        tell(RunMessage(Self.introduction(feed, selected: tasks.count)))
        if settings.isDryRun { return list(tasks, records: records, feed: feed) }
        let (reused, open) = divide(tasks, records: records)
        let total = tasks.count
        for report in reused { tell(RunMessage(report.line(of: total))) }
        let processor = EpisodeProcessor(
            feed: feed, feedAddress: fetched.address, client: client, settings: settings, output: output,
            reporter: reporter)
        let run = EpisodeRun(processor: processor, model: model, settings: settings) { [tell] report in
            for note in report.notes {
                tell(RunMessage("[\(report.position)/\(total)] \(note)", isProblem: true))
            }
            tell(RunMessage(report.line(of: total), isProblem: report.failure != nil))
        }
        let reports = (reused + (try run.run(open))).sorted { $0.position < $1.position }
        try stages.run(.vectorIndexing) { () throws(PipelineFailure) in
            try EpisodeCatalogue(output).index(into: output)
        }
        let metrics = RunMetrics(
            feed: feed, reports: reports, spans: stages.walls,
            wall: Duration(nanosecondCount: SystemClock.monotonicNanoseconds - start))
        try output.write(metrics.json.text() + "\n", to: output.metrics)
        return Outcome(
            feedTitle: feed.title, episodes: reports, metricsPath: output.metrics,
            inputDigest: Self.inputDigest(feed, reports), outputDigest: try outputDigest(reports))
    }

    private func tasks(of feed: Feed, model: SpeechModel, records: EpisodeCatalogue) -> [EpisodeTask] {
        let selected = settings.selection.select(from: feed.episodes)
        return selected.enumerated().map { offset, episode in
            EpisodeTask(
                episode, position: EpisodePosition(index: offset + 1, total: selected.count),
                settings: settings,
                model: model.fingerprint, earlierName: records.record(of: episode.identity)?.name)
        }
    }

    /// The reports of episodes that are done, and the tasks that are not.
    private func divide(
        _ tasks: [EpisodeTask], records: EpisodeCatalogue
    ) -> (reused: [EpisodeReport], open: [EpisodeTask]) {
        var reused: [EpisodeReport] = []
        var open: [EpisodeTask] = []
        for task in tasks {
            if let record = reusable(task, records: records) {
                reused.append(EpisodeReport(task, reusing: record))
            } else {
                open.append(task)
            }
        }
        return (reused, open)
    }

    private func reusable(_ task: EpisodeTask, records: EpisodeCatalogue) -> EpisodeRecord? {
        guard settings.resumption != .fresh, let record = records.record(of: task.episode.identity),
            settings.resumption == .skipExisting || record.fingerprint == task.fingerprint,
            record.isWhole(in: output)
        else { return nil }
        return record
    }

    /// Lists the episodes instead of processing them.
    private func list(_ tasks: [EpisodeTask], records: EpisodeCatalogue, feed: Feed) -> Outcome {
        for task in tasks {
            let date = task.episode.published?.dateOnly ?? "no date   "
            let state = reusable(task, records: records) == nil ? "" : " (done)"
            let title = PlainText.sanitized(task.title, maximumCharacters: 80)
            tell(RunMessage("[\(task.position.index)/\(tasks.count)] \(date) \(title)\(state)"))
        }
        return Outcome(
            feedTitle: feed.title, episodes: [], metricsPath: nil, inputDigest: "", outputDigest: "")
    }

    private static func inputDigest(_ feed: Feed, _ reports: [EpisodeReport]) -> String {
        var digest = ContentDigest()
        digest.add(feed.title)
        for report in reports {
            digest.add(report.title)
            digest.add(report.mediaDigest ?? "")
        }
        return digest.text
    }

    private func outputDigest(_ reports: [EpisodeReport]) throws(PipelineFailure) -> String {
        let records = try EpisodeCatalogue(output)
        var digest = ContentDigest()
        for report in reports { digest.add(records.record(named: report.fileName)?.outputDigest ?? "") }
        return digest.text
    }

    private func makeClient() throws(PipelineFailure) -> HTTPClient {
        do throws(HTTPError) {
            return try HTTPClient(policy: settings.addresses, retries: settings.retries)
        } catch {
            throw PipelineFailure(.run, "\(error)")
        }
    }

    private static func introduction(_ feed: Feed, selected: Int) -> String {
        let title =
            feed.title.isEmpty ? "untitled feed" : PlainText.sanitized(feed.title, maximumCharacters: 80)
        var line = "\(title): \(selected) of \(feed.episodes.count) episodes"
        if feed.repeatedItems > 0 { line += ", \(feed.repeatedItems) repeated items left out" }
        if feed.itemsWithoutMedia > 0 { line += ", \(feed.itemsWithoutMedia) items without audio left out" }
        if feed.itemsBeyondLimit > 0 { line += ", \(feed.itemsBeyondLimit) items beyond the limit not read" }
        return line
    }
}
