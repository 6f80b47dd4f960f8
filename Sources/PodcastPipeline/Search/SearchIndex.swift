internal import LinuxSystem
internal import Measurement

/// The search over all segments of an output directory, in `index/search.sqlite`: their text with SQLite's full-text index,
/// and their vectors (`TextEmbedding`).
public enum SearchIndex {
    /// A segment that answers a query.
    public struct Hit: Equatable, Sendable {
        /// The episode's title, and the name that its files share.
        public var title: String
        public var fileName: String
        /// Where the first word of the query is said, else where the segment begins.
        public var seconds: Double
        public var text: String
        public var speaker: String
        /// Greater is better; comparable within one answer only.
        public var score: Double
    }

    /// Why a search failed, as a sentence.
    public struct Problem: Error, Equatable, Sendable {
        public var message: String
    }

    static let schemaVersion = 1

    /// Writes the index of some episodes anew, whole or not at all: the same episodes, the same bytes.
    static func write(_ episodes: [(record: EpisodeRecord, transcript: Transcript)], to path: String)
        throws(PipelineFailure)
    {
        let temporary = path + ".new"
        do throws(SystemError) {
            if Files.exists(temporary) { try Files.remove(temporary) }
        } catch {
            throw .output(error)
        }
        do throws(SQLiteError) {
            try fill(episodes, path: temporary)
        } catch {
            let remedy = error.isFull ? " Free some space, or choose another --output-dir." : ""
            throw PipelineFailure(
                .output, "Cannot write '\(PlainText.sanitized(path))': \(error.message).\(remedy)")
        }
        do throws(SystemError) {
            try Files.move(temporary, to: path)
        } catch {
            throw .output(error)
        }
    }

    private static func fill(
        _ episodes: [(record: EpisodeRecord, transcript: Transcript)], path: String
    ) throws(SQLiteError) {
        let database = try SQLiteDatabase.open(path, creating: true)
        // The file is new and becomes visible when it is whole: no journal is needed.
        try database.execute(
            """
            PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA user_version = \(schemaVersion);
            BEGIN;
            CREATE TABLE episode (id INTEGER PRIMARY KEY, file_name TEXT, title TEXT, published TEXT);
            CREATE TABLE segment (id INTEGER PRIMARY KEY, episode INTEGER REFERENCES episode, start_s REAL, end_s REAL,
                speaker TEXT, text TEXT, word_starts TEXT, vector BLOB);
            CREATE VIRTUAL TABLE segment_text USING fts5(text, content='segment', content_rowid='id',
                tokenize='porter unicode61');
            """)
        var segmentID: Int64 = 0
        for (number, episode) in episodes.enumerated() {
            let id = Int64(number + 1)
            let published =
                episode.record.published.map { SQLiteDatabase.Value.text($0.iso8601WithoutFraction) } ?? .null
            try database.run(
                "INSERT INTO episode VALUES (?, ?, ?, ?)",
                with: [[.integer(id), .text(episode.record.name), .text(episode.record.title), published]])
            let rows = episode.transcript.segments.map { segment -> [SQLiteDatabase.Value] in
                segmentID += 1
                // The words with their beginnings, so that an answer gives the second of the word that was asked for.
                let starts = zip(segment.words, segment.wordStarts).map { "\($0)@\($1.fixed(2))" }
                return [
                    .integer(segmentID), .integer(id), .real(segment.startSeconds), .real(segment.endSeconds),
                    segment.speaker.map { .text($0) } ?? .null, .text(segment.text),
                    .text(starts.joined(separator: " ")), .blob(TextEmbedding.vector(of: segment.words)),
                ]
            }
            try database.run("INSERT INTO segment VALUES (?, ?, ?, ?, ?, ?, ?, ?)", with: rows)
        }
        try database.execute("INSERT INTO segment_text(segment_text) VALUES ('rebuild'); COMMIT;")
    }

