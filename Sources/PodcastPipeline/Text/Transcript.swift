/// A cleaned transcript: what was said, in segments as the speaker's pauses divide it.
public struct Transcript: Equatable, Sendable {
    /// The words between two pauses.
    public struct Segment: Equatable, Sendable {
        /// Where its first word begins in the audio, in seconds.
        public var startSeconds: Double
        /// Where its last word ends, in seconds.
        public var endSeconds: Double
        /// The words, lower-case.
        public var words: [String]
        /// Where each word begins, in seconds.
        public var wordStarts: [Double]
        /// The words as a sentence.
        public var text: String
        /// Who speaks, where the transcript says so.
        public var speaker: String?
        /// Whether it probably belongs to an advertisement.
        public var isAdvertisement = false
    }

    public var segments: [Segment]

    /// One segment a line, each line ended; empty when nothing was recognised.
    public var text: String {
        segments.map { ($0.speaker.map { "\($0): " } ?? "") + $0.text + "\n" }.joined()
    }

    public var wordCount: Int {
        segments.reduce(0) { $0 + $1.words.count }
    }

    /// What the episode itself says, without advertisements.
    var content: [Segment] { segments.filter { !$0.isAdvertisement } }

    /// The words of a text as they are compared: lower-case, without punctuation.
    static func words(of text: String) -> [String] {
        text.lowercased().split { !$0.isLetter && !$0.isNumber && $0 != "'" && $0 != "’" && $0 != "-" }
            .map { String($0).replacing("’", with: "'") }.filter {
                $0.contains { $0.isLetter || $0.isNumber }
            }
    }
}
