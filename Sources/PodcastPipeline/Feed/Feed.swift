public import Measurement

/// A podcast's feed, as far as this pipeline needs it. All text is untrusted.
public struct Feed: Equatable, Sendable {
    /// An address as a feed gives it, possibly relative.
    public struct Reference: Hashable, Sendable {
        /// As written.
        public var text: String
        /// The `xml:base` in force, itself possibly relative to the feed's address; nil where there is none.
        public var base: String?

        /// A reference.
        public init(_ text: String, base: String? = nil) {
            self.text = text
            self.base = base
        }
    }

    /// Audio or video that an item offers.
    public struct Media: Hashable, Sendable {
        public var reference: Reference
        /// The media type as written, in lower case, such as `audio/mpeg`. Feeds are often wrong about it.
        public var type: String?
        /// The length in bytes as written. Feeds are often wrong about it.
        public var statedSize: ByteCount?
    }

    /// A transcript that an item offers (`podcast:transcript`).
    public struct OfferedTranscript: Hashable, Sendable {
        public var reference: Reference
        /// The media type as written, in lower case.
        public var type: String
        public var language: String?
    }

    /// A person that a feed or an item names (`podcast:person`).
    public struct Person: Hashable, Sendable {
        public var name: String
        /// In lower case; `host` where the feed gives none, as its specification says.
        public var role: String
    }

    /// One item that has something to hear or a transcript.
    public struct Episode: Equatable, Sendable {
        public var title = ""
        /// `guid`, `atom:id` or `rdf:about`.
        public var guid: String?
        /// `pubDate`, `published`, `updated` or `dc:date`.
        public var published: Timestamp?
        /// `itunes:author`, `author` or `dc:creator`.
        public var author: String?
        /// `description`, `itunes:summary`, `content:encoded` or Atom's `summary`, without markup.
        public var summary: String?
        public var persons: [Person] = []
        /// What can be heard, the most likely first: enclosures, `media:content`, alternate enclosures.
        public var media: [Media] = []
        public var transcripts: [OfferedTranscript] = []
        /// `podcast:chapters`
        public var chapters: Reference?
        /// `itunes:duration`, written as seconds, `MM:SS` or `HH:MM:SS`.
        public var statedDuration: Duration?
        /// Under which its outputs are kept; set when the whole feed is read.
        public var identity = EpisodeIdentity(key: "")

        /// The stated size of the first media.
        public var statedSize: ByteCount? { media.first?.statedSize }
    }

    public var title = ""
    /// `itunes:author`, `itunes:owner` or `managingEditor` of the channel.
    public var author: String?
    /// `description` of the channel, without markup.
    public var summary: String?
    public var language: String?
    public var persons: [Person] = []
    /// In the feed's order, usually the newest first.
    public var episodes: [Episode] = []
    /// Items with nothing to hear and no transcript.
    public var itemsWithoutMedia = 0
    /// Items beyond `FeedParser.maximumItems`, not read.
    public var itemsBeyondLimit = 0
    /// Items that say again what another one said.
    public var repeatedItems = 0
    /// What was wrong with the document and what was done about it, a sentence each.
    public var notes: [String] = []
}

/// What an episode is known by, whatever its place in the feed: its `guid`, else its first address.
public struct EpisodeIdentity: Hashable, Sendable {
    /// The text that identifies it within its feed.
    public var key: String

    /// An identity.
    public init(key: String) {
        self.key = key
    }
}

/// Why a document is no feed for this pipeline.
public enum FeedError: Error, Equatable, Sendable {
    /// libxml2 is not installed.
    case libraryMissing(reason: String)
    /// There are no bytes.
    case empty
    /// It is packed, and the package is damaged.
    case damagedGzip
    /// It is longer than is read, unpacked.
    case tooLong(limit: ByteCount)
    /// No element could be read.
    case notXML(line: Int, column: Int, reason: String)
    /// It declares a document type of its own, and with it entities.
    case internalDocumentType(line: Int)
    /// XML, but its root element is another.
    case notFeed(root: String)
    /// A web page, with the address of the feed that it offers.
    case webPage(feed: String?)
    /// A JSON document.
    case json
    /// Elements nested deeper than any feed's.
    case tooDeep(line: Int)
    /// No item has audio, video or a transcript.
    case noEpisodes(items: Int, fault: String?)
}
