/// The name of a pipeline stage: 1 to 1,024 bytes of UTF-8, free of control characters and spaces at its ends.
///
/// Any pipeline's names are accepted. The constants are the stages of the podcast pipeline.
public struct StageName: Hashable, Sendable, Comparable {
    /// The name as it is shown, logged and frozen.
    public let text: String

    /// The longest name that stays as it is, in bytes of UTF-8.
    public static let maximumBytes = 1024

    /// A stage's name made from whatever a pipeline wrote.
    ///
    /// Control characters are replaced by `U+FFFD`. A name that is longer than 1,024 bytes is shortened, with a digest
    /// of the whole at its end, so that two long names that differ anywhere stay two. A name that is empty or only spaces
    /// is nil: there is nothing to call it.
    public init?(_ text: some StringProtocol) {
        var trimmed = text[...]
        while let first = trimmed.first, first == " " { trimmed = trimmed.dropFirst() }
        while let last = trimmed.last, last == " " { trimmed = trimmed.dropLast() }
        guard !trimmed.isEmpty else { return nil }
        let clean = PlainText.sanitized(trimmed, maximumCharacters: Self.maximumBytes + 1)
        let isShort = trimmed.utf8.count <= Self.maximumBytes && clean.utf8.count <= Self.maximumBytes
        self.text = isShort ? clean : Self.shortened(clean, digest: Self.digest(trimmed))
    }

    private init(literal: StaticString) {
        text = "\(literal)"
    }

    /// As much of a name as fits before `…` and the digest.
    private static func shortened(_ clean: String, digest: String) -> String {
        var room = maximumBytes - 3 - digest.utf8.count
        var kept = ""
        for character in clean {
            room -= character.utf8.count
            if room < 0 { break }
            kept.append(character)
        }
        return "\(kept)…\(digest)"
    }

    /// 64-bit FNV-1a over the bytes, in 16 hexadecimal digits.
    private static func digest(_ text: some StringProtocol) -> String {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
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
