import Compression
import LinuxSystem
import Measurement
import Testing

@testable import PodcastPipeline

/// A feed as it is found in the wild, and what is read of it.
struct FeedVariant: Sendable, CustomTestStringConvertible {
    var name: String
    var body: [UInt8]
    var contentType: String?
    /// The titles of the episodes, or the beginning of the refusal.
    var titles: [String] = []
    var refusal: String?
    /// How many notes there are about what was lost or guessed.
    var notes = 0

    var testDescription: String { name }

    static let enclosure = "<enclosure url=\"audio/01.mp3\" length=\"47520\" type=\"audio/mpeg\"/>"

    static func rss(
        _ items: String, head: String = "",
        declaration: String = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>",
        names: String = "xmlns:itunes=\"http://www.itunes.com/dtds/podcast-1.0.dtd\"",
        root: String = "rss version=\"2.0\""
    ) -> String {
        "\(declaration)<\(root) \(names)><channel><title>Test feed</title>\(head)\(items)</channel></rss>"
    }

    static func item(_ title: String = "Episode", _ enclosure: String = enclosure, _ extra: String = "")
        -> String
    {
        "<item><title>\(title)</title>\(extra)\(enclosure)</item>"
    }

    init(
        _ name: String, _ text: String, titles: [String] = ["Episode"], refusal: String? = nil,
        notes: Int = 0,
        contentType: String? = "application/rss+xml"
    ) {
        self.init(
            name, Array(text.utf8), titles: titles, refusal: refusal, notes: notes, contentType: contentType)
    }

    init(
        _ name: String, _ bytes: [UInt8], titles: [String] = ["Episode"], refusal: String? = nil,
        notes: Int = 0,
        contentType: String? = "application/rss+xml"
    ) {
        (self.name, body, self.titles, self.refusal, self.notes) = (name, bytes, titles, refusal, notes)
        self.contentType = contentType
    }
}

extension FeedVariant {
    private static func latin(_ text: String) -> [UInt8] { text.unicodeScalars.map { UInt8($0.value) } }

    /// In windows-1252 the typographic characters have places that ISO-8859-1 leaves to controls.
    private static func windows(_ text: String) -> [UInt8] {
        let places: [Unicode.Scalar: UInt8] = [
            "\u{201C}": 0x93, "\u{201D}": 0x94, "\u{2013}": 0x96, "\u{20AC}": 0x80,
        ]
        return text.unicodeScalars.map { places[$0] ?? UInt8($0.value) }
    }

    private static func wide(_ text: String, bigEndian: Bool) -> [UInt8] {
        text.utf16.flatMap {
            bigEndian ? [UInt8($0 >> 8), UInt8($0 & 0xFF)] : [UInt8($0 & 0xFF), UInt8($0 >> 8)]
        }
    }

    private static func declared(_ encoding: String) -> String {
        "<?xml version=\"1.0\" encoding=\"\(encoding)\"?>"
    }

    private static let plainDeclaration = "<?xml version=\"1.0\"?>"
    private static let typographic = "Café “naïve” – Über"
    private static let accented = "Café naïve Über"

