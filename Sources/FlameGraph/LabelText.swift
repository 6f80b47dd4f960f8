internal import Measurement

/// Names made to fit into rectangles.
enum LabelText {
    /// The width of a monospace character of 12 units in DejaVu Sans Mono, the widest of the usual ones.
    static let characterWidth = 7.23

    /// The number of character cells a text takes: two for East Asian and emoji, none for combining marks.
    static func cells(_ text: some StringProtocol) -> Int {
        text.unicodeScalars.reduce(0) { $0 + cells($1) }
    }

    static func cells(_ scalar: Unicode.Scalar) -> Int {
        switch scalar.value {
        case 0x20...0x2FF: 1
        case 0x300...0x36F, 0x200B...0x200D, 0xFE00...0xFE0F: 0
        case 0x1100...0x115F, 0x2E80...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
            0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1FAFF, 0x20000...0x3FFFD:
            2
        default: 1
        }
    }

    /// What fits into a width: the name, its compact form, or the beginning of that and an ellipsis.
    ///
    /// The script does the same after every zoom (`fit` in flamegraph.js).
    static func fitted(_ name: String, compact: String, width: Double) -> String {
        let room = Int((width - 6) / characterWidth)
        if room < 2 { return "" }
        if cells(name) <= room { return name }
        if cells(compact) <= room { return compact }
        return cut(compact, cells: room)
    }

    /// The beginning of a text and an ellipsis, in so many cells.
    static func cut(_ text: String, cells room: Int) -> String {
        var result = String.UnicodeScalarView()
        var used = 1
        for scalar in text.unicodeScalars {
            used += cells(scalar)
            if used > room { break }
            result.append(scalar)
        }
        return String(result) + "…"
    }

    /// A C++, Rust or Swift name without arguments and all but its last qualifier.
    ///
    /// `std::vector<int>::push_back(int const&)` becomes `vector::push_back`: what distinguishes siblings
    /// stands at the end of such names, and cutting them at the right would leave only what they share.
    static func compact(_ name: String) -> String {
        let stripped = withoutEffects(withoutGroups(name))
        for separator in ["::", "."] {
            let parts = components(of: stripped, separator: separator)
            if parts.count > 2 { return parts.suffix(2).joined(separator: separator) }
        }
        return stripped
    }

    /// The components of a qualified name; the whole name where it is not one of identifiers only.
    private static func components(of name: String, separator: String) -> [Substring] {
        let parts = name.split(separator: separator, omittingEmptySubsequences: false)
        let isQualified = parts.allSatisfy { part in
            !part.isEmpty && part.utf8.allSatisfy { isIdentifier($0) || $0 == UInt8(ascii: " ") }
        }
        return isQualified ? parts : [name[...]]
    }

    /// The name without what Swift writes after the arguments.
    private static func withoutEffects(_ name: String) -> String {
        var text = name[...]
        for effect in [" async", " throws", " -> "] {
            if let start = text.firstRange(of: effect)?.lowerBound, start > text.startIndex {
                text = text[..<start]
            }
        }
        return String(text)
    }

    /// The name without balanced `(...)` and `<...>` that follow an identifier; the name itself when unbalanced.
    private static func withoutGroups(_ name: String) -> String {
        var result: [UInt8] = []
        var closers: [UInt8] = []
        for byte in name.utf8 {
            if let closer = closers.last {
                if byte == UInt8(ascii: "<") { closers.append(UInt8(ascii: ">")) }
                if byte == UInt8(ascii: "(") { closers.append(UInt8(ascii: ")")) }
                if byte == closer { closers.removeLast() }
                continue
            }
            let opensArguments = byte == UInt8(ascii: "(") || byte == UInt8(ascii: "<")
            if opensArguments, let last = result.last, isIdentifier(last), !result.hasSuffix("operator") {
                closers.append(byte == UInt8(ascii: "(") ? UInt8(ascii: ")") : UInt8(ascii: ">"))
                continue
            }
            result.append(byte)
        }
        if !closers.isEmpty || result.isEmpty { return name }
        let text = String(decoding: result, as: UTF8.self)
        return text.hasSuffix(" const") ? String(text.dropLast(6)) : text
    }

    private static func isIdentifier(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x5F, 0x7E, 0x80...0xFF: true
        default: false
        }
    }

    /// A share for a person: `12.3 %`, and two decimals below a tenth of a percent.
    static func percent(_ share: Double) -> String {
        let percent = share * 100
        return "\(percent.fixed(percent > 0 && percent < 0.1 ? 2 : 1)) %"
    }

    /// A whole number with a comma before every three digits.
    static func grouped(_ number: Int64) -> String {
        var digits = Array(String(number.magnitude))
        var index = digits.count - 3
        while index > 0 {
            digits.insert(",", at: index)
            index -= 3
        }
        return (number < 0 ? "-" : "") + String(digits)
    }
}

extension [UInt8] {
    fileprivate func hasSuffix(_ text: StaticString) -> Bool {
        suffix(text.utf8CodeUnitCount).elementsEqual("\(text)".utf8)
    }
}
