/// Text from outside made safe to show: on a terminal, in a log line, in a table.
public enum PlainText {
    /// The text with every control character replaced by `U+FFFD` and cut to a length in characters.
    ///
    /// Replaced are the C0 and C1 controls, delete, the line and paragraph separators, and the
    /// bidirectional overrides, which could reorder what stands around them. What is there but takes no room, such as
    /// a zero-width space or a tag character, is shown as its number, `⟨200B⟩`: two names that look alike are not alike.
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
                if isInvisible(scalar, after: result.last) {
                    result.append(
                        contentsOf: "⟨\(String(scalar.value, radix: 16, uppercase: true))⟩".unicodeScalars)
                } else {
                    result.append(isHarmless(scalar) ? scalar : "\u{FFFD}")
                }
            }
        }
        return isCut ? String(result) + "…" : String(result)
    }

    /// Whether a scalar takes no room. Joiners and variation selectors do their work in emoji and in many scripts: they
    /// stay behind anything but ASCII.
    private static func isInvisible(_ scalar: Unicode.Scalar, after previous: Unicode.Scalar?) -> Bool {
        switch scalar.value {
        case 0x200C, 0x200D, 0xFE00...0xFE0F, 0xE0100...0xE01EF: previous?.isASCII ?? true
        case 0xAD, 0x34F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180B...0x180F, 0x200B, 0x2060...0x2065,
            0x206A...0x206F,
            0x3164, 0xFEFF, 0xFFA0, 0xFFF9...0xFFFB, 0x1D173...0x1D17A, 0xE0000...0xE00FF:
            true
        default: false
        }
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