    static let encodings: [FeedVariant] = {
        let (t, l) = (typographic, accented)
        return [
            .init("latin1decl", latin(rss(item(l), declaration: declared("ISO-8859-1"))), titles: [l]),
            .init("latin1nodecl", latin(rss(item(l), declaration: plainDeclaration)), titles: [l], notes: 1),
            .init(
                "latin1ctype", latin(rss(item(l), declaration: plainDeclaration)), titles: [l],
                contentType: "application/rss+xml; charset=ISO-8859-1"),
            .init("cp1252decl", windows(rss(item(t), declaration: declared("windows-1252"))), titles: [t]),
            .init("cp1252nodecl", windows(rss(item(t), declaration: "")), titles: [t], notes: 1),
            .init("cp1252as8859", windows(rss(item(t), declaration: declared("ISO-8859-1"))), titles: [t]),
            .init(
                "latin9", latin(rss(item("10 \u{A4} Café"), declaration: declared("ISO-8859-15"))),
                titles: ["10 € Café"]),
            .init(
                "sjis",
                Array(rss("<item><title>", declaration: declared("Shift_JIS")).utf8.dropLast(16))
                    + [0x93, 0xFA, 0x96, 0x7B, 0x8C, 0xEA]
                    + Array("</title>\(enclosure)</item></channel></rss>".utf8),
                titles: ["日本語"]),
            .init(
                "utf16le",
                [0xFF, 0xFE] + wide(rss(item(t), declaration: declared("UTF-16")), bigEndian: false),
                titles: [t]),
            .init(
                "utf16be",
                [0xFE, 0xFF] + wide(rss(item(t), declaration: declared("UTF-16")), bigEndian: true),
                titles: [t]),
            .init(
                "utf16nobom", wide(rss(item(t), declaration: declared("UTF-16LE")), bigEndian: false),
                titles: [t]),
            .init("utf8decl16", rss(item(t), declaration: declared("UTF-16")), titles: [t]),
            .init("unknown encoding", rss(item(t), declaration: declared("x-none")), titles: [t]),
            .init("bom", [0xEF, 0xBB, 0xBF] + Array(rss(item(t)).utf8), titles: [t]),
            .init("leadingblank", "\n\n  " + rss(item(t)), titles: [t], notes: 1),
            .init("nodecl", rss(item(t), declaration: ""), titles: [t]),
            .init(
                "badutf8",
                Array(rss(item("bad ")).utf8).replacing(
                    Array("bad ".utf8), with: Array("bad ".utf8) + [0xFF]),
                titles: ["bad \u{FFFD}"], notes: 1),
            .init("gzipped without a header", Gzip.compressed(Array(rss(item(t)).utf8)), titles: [t]),
            .init(
                "gzip bomb", Gzip.compressed([UInt8](repeating: 0x20, count: 33 << 20)),
                refusal: "is longer than the 32 MiB that are read of a feed."),
            .init(
                "damaged gzip", Array(Gzip.compressed(Array(rss(item(t)).utf8)).dropLast(30)),
                refusal: "is a damaged gzip"),
        ]
    }()

    static let characters: [FeedVariant] = [
        .init("ctrlchar", rss(item("bell \u{7} vt \u{B} end")), titles: ["bell  vt  end"], notes: 1),
        .init("charref", rss(item("nul &#0; end")), titles: ["nul  end"], notes: 1),
        .init("nbsp", rss(item("a&nbsp;b")), titles: ["a\u{A0}b"], notes: 1),
        .init("amp", rss(item("Tom & Jerry")), titles: ["Tom & Jerry"], notes: 1),
        .init(
            "amp in an address", rss(item("q", "<enclosure url=\"a.mp3?x=1&y=2\"/>")), titles: ["q"], notes: 1
        ),
        .init("unknown entity", rss(item("a&what;b")), titles: ["a&what;b"], notes: 1),
        .init("escaped markup", rss(item("1 &lt; 2 &#60; 3 &amp;amp;")), titles: ["1 < 2 < 3 &amp;"]),
        .init(
            "cdata", rss(item("<![CDATA[<b>Bold</b> & \"q\" &amp; x]]>")),
            titles: ["<b>Bold</b> & \"q\" &amp; x"]),
        .init("only emoji", rss(item("😀")), titles: ["😀"]),
        .init(
            "external DTD",
            "\(plainDeclaration)<!DOCTYPE rss PUBLIC \"-//N//DTD RSS 0.91//EN\" \"http://h/x.dtd\">"
                + "<rss version=\"0.91\"><channel><title>T</title>\(item("x&eacute;y"))</channel></rss>",
            titles: ["xéy"], notes: 1),
        .init(
            "entities of its own",
            "<!DOCTYPE rss [<!ENTITY nbsp \"&#160;\">]>" + rss(item(), declaration: ""),
            refusal: "declares entities of its own at line 1"),
        .init(
            "external entity",
            "<!DOCTYPE r [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>" + rss(item("&x;"), declaration: ""),
            refusal: "declares entities of its own at line 1"),
    ]

    private static let podcast = "xmlns:podcast=\"https://podcastindex.org/namespace/1.0\""

