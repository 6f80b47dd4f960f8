/// How many cells of a terminal text takes.
public enum CellWidth {
    /// The width of a text in cells.
    public static func of(_ text: String) -> Int {
        isPlain(text) ? text.utf8.count : text.unicodeScalars.reduce(0) { $0 + of($1) }
    }

    /// Whether a text is ASCII without control characters, as most is.
    private static func isPlain(_ text: String) -> Bool {
        text.utf8.allSatisfy { (0x20..<0x7F).contains($0) }
    }

    /// The longest beginning of a text that fits into some cells.
    public static func cut(_ text: String, to limit: Int) -> String {
        guard of(text) > limit else { return text }
        if isPlain(text) { return String(text.prefix(limit)) }
        var used = 0
        var result = ""
        for character in text {
            let width = of(String(character))
            if used + width > limit { break }
            result.append(character)
            used += width
        }
        return result
    }

    /// The text cut or filled to exactly a width.
    public static func fitted(_ text: String, to cells: Int) -> String {
        let cut = cut(text, to: cells)
        return cut + String(repeating: " ", count: max(0, cells - of(cut)))
    }

    /// The width of one scalar in cells.
    public static func of(_ scalar: Unicode.Scalar) -> Int {
        switch scalar.value {
        case 0x20..<0x300: 1
        // Combining marks, joiners and variation selectors sit on what is before them.
        case 0x300...0x36F, 0x200B...0x200D, 0xFE00...0xFE0F, 0x20D0...0x20FF: 0
        // East Asian wide and full-width forms, and emoji.
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF,
            0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1FAFF, 0x20000...0x3FFFD:
            2
        default: 1
        }
    }
}
