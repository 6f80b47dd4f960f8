public import Measurement

/// A podcast's feed, as far as this pipeline needs it. All text is untrusted.
public struct Feed: Equatable, Sendable {
    /// One item that has audio or video.
    public struct Episode: Equatable, Sendable {
        public var title = ""
        /// `itunes:author` or `author`.
        public var author: String?
        /// `itunes:summary` or `description`, without markup.
        public var summary: String?
        /// The enclosure's address as written, possibly relative to the feed's.
        public var mediaReference = ""
        /// The enclosure's media type as written, such as `audio/mpeg`.
        public var mediaType: String?
        /// The enclosure's length in bytes as written. Feeds are often wrong about it.
        public var statedSize: ByteCount?
        /// `itunes:duration`, written as seconds, `MM:SS` or `HH:MM:SS`.
        public var statedDuration: Duration?
    }

    public var title = ""
    /// `itunes:author`, `itunes:owner` or `managingEditor` of the channel.
    public var author: String?
    /// `description` of the channel, without markup.
    public var summary: String?
    /// In the feed's order, usually the newest first.
    public var episodes: [Episode] = []
    /// Items without an audio or video enclosure.
    public var itemsWithoutMedia = 0
    /// Items beyond `FeedParser.maximumItems`, not read.
    public var itemsBeyondLimit = 0
}

/// Why a document is no feed for this pipeline.
public enum FeedError: Error, Equatable, Sendable {
    /// Not well-formed XML.
    case notXML(line: Int, column: Int, reason: String)
    /// It declares a document type of its own, and with it entities.
    case internalDocumentType(line: Int)
    /// XML, but its root element is another.
    case notRSS(root: String)
    /// An Atom feed.
    case atom
    /// Elements nested deeper than any feed's.
    case tooDeep(line: Int)
    /// No item has an audio or video enclosure.
    case noEpisodes(items: Int)
}
