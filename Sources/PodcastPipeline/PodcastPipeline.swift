internal import LinuxSystem
internal import Measurement
public import PipelineStatus

/// The pipeline: from a feed's address to transcripts, summaries, metrics and a search index.
///
/// Episodes are processed one after the other, stage by stage. An episode that fails is reported and the others go
/// on; what would fail every episode (no disk space, no ffmpeg, no model) ends the run.
public final class PodcastPipeline {
    /// What a run achieved.
    public struct Outcome: Sendable {
        public var feedTitle: String
        public var episodes: [EpisodeReport]
        /// The file with the figures.
        public var metricsPath: String
        /// A digest of the episodes as they came: titles and audio. The feed's address is not in it.
        public var inputDigest: String
        /// A digest of all segments with their vectors: the same for every run that recognised the same.
        public var outputDigest: String

        /// The episodes that could not be processed to their end.
        public var failed: [EpisodeReport] { episodes.filter { $0.failure != nil } }
    }

    private let settings: PipelineSettings
    private let reporter: StatusReporter
    private let tell: (String) -> Void
    private let output: OutputFiles

    /// A pipeline.
    ///
    /// - Parameters:
    ///   - settings: What it works on.
    ///   - reporter: Who is told about stages.
    ///   - tell: Called with a line for a person as the run proceeds.
    public init(_ settings: PipelineSettings, reporter: StatusReporter, tell: @escaping (String) -> Void) {
        self.settings = settings
        self.reporter = reporter
        self.tell = tell
        output = OutputFiles(directory: settings.outputDirectory)
    }

    /// Runs all stages. What cannot succeed is refused before any work is done.
    public func run() throws(PipelineFailure) -> Outcome {
        let model = try SpeechModel(directory: settings.modelDirectory)
        try AudioPreprocessing.checkTool()
        let client = try Self.client()
        try output.prepare()
        do throws(PipelineFailure) {
            let outcome = try process(client: client, model: model)
            try output.removeWork()
            reporter.finish()
            return outcome
        } catch {
            // The failure that ended the run is the one to report, not a second one while tidying up.
            do throws(PipelineFailure) { try output.removeWork() } catch { tell(error.message) }
            throw error
        }
    }

    private func process(client: HTTPClient, model: SpeechModel) throws(PipelineFailure) -> Outcome {
        let (feed, address) = try reporter.stage(.rssFeedFetch) {
            () throws(PipelineFailure) -> (Feed, String) in try fetchFeed(client)
        }
        let episodes = feed.episodes.prefix(settings.maximumEpisodes ?? .max)
        tell(Self.introduction(feed, processed: episodes.count))
        let processor = EpisodeProcessor(
            feed: feed, feedAddress: address, client: client, transcription: Transcription(model: model),
            output: output, reporter: reporter)
        var reports: [EpisodeReport] = []
        var transcripts: [(episode: Int, transcript: Transcript)] = []
        for (offset, episode) in episodes.enumerated() {
            let position = EpisodePosition(index: offset + 1, total: episodes.count)
            let (report, transcript) = try processor.process(episode, at: position)
            tell(report.line(of: episodes.count))
            reports.append(report)
            if let transcript { transcripts.append((position.index, transcript)) }
        }
        let indexingStart = SystemClock.monotonicNanoseconds
        let outputDigest = try reporter.stage(.vectorIndexing) { () throws(PipelineFailure) in
            let index = SearchIndex(transcripts).json.text() + "\n"
            try output.write(index, to: output.index)
            var digest = ContentDigest()
            digest.add(index)
            return digest.text
        }
        let indexing = Duration(nanosecondCount: SystemClock.monotonicNanoseconds - indexingStart)
        try output.write(
            Self.metrics(feed: feed, reports: reports, indexing: indexing).text() + "\n", to: output.metrics)
        return Outcome(
            feedTitle: feed.title, episodes: reports, metricsPath: output.metrics,
            inputDigest: Self.inputDigest(feed, reports), outputDigest: outputDigest)
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

    private func fetchFeed(_ client: HTTPClient) throws(PipelineFailure) -> (Feed, String) {
        let fetched: (body: [UInt8], response: HTTPClient.Response)
        do throws(HTTPError) {
            fetched = try client.get(settings.feedURL)
        } catch {
            throw PipelineFailure(.input, "\(error) Check the feed's address.")
        }
        do throws(FeedError) {
            return (try FeedParser.parse(fetched.body), fetched.response.effectiveURL)
        } catch {
            throw PipelineFailure(.input, "'\(PlainText.sanitized(settings.feedURL))' \(error)")
        }
    }

    private static func client() throws(PipelineFailure) -> HTTPClient {
        do throws(HTTPError) {
            return try HTTPClient()
        } catch {
            throw PipelineFailure(.run, "\(error)")
        }
    }

    private static func introduction(_ feed: Feed, processed: Int) -> String {
        let title =
            feed.title.isEmpty ? "untitled feed" : PlainText.sanitized(feed.title, maximumCharacters: 80)
        var line = "\(title): \(processed) of \(feed.episodes.count) episodes"
        if feed.itemsWithoutMedia > 0 { line += ", \(feed.itemsWithoutMedia) items without audio left out" }
        if feed.itemsBeyondLimit > 0 { line += ", \(feed.itemsBeyondLimit) items beyond the limit not read" }
        return line
    }

    private static func metrics(feed: Feed, reports: [EpisodeReport], indexing: Duration) -> JSONOutput {
        .object([
            ("schema_version", .integer(1)),
            ("feed_title", .string(feed.title)),
            ("episodes_in_feed", .integer(feed.episodes.count)),
            ("episodes_processed", .integer(reports.filter { $0.failure == nil }.count)),
            ("episodes_failed", .integer(reports.filter { $0.failure != nil }.count)),
            ("vector_indexing_wall_s", .number(indexing.inSeconds, decimals: 6)),
            ("episodes", .array(reports.map(\.json))),
        ])
    }
}

extension EpisodeReport {
    /// One line for a person.
    fileprivate func line(of total: Int) -> String {
        let head = "[\(position)/\(total)] \(PlainText.sanitized(title, maximumCharacters: 60))"
        if let failure { return "\(head): failed in \(failure.stage): \(failure.message)" }
        guard let audio, let words else { return head }
        if words == 0 { return "\(head): no speech was recognised in \(audio.readable) of audio" }
        let pace = realTimeFactor.map { ", transcribed in \($0.fixed(2)) of real time" } ?? ""
        return "\(head): \(audio.readable) of audio, \(words) words\(pace)"
    }
}
