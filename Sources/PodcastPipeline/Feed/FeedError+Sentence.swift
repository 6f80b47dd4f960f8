internal import Measurement

extension FeedError: CustomStringConvertible {
    /// The rest of a sentence that begins with the feed's address, such as `is not XML: ...`.
    public var description: String {
        switch self {
        case .libraryMissing(let reason):
            "cannot be read: libxml2.so.2 cannot be opened (\(PlainText.sanitized(reason))). "
                + "Install the Debian package libxml2."
        case .empty: "is empty: the server sent no bytes."
        case .damagedGzip: "is a damaged gzip file."
        case .tooLong(let limit): "is longer than the \(limit) that are read of a feed."
        case .notXML(let line, let column, let reason):
            "is not XML: \(PlainText.sanitized(reason)) at line \(line), column \(column)."
        case .internalDocumentType(let line):
            "declares entities of its own at line \(line), which no podcast feed needs; it is not read."
        case .notFeed(let root):
            "is not a feed: its root element is '\(PlainText.sanitized(root, maximumCharacters: 64))', not 'rss', "
                + "'feed' or 'RDF'."
        case .webPage(nil): "is a web page, not a feed. Give the address of the podcast's RSS feed."
        case .webPage(let feed?):
            "is a web page, not a feed. It offers the feed '\(PlainText.sanitized(feed, maximumCharacters: 300))'."
        case .json: "is JSON; RSS and Atom are read. Give the address of the podcast's RSS feed."
        case .tooDeep(let line):
            "nests elements deeper than \(FeedParser.maximumDepth) levels at line \(line); it is not read."
        case .noEpisodes(let items, let fault):
            "has \(items) item\(items == 1 ? "" : "s"), none with audio, video or a transcript."
                + (fault.map { " \(PlainText.sanitized($0))" } ?? "")
        }
    }
}