    static let formats: [FeedVariant] = [
        .init(
            "atom",
            "<feed xmlns=\"http://www.w3.org/2005/Atom\"><title>T</title><entry><title>E</title><id>1</id>"
                + "<link rel=\"enclosure\" type=\"audio/mpeg\" href=\"a.mp3\"/></entry></feed>", titles: ["E"]
        ),
        .init(
            "rdf",
            "<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\" xmlns=\"http://purl.org/rss/1.0/\" "
                + "xmlns:enc=\"http://purl.oclc.org/net/rss_2.0/enc#\"><channel rdf:about=\"x\"><title>T</title></channel>"
                + "<item rdf:about=\"y\"><title>E</title><enc:enclosure rdf:resource=\"a.mp3\" enc:type=\"audio/mpeg\"/></item>"
                + "</rdf:RDF>", titles: ["E"]),
        .init("rss 0.92", rss(item(), root: "rss version=\"0.92\"")),
        .init("default namespace", rss(item(), names: "xmlns=\"http://backend.userland.com/rss2\"")),
        .init("strange default namespace", rss(item(), names: "xmlns=\"urn:something\"")),
        .init(
            "capitals",
            "<RSS><CHANNEL><ITEM><TITLE>E</TITLE><ENCLOSURE URL=\"a.mp3\"/></ITEM></CHANNEL></RSS>",
            titles: ["E"]),
        .init(
            "itunes title only", rss("<item><itunes:title>Only</itunes:title>\(enclosure)</item>"),
            titles: ["Only"]),
        .init(
            "undeclared prefix", rss("<item><itunes:title>Only</itunes:title>\(enclosure)</item>", names: ""),
            titles: ["Only"], notes: 1),
        .init(
            "transcript only",
            rss(item("Ep", "", "<podcast:transcript url=\"t.vtt\" type=\"text/vtt\"/>"), names: podcast),
            titles: ["Ep"]),
        .init(
            "alternate enclosure",
            rss(
                item(
                    "Ep",
                    "<podcast:alternateEnclosure type=\"audio/mpeg\"><podcast:source uri=\"a.mp3\"/></podcast:alternateEnclosure>"
                ),
                names: podcast), titles: ["Ep"]),
        .init(
            "media content",
            rss(
                item("Ep", "<media:content url=\"a\" type=\"audio/mpeg\" medium=\"audio\"/>"),
                names: "xmlns:media=\"http://search.yahoo.com/mrss/\""), titles: ["Ep"]),
        .init("items outside the channel", "<rss><channel><title>T</title></channel>\(item())</rss>"),
        .init("cut off", Array(rss(item("a") + item("b")).utf8.dropLast(60)), titles: ["a", "b"], notes: 1),
        .init("more than one root", rss(item()) + "<extra/>", notes: 1),
        .init(
            "an unclosed element", rss(item("a", enclosure, "<br>") + item("b")), titles: ["a", "b"], notes: 2
        ),
        .init(
            "repeated", rss(item("A", enclosure, "<guid>g</guid>") + item("B", enclosure, "<guid>g</guid>")),
            titles: ["A"]),
        .init(
            "further pages",
            rss(item(), head: "<a:link xmlns:a=\"http://www.w3.org/2005/Atom\" rel=\"next\" href=\"/p\"/>"),
            notes: 1),
        .init(
            "moved", rss(item(), head: "<itunes:new-feed-url>http://h/plain</itunes:new-feed-url>"), notes: 1),
        .init(
            "bad dates and durations",
            rss(item("E", enclosure, "<pubDate>no</pubDate><itunes:duration>xx</itunes:duration>")),
            titles: ["E"]),
        .init("no items", rss(""), refusal: "has 0 items"),
        .init("no channel", "<rss version=\"2.0\"/>", refusal: "has 0 items"),
        .init("empty", "", refusal: "is empty"),
        .init("json", "{\"version\":\"https://jsonfeed.org/version/1.1\",\"items\":[]}", refusal: "is JSON"),
        .init(
            "html",
            "<!DOCTYPE html><html><head><link rel=\"alternate\" type=\"application/rss+xml\" href=\"/plain\"></head>"
                + "<body>hi<br></body></html>",
            refusal: "is a web page, not a feed. It offers the feed '/plain'."),
    ]

