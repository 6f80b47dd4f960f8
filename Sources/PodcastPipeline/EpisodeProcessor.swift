internal import LinuxSystem
internal import Measurement
internal import PipelineStatus

/// Takes single episodes through their stages.
struct EpisodeProcessor {
    let feed: Feed
    /// Against which the addresses in the feed are resolved.
    let feedAddress: String
    let client: HTTPClient
    let transcription: Transcription
    let output: OutputFiles
    let reporter: StatusReporter

    /// Processes one episode. Its own failure is in the report; what concerns the whole run is thrown.
    func process(
        _ episode: Feed.Episode, at position: EpisodePosition
    ) throws(PipelineFailure) -> (EpisodeReport, Transcript?) {
        let title = episode.title.isEmpty ? "Episode \(position.index)" : episode.title
        let name = OutputFiles.name(position: position.index, title: title)
        var report = EpisodeReport(position: position.index, title: title, fileName: name)
        report.statedAudio = episode.statedDuration
        report.statedMediaSize = episode.statedSize
        var stages = StageRunner(reporter: reporter, episode: position)
        var transcript: Transcript?
        do throws(StageFailure) {
            transcript = try runStages(episode, report: &report, stages: &stages)
        } catch {
            switch error {
            case .run(let failure): throw failure
            case .episode(let message): report.failure = (stages.current, message)
            }
        }
        report.stages = stages.walls
        return (report, transcript)
    }

    private func runStages(
        _ episode: Feed.Episode, report: inout EpisodeReport, stages: inout StageRunner
    ) throws(StageFailure) -> Transcript {
        let media = "\(output.workDirectory)/\(report.fileName).media"
        let samples = "\(output.workDirectory)/\(report.fileName).s16le"
        report.speakers = try stages.run(.speakerDetection) {
            SpeakerDetection.candidates(feed: feed, episode: episode)
        }
        let (size, digest) = try stages.run(.mediaDownload) { () throws(StageFailure) in
            (try download(episode, to: media), try self.digest(of: media))
        }
        report.mediaSize = size
        report.mediaDigest = digest
        report.audio = try stages.run(.audioPreprocessing) { () throws(StageFailure) in
            let length = try AudioPreprocessing.convert(media, to: samples)
            try remove(media)
            return length
        }
        let utterances = try stages.run(.transcription) { () throws(StageFailure) in
            let utterances = try transcription.utterances(in: samples)
            try remove(samples)
            return utterances
        }
        let transcript = try stages.run(.transcriptCleaning) { () throws(StageFailure) in
            let transcript = TranscriptCleaning.transcript(of: utterances)
            try write(transcript.text, to: output.transcript(report.fileName))
            return transcript
        }
        report.words = transcript.wordCount
        report.segments = transcript.segments.count
        try stages.run(.summarization) { () throws(StageFailure) in
            let lines = Summarization.summary(of: transcript).map { $0.text + "\n" }
            try write(lines.joined(), to: output.summary(report.fileName))
        }
        return transcript
    }

    private func download(_ episode: Feed.Episode, to path: String) throws(StageFailure) -> ByteCount {
        guard let address = client.resolve(episode.mediaReference, against: feedAddress) else {
            let reference = PlainText.sanitized(episode.mediaReference, maximumCharacters: 200)
            throw .episode("Its enclosure '\(reference)' is not an http or https address.")
        }
        do throws(HTTPError) {
            return ByteCount(bytes: try client.download(address, to: path).size)
        } catch {
            if case .cannotStore(let cause) = error { throw .run(.output(cause)) }
            throw .episode("\(error)")
        }
    }

    private func digest(of path: String) throws(StageFailure) -> String {
        do throws(SystemError) {
            var digest = ContentDigest()
            try digest.add(file: path)
            return digest.text
        } catch {
            throw .run(.output(error))
        }
    }

    private func remove(_ path: String) throws(StageFailure) {
        do throws(SystemError) {
            try Files.remove(path)
        } catch {
            throw .run(.output(error))
        }
    }

    private func write(_ text: String, to path: String) throws(StageFailure) {
        do throws(PipelineFailure) {
            try output.write(text, to: path)
        } catch {
            throw .run(error)
        }
    }
}

/// Runs the stages of one episode: tells the reporter, and keeps the wall times for the metrics.
private struct StageRunner {
    let reporter: StatusReporter
    let episode: EpisodePosition
    /// The stage that runs, or ran last.
    private(set) var current = StageName.speakerDetection
    private(set) var walls: [(name: StageName, wall: Duration)] = []

    init(reporter: StatusReporter, episode: EpisodePosition) {
        self.reporter = reporter
        self.episode = episode
    }

    mutating func run<Result>(
        _ stage: StageName, _ body: () throws(StageFailure) -> Result
    ) throws(StageFailure) -> Result {
        current = stage
        let start = SystemClock.monotonicNanoseconds
        defer { walls.append((stage, Duration(nanosecondCount: SystemClock.monotonicNanoseconds - start))) }
        return try reporter.stage(stage, episode: episode, body)
    }
}
