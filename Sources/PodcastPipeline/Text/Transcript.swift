/// A cleaned transcript: what was said, in segments as the speaker's pauses divide it.
public struct Transcript: Equatable, Sendable {
    /// The words between two pauses.
    public struct Segment: Equatable, Sendable {
        /// Where its first word begins in the audio, in seconds, as the decoder aligned it.
        public var startSeconds: Double
        /// The words as recognised, lower-case.
        public var words: [String]
        /// The words as a sentence.
        public var text: String
    }

    public var segments: [Segment]

    /// One segment a line, each line ended; empty when nothing was recognised.
    public var text: String {
        segments.map { $0.text + "\n" }.joined()
    }

    public var wordCount: Int {
        segments.reduce(0) { $0 + $1.words.count }
    }
}
