/// Makes a readable transcript of what the decoder wrote.
///
/// Markers (`<s>`, `</s>`, `<sil>`), noises (`[NOISE]`, `++BREATH++`) and hesitations ("uh", "um") go; the number of a
/// pronunciation variant (`read(2)`) goes; a pause of half a second inside an utterance, as every end of one, ends a
/// segment. A segment begins with a capital and ends with a full stop: the decoder knows neither case nor punctuation,
/// and no more is made up than that.
enum TranscriptCleaning {
    /// Frames of 10 ms that make a pause the end of a segment.
    static let pauseFrames = 50

    static func transcript(of utterances: [[DecodedWord]]) -> Transcript {
        var segments: [Transcript.Segment] = []
        for utterance in utterances {
            var words: [DecodedWord] = []
            for var word in utterance {
                if let cleaned = cleaned(word.text) {
                    word.text = cleaned
                    words.append(word)
                } else if word.lastFrame - word.firstFrame + 1 >= pauseFrames {
                    append(&words, to: &segments)
                }
            }
            append(&words, to: &segments)
        }
        return Transcript(segments: segments)
    }

    /// The word that was said, nil when it was none.
    static func cleaned(_ word: String) -> String? {
        guard let first = word.first, !"<[+".contains(first) else { return nil }
        var bare = word[...]
        if bare.last == ")", let open = bare.lastIndex(of: "("), open != bare.startIndex,
            bare[bare.index(after: open)...].dropLast().allSatisfy(\.isNumber)
        {
            bare = bare[..<open]
        }
        let lowercased = bare.lowercased()
        return hesitations.contains(lowercased) ? nil : lowercased
    }

    private static func append(_ words: inout [DecodedWord], to segments: inout [Transcript.Segment]) {
        guard let first = words.first else { return }
        let texts = words.map(\.text)
        segments.append(
            Transcript.Segment(
                startSeconds: Double(first.firstFrame) / 100, words: texts, text: sentence(texts)))
        words = []
    }

    private static func sentence(_ words: [String]) -> String {
        let text = words.map { $0 == "i" || $0.hasPrefix("i'") ? "I" + $0.dropFirst() : $0 }
            .joined(separator: " ")
        return text.prefix(1).uppercased() + text.dropFirst() + "."
    }

    private static let hesitations: Set = ["uh", "um", "uhm", "er", "erm", "hmm", "mm", "mhm", "uh-huh"]
}
