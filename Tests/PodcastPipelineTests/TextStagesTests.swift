import TestSupport
import Testing

@testable import PodcastPipeline

@Suite("Speakers, transcripts, summaries and the index")
struct TextStagesTests {
    /// Words of 10 frames, or of as many as stand behind an `@`, the first at a moment in seconds.
    private func utterance(_ words: String, start: Double = 0) -> [DecodedWord] {
        var frame = Int(start * 100)
        return words.split(separator: " ").map { word in
            let parts = word.split(separator: "@")
            let length = parts.count == 2 ? Int(parts[1]) ?? 10 : 10
            defer { frame += length }
            return DecodedWord(text: String(parts[0]), firstFrame: frame, lastFrame: frame + length - 1)
        }
    }

    @Test("fillers, noises, hesitations and variant numbers go; long pauses divide")
    func cleaning() {
        let transcript = TranscriptCleaning.transcript(of: [
            utterance(
                "<s> i read(2) it <sil>@20 uh and i'll [NOISE] go(3) <sil>@60 then ++BREATH++ stop </s>"),
            utterance("<s> <sil>@300 </s>", start: 7), utterance("o'clock", start: 9),
        ])
        #expect(transcript.text == "I read it and I'll go.\nThen stop.\nO'clock.\n")
        #expect(transcript.wordCount == 9)
        #expect(transcript.segments.map(\.startSeconds) == [0.1, 1.7, 9])
        #expect(transcript.segments[0].words == ["i", "read", "it", "and", "i'll", "go"])
    }

    @Test("a transcript of nothing is empty, and so is its summary")
    func nothingSaid() {
        let transcript = TranscriptCleaning.transcript(of: [utterance("<s> <sil> [NOISE] </s>")])
        #expect(transcript.text.isEmpty)
        #expect(Summarization.summary(of: transcript).isEmpty)
        #expect(SearchIndex([(1, transcript)]).search("anything", limit: 3).isEmpty)
    }

    @Test("hosts come from the authors, guests and readers from phrases that introduce them")
    func speakers() {
        var feed = Feed()
        feed.author = "studio@example.org (Ann Lee)"
        feed.summary = "A show hosted by Ann Lee and Bo van Dam."
        var episode = Feed.Episode()
        episode.title = "Trains with Cy J. Dent, and more with Apple"
        episode.summary = "Featuring Dr. Eve Fox and Gil Hart. Read by Ida Jones; with love."
        let found = SpeakerDetection.candidates(feed: feed, episode: episode)
        #expect(
            found.map { "\($0.role.rawValue) \($0.name)" } == [
                "host Ann Lee", "guest Cy J. Dent", "guest Dr Eve Fox", "guest Gil Hart", "reader Ida Jones",
                "host Bo van Dam",
            ])
        #expect(found.map(\.source) == [.feedAuthor, .title, .summary, .summary, .summary, .summary])
    }

    @Test("the segment that shares most with the others is the summary; order and size hold")
    func summary() {
        let lines = [
            "the railway opened in spring", "cats sleep",
            "the railway carried coal and the coal fed furnaces",
            "furnaces burned coal", "i like cheese", "a railway needs coal",
        ]
        let transcript = TranscriptCleaning.transcript(of: lines.map { utterance($0) })
        let summary = Summarization.summary(of: transcript)
        #expect(
            summary.map(\.text) == [
                "The railway carried coal and the coal fed furnaces.", "A railway needs coal.",
            ])
    }

    @Test("what was said twice is in the summary once")
    func repetition() {
        let lines =
            Array(repeating: "the railway carried coal", count: 9) + ["furnaces burned coal", "cats sleep"]
        let transcript = TranscriptCleaning.transcript(of: lines.map { utterance($0) })
        let summary = Summarization.summary(of: transcript).map(\.text)
        #expect(summary == ["The railway carried coal.", "Furnaces burned coal.", "Cats sleep."])
    }

    @Test("TextRank's scores agree with a power iteration on the dense matrix")
    func scoresAgainstDenseOracle() {
        let texts = [
            ["coal", "railway"], ["coal", "furnace"], ["furnace", "coal", "coal"], ["cheese"], ["railway"],
        ]
        let weights = TermWeights(texts: texts)
        let vectors = texts.map(weights.vector)
        let count = texts.count
        var scores = [Double](repeating: 1 / Double(count), count: count)
        for _ in 0..<300 {
            var next = [Double](repeating: 0.15 / Double(count), count: count)
            for from in 0..<count {
                let row = (0..<count).map { $0 == from ? 0 : vectors[from].cosine(with: vectors[$0]) }
                let sum = row.reduce(0, +)
                for to in 0..<count {
                    next[to] += 0.85 * scores[from] * (sum > 0 ? row[to] / sum : 1 / Double(count))
                }
            }
            scores = next
        }
        let ours = Summarization.scores(of: vectors, termCount: weights.terms.count)
        #expect(abs(ours.reduce(0, +) - 1) < 1e-9)
        for (mine, oracle) in zip(ours, scores) { #expect(abs(mine - oracle) < 1e-5) }
    }

    @Test("an index survives its file and finds the segment a query is about")
    func index() throws {
        let first = TranscriptCleaning.transcript(of: [utterance("the railway opened in spring", start: 1)])
        let second = TranscriptCleaning.transcript(of: [
            utterance("furnaces burned coal", start: 2), utterance("the railway carried coal", start: 4.5),
        ])
        let index = SearchIndex([(1, first), (3, second)])
        let directory = try TemporaryDirectory()
        let path = directory.path + "/segments.json"
        try OutputFiles(directory: directory.path).write(index.json.text(), to: path)
        let restored = try SearchIndex.read(path)
        #expect(
            restored.search("Railway, coal?", limit: 9).map(\.segment.text) == [
                "The railway carried coal.", "The railway opened in spring.", "Furnaces burned coal.",
            ])
        let best = try #require(restored.search("furnaces", limit: 1).first)
        #expect(best.segment.episode == 3 && best.segment.startSeconds == 2)
        #expect(restored.search("cheese", limit: 9).isEmpty)
    }

    @Test("a file that is no index is refused")
    func malformedIndex() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/segments.json"
        #expect(throws: SearchIndex.Problem.self) { try SearchIndex.read(path) }
        for text in [
            "", "[]", "{\"schema_version\": 2}",
            "{\"schema_version\": 1, \"terms\": [\"a\"], \"segments\": []}",
        ] {
            try OutputFiles(directory: directory.path).write(text, to: path)
            #expect(throws: SearchIndex.Problem.malformed) { try SearchIndex.read(path) }
        }
    }

    @Test(
        "a file name keeps only ASCII letters and digits of a title",
        arguments: [
            ("../../etc/passwd", "0007-etc-passwd"), ("", "0007-episode"), ("...", "0007-episode"),
            ("Don't\u{0}stop\u{1B}[31m", "0007-dont-stop-31m"), ("日本語", "0007-episode"),
            ("A/B\\C", "0007-a-b-c"),
            (String(repeating: "x", count: 500), "0007-" + String(repeating: "x", count: 60)),
        ])
    func names(title: String, name: String) {
        #expect(OutputFiles.name(position: 7, title: title) == name)
    }

    @Test("markup is removed and entities are decoded once")
    func markup() {
        #expect(
            Markup.removed(from: "<p>a<br/>b &amp;lt; c</p>\n d < e &nbsp;f&x; ") == "a b &lt; c d < e f&x;")
        #expect(Markup.removed(from: "é <!-- cut off").utf8.elementsEqual("é".utf8))
        #expect(Markup.removed(from: "<").utf8.elementsEqual("<".utf8))
    }
}
