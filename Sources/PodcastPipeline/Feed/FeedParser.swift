internal import CXML
internal import Measurement

/// Reads feeds: RSS 0.9x, 1.0 and 2.0, Atom, and the podcast extensions. Bounded in depth, items and text; no entity is
/// expanded and nothing outside the document is read. A damaged feed gives the episodes that can be read, with notes.
public enum FeedParser {
    /// Elements may be nested so deep.
    public static let maximumDepth = 64
    /// Items beyond this number are counted, not kept.
    public static let maximumItems = 10_000
    /// Text of one element beyond this number of bytes is cut.
    public static let maximumTextBytes = 1 << 16

    /// The feed in a body as it came over the network.
    public static func parse(_ body: [UInt8], contentType: String? = nil) throws(FeedError) -> Feed {
        if let loadingProblem { throw .libraryMissing(reason: loadingProblem) }
        if body.isEmpty { throw .empty }
        let decoded = try FeedText.decode(body, contentType: contentType)
        if let first = decoded.bytes.first(where: { $0 > 0x20 }), first == UInt8(ascii: "{") { throw .json }
        let repair = try FeedRepair(decoded.bytes)
        let reader = FeedReader()
        guard run(reader, on: repair.text) else {
            throw .notXML(line: 0, column: 0, reason: "the parser has no memory")
        }
        return try finish(reader, notes: decoded.notes + repair.notes)
    }

    private static func run(_ reader: FeedReader, on text: [UInt8]) -> Bool {
        var handler = cxml_handler(
            start: { context, prefix, nameSpace, local, line, attributes, count in
                guard let reader = FeedReader.from(context) else { return 1 }
                let buffer = UnsafeBufferPointer(start: attributes, count: count)
                let name = FeedNames.known(
                    prefix: prefix.map { String(cString: $0) },
                    nameSpace: nameSpace.map { String(cString: $0) },
                    local: String(cString: local))
                reader.start(name, line: line, attributes: FeedParser.dictionary(buffer))
                return reader.problem == nil ? 0 : 1
            },
            end: { FeedReader.from($0)?.end() },
            text: { FeedReader.from($0)?.characters(UnsafeRawBufferPointer(start: $1, count: $2)) },
            fault: { FeedReader.from($0)?.fault(line: $1, column: $2, message: String(cString: $3)) })
        return withExtendedLifetime(reader) {
            cxml_parse(text, text.count, &handler, Unmanaged.passUnretained(reader).toOpaque()) == 0
        }
    }

    private static func finish(_ reader: FeedReader, notes: [String]) throws(FeedError) -> Feed {
        reader.finishOpenItem()
        if let problem = reader.problem { throw problem }
        guard let kind = reader.kind else {
            let fault = reader.firstFault ?? (1, 1, "there is no element")
            throw .notXML(line: fault.line, column: fault.column, reason: fault.message)
        }
        if kind == .webPage { throw .webPage(feed: reader.offeredFeed) }
        var feed = reader.feed
        feed.notes = notes + reader.notes
        feed.identifyEpisodes()
        if feed.episodes.isEmpty {
            throw .noEpisodes(items: feed.itemsWithoutMedia, fault: feed.notes.first)
        }
        return feed
    }

    fileprivate static func dictionary(_ attributes: UnsafeBufferPointer<cxml_attribute>) -> [String: String]
    {
        var result: [String: String] = [:]
        for attribute in attributes {
            let name = FeedNames.known(
                prefix: attribute.prefix.map { String(cString: $0) },
                nameSpace: attribute.name_space.map { String(cString: $0) },
                local: String(cString: attribute.local))
            let value = UnsafeBufferPointer(
                start: attribute.value, count: min(attribute.length, maximumTextBytes))
            result[name] = String(decoding: value, as: UTF8.self).trimmed
        }
        return result
    }

    /// The reason libxml2 could not be opened, nil when it is there.
    private static let loadingProblem: String? = {
        var message = [CChar](repeating: 0, count: 512)
        guard cxml_load(&message, message.count) != 0 else { return nil }
        return String(decoding: message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }()
}
