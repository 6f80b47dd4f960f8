/// Names of elements and attributes as the reader knows them: in lower case, with the prefix that their namespace usually
/// has and none for those of RSS itself.
enum FeedNames {
    /// The name of an element or attribute.
    static func known(prefix: String?, nameSpace: String?, local: String) -> String {
        let local = local.lowercased()
        guard let nameSpace else {
            // A prefix that the feed forgot to declare.
            guard let prefix = prefix?.lowercased() else { return local }
            return usualPrefixes.contains(prefix) ? "\(prefix):\(local)" : "other:\(local)"
        }
        let address = nameSpace.lowercased()
        for (part, usual) in nameSpaces where address.contains(part) {
            return usual.isEmpty ? local : "\(usual):\(local)"
        }
        // RSS has no namespace of its own; feeds give it several as their default.
        return prefix == nil ? local : "other:\(local)"
    }

    private static let usualPrefixes: Set = [
        "itunes", "atom", "media", "podcast", "content", "dc", "rdf", "enc", "xml",
    ]

    /// The part of a namespace's address that identifies it, and its usual prefix.
    private static let nameSpaces: [(part: String, prefix: String)] = [
        ("itunes.com/dtds/podcast-1.0.dtd", "itunes"), ("www.w3.org/2005/atom", "atom"),
        ("purl.org/atom/ns", "atom"),
        ("search.yahoo.com/mrss", "media"), ("podcastindex.org/namespace", "podcast"),
        ("podcastindex-org/podcast-namespace", "podcast"), ("purl.org/rss/1.0/modules/content", "content"),
        ("purl.org/dc/", "dc"), ("rss_2.0/enc", "enc"), ("1999/02/22-rdf-syntax-ns", "rdf"),
        ("www.w3.org/xml/1998/namespace", "xml"), ("www.w3.org/1999/xhtml", "xhtml"),
    ]
}
