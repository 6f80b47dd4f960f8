internal import Measurement

/// The state between the parser's calls: where in the document it is, and the feed as far as it was read.
final class FeedReader {
    /// What the root element says the document is.
    enum Kind: Equatable {
        case feed, webPage
    }

    private(set) var feed = Feed()
    private(set) var problem: FeedError?
    private(set) var kind: Kind?
    private(set) var firstFault: (line: Int, column: Int, message: String)?
    /// The feed that a web page offers.
    private(set) var offeredFeed: String?
    /// Faults of the document and what its feed says beyond its items.
    private(set) var notes: [String] = []

    private var path: [String] = []
    /// Where each open element's text begins in `text`.
    private var textStarts: [Int] = []
    private var text: [UInt8] = []
    /// The `xml:base` of each open element.
    private var bases: [String?] = []
    private var item: ItemReader?
    private var itemDepth = 0
    /// The attributes of the open field.
    private var fieldAttributes: [String: String] = [:]
    private var omittedFaults = 0

    /// More faults than this are counted only.
    private static let maximumNotes = 8

    static func from(_ context: UnsafeMutableRawPointer?) -> FeedReader? {
        context.map { Unmanaged<FeedReader>.fromOpaque($0).takeUnretainedValue() }
    }

    func start(_ name: String, line: Int, attributes: [String: String]) {
        guard problem == nil else { return }
        if path.isEmpty && !takeRoot(name) { return }
        guard path.count < FeedParser.maximumDepth else {
            problem = .tooDeep(line: line)
            return
        }
        let base = attributes["xml:base"] ?? bases.last ?? nil
        if name == "item" || name == "atom:entry" {
            if item != nil {
                note("An item at line \(line) begins inside another one, which was ended there.")
                finishOpenItem()
            }
            item = ItemReader(about: attributes["rdf:about"])
            itemDepth = path.count
        }
        // Markup inside a field, such as unescaped HTML, adds to the field's text.
        if item == nil || path.count == itemDepth + 1 { text.removeAll(keepingCapacity: true) }
        path.append(name)
        bases.append(base)
        textStarts.append(text.count)
        fieldAttributes = attributes
        if kind == .webPage { return takeLink(name, attributes) }
        item?.takeElement(name, attributes, base: base)
        if item == nil { takeChannelElement(name, attributes) }
    }

    func characters(_ bytes: UnsafeRawBufferPointer) {
        let room = FeedParser.maximumTextBytes - text.count
        if room > 0 { text += bytes.prefix(room) }
    }

    func end() {
        guard problem == nil, let name = path.popLast(), let start = textStarts.popLast() else { return }
        bases.removeLast()
        if item != nil, path.count == itemDepth { return finishOpenItem() }
        let value = String(decoding: text[min(start, text.count)...], as: UTF8.self).trimmed
        guard !value.isEmpty else { return }
        if item != nil {
            let parent = path.count > itemDepth + 1 ? path.last : nil
            item?.takeText(name, parent: parent, value, attributes: fieldAttributes)
        } else {
            takeChannelField(name, value)
        }
    }

    func fault(line: Int, column: Int, message: String) {
        let words = message.trimmed
        if firstFault == nil { firstFault = (line, column, words) }
        note("Line \(line): \(PlainText.sanitized(words, maximumCharacters: 160)).")
    }

    /// Ends the item that is open, at its end tag or where the document was cut off.
    func finishOpenItem() {
        guard let finished = item?.episode else { return }
        item = nil
        if finished.media.isEmpty && finished.transcripts.isEmpty {
            feed.itemsWithoutMedia += 1
        } else if feed.episodes.count >= FeedParser.maximumItems {
            feed.itemsBeyondLimit += 1
        } else {
            feed.episodes.append(finished)
        }
    }

