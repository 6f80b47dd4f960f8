/// Extractive summaries: the segments that stand for most of the others, in the order they were said.
///
/// The method is TextRank (Mihalcea and Tarau, 2004): segments are the nodes of a graph, the cosine of their TF-IDF
/// vectors is the weight of the edge between two, and a segment's score is its share of a random walk over the graph.
enum Summarization {
    /// A walker follows an edge with this probability, and else starts anywhere.
    static let damping = 0.85
    /// The walk has settled when no score moves more than this.
    static let tolerance = 1e-6
    /// No summary is longer.
    static let maximumSegments = 5
    /// A longer transcript is ranked by its first segments only: the graph grows with their square.
    static let maximumRankedSegments = 3000

    /// Two segments more alike than this say the same, and the summary has one of them.
    static let maximumLikeness = 0.7

    /// The segments of a transcript with their scores.
    struct Ranking: Sendable {
        /// The segments ranked: those of the content, the first `maximumRankedSegments`.
        var segments: [Transcript.Segment]
        var vectors: [TermVector]
        var scores: [Double]
        /// Positions in `segments`, the highest score first.
        var order: [Int]

        /// A third of the segments, at least one and at most five, without repetitions.
        var summary: [Transcript.Segment] {
            chosen(min(maximumSegments, max(1, segments.count / 3))).map { segments[$0] }
        }

        /// The positions of the best segments that do not say the same, in the order they were said.
        func chosen(_ count: Int) -> [Int] {
            var chosen: [Int] = []
            for candidate in order {
                if chosen.count == count { break }
                let isNew = chosen.allSatisfy {
                    vectors[$0].cosine(with: vectors[candidate]) <= maximumLikeness
                }
                if isNew { chosen.append(candidate) }
            }
            return chosen.sorted()
        }
    }

    /// Ranks what an episode itself says.
    static func ranking(of transcript: Transcript) -> Ranking {
        let segments = Array(transcript.content.prefix(maximumRankedSegments))
        let texts = segments.map(\.words)
        let weights = TermWeights(texts: texts)
        let vectors = texts.map(weights.vector)
        let scores = scores(of: vectors, termCount: weights.terms.count)
        let order = segments.indices.sorted { (scores[$0], $1) > (scores[$1], $0) }
        return Ranking(segments: segments, vectors: vectors, scores: scores, order: order)
    }

    /// The summary of a transcript.
    static func summary(of transcript: Transcript) -> [Transcript.Segment] { ranking(of: transcript).summary }

    /// Each text's share of the walk. The shares sum to one.
    static func scores(of texts: [TermVector], termCount: Int) -> [Double] {
        guard !texts.isEmpty else { return [] }
        let edges = edges(between: texts, termCount: termCount)
        let strength = edges.map { $0.reduce(0) { $0 + $1.weight } }
        let count = Double(texts.count)
        var scores = [Double](repeating: 1 / count, count: texts.count)
        for _ in 0..<100 {
            // A text without edges gives its share to all.
            let adrift = zip(scores, strength).reduce(0) { $0 + ($1.1 == 0 ? $1.0 : 0) }
            var next = [Double](repeating: (1 - damping + damping * adrift) / count, count: texts.count)
            for (from, outgoing) in edges.enumerated() {
                for edge in outgoing {
                    next[edge.text] += damping * scores[from] * edge.weight / strength[from]
                }
            }
            let change = zip(scores, next).reduce(0) { max($0, ($1.0 - $1.1).magnitude) }
            scores = next
            if change < tolerance { break }
        }
        return scores
    }

    private struct Edge {
        var text: Int
        var weight: Double
    }

    /// For each text the others it shares a term with. By an inverted index, so that unrelated pairs cost nothing.
    private static func edges(between vectors: [TermVector], termCount: Int) -> [[Edge]] {
        var textsWithTerm = [[Edge]](repeating: [], count: termCount)
        for (text, vector) in vectors.enumerated() {
            for entry in vector.entries {
                textsWithTerm[entry.term].append(Edge(text: text, weight: entry.weight))
            }
        }
        return vectors.enumerated().map { text, vector in
            var cosines: [Int: Double] = [:]
            for entry in vector.entries {
                for other in textsWithTerm[entry.term] where other.text != text {
                    cosines[other.text, default: 0] += entry.weight * other.weight
                }
            }
            return cosines.map { Edge(text: $0.key, weight: $0.value) }.sorted { $0.text < $1.text }
        }
    }
}
