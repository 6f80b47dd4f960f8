internal import LinuxSystem

/// What one run works on.
public struct PipelineSettings: Equatable, Sendable {
    /// The feed's address, http or https.
    public var feedURL: String
    /// Created when missing. What an earlier run has finished there is not done again.
    public var outputDirectory: String
    /// Which episodes, and in which order.
    public var selection = EpisodeSelection()
    /// What is done about episodes that an earlier run has finished.
    public var resumption = Resumption.resume
    /// Whether the episodes are only listed.
    public var isDryRun = false
    /// Threads that transcribe, each with a decoder of about 100 MB.
    public var workers = 1
    /// Episodes whose media are fetched before they are needed; with 0 and one worker one stage runs at a time.
    public var downloadAhead = 0
    /// Whether transcripts that a feed offers are used.
    public var transcripts = TranscriptUse.prefer
    /// How audio is prepared.
    public var preset = AudioPreset.plain
    /// Asked between stages whether the run is to end.
    public var shouldStop = StopRequest { false }
    /// The bounds of one download.
    public var mediaLimits = HTTPClient.Limits.media
    /// Which addresses may be fetched from.
    public var addresses = AddressPolicy()
    /// How failures that may pass are met.
    public var retries = HTTPClient.Retries()
    /// A PocketSphinx model laid out like Debian's pocketsphinx-en-us.
    public var modelDirectory: String

    /// Where Debian's pocketsphinx-en-us puts its model.
    public static let defaultModelDirectory = SpeechModel.defaultDirectory

    /// Settings for a feed.
    public init(
        feedURL: String, outputDirectory: String, maximumEpisodes: Int? = nil,
        modelDirectory: String = defaultModelDirectory
    ) {
        self.feedURL = feedURL
        self.outputDirectory = outputDirectory
        selection.maximum = maximumEpisodes
        self.modelDirectory = modelDirectory
    }
}

/// A question that a run asks now and then: whether it is to end early.
public struct StopRequest: Equatable, Sendable {
    private let ask: @Sendable () -> Bool

    /// A question that a function answers, from any thread.
    public init(_ ask: @escaping @Sendable () -> Bool) {
        self.ask = ask
    }

    var isMade: Bool { ask() }

    /// Settings are compared by what they work on.
    public static func == (left: StopRequest, right: StopRequest) -> Bool { true }
}

/// What is done about episodes that an earlier run has finished.
public enum Resumption: String, CaseIterable, Sendable {
    /// They are kept when their input and the settings are the same and their files are whole.
    case resume
    /// They are kept whatever has changed since.
    case skipExisting = "skip-existing"
    /// All episodes are done again.
    case fresh
}

/// Whether transcripts that a feed offers are used.
public enum TranscriptUse: String, CaseIterable, Sendable {
    /// They are used instead of transcribing the audio.
    case prefer
    /// All audio is transcribed.
    case ignore
}

/// How audio is prepared for the decoder.
public enum AudioPreset: String, CaseIterable, Sendable {
    /// 16 kHz mono, otherwise as it is.
    case plain
    /// Rumble below 80 Hz removed and loudness evened out (EBU R 128, -23 LUFS), for quiet or uneven recordings.
    case speech

    /// ffmpeg's filters.
    var filters: String? {
        switch self {
        case .plain: nil
        case .speech: "highpass=f=80,loudnorm=I=-23:TP=-2:LRA=7"
        }
    }
}
