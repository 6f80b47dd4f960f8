/// What the Swift demangler leaves to us: the module in a short name, and the wrappings in a full one.
enum SwiftNames {
    /// A short name with its module before the declaration it is about.
    ///
    /// The short style drops modules, and with them the difference between two types of the same name in one
    /// program. The module is the first identifier of the mangled name. The standard library's is left out.
    static func addingModule(of mangled: String, to short: String) -> String {
        guard let module = module(of: mangled) else { return short }
        // A closure in a module's top-level code is in no declaration: the short style leaves nothing after "in".
        if short.hasSuffix(" in ") { return short + module }
        let start = declarationStart(in: short)
        guard let first = short[start...].first, first.isLetter || first == "_" || first == "$" else {
            return short
        }
        return short[..<start] + module + "." + short[start...]
    }

    /// The identifier right after the prefix; nil for the standard library's abbreviations and for thunks.
    static func module(of mangled: String) -> String? {
        guard let prefix = ["$s", "$S", "$e", "_T0", "_$s"].first(where: mangled.hasPrefix) else {
            return nil
        }
        let rest = mangled.utf8.dropFirst(prefix.utf8.count)
        let digits = rest.prefix { (0x30...0x39).contains($0) }
        // A leading zero begins an identifier with substitutions, which no first identifier has.
        guard digits.first != 0x30, let length = Int(Substring(digits)), length > 0 else { return nil }
        let name = rest.dropFirst(digits.count).prefix(length)
        guard name.count == length else { return nil }
        return String(Substring(name))
    }

    /// Where the declaration begins, after all of `closure #1 in`, `specialized`, `static` and their like.
    private static func declarationStart(in short: String) -> String.Index {
        var start = short.startIndex
        for separator in [" in ", " for ", " of "] {
            guard let found = lastSeparator(separator, in: short), found > start else { continue }
            start = found
        }
        var rest = short[start...]
        while let word = ["conformance ", "specialized ", "static ", "outlined ", "merged "].first(
            where: rest.hasPrefix)
        {
            rest = rest.dropFirst(word.count)
        }
        return rest.startIndex
    }

    /// The end of the last separator that stands outside parentheses; operators make angle brackets unreliable.
    private static func lastSeparator(_ separator: String, in text: String) -> String.Index? {
        var depth = 0
        var found: String.Index?
        let bytes = text.utf8
        var index = bytes.startIndex
        while index < bytes.endIndex {
            switch bytes[index] {
            case UInt8(ascii: "("): depth += 1
            case UInt8(ascii: ")"): depth -= 1
            case UInt8(ascii: " ") where depth == 0 && bytes[index...].starts(with: separator.utf8):
                found = bytes.index(index, offsetBy: separator.utf8.count)
            default: break
            }
            index = bytes.index(after: index)
        }
        return found
    }

    /// A full name without what optimisation wraps around a function: specialisations, merging, the numbered
    /// parts of async functions, partial application, and the file-dependent mark of private declarations.
    static func withoutWrappings(_ full: String) -> String {
        var text = full[...]
        if let suffix = text.range(ofText: " with unmangled suffix ") { text = text[..<suffix.lowerBound] }
        while let shorter = withoutOuterWrapping(text) { text = shorter }
        return withoutDiscriminators(String(text))
    }

    private static func withoutOuterWrapping(_ text: Substring) -> Substring? {
        let fixed = ["merged ", "partial apply forwarder for ", "back deployment fallback for "]
        if let prefix = fixed.first(where: text.hasPrefix) { return text.dropFirst(prefix.count) }
        if text.hasPrefix("(") {
            for kind in [") await resume partial function for ", ") suspend resume partial function for "] {
                if let range = text.range(ofText: kind),
                    text[..<range.lowerBound].dropFirst().allSatisfy(\.isNumber)
                {
                    return text[range.upperBound...]
                }
            }
        }
        let specialisations = [
            "generic specialization <", "generic not re-abstracted specialization <",
            "generic partial specialization <", "generic not-reabstracted partial specialization <",
            "generic pre-specialization <", "function signature specialization <",
            "inlined generic function <",
        ]
        guard let prefix = specialisations.first(where: text.hasPrefix) else { return nil }
        return afterBracket(text.dropFirst(prefix.count))
    }

    /// What follows the `> of ` that closes an open angle bracket. Arrows close nothing.
    private static func afterBracket(_ text: Substring) -> Substring? {
        var depth = 1
        var previous: UInt8 = 0
        for index in text.utf8.indices {
            let byte = text.utf8[index]
            if byte == UInt8(ascii: "<") { depth += 1 }
            if byte == UInt8(ascii: ">"), previous != UInt8(ascii: "-") {
                depth -= 1
                let rest = text[text.utf8.index(after: index)...]
                if depth == 0 { return rest.hasPrefix(" of ") ? rest.dropFirst(4) : nil }
            }
            previous = byte
        }
        return nil
    }

    /// `(hidden in _0123…)` to `hidden`: the 32 digits are a hash of the file's name.
    private static func withoutDiscriminators(_ text: String) -> String {
        var result = ""
        var rest = text[...]
        while let mark = rest.range(ofText: " in _") {
            let hash = rest[mark.upperBound...].prefix(33)
            guard hash.utf8.count == 33, hash.last == ")", hash.dropLast().allSatisfy(\.isHexDigit),
                let open = rest[..<mark.lowerBound].lastIndex(of: "(")
            else {
                result += rest[..<mark.upperBound]
                rest = rest[mark.upperBound...]
                continue
            }
            result += rest[..<open] + rest[rest.index(after: open)..<mark.lowerBound]
            rest = rest[hash.endIndex...]
        }
        return result + rest
    }
}

extension StringProtocol where SubSequence == Substring {
    /// The first occurrence of a text, byte by byte; `range(of:)` is Foundation's.
    func range(ofText text: String) -> Range<String.Index>? {
        var index = utf8.startIndex
        guard let first = text.utf8.first else { return nil }
        while let hit = utf8[index...].firstIndex(of: first) {
            if utf8[hit...].starts(with: text.utf8) {
                return hit..<utf8.index(hit, offsetBy: text.utf8.count)
            }
            index = utf8.index(after: hit)
        }
        return nil
    }
}
