/// Where a page stands among those of a shelf, and what it was made of.
public struct PagePlace: Sendable {
    /// The name of the element that says what a page was made of, by which it is known for one of a shelf.
    static let mark = "freeze-profile-source"
    /// How much of a page's beginning holds its marks: titles and sentences are cut long before.
    public static let headBytes = 16_384

    /// Links at its top, in order: text, and file in the same directory.
    public var links: [(text: String, file: String)]
    /// A digest of all that the page was made of: the same digest, the same page.
    public var source: String

    /// The place of a page.
    public init(links: [(text: String, file: String)], source: String) {
        self.links = links
        self.source = source
    }

    /// What the beginning of a page says of itself; nil for a page that is not of a shelf.
    public static func read(_ head: [UInt8]) -> (source: String, summary: String?)? {
        let text = String(decoding: head, as: UTF8.self)
        guard let source = content(of: mark, in: text) else { return nil }
        return (source, content(of: "description", in: text))
    }

    private static func content(of name: String, in text: String) -> String? {
        guard let begin = text.firstRange(of: "<meta name=\"\(name)\" content=\"")?.upperBound,
            let end = text[begin...].firstIndex(of: "\"")
        else { return nil }
        return HTMLText.unescaped(String(text[begin..<end]))
    }
}