    static let types: [FeedVariant] =
        [
            nil, "", "audio/mp3", "application/octet-stream", "mp3", "AUDIO/MPEG", "binary/octet-stream",
            "application/ogg",
        ]
        .map { (type: String?) in
            let attribute = type.map { "type=\"\($0)\"" } ?? ""
            return FeedVariant(
                "type \(type ?? "none")", rss(item("E", "<enclosure url=\"a.mp3\" \(attribute)/>")),
                titles: ["E"])
        } + [
            .init(
                "octets without an ending",
                rss(item("E", "<enclosure url=\"play\" type=\"application/octet-stream\"/>")), titles: ["E"]),
            .init(
                "picture", rss(item("E", "<enclosure url=\"a.jpg\" type=\"image/jpeg\"/>")),
                refusal: "has 1 item, none"),
            .init(
                "page", rss(item("E", "<enclosure url=\"a\" type=\"text/html\"/>")),
                refusal: "has 1 item, none"),
            .init(
                "picture first", rss(item("E", "<enclosure url=\"a.jpg\" type=\"image/jpeg\"/>\(enclosure)")),
                titles: ["E"]),
        ]
}

@Suite("Feeds as they are in the wild")
struct FeedVariantTests {
    @Test(
        "each variant is read or refused as the table says",
        arguments: FeedVariant.encodings + FeedVariant.characters + FeedVariant.formats + FeedVariant.types)
    func variant(_ variant: FeedVariant) throws {
        do throws(FeedError) {
            let feed = try FeedParser.parse(variant.body, contentType: variant.contentType)
            #expect(variant.refusal == nil)
            #expect(feed.episodes.map(\.title) == variant.titles)
            // Of one fault the parser may complain more than once.
            #expect(
                variant.notes == 0 ? feed.notes.isEmpty : feed.notes.count >= variant.notes, "\(feed.notes)")
        } catch {
            let refusal = try #require(variant.refusal, "\(error)")
            #expect(error.description.hasPrefix(refusal), "\(error)")
        }
    }

    @Test("what the podcast namespace says is kept")
    func podcastNamespace() throws {
        let text = FeedVariant.rss(
            FeedVariant.item(
                "Ep", FeedVariant.enclosure,
                "<guid>g1</guid><pubDate>Tue, 03 Feb 2026 06:00:00 +0100</pubDate>"
                    + "<podcast:person role=\"Guest\">Alan Turing</podcast:person><podcast:person>Ada</podcast:person>"
                    + "<podcast:transcript url=\"t.vtt\" type=\"text/vtt\" language=\"en\"/>"
                    + "<podcast:chapters url=\"c.json\" type=\"application/json+chapters\"/>"),
            names: "xmlns:podcast=\"https://podcastindex.org/namespace/1.0\" xml:base=\"http://h/deep/\"")
        let episode = try #require(try FeedParser.parse(Array(text.utf8)).episodes.first)
        #expect(
            episode.persons == [.init(name: "Alan Turing", role: "guest"), .init(name: "Ada", role: "host")])
        #expect(episode.transcripts.map(\.type) == ["text/vtt"])
        #expect(episode.chapters == .init("c.json", base: "http://h/deep/"))
        #expect(episode.media.first?.reference == .init("audio/01.mp3", base: "http://h/deep/"))
        #expect(episode.identity.key == "guid g1")
        #expect(episode.published?.iso8601WithoutFraction == "2026-02-03T05:00:00Z")
    }

    @Test(
        "dates of both kinds are read",
        arguments: [
            ("Tue, 03 Feb 2026 06:00:00 GMT", "2026-02-03T06:00:00Z"),
            ("3 Feb 26 06:00 EST", "2026-02-03T11:00:00Z"),
            ("2026-02-03T06:00:00Z", "2026-02-03T06:00:00Z"), ("2026-02-03", "2026-02-03T00:00:00Z"),
            ("2024-02-29T23:30:00-01:00", "2024-03-01T00:30:00Z"), ("Sun, 30 Feb", nil), ("", nil),
        ])
    func dates(text: String, expected: String?) {
        #expect(FeedDate.parse(text)?.iso8601WithoutFraction == expected)
    }
}
