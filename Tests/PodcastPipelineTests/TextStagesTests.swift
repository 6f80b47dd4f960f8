import LinuxSystem
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
        #expect(found[1].evidence == "with Cy J. Dent,")
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

    @Test("vectors of texts with common stems are near, of unrelated ones far")
    func embeddings() {
        func vector(_ text: String) -> [UInt8] {
            TextEmbedding.vector(of: text.split(separator: " ").map(String.init))
        }
        let coal = vector("the railway carried coal")
        #expect(TextEmbedding.cosine(coal, coal) > 0.98)
        #expect(TextEmbedding.cosine(coal, vector("railways carry coal")) > 0.35)
        #expect(abs(TextEmbedding.cosine(coal, vector("cheese from sheep"))) < 0.25)
        #expect(TextEmbedding.cosine(coal, vector("")) == 0)
    }

    @Test("a file that is no index, and a missing one, are refused with a sentence")
    func malformedIndex() throws {
        let directory = try TemporaryDirectory()
        #expect(throws: SearchIndex.Problem.self) {
            try SearchIndex.search("x", in: directory.path, limit: 1)
        }
        try Files.createDirectories(directory.path + "/index")
        for text in ["", "no database", "SQLite format 3\u{0}"] {
            try Files.replace(directory.path + "/index/search.sqlite", with: text)
            let problem = #expect(throws: SearchIndex.Problem.self) {
                try SearchIndex.search("x", in: directory.path, limit: 1)
            }
            #expect(problem?.message.contains("cannot be read") == true)
        }
    }

    @Test("transcripts of all formats give words, times and speakers")
    func transcriptFiles() throws {
        func parse(_ text: String, _ format: TranscriptFile.Format) throws -> [Transcript.Segment] {
            try #require(TranscriptFile.parse(Array(text.utf8), format: format)).segments
        }
        let vtt = try parse(
            "WEBVTT\n\n1\n00:00.000 --> 00:05.000 align:left\n<v Ada Lovelace>Hello there, world.\n\n00:05.000 --> 01:00:06.500\nBo: Hi\n",
            .vtt)
        #expect(vtt.map(\.speaker) == ["Ada Lovelace", "Bo"])
        #expect(vtt.map(\.text) == ["Hello there, world.", "Hi"])
        #expect(vtt.map(\.endSeconds) == [5, 3606.5] && vtt[0].words == ["hello", "there", "world"])
        let srt = try parse("1\r\n00:00:01,250 --> 00:00:02,500\r\nOne\r\ntwo\r\n\r\n", .srt)
        #expect(srt.map(\.startSeconds) == [1.25] && srt[0].text == "One two")
        let json = try parse(
            "{\"version\":\"1.0.0\",\"segments\":[{\"speaker\":\"A\",\"startTime\":0.5,\"endTime\":0.75,\"body\":\"go\"}]}",
            .json)
        #expect(json.map(\.startSeconds) == [0.5] && json[0].speaker == "A")
        #expect(try parse("<p>Hello &amp; good&nbsp;bye</p>", .html).map(\.text) == ["Hello & good bye"])
        #expect(try parse("a\nb", .text).count == 2)
        #expect(TranscriptFile.parse(Array("{}".utf8), format: .json) == nil)
        #expect(TranscriptFile.Format(type: "application/x-subrip", address: "t") == .srt)
        #expect(TranscriptFile.Format(type: "application/octet-stream", address: "http://h/t.vtt?x") == .vtt)
        #expect(TranscriptFile.Format(type: "application/pdf", address: "t.pdf") == nil)
    }

    @Test("what this program writes of a transcript it reads again")
    func ownTranscript() throws {
        let transcript = TranscriptCleaning.transcript(of: [
            utterance("we we are sponsored by cheese"), utterance("and go", start: 3),
        ])
        #expect(transcript.segments.map(\.text) == ["We are sponsored by cheese.", "And go."])
        #expect(transcript.segments.map(\.isAdvertisement) == [true, false])
        let read = try #require(TranscriptFile.parse(Array(transcript.json.text().utf8), format: .json))
        #expect(read == transcript)
    }

    @Test("the order, the offset, the dates and the count select")
    func selection() {
        let dates = ["2026-02-01", "2026-02-03", nil, "2026-02-02"]
        let episodes = dates.enumerated().map { index, date in
            var episode = Feed.Episode()
            episode.title = "\(index)"
            episode.published = date.flatMap(FeedDate.parse)
            return episode
        }
        func titles(_ change: (inout EpisodeSelection) -> Void) -> String {
            var selection = EpisodeSelection()
            change(&selection)
            return selection.select(from: episodes).map(\.title).joined()
        }
        #expect(titles { _ in } == "0123")
        #expect(titles { $0.order = .newest } == "1302")
        #expect(titles { $0.order = .oldest } == "0312")
        #expect(titles { ($0.offset, $0.maximum) = (1, 2) } == "12")
        #expect(titles { $0.since = FeedDate.parse("2026-02-02") } == "13")
        #expect(titles { $0.until = FeedDate.parse("2026-02-03") } == "03")
    }

    @Test(
        "a file name keeps only ASCII letters and digits of a title",
        arguments: [
            ("../../etc/passwd", "etc-passwd"), ("", "episode"), ("...", "episode"),
            ("Don't\u{0}stop\u{1B}[31m", "dont-stop-31m"), ("日本語", "episode"), ("A/B\\C", "a-b-c"),
            (String(repeating: "x", count: 500), String(repeating: "x", count: 60)),
        ])
    func names(title: String, slug: String) {
        let identity = EpisodeIdentity(key: "guid 1")
        #expect(OutputFiles.name(title: title, identity: identity) == "\(slug)-\(identity.digest.prefix(10))")
        #expect(
            OutputFiles.name(title: title, identity: EpisodeIdentity(key: "2"))
                != OutputFiles.name(title: title, identity: identity))
    }

    @Test("markup is removed and entities are decoded once")
    func markup() {
        #expect(
            Markup.removed(from: "<p>a<br/>b &amp;lt; c</p>\n d < e &nbsp;f&x; ") == "a b &lt; c d < e f&x;")
        #expect(Markup.removed(from: "é <!-- cut off").utf8.elementsEqual("é".utf8))
        #expect(Markup.removed(from: "<").utf8.elementsEqual("<".utf8))
    }
}
