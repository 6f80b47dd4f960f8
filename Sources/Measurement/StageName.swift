/// The name of a pipeline stage: 1 to 64 characters, free of control characters and spaces at its ends.
///
/// Any pipeline's names are accepted. The constants are the stages of the podcast pipeline.
public struct StageName: Hashable, Sendable, Comparable {
    /// The name as it is shown, logged and frozen.
    public let text: String

    /// The longest accepted name, in characters.
    public static let maximumLength = 64

    /// A stage's name made from whatever a pipeline wrote.
    ///
    /// Control characters are replaced by `U+FFFD`, longer names are cut to 64 characters, and a name
    /// that is empty or only spaces is nil: there is nothing to call it.
    public init?(_ text: some StringProtocol) {
        var trimmed = text[...]
        while let first = trimmed.first, first == " " { trimmed = trimmed.dropFirst() }
        while let last = trimmed.last, last == " " { trimmed = trimmed.dropLast() }
        guard !trimmed.isEmpty else { return nil }
        self.text = PlainText.sanitized(trimmed.prefix(Self.maximumLength))
    }

    private init(literal: StaticString) {
        text = "\(literal)"
    }

    public static func < (left: StageName, right: StageName) -> Bool { left.text < right.text }

    public static let rssFeedFetch = StageName(literal: "rss_feed_fetch")
    public static let speakerDetection = StageName(literal: "speaker_detection")
    public static let mediaDownload = StageName(literal: "media_download")
    public static let audioPreprocessing = StageName(literal: "audio_preprocessing")
    public static let transcription = StageName(literal: "transcription")
    public static let transcriptCleaning = StageName(literal: "transcript_cleaning")
    public static let summarization = StageName(literal: "summarization")
    public static let giGeneration = StageName(literal: "gi_generation")
    public static let kgExtraction = StageName(literal: "kg_extraction")
    public static let vectorIndexing = StageName(literal: "vector_indexing")
    /// Written when the pipeline has finished its last stage; it is not measured itself.
    public static let done = StageName(literal: "done")
}

extension StageName: CustomStringConvertible {
    /// The name itself.
    public var description: String { text }
}