    /// The segments that answer a query, the best first.
    ///
    /// Three rankings are joined by reciprocal rank (Cormack and others, 2009): segments with the query as a phrase, segments
    /// with any of its words by BM25, and segments whose vectors are near the query's.
    public static func search(_ query: String, in directory: String, limit: Int) throws(Problem) -> [Hit] {
        let path = OutputFiles(directory: directory).index
        let words = Transcript.words(of: String(query.prefix(1000)))
        guard !words.isEmpty else { throw Problem(message: "The query has no words.") }
        guard Files.isRegularFile(path) else {
            throw Problem(
                message:
                    "There is no index '\(PlainText.sanitized(path))'. Run podcast-scraper with this output directory."
            )
        }
        do throws(SQLiteError) {
            let database = try SQLiteDatabase.open(path, creating: false)
            var scores: [Int: Double] = [:]
            let quoted = words.map { "\"\($0.replacing("\"", with: ""))\"" }
            let phrase = "\"\(words.joined(separator: " ").replacing("\"", with: ""))\""
            for ranked in [
                try matches(phrase, in: database),
                try matches(quoted.joined(separator: " OR "), in: database),
                try neighbours(of: TextEmbedding.vector(of: words), in: database),
            ] {
                for (rank, id) in ranked.enumerated() { scores[id, default: 0] += 1 / Double(60 + rank + 1) }
            }
            let best = scores.sorted { ($0.value, $1.key) > ($1.value, $0.key) }.prefix(limit)
            var hits: [Hit] = []
            try database.run(
                """
                SELECT title, file_name, start_s, text, speaker, word_starts, segment.id
                FROM segment JOIN episode ON episode.id = segment.episode WHERE segment.id = ?
                """, with: best.map { [.integer(Int64($0.key))] }
            ) { row in
                hits.append(
                    Hit(
                        title: row.text(0), fileName: row.text(1),
                        seconds: moment(of: words, in: row.text(5)) ?? row.real(2), text: row.text(3),
                        speaker: row.text(4), score: scores[row.integer(6)] ?? 0))
            }
            return hits
        } catch {
            throw Problem(
                message: "The index '\(PlainText.sanitized(path))' cannot be read: \(error.message). "
                    + "Run podcast-scraper again to make it anew.")
        }
    }

    private static func matches(_ expression: String, in database: borrowing SQLiteDatabase)
        throws(SQLiteError) -> [Int]
    {
        var found: [Int] = []
        try database.run(
            "SELECT rowid FROM segment_text WHERE segment_text MATCH ? ORDER BY bm25(segment_text), rowid LIMIT 200",
            with: [[.text(expression)]]
        ) { found.append($0.integer(0)) }
        return found
    }

    private static func neighbours(
        of vector: [UInt8], in database: borrowing SQLiteDatabase
    ) throws(SQLiteError) -> [Int] {
        var found: [(id: Int, cosine: Double)] = []
        try database.run("SELECT id, vector FROM segment", with: [[]]) { row in
            let cosine = TextEmbedding.cosine(vector, row.blob(1))
            // Less is chance: the vectors of unrelated texts differ by 1/16 from a right angle.
            if cosine > 0.25 { found.append((row.integer(0), cosine)) }
        }
        return found.sorted { ($0.cosine, $1.id) > ($1.cosine, $0.id) }.prefix(200).map(\.id)
    }

    /// Where the query's words are said: as they follow each other, else the first of them that says something.
    private static func moment(of words: [String], in starts: String) -> Double? {
        let entries = starts.split(separator: " ").compactMap { entry -> (word: String, start: Double)? in
            guard let at = entry.lastIndex(of: "@"), let start = Double(entry[entry.index(after: at)...])
            else { return nil }
            return (String(entry[..<at]), start)
        }
        if let range = entries.map(\.word).firstRange(of: words) { return entries[range.lowerBound].start }
        return entries.first { words.contains($0.word) && TermWeights.isContentWord($0.word) }?.start
    }
}
