internal import Measurement

/// One item while it is read.
struct ItemReader {
    private(set) var episode = Feed.Episode()
    private var hasOwnTitle = false
    /// The alternate enclosure whose sources follow.
    private var alternate: (type: String?, size: ByteCount?)?
    /// Alternate enclosures come after the others, in which feeds put what all players play.
    private var rank: [Int] = []

    /// More media or transcripts of one item than this are left out.
    private static let maximumOffers = 16

    init(about: String?) {
        episode.guid = about
    }

    /// Takes what an element says by its attributes.
    mutating func takeElement(_ name: String, _ attributes: [String: String], base: String?) {
        func reference(_ key: String) -> Feed.Reference? {
            attributes[key].flatMap { $0.isEmpty ? nil : Feed.Reference($0, base: base) }
        }
        switch name {
        case "enclosure":
            add(reference("url"), type: attributes["type"], size: attributes["length"], rank: 0)
        case "enc:enclosure":
            add(
                reference("rdf:resource"), type: attributes["enc:type"], size: attributes["enc:length"],
                rank: 0)
        case "atom:link" where attributes["rel"]?.lowercased() == "enclosure":
            add(reference("href"), type: attributes["type"], size: attributes["length"], rank: 0)
        case "media:content":
            let type = attributes["type"] ?? attributes["medium"].map { "\($0)/" }
            add(reference("url"), type: type, size: attributes["filesize"], rank: 1)
        case "podcast:alternateenclosure":
            alternate = (attributes["type"], Self.size(attributes["length"]))
        case "podcast:source":
            guard let alternate else { break }
            add(
                reference("uri"), type: alternate.type, size: alternate.size.map { String($0.bytes) }, rank: 2
            )
        case "podcast:transcript":
            guard let reference = reference("url"), episode.transcripts.count < Self.maximumOffers else {
                break
            }
            episode.transcripts.append(
                .init(
                    reference: reference, type: attributes["type"]?.lowercased() ?? "",
                    language: attributes["language"]))
        case "podcast:chapters":
            episode.chapters = reference("url")
        default: break
        }
    }

    /// Takes the text of an element that has ended.
    mutating func takeText(_ name: String, parent: String?, _ value: String, attributes: [String: String]) {
        switch name {
        case "title" where parent == nil, "atom:title" where parent == nil:
            episode.title = value
            hasOwnTitle = true
        case "itunes:title" where parent == nil: if !hasOwnTitle { episode.title = value }
        case "guid" where parent == nil, "atom:id" where parent == nil: episode.guid = value
        case "itunes:author" where parent == nil: episode.author = value
        case "author" where parent == nil, "dc:creator" where parent == nil,
            "atom:name" where parent == "atom:author":
            if episode.author == nil { episode.author = value }
        case "description" where parent == nil: episode.summary = Markup.removed(from: value)
        case "itunes:summary" where parent == nil, "content:encoded" where parent == nil,
            "atom:summary" where parent == nil, "atom:content" where parent == nil:
            if episode.summary == nil { episode.summary = Markup.removed(from: value) }
        case "itunes:duration": episode.statedDuration = Self.duration(value) ?? episode.statedDuration
        case "pubdate", "atom:published", "dc:date":
            episode.published = FeedDate.parse(value) ?? episode.published
        case "atom:updated": if episode.published == nil { episode.published = FeedDate.parse(value) }
        case "podcast:person":
            if episode.persons.count < Self.maximumOffers {
                episode.persons.append(Feed.Person(value, attributes: attributes))
            }
        default: break
        }
    }

    private mutating func add(_ reference: Feed.Reference?, type: String?, size: String?, rank: Int) {
        guard let reference, episode.media.count < Self.maximumOffers else { return }
        let type = type.map { $0.lowercased().trimmed }.flatMap { $0.isEmpty ? nil : $0 }
        guard Self.mayBeHeard(type, address: reference.text),
            !episode.media.contains(where: { $0.reference.text == reference.text })
        else { return }
        let place = self.rank.firstIndex { $0 > rank } ?? episode.media.count
        episode.media.insert(.init(reference: reference, type: type, statedSize: Self.size(size)), at: place)
        self.rank.insert(rank, at: place)
    }

    /// Whether something may be audio or video: by its type where that is plain, else by its address. Servers and feeds are
    /// often wrong about types, so what cannot be excluded is fetched and judged by its content.
    static func mayBeHeard(_ type: String?, address: String) -> Bool {
        let path = address.prefix { $0 != "?" && $0 != "#" }
        let ending = path.lastIndex(of: ".").map { path[path.index(after: $0)...].lowercased() } ?? ""
        if mediaEndings.contains(ending) { return true }
        guard let type else { return !otherEndings.contains(ending) }
        if type.hasPrefix("audio/") || type.hasPrefix("video/") { return true }
        let isOther =
            ["image/", "text/", "font/", "message/"].contains { type.hasPrefix($0) }
            || otherTypes.contains(type)
        return !isOther && !otherEndings.contains(ending)
    }

    private static let mediaEndings: Set = [
        "mp3", "m4a", "m4b", "aac", "ogg", "oga", "opus", "flac", "wav", "mp4", "m4v", "mov", "mkv", "webm",
        "mpg", "mpeg",
        "wma", "aiff",
    ]
    private static let otherEndings: Set = [
        "pdf", "jpg", "jpeg", "png", "gif", "webp", "html", "htm", "zip", "epub", "torrent",
    ]
    private static let otherTypes: Set = [
        "application/pdf", "application/zip", "application/epub+zip", "application/json", "application/xml",
        "application/x-bittorrent", "application/javascript", "application/xhtml+xml",
    ]

    private static func size(_ text: String?) -> ByteCount? {
        text.flatMap { Int64($0) }.flatMap { $0 > 0 ? ByteCount(bytes: $0) : nil }
    }

    /// Seconds, `MM:SS` or `HH:MM:SS`; nil for anything else.
    private static func duration(_ text: String) -> Duration? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard (1...3).contains(parts.count) else { return nil }
        var seconds = 0.0
        for part in parts {
            guard let number = Double(part), (0...360_000).contains(number) else { return nil }
            seconds = seconds * 60 + number
        }
        return .seconds(seconds)
    }
}
