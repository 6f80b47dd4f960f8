import Measurement
import Testing

@testable import PodcastPipeline

@Suite("Reading a feed")
struct FeedParserTests {
    private func feed(_ items: String, head: String = "<title>Show</title>") -> [UInt8] {
        Array(
            """
            <?xml version="1.0"?>
            <rss version="2.0" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"><channel>\(head)\(items)</channel></rss>
            """.utf8)
    }

    private func problem(_ xml: String) -> FeedError? {
        #expect(throws: FeedError.self) { try FeedParser.parse(Array(xml.utf8)) }
    }

    @Test("titles, authors, durations and enclosures are taken where the formats put them")
    func wholeFeed() throws {
        let parsed = try FeedParser.parse(
            feed(
                """
                <item><title>One &amp; two</title><itunes:author>Ann Lee</itunes:author>
                <description><![CDATA[<p>With&nbsp;<b>Bo</b></p>]]></description><itunes:duration>1:02:03</itunes:duration>
                <enclosure url="a.mp3" length="12" type="audio/mpeg"/></item>
                <item><title>No sound</title></item>
                <item><title>A slide</title><enclosure url="a.pdf" type="application/pdf"/></item>
                <item><enclosure url="b.mp4" type="video/mp4"/></item>
                """,
                head:
                    "<title>Show</title><itunes:owner><itunes:name>Own Er</itunes:name></itunes:owner><image><title>Logo</title></image>"
            ))
        #expect(parsed.title == "Show")
        #expect(parsed.author == "Own Er")
        #expect(parsed.itemsWithoutMedia == 2)
        #expect(parsed.episodes.map(\.title) == ["One & two", ""])
        #expect(parsed.episodes[0].author == "Ann Lee")
        #expect(parsed.episodes[0].summary == "With Bo")
        #expect(parsed.episodes[0].statedDuration == .seconds(3723))
        #expect(parsed.episodes.map(\.statedSize) == [ByteCount(bytes: 12), nil])
        #expect(parsed.episodes.map { $0.media.map(\.type) } == [["audio/mpeg"], ["video/mp4"]])
        #expect(parsed.episodes.map { $0.media.map(\.reference.text) } == [["a.mp3"], ["b.mp4"]])
        #expect(parsed.notes.isEmpty)
    }

    @Test("bytes that are not XML are refused with line and column")
    func notXML() {
        #expect(
            problem("hello\n")?.description
                == "is not XML: Start tag expected, '<' not found at line 1, column 1.")
        #expect(problem("")?.description == "is empty: the server sent no bytes.")
        #expect(
            problem("{\"items\":[]}")?.description
                == "is JSON; RSS and Atom are read. Give the address of the podcast's RSS feed.")
    }

    @Test("another kind of document is refused by its name")
    func otherDocuments() {
        #expect(problem("<opml/>") == .notFeed(root: "opml"))
        #expect(
            problem("<opml/>")?.description
                == "is not a feed: its root element is 'opml', not 'rss', 'feed' or 'RDF'.")
        #expect(
            problem("<html/>")?.description
                == "is a web page, not a feed. Give the address of the podcast's RSS feed.")
    }

    @Test("a feed in which nothing can be heard is refused")
    func noEnclosures() {
        let error = #expect(throws: FeedError.self) {
            try FeedParser.parse(feed("<item><title>a</title></item>"))
        }
        #expect(error?.description == "has 1 item, none with audio, video or a transcript.")
    }

    @Test("entities of a feed's own are refused before they can grow")
    func entityExpansion() {
        let bomb = """
            <!DOCTYPE rss [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>
            <rss><channel><title>&b;</title></channel></rss>
            """
        #expect(problem(bomb) == .internalDocumentType(line: 1))
        #expect(
            problem(bomb)?.description
                == "declares entities of its own at line 1, which no podcast feed needs; it is not read.")
    }

    @Test("depth, items and text are bounded")
    func bounds() throws {
        let deep = "<rss>" + String(repeating: "<a>", count: 100_000)
        #expect(problem(deep) == .tooDeep(line: 1))
        let items = (0..<FeedParser.maximumItems + 3).map { "<item><enclosure url='\($0).mp3'/></item>" }
        let many = try FeedParser.parse(feed(items.joined()))
        #expect(many.episodes.count == FeedParser.maximumItems)
        #expect(many.itemsBeyondLimit == 3)
        let long = String(repeating: "x", count: FeedParser.maximumTextBytes * 2)
        let cut = try FeedParser.parse(feed("<item><title>\(long)</title><enclosure url='a.mp3'/></item>"))
        #expect(cut.episodes[0].title.utf8.count == FeedParser.maximumTextBytes)
    }

    @Test(
        "durations other than seconds, MM:SS and HH:MM:SS are left out",
        arguments: ["", "abc", "1:2:3:4", "-5", "nan"])
    func oddDurations(text: String) throws {
        let parsed = try FeedParser.parse(
            feed("<item><itunes:duration>\(text)</itunes:duration><enclosure url='a.mp3'/></item>"))
        #expect(parsed.episodes[0].statedDuration == nil)
    }
}
