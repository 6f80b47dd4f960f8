/// Makes a readable transcript of what the decoder wrote.
///
/// Markers (`<s>`, `</s>`, `<sil>`), noises (`[NOISE]`, `++BREATH++`) and hesitations ("uh", "um") go; so do the number of a
/// pronunciation variant (`read(2)`) and a function word that is said twice in a row. A pause of half a second inside an
/// utterance, as every end of one, ends a segment. A segment begins with a capital and ends with a full stop: the decoder
/// knows neither case nor punctuation, and no more is made up than that. Advertisements are marked, not removed.
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
                    if words.last?.text == cleaned && repeatable.contains(cleaned) { continue }
                    words.append(word)
                } else if word.lastFrame - word.firstFrame + 1 >= pauseFrames {
                    append(&words, to: &segments)
                }
            }
            append(&words, to: &segments)
        }
        return Transcript(segments: marked(segments))
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

    /// Segments with those marked that advertise something, by phrases that sponsors' messages have.
    static func marked(_ segments: [Transcript.Segment]) -> [Transcript.Segment] {
        segments.map { segment in
            var segment = segment
            let text = " " + segment.words.joined(separator: " ") + " "
            segment.isAdvertisement = advertisingPhrases.contains { text.contains(" \($0) ") }
            return segment
        }
    }

    private static func append(_ words: inout [DecodedWord], to segments: inout [Transcript.Segment]) {
        guard let first = words.first, let last = words.last else { return }
        let texts = words.map(\.text)
        segments.append(
            Transcript.Segment(
                startSeconds: Double(first.firstFrame) / 100, endSeconds: Double(last.lastFrame + 1) / 100,
                words: texts, wordStarts: words.map { Double($0.firstFrame) / 100 }, text: sentence(texts)))
        words = []
    }

    private static func sentence(_ words: [String]) -> String {
        let text = words.map { $0 == "i" || $0.hasPrefix("i'") ? "I" + $0.dropFirst() : $0 }
            .joined(separator: " ")
        return text.prefix(1).uppercased() + text.dropFirst() + "."
    }

    private static let hesitations: Set = ["uh", "um", "uhm", "er", "erm", "hmm", "mm", "mhm", "uh-huh"]
    private static let repeatable: Set = [
        "a", "an", "the", "and", "but", "i", "we", "you", "he", "she", "it", "they", "to", "of", "in", "is",
        "was",
    ]
    private static let advertisingPhrases = [
        "brought to you by", "sponsored by", "today's sponsor", "our sponsor", "our sponsors", "promo code",
        "discount code",
        "offer code", "use code", "use the code", "percent off", "free trial", "terms and conditions apply",
    ]
}
