/// HTML in a feed's descriptions.
enum Markup {
    /// The text without tags, the common entities decoded, runs of space joined. In one pass over the bytes: a feed
    /// may have megabytes of it.
    static func removed(from html: String) -> String {
        var text: [UInt8] = []
        var isSpaceDue = false
        var rest = Array(html.utf8)[...]
        func append(_ bytes: some Sequence<UInt8>) {
            if isSpaceDue && !text.isEmpty { text.append(UInt8(ascii: " ")) }
            isSpaceDue = false
            text += bytes
        }
        while let byte = rest.first {
            if byte <= UInt8(ascii: " ") {
                isSpaceDue = true
                rest.removeFirst()
            } else if byte == UInt8(ascii: "<"), isTag(rest) {
                isSpaceDue = true
                rest = rest[(rest.firstIndex(of: UInt8(ascii: ">")) ?? rest.endIndex - 1)...].dropFirst()
            } else if byte == UInt8(ascii: "&"),
                let entity = entities.first(where: { rest.starts(with: $0.name) })
            {
                if let meaning = entity.meaning { append([meaning]) } else { isSpaceDue = true }
                rest.removeFirst(entity.name.count)
            } else {
                append(CollectionOfOne(byte))
                rest.removeFirst()
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Whether a `<` begins a tag, and is not just smaller than something.
    private static func isTag(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard let next = bytes.dropFirst().first else { return false }
        let letter = next | 0x20
        return (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(letter) || "/!?".utf8.contains(next)
    }

    /// Their meaning is nil for a space.
    private static let entities: [(name: [UInt8], meaning: UInt8?)] = [
        ("&nbsp;", nil), ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&apos;", "'"),
        ("&amp;", "&"),
    ].map { (Array($0.0.utf8), ($0.1 as Unicode.Scalar?).map { UInt8(ascii: $0) }) }
}

extension String {
    /// The text without white space at its ends.
    var trimmed: String {
        var rest = self[...]
        while rest.first?.isWhitespace == true { rest.removeFirst() }
        while rest.last?.isWhitespace == true { rest.removeLast() }
        return String(rest)
    }
}
