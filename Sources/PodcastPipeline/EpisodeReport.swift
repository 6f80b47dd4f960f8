public import Measurement

/// What became of one episode.
public struct EpisodeReport: Sendable {
    /// Its position in the run, from 1.
    public var position: Int
    public var title: String
    /// The name its files share, without ending.
    public var fileName: String
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
    /// Wall time by stage, in the order the stages ran.
    public var stages: [(name: StageName, wall: Duration)] = []
    /// What went wrong, and in which stage; nil when nothing did.
    public var failure: (stage: StageName, message: String)?

    /// Transcription time for each second of audio: below 1 is faster than listening. The first episode's includes
    /// loading the model.
    public var realTimeFactor: Double? {
        guard let audio, audio > .zero, let wall = stages.first(where: { $0.name == .transcription })?.wall
        else {
            return nil
        }
        return words == nil ? nil : wall.inSeconds / audio.inSeconds
    }
}

extension EpisodeReport {
    var json: JSONOutput {
        var fields: [(String, JSONOutput)] = [
            ("position", .integer(position)),
            ("title", .string(title)),
            ("file_name", .string(fileName)),
            (
                "speakers",
                .array(
                    speakers.map { speaker in
                        .object([
                            ("name", .string(speaker.name)), ("role", .string(speaker.role.rawValue)),
                            ("source", .string(speaker.source.rawValue)),
                        ])
                    })
            ),
        ]
        // What was not reached is absent, never zero.
        if let statedMediaSize { fields.append(("stated_media_bytes", .integer(Int(statedMediaSize.bytes)))) }
        if let statedAudio { fields.append(("stated_audio_s", .number(statedAudio.inSeconds, decimals: 3))) }
        if let mediaSize { fields.append(("media_bytes", .integer(Int(mediaSize.bytes)))) }
        if let audio { fields.append(("audio_s", .number(audio.inSeconds, decimals: 3))) }
        if let words { fields.append(("words", .integer(words))) }
        if let segments { fields.append(("segments", .integer(segments))) }
        if let realTimeFactor { fields.append(("real_time_factor", .number(realTimeFactor, decimals: 4))) }
        let walls = stages.map { ($0.name.text, JSONOutput.number($0.wall.inSeconds, decimals: 6)) }
        fields.append(("stage_wall_s", .object(walls)))
        if let failure {
            let members: [(String, JSONOutput)] = [
                ("stage", .string(failure.stage.text)), ("message", .string(failure.message)),
            ]
            fields.append(("failure", .object(members)))
        }
        return .object(fields)
    }
}
