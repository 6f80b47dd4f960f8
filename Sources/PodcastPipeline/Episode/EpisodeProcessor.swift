internal import LinuxSystem
internal import Measurement
internal import Stages

/// Takes single episodes through their stages, in two halves: what waits for the network, and what computes. Several
/// threads may do so at once, each with a `Transcription` of its own.
struct EpisodeProcessor: Sendable {
    let feed: Feed
    /// Against which the addresses in the feed are resolved.
    let feedAddress: String
    let client: HTTPClient
    let settings: PipelineSettings
    let output: OutputFiles
    let reporter: StatusReporter

    /// The first half: who speaks, and what there is to hear or to read. Its own failure is in the report; what concerns the
    /// whole run is thrown.
    func fetch(_ task: EpisodeTask) throws(PipelineFailure) -> FetchedEpisode {
        try checkStop()
        var fetched = FetchedEpisode(task: task, report: EpisodeReport(task))
        var stages = StageRunner(reporter: reporter, episode: task.position)
        do throws(StageFailure) {
            fetched.report.speakers = stages.run(.speakerDetection) {
                SpeakerDetection.candidates(feed: feed, episode: task.episode)
            }
            fetched.transcript = try stages.run(.mediaDownload) { () throws(StageFailure) in
                if let transcript = try offeredTranscript(task, report: &fetched.report) { return transcript }
                try fetchMedia(task, report: &fetched.report)
                return nil
            }
        } catch {
            try note(error, in: stages.current, report: &fetched.report)
        }
        fetched.report.stages += stages.walls
        return fetched
    }

    /// The second half: the words, and all that is made of them.
    func complete(
        _ fetched: FetchedEpisode, transcription: Transcription
    ) throws(PipelineFailure) -> EpisodeReport {
        var report = fetched.report
        guard report.failure == nil else { return report }
        try checkStop()
        var stages = StageRunner(reporter: reporter, episode: fetched.task.position)
        do throws(StageFailure) {
            let transcript = try transcribe(fetched, report: &report, stages: &stages, transcription)
            try derive(from: transcript, fetched.task, report: &report, stages: &stages)
        } catch {
            try note(error, in: stages.current, report: &report)
        }
        report.stages += stages.walls
        return report
    }

    private func checkStop() throws(PipelineFailure) {
        if settings.shouldStop.isMade {
            throw PipelineFailure(.run, "The run was ended early. The same command goes on where it was.")
        }
    }

    private func note(
        _ failure: StageFailure, in stage: StageName, report: inout EpisodeReport
    ) throws(PipelineFailure) {
        switch failure {
        case .run(let failure): throw failure
        case .episode(let message): report.failure = (stage, message)
        }
    }

    private func transcribe(
        _ fetched: FetchedEpisode, report: inout EpisodeReport, stages: inout StageRunner,
        _ transcription: Transcription
    ) throws(StageFailure) -> Transcript {
        if let transcript = fetched.transcript {
            report.source = .feed
            return stages.run(.transcriptCleaning) { transcript }
        }
        report.audio = try stages.run(.audioPreprocessing) { () throws(StageFailure) in
            // Left by a run that was killed.
            try remove(output.samples(fetched.task.workName))
            return try AudioPreprocessing.convert(
                output.media(fetched.task.workName), to: output.samples(fetched.task.workName),
                preset: settings.preset)
        }
        let utterances = try stages.run(.transcription) { () throws(StageFailure) in
            try transcription.utterances(in: output.samples(fetched.task.workName))
        }
        return stages.run(.transcriptCleaning) { TranscriptCleaning.transcript(of: utterances) }
    }

    /// What is made of the words. All files are written at the end, the record last.
    private func derive(
        from transcript: Transcript, _ task: EpisodeTask, report: inout EpisodeReport,
        stages: inout StageRunner
    ) throws(StageFailure) {
        report.words = transcript.wordCount
        report.segments = transcript.segments.count
        report.speakers = SpeakerDetection.heard(report.speakers, in: transcript)
        let ranking = stages.run(.summarization) { Summarization.ranking(of: transcript) }
        let insights = stages.run(.giGeneration) {
            GroundedInsights.insights(of: transcript, ranking: ranking, speakers: report.speakers)
        }
        report.insights = insights.count
        try stages.run(.kgExtraction) { () throws(StageFailure) in
            let graph = KnowledgeExtraction.graph(
                of: transcript, episode: task, feed: feed, speakers: report.speakers, insights: insights)
            try keep(
                [
                    (.transcript, transcript.text), (.timedTranscript, transcript.json.text() + "\n"),
                    (.summary, ranking.summary.map { $0.text + "\n" }.joined()),
                    (.insights, GroundedInsights.json(insights).text() + "\n"),
                    (.graph, graph.json.text() + "\n"),
                    (.graphML, graph.graphML),
                ], of: task, report: report)
        }
    }

