internal import Measurement

/// A statement of an episode with the words that carry it and the time at which they are said.
struct Insight: Equatable, Sendable {
    /// What kind of statement it is, by the words in it.
    enum Kind: String, Sendable {
        case question, figure, definition, reason, claim
    }

    /// `i1`, `i2`, ... in the order they are said.
    var identifier: String
    var kind: Kind
    /// The words, as they stand in the transcript.
    var quote: String
    var startSeconds: Double
    var endSeconds: Double
    /// Who says it, where the transcript names the speaker.
    var speaker: String?
    /// The terms that weigh most in it, at most three.
    var topics: [String]
    /// Its share of the walk over the episode's segments, the episode's strongest being 1.
    var strength: Double
}

/// Finds the statements that an episode is about. Nothing is worded anew: each insight is its quote, so that it can be
/// checked by listening.
///
/// The segments are ranked as for the summary (`Summarization`); of those that say something (four words, two of them content
/// words), a quarter, at least one and at most twelve, are taken, none that repeats another.
enum GroundedInsights {
    /// No episode has more.
    static let maximum = 12

    static func insights(
        of transcript: Transcript, ranking: Summarization.Ranking, speakers: [SpeakerCandidate]
    ) -> [Insight] {
        var meaningful = ranking
        meaningful.order = ranking.order.filter { index in
            let words = ranking.segments[index].words
            return words.count >= 4 && words.filter(TermWeights.isContentWord).count >= 2
        }
        let wanted = min(maximum, max(1, (meaningful.order.count + 3) / 4))
        let strongest = ranking.scores.max() ?? 1
        // A reading has one voice.
        let readers = speakers.filter { $0.role == .reader }
        let only = readers.count == 1 ? readers.first?.name : nil
        return meaningful.chosen(wanted).enumerated().map { number, index in
            let segment = ranking.segments[index]
            return Insight(
                identifier: "i\(number + 1)", kind: kind(of: segment), quote: segment.text,
                startSeconds: segment.startSeconds, endSeconds: segment.endSeconds,
                speaker: segment.speaker ?? only,
                topics: topics(of: segment.words),
                strength: strongest > 0 ? ranking.scores[index] / strongest : 0)
        }
    }

    static func json(_ insights: [Insight]) -> JSONOutput {
        .object([
            ("schema_version", .integer(1)),
            (
                "insights",
                .array(
                    insights.map { insight in
                        var fields: [(String, JSONOutput)] = [
                            ("id", .string(insight.identifier)), ("kind", .string(insight.kind.rawValue)),
                            ("quote", .string(insight.quote)),
                            ("start_s", .number(insight.startSeconds, decimals: 2)),
                            ("end_s", .number(insight.endSeconds, decimals: 2)),
                        ]
                        if let speaker = insight.speaker { fields.append(("speaker", .string(speaker))) }
                        fields.append(("topics", .array(insight.topics.map { .string($0) })))
                        fields.append(("strength", .number(insight.strength, decimals: 4)))
                        return .object(fields)
                    })
            ),
        ])
    }

    /// The longest content words, the first of those of one length.
    private static func topics(of words: [String]) -> [String] {
        var seen: Set<String> = []
        let content = words.filter { TermWeights.isContentWord($0) && seen.insert($0).inserted }
        return content.enumerated().sorted { ($0.element.count, $1.offset) > ($1.element.count, $0.offset) }
            .prefix(3).map(\.element)
    }

    private static func kind(of segment: Transcript.Segment) -> Insight.Kind {
        let words = segment.words
        if segment.text.hasSuffix("?") || questionWords.contains(words.first ?? "") { return .question }
        if words.contains(where: { numberWords.contains($0) || $0.contains(where: \.isNumber) }) {
            return .figure
        }
        let text = " " + words.joined(separator: " ") + " "
        if [" is called ", " means ", " is defined ", " refers to "].contains(where: { text.contains($0) }) {
            return .definition
        }
        if [" because ", " therefore ", " so that ", " due to "].contains(where: { text.contains($0) }) {
            return .reason
        }
        return .claim
    }

    private static let questionWords: Set = ["who", "what", "why", "how", "where", "which"]
    private static let numberWords: Set = [
        "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "twenty", "thirty", "forty",
        "fifty",
        "hundred", "thousand", "million", "billion", "percent",
    ]
}
