internal import Measurement

extension FeedError: CustomStringConvertible {
    /// The rest of a sentence that begins with the feed's address, such as `is not XML: ...`.
    public var description: String {
        switch self {
        case .notXML(let line, let column, let reason):
            "is not well-formed XML: \(PlainText.sanitized(reason)) at line \(line), column \(column)."
        case .internalDocumentType(let line):
            "declares entities of its own at line \(line), which no podcast feed needs; it is not read."
        case .notRSS(let root):
            "is not an RSS feed: its root element is '\(PlainText.sanitized(root, maximumCharacters: 64))', not 'rss'."
        case .atom: "is an Atom feed; only RSS 2.0 is read. Give the address of the podcast's RSS feed."
        case .tooDeep(let line):
            "nests elements deeper than \(FeedParser.maximumDepth) levels at line \(line); it is not read."
        case .noEpisodes(let items):
            "has \(items) item\(items == 1 ? "" : "s"), none with an audio or video enclosure."
        }
    }
}
