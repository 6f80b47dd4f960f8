internal import CExpat
internal import Measurement

/// Reads RSS 2.0 with the podcast extensions. Bounded in depth, items and text; entities are not expanded.
public enum FeedParser {
    /// Elements may be nested so deep.
    public static let maximumDepth = 64
    /// Items beyond this number are counted, not kept.
    public static let maximumItems = 10_000
    /// Text of one element beyond this number of bytes is cut.
    public static let maximumTextBytes = 1 << 16

    /// The feed in some bytes of XML.
    public static func parse(_ bytes: [UInt8]) throws(FeedError) -> Feed {
        guard let parser = XML_ParserCreateNS(nil, 0x7C) else {
            throw .notXML(line: 0, column: 0, reason: "the parser has no memory")
        }
        defer { XML_ParserFree(parser) }
        let reader = FeedReader(parser: parser)
        XML_SetUserData(parser, Unmanaged.passUnretained(reader).toOpaque())
        XML_SetElementHandler(
            parser, { FeedReader.from($0)?.startElement($1, $2) },
            { data, _ in FeedReader.from(data)?.endElement() })
        XML_SetCharacterDataHandler(parser) { FeedReader.from($0)?.characters($1, Int($2)) }
        XML_SetStartDoctypeDeclHandler(parser) { data, _, _, _, hasInternalSubset in
            if hasInternalSubset != 0 { FeedReader.from(data)?.stopForDocumentType() }
        }
        let isParsed = bytes.withUnsafeBytes { buffer in
            let start = buffer.baseAddress?.assumingMemoryBound(to: CChar.self)
            return XML_Parse(parser, start, Int32(clamping: buffer.count), 1) == XML_STATUS_OK
        }
        if let problem = reader.problem { throw problem }
        guard isParsed else {
            let reason = XML_ErrorString(XML_GetErrorCode(parser)).map { String(cString: $0) }
            throw .notXML(
                line: Int(XML_GetCurrentLineNumber(parser)),
                column: Int(XML_GetCurrentColumnNumber(parser)) + 1,
                reason: reason ?? "no reason given")
        }
        let feed = reader.feed
        if feed.episodes.isEmpty { throw .noEpisodes(items: feed.itemsWithoutMedia) }
        return feed
    }
}

/// The state between expat's callbacks. It lives on the stack of `FeedParser.parse`, which outlives them.
private final class FeedReader {
    private(set) var feed = Feed()
    private(set) var problem: FeedError?

    private let parser: XML_Parser
    private var path: [String] = []
    private var text: [UInt8] = []
    private var item: Feed.Episode?

    init(parser: XML_Parser) {
        self.parser = parser
    }

    static func from(_ data: UnsafeMutableRawPointer?) -> FeedReader? {
        data.map { Unmanaged<FeedReader>.fromOpaque($0).takeUnretainedValue() }
    }

    func startElement(
        _ rawName: UnsafePointer<CChar>?, _ attributes: UnsafeMutablePointer<UnsafePointer<CChar>?>?
    ) {
        guard problem == nil, let rawName else { return }
        let name = Self.prefixed(String(cString: rawName))
        if path.isEmpty && name != "rss" { return stop(name == "atom:feed" ? .atom : .notRSS(root: name)) }
        guard path.count < FeedParser.maximumDepth else { return stop(.tooDeep(line: line)) }
        path.append(name)
        text.removeAll(keepingCapacity: true)
        if path == ["rss", "channel", "item"] { item = Feed.Episode() }
        if path == ["rss", "channel", "item", "enclosure"] { takeEnclosure(Self.dictionary(attributes)) }
    }

    func characters(_ bytes: UnsafePointer<CChar>?, _ count: Int) {
        let room = FeedParser.maximumTextBytes - text.count
        guard let bytes, room > 0 else { return }
        let raw = UnsafeRawBufferPointer(start: bytes, count: min(count, room))
        text += raw
    }

    func endElement() {
        guard problem == nil else { return }
        defer {
            path.removeLast()
            text.removeAll(keepingCapacity: true)
        }
        if path == ["rss", "channel", "item"] { return finishItem() }
        let value = String(decoding: text, as: UTF8.self).trimmed
        guard !value.isEmpty else { return }
        if path.count == 4 && item != nil {
            takeItemField(path[3], value)
        } else if path.starts(with: ["rss", "channel"]) && path.count >= 3 && item == nil {
            takeChannelField(path[2...].joined(separator: "/"), value)
        }
    }

    func stopForDocumentType() {
        stop(.internalDocumentType(line: line))
    }

    private var line: Int { Int(XML_GetCurrentLineNumber(parser)) }

    private func stop(_ reason: FeedError) {
        problem = reason
        XML_StopParser(parser, XML_FALSE)
    }

    private func takeChannelField(_ name: String, _ value: String) {
        switch name {
        case "title": feed.title = value
        case "description": feed.summary = Markup.removed(from: value)
        case "itunes:author": feed.author = value
        case "itunes:owner/itunes:name", "managingEditor": if feed.author == nil { feed.author = value }
        default: break
        }
    }

    private func takeItemField(_ name: String, _ value: String) {
        switch name {
        case "title": item?.title = value
        case "itunes:author": item?.author = value
        case "author": if item?.author == nil { item?.author = value }
        case "description": item?.summary = Markup.removed(from: value)
        case "itunes:summary": if item?.summary == nil { item?.summary = Markup.removed(from: value) }
        case "itunes:duration": item?.statedDuration = Self.duration(value)
        default: break
        }
    }

    private func takeEnclosure(_ attributes: [String: String]) {
        // RSS allows one enclosure an item; of several the first with media is taken.
        guard item?.mediaReference.isEmpty == true, let url = attributes["url"]?.trimmed, !url.isEmpty else {
            return
        }
        let type = attributes["type"]?.lowercased()
        guard type.map({ $0.hasPrefix("audio/") || $0.hasPrefix("video/") || $0.isEmpty }) ?? true else {
            return
        }
        item?.mediaReference = url
        item?.mediaType = type
        item?.statedSize = attributes["length"].flatMap { Int64($0) }.flatMap {
            $0 > 0 ? ByteCount(bytes: $0) : nil
        }
    }

    private func finishItem() {
        guard let finished = item else { return }
        item = nil
        if finished.mediaReference.isEmpty {
            feed.itemsWithoutMedia += 1
        } else if feed.episodes.count >= FeedParser.maximumItems {
            feed.itemsBeyondLimit += 1
        } else {
            feed.episodes.append(finished)
        }
    }

    private static func dictionary(
        _ attributes: UnsafeMutablePointer<UnsafePointer<CChar>?>?
    ) -> [String: String] {
        var result: [String: String] = [:]
        var pair = attributes
        while let current = pair, let name = current[0], let value = current[1] {
            result[String(cString: name)] = String(cString: value)
            pair = current + 2
        }
        return result
    }

    /// An expanded name (`namespace|name`) with the prefix its namespace usually has.
    private static func prefixed(_ expanded: String) -> String {
        guard let bar = expanded.lastIndex(of: "|") else { return expanded }
        let local = expanded[expanded.index(after: bar)...]
        switch expanded[..<bar].lowercased() {
        case "http://www.itunes.com/dtds/podcast-1.0.dtd": return "itunes:\(local)"
        case "http://www.w3.org/2005/atom": return "atom:\(local)"
        default: return "other:\(local)"
        }
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
