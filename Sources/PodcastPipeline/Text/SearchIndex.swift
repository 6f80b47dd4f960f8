internal import JSONDocument
internal import LinuxSystem
internal import Measurement
internal import PipelineStatus

/// All segments of a run as TF-IDF vectors, and the search over them. Kept as JSON in `index/segments.json`.
public struct SearchIndex: Equatable, Sendable {
    /// One indexed segment.
    public struct Segment: Equatable, Sendable {
        /// The episode's position in the run, from 1.
        public var episode: Int
        public var startSeconds: Double
        public var text: String
        fileprivate var vector: TermVector
    }

    /// A segment with its likeness to a query, above 0 and at most 1.
    public struct Hit: Equatable, Sendable {
        public var segment: Segment
        public var score: Double
    }

    public private(set) var segments: [Segment]
    private let weights: TermWeights

    /// An index of transcripts with their episodes' positions.
    public init(_ transcripts: [(episode: Int, transcript: Transcript)]) {
        let all = transcripts.flatMap { entry in entry.transcript.segments.map { (entry.episode, $0) } }
        let weights = TermWeights(texts: all.map { $0.1.words })
        segments = all.map { episode, segment in
            Segment(
                episode: episode, startSeconds: segment.startSeconds, text: segment.text,
                vector: weights.vector(of: segment.words))
        }
        self.weights = weights
    }

    /// The segments most like a query, the best first, those without a common term left out.
    public func search(_ query: String, limit: Int) -> [Hit] {
        let words = query.lowercased().split { !$0.isLetter && !$0.isNumber && $0 != "'" && $0 != "-" }
        let wanted = weights.vector(of: words.map(String.init))
        let hits = segments.map { Hit(segment: $0, score: $0.vector.cosine(with: wanted)) }
        let ranked = hits.enumerated().filter { $0.element.score > 0 }
            .sorted { ($0.element.score, $1.offset) > ($1.element.score, $0.offset) }
        return ranked.prefix(limit).map(\.element)
    }
}

extension SearchIndex {
    /// The most bytes of an index file that are read.
    public static let maximumBytes = 256 << 20

    /// Why an index file could not be used.
    public enum Problem: Error, Equatable {
        case unreadable(String)
        /// It is not an index that this version writes.
        case malformed
    }

    /// The index as JSON, weights to six decimals.
    var json: JSONOutput {
        .object([
            ("schema_version", .integer(1)),
            ("terms", .array(weights.terms.map { .string($0) })),
            ("inverse_document_frequencies", .array(weights.weights.map { .number($0, decimals: 6) })),
            (
                "segments",
                .array(
                    segments.map { segment in
                        .object([
                            ("episode", .integer(segment.episode)),
                            ("start_s", .number(segment.startSeconds, decimals: 2)),
                            ("text", .string(segment.text)),
                            ("vector_terms", .array(segment.vector.entries.map { .integer($0.term) })),
                            (
                                "vector_weights",
                                .array(segment.vector.entries.map { .number($0.weight, decimals: 6) })
                            ),
                        ])
                    })
            ),
        ])
    }

    /// Reads an index file.
    public static func read(_ path: String) throws(Problem) -> SearchIndex {
        let bytes: [UInt8]
        do throws(Files.ReadError) {
            bytes = try Files.read(path, limit: maximumBytes)
        } catch {
            throw .unreadable("\(error)")
        }
        guard let fields = JSONValue.parse(bytes)?.object, fields["schema_version"]?.number == 1,
            let terms = fields["terms"]?.array?.compactMap(\.string),
            let weights = fields["inverse_document_frequencies"]?.array?.compactMap(\.number),
            terms.count == weights.count,
            let rawSegments = fields["segments"]?.array
        else { throw .malformed }
        let segments = rawSegments.compactMap {
            $0.object.flatMap { Segment(fields: $0, termCount: terms.count) }
        }
        guard segments.count == rawSegments.count else { throw .malformed }
        return SearchIndex(segments: segments, weights: TermWeights(terms: terms, weights: weights))
    }

    private init(segments: [Segment], weights: TermWeights) {
        self.segments = segments
        self.weights = weights
    }
}

extension SearchIndex.Segment {
    fileprivate init?(fields: [String: JSONValue], termCount: Int) {
        guard let episode = fields["episode"]?.number.flatMap({ Int(exactly: $0) }),
            let start = fields["start_s"]?.number, let text = fields["text"]?.string,
            let terms = fields["vector_terms"]?.array?.compactMap({ $0.number.flatMap { Int(exactly: $0) } }),
            let weights = fields["vector_weights"]?.array?.compactMap(\.number), terms.count == weights.count,
            terms.allSatisfy({ (0..<termCount).contains($0) })
        else { return nil }
        let entries = zip(terms, weights).map { TermVector.Entry(term: $0, weight: $1) }
        self.init(episode: episode, startSeconds: start, text: text, vector: TermVector(entries: entries))
    }
}