    private func note(_ sentence: String) {
        if notes.contains(sentence) { return }
        if notes.count < Self.maximumNotes {
            notes.append(sentence)
        } else {
            omittedFaults += 1
            if notes.count == Self.maximumNotes { notes.append("") }
            notes[Self.maximumNotes] = "\(omittedFaults) further faults are not listed."
        }
    }

    private func takeRoot(_ name: String) -> Bool {
        switch name {
        case "rss", "rdf:rdf", "atom:feed": kind = .feed
        case "html", "xhtml:html": kind = .webPage
        default:
            if kind == nil { problem = .notFeed(root: name) }
            return false
        }
        return true
    }

    private func takeLink(_ name: String, _ attributes: [String: String]) {
        guard offeredFeed == nil, name.hasSuffix("link"), attributes["rel"]?.lowercased() == "alternate",
            let type = attributes["type"]?.lowercased(), type.contains("rss") || type.contains("atom"),
            let address = attributes["href"], !address.isEmpty
        else { return }
        offeredFeed = address
    }

    private func takeChannelElement(_ name: String, _ attributes: [String: String]) {
        if name == "atom:link", attributes["rel"]?.lowercased() == "next" {
            note("The feed goes on in further pages, which are not read.")
        }
    }

    private func takeChannelField(_ name: String, _ value: String) {
        // Of an image or another part of the channel only the owner's and the author's names matter.
        let parent = path.last ?? ""
        let isOwn = ["channel", "atom:feed", "rss", "rdf:rdf"].contains(parent)
        switch name {
        case "title" where isOwn, "atom:title" where isOwn: feed.title = value
        case "description" where isOwn, "atom:subtitle" where isOwn:
            feed.summary = Markup.removed(from: value)
        case "language" where isOwn: feed.language = value
        case "itunes:author" where isOwn: feed.author = value
        case "itunes:name" where parent == "itunes:owner", "atom:name" where parent == "atom:author",
            "managingeditor" where isOwn, "dc:creator" where isOwn:
            if feed.author == nil { feed.author = value }
        case "podcast:person" where isOwn:
            feed.persons.append(Feed.Person(value, attributes: fieldAttributes))
        case "itunes:new-feed-url" where isOwn:
            note(
                "The feed says that its address is now '\(PlainText.sanitized(value, maximumCharacters: 200))'."
            )
        default: break
        }
    }
}

extension Feed.Person {
    init(_ name: String, attributes: [String: String]) {
        self.init(name: name, role: attributes["role"]?.lowercased() ?? "host")
    }
}

extension Feed {
    /// Gives every episode its identity, and leaves items out that only repeat another one.
    ///
    /// Some feeds give all items one `guid`: there it identifies together with the first address. Where items without a
    /// `guid` share an address, their titles distinguish them.
    mutating func identifyEpisodes() {
        func address(_ episode: Episode) -> String {
            let reference = episode.media.first?.reference ?? episode.transcripts.first?.reference
            return String(reference?.text.prefix { $0 != "#" } ?? "")
        }
        var addresses: [String: Set<String>] = [:]
        var titles: [String: Set<String>] = [:]
        for episode in episodes {
            if let guid = episode.guid {
                addresses[guid, default: []].insert(address(episode))
            } else {
                titles[address(episode), default: []].insert(episode.title)
            }
        }
        var seen: Set<EpisodeIdentity> = []
        var kept: [Episode] = []
        for var episode in episodes {
            if let guid = episode.guid {
                let isShared = (addresses[guid]?.count ?? 0) > 1
                episode.identity = EpisodeIdentity(
                    key: isShared ? "guid \(guid) at \(address(episode))" : "guid \(guid)")
            } else {
                let isShared = (titles[address(episode)]?.count ?? 0) > 1
                let title = isShared ? " titled \(episode.title)" : ""
                episode.identity = EpisodeIdentity(key: "address \(address(episode))\(title)")
            }
            if seen.insert(episode.identity).inserted {
                kept.append(episode)
            } else {
                repeatedItems += 1
            }
        }
        episodes = kept
    }
}
