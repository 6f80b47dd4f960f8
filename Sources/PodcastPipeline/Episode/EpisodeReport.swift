public import Measurement
internal import Stages

/// What became of one episode.
public struct EpisodeReport: Sendable {
    /// Where the words come from.
    public enum Source: String, Sendable {
        /// The transcript that the feed offers.
        case feed
        /// The audio, by the decoder.
        case audio
    }

    /// Its position in the run, from 1.
    public var position: Int
    public var title: String
    /// The name its files share, without ending.
    public var fileName: String
    /// Whether an earlier run has done it, and nothing was done now.
    public var isReused = false
    public var source = Source.audio
    public var speakers: [SpeakerCandidate] = []
    /// The length of the audio according to the feed; nil when it gives none.
    public var statedAudio: Duration?
    /// The enclosure's size according to the feed; nil when it gives none.
    public var statedMediaSize: ByteCount?
    /// Bytes downloaded; nil when that failed.
    public var mediaSize: ByteCount?
    /// A digest of what was downloaded; nil when that failed.
    public var mediaDigest: String?
    /// The length of the audio; nil when it was not reached.
    public var audio: Duration?
    /// The words recognised; nil when it was not reached, 0 for audio without speech.
    public var words: Int?
    public var segments: Int?
    public var insights: Int?
    /// What was left aside on the way, a sentence each.
    public var notes: [String] = []
    /// What went wrong, and in which stage; nil when nothing did.
    public var failure: (stage: StageName, message: String)?
    /// In the order the stages ran.
    var stages: [StageSpan] = []
    /// A digest of all that it made; nil when it failed.
    var outputDigest: String?

    init(_ task: EpisodeTask) {
        position = task.position.index
        title = task.title
        fileName = task.name
        statedAudio = task.episode.statedDuration
        statedMediaSize = task.episode.statedSize
    }

    /// The report of an episode that an earlier run has done.
    init(_ task: EpisodeTask, reusing record: EpisodeRecord) {
        self.init(task)
        isReused = true
        // The name under which it was done first: titles change.
        fileName = record.name
        source = Source(rawValue: record.source) ?? .audio
        (speakers, mediaSize, mediaDigest) = (record.speakers, record.mediaSize, record.mediaDigest)
        (audio, words, segments, insights) = (record.audio, record.words, record.segments, record.insights)
        outputDigest = record.outputDigest
    }

    /// Transcription time for each second of audio: below 1 is faster than listening. The first episode's includes
    /// loading the model.
    public var realTimeFactor: Double? {
        guard let audio, audio > .zero, words != nil,
            let span = stages.first(where: { $0.stage == .transcription })
        else { return nil }
        return span.wall.inSeconds / audio.inSeconds
    }

    /// What is kept of the episode.
    func record(_ task: EpisodeTask, files: [(path: String, digest: String)]) -> EpisodeRecord {
        EpisodeRecord(
            identityDigest: task.episode.identity.digest, fingerprint: task.fingerprint, title: task.title,
            name: task.name, published: task.episode.published, source: source.rawValue, speakers: speakers,
            mediaSize: mediaSize, mediaDigest: mediaDigest, audio: audio, words: words ?? 0,
            segments: segments ?? 0, insights: insights ?? 0, files: files)
    }
}

extension EpisodeRecord {
    /// A digest of all that was made of the episode.
    var outputDigest: String {
        var digest = ContentDigest()
        for file in files { digest.add(file.digest) }
        return digest.text
    }
}

extension EpisodeReport {
    var json: JSONOutput {
        var fields: [(String, JSONOutput)] = [
            ("position", .integer(position)),
            ("title", .string(title)),
            ("file_name", .string(fileName)),
        ]
        if isReused { fields.append(("reused", .boolean(true))) }
        fields += [("source", .string(source.rawValue)), ("speakers", .array(speakers.map(\.json)))]
        // What was not reached is absent, never zero.
        if let statedMediaSize { fields.append(("stated_media_bytes", .integer(Int(statedMediaSize.bytes)))) }
        if let statedAudio { fields.append(("stated_audio_s", .number(statedAudio.inSeconds, decimals: 3))) }
        if let mediaSize { fields.append(("media_bytes", .integer(Int(mediaSize.bytes)))) }
        if let audio { fields.append(("audio_s", .number(audio.inSeconds, decimals: 3))) }
        if let words { fields.append(("words", .integer(words))) }
        if let segments { fields.append(("segments", .integer(segments))) }
        if let insights { fields.append(("insights", .integer(insights))) }
        if let realTimeFactor { fields.append(("real_time_factor", .number(realTimeFactor, decimals: 4))) }
        let walls = stages.map { ($0.stage.text, JSONOutput.number($0.wall.inSeconds, decimals: 6)) }
        fields.append(("stage_wall_s", .object(walls)))
        if !notes.isEmpty { fields.append(("notes", .array(notes.map { .string($0) }))) }
        if let failure {
            let members: [(String, JSONOutput)] = [
                ("stage", .string(failure.stage.text)), ("message", .string(failure.message)),
            ]
            fields.append(("failure", .object(members)))
        }
        return .object(fields)
    }

    /// One line for a person.
    func line(of total: Int) -> String {
        let head = "[\(position)/\(total)] \(PlainText.sanitized(title, maximumCharacters: 60))"
        if let failure { return "\(head): failed in \(failure.stage): \(failure.message)" }
        guard let words else { return head }
        if isReused { return "\(head): done before, \(words) words" }
        if source == .feed { return "\(head): \(words) words, from the feed's transcript" }
        guard let audio else { return head }
        if words == 0 { return "\(head): no speech was recognised in \(audio.readable) of audio" }
        let pace = realTimeFactor.map { ", transcribed in \($0.fixed(2)) of real time" } ?? ""
        return "\(head): \(audio.readable) of audio, \(words) words\(pace)"
    }
}
