/// Text from outside made safe to show: on a terminal, in a log line, in a table.
public enum PlainText {
    /// The text with every control character replaced by `U+FFFD` and cut to a length in characters.
    ///
    /// Replaced are the C0 and C1 controls, delete, the line and paragraph separators, and the
    /// bidirectional overrides, which could reorder what stands around them.
    public static func sanitized(_ text: some StringProtocol, maximumCharacters: Int = 1024) -> String {
        var result = String.UnicodeScalarView()
        var isCut = false
        for (index, character) in text.enumerated() {
            if index >= maximumCharacters {
                isCut = true
                break
            }
            // A character may carry any number of combining marks: bound those as well.
            for scalar in character.unicodeScalars.prefix(8) {
                result.append(isHarmless(scalar) ? scalar : "\u{FFFD}")
            }
        }
        return isCut ? String(result) + "…" : String(result)
    }

    private static func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x00...0x1F, 0x7F...0x9F: false
        case 0x2028, 0x2029: false
        case 0x202A...0x202E, 0x2066...0x2069, 0x200E, 0x200F, 0x061C: false
        // What stands for bytes that are no UTF-8 (NativeText).
        case 0x10FF80...0x10FFFF: false
        default: true
        }
    }
}