    private func keep(
        _ files: [(kind: OutputFiles.Kind, text: String)], of task: EpisodeTask, report: EpisodeReport
    ) throws(StageFailure) {
        var digests: [(path: String, digest: String)] = []
        do throws(PipelineFailure) {
            for (kind, text) in files {
                try output.write(text, to: output.path(kind, task.name))
                var digest = ContentDigest()
                digest.add(Array(text.utf8))
                digests.append((OutputFiles.relativePath(kind, task.name), digest.text))
            }
            let record = report.record(task, files: digests.sorted { $0.path < $1.path })
            try output.write(record.json.text() + "\n", to: output.record(task.name))
        } catch {
            throw .run(error)
        }
        try remove(output.media(task.workName))
        try remove(output.samples(task.workName))
    }

    private func remove(_ path: String) throws(StageFailure) {
        do throws(SystemError) {
            try Files.remove(path)
        } catch {
            if !error.isNotFound { throw .run(.output(error)) }
        }
    }
}

extension EpisodeProcessor {
    /// The transcript that the feed offers, in the best format that is read; nil where there is none or none can be had.
    private func offeredTranscript(
        _ task: EpisodeTask, report: inout EpisodeReport
    ) throws(StageFailure) -> Transcript? {
        guard settings.transcripts == .prefer else { return nil }
        let offers = task.episode.transcripts.compactMap { offer in
            TranscriptFile.Format(type: offer.type, address: offer.reference.text).map {
                (offer: offer, format: $0)
            }
        }
        for (offer, format) in offers.sorted(by: { $0.format.rawValue < $1.format.rawValue }) {
            guard let address = client.resolve(offer.reference, against: feedAddress) else {
                report.notes.append(
                    "Its transcript '\(WebAddress.shown(offer.reference.text))' is at no web address.")
                continue
            }
            do throws(HTTPError) {
                guard let fetched = try client.get(address) else { continue }
                if let transcript = TranscriptFile.parse(fetched.body, format: format) { return transcript }
                report.notes.append("Its transcript '\(WebAddress.shown(address))' holds no words.")
            } catch {
                report.notes.append("\(error)")
            }
        }
        return nil
    }

    /// Fetches what can be heard; of several the next one is tried when one cannot be had.
    private func fetchMedia(_ task: EpisodeTask, report: inout EpisodeReport) throws(StageFailure) {
        let path = output.media(task.workName)
        var problem = "It has nothing to hear, and no transcript of it could be read."
        if Files.isRegularFile(path), let size = try takeStored(path, report: &report) {
            report.mediaSize = size
            return
        }
        for media in task.episode.media {
            guard let address = client.resolve(media.reference, against: feedAddress) else {
                problem =
                    "Its enclosure '\(WebAddress.shown(media.reference.text))' is not an http or https address."
                continue
            }
            do throws(HTTPError) {
                _ = try client.download(address, to: path + ".part", limits: settings.mediaLimits)
            } catch {
                if case .cannotStore(let cause) = error { throw .run(.output(cause)) }
                problem = "\(error)"
                continue
            }
            do throws(SystemError) {
                if let kind = try MediaKind.unhearable(path + ".part") {
                    problem = "What '\(WebAddress.shown(address))' gives is \(kind), nothing to hear."
                    try Files.remove(path + ".part")
                    continue
                }
                // From here on it is whole, and found so by a run after this one.
                try Files.move(path + ".part", to: path)
            } catch {
                throw .run(.output(error))
            }
            report.mediaSize = try takeStored(path, report: &report)
            return
        }
        throw .episode(problem)
    }

    /// The size of a whole download, its digest put into the report.
    private func takeStored(_ path: String, report: inout EpisodeReport) throws(StageFailure) -> ByteCount? {
        do throws(SystemError) {
            var digest = ContentDigest()
            try digest.add(file: path)
            report.mediaDigest = digest.text
            return ByteCount(bytes: try Files.size(path))
        } catch {
            throw .run(.output(error))
        }
    }
}
