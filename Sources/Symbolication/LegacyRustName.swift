/// Rust's older mangling: an Itanium nested name whose last part is `h` and 16 hexadecimal digits.
enum LegacyRustName {
    /// The path without the hash, such as `core::fmt::Formatter::write`; nil when the name is not of that kind.
    static func path(of name: String) -> String? {
        guard name.hasPrefix("_ZN") else { return nil }
        var parts: [String] = []
        var rest = Substring(name).utf8.dropFirst(3)
        while let first = rest.first, first != UInt8(ascii: "E") {
            let digits = rest.prefix { (0x30...0x39).contains($0) }
            guard let length = Int(Substring(digits)), length > 0 else { return nil }
            rest = rest.dropFirst(digits.count)
            let part = rest.prefix(length)
            guard part.count == length else { return nil }
            rest = rest.dropFirst(length)
            parts.append(String(Substring(part)))
        }
        // What follows the E is at most a suffix such as `.llvm.123`.
        guard rest.first == UInt8(ascii: "E"),
            rest.dropFirst().first.map({ $0 == UInt8(ascii: ".") }) ?? true,
            parts.count > 1, let hash = parts.popLast(), hash.utf8.count == 17, hash.hasPrefix("h"),
            hash.dropFirst().allSatisfy(\.isHexDigit)
        else { return nil }
        return parts.map(unescaped).joined(separator: "::")
    }

    /// `$LT$` to `<`, `$u7b$` to `{`, `..` to `::`.
    private static func unescaped(_ part: String) -> String {
        var result = ""
        // Parts that would begin with an escape get an underscore in front.
        var rest = part.hasPrefix("_$") ? part.dropFirst() : part[...]
        while let first = rest.first {
            if first == "$", let end = rest.dropFirst().firstIndex(of: "$"),
                let replacement = character(rest[rest.index(after: rest.startIndex)..<end])
            {
                result += replacement
                rest = rest[rest.index(after: end)...]
            } else if rest.hasPrefix("..") {
                result += "::"
                rest = rest.dropFirst(2)
            } else {
                result.append(first)
                rest = rest.dropFirst()
            }
        }
        return result
    }

    private static func character(_ escape: Substring) -> String? {
        let named = [
            "SP": "@", "BP": "*", "RF": "&", "LT": "<", "GT": ">", "LP": "(", "RP": ")", "C": ",",
        ]
        if let character = named[String(escape)] { return character }
        guard escape.hasPrefix("u"), let code = UInt32(escape.dropFirst(), radix: 16),
            let scalar = Unicode.Scalar(code)
        else { return nil }
        return String(Character(scalar))
    }
}
