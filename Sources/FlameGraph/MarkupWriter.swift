internal import Measurement

/// Writes XML into bytes.
struct MarkupWriter {
    private(set) var bytes: [UInt8] = []

    /// Markup of ours, as it is.
    mutating func raw(_ markup: String) {
        bytes.append(contentsOf: markup.utf8)
    }

    mutating func raw(_ markup: [UInt8]) {
        bytes.append(contentsOf: markup)
    }

    /// Text for an element or a quoted attribute. Everything that could end either is escaped, and what XML 1.0
    /// cannot hold is replaced by `U+FFFD`.
    mutating func text(_ text: String) {
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": raw("&amp;")
            case "<": raw("&lt;")
            case ">": raw("&gt;")
            case "\"": raw("&quot;")
            case "'": raw("&#39;")
            // An attribute's line ends would be read as spaces.
            case "\n": raw("&#10;")
            case _ where !Self.isAllowed(scalar.value): raw("\u{FFFD}")
            default: UTF8.encode(scalar).map { bytes.append(contentsOf: $0) }
            }
        }
    }

    /// A coordinate with at most two decimals and no trailing zeros.
    mutating func number(_ value: Double) {
        var text = Substring(value.fixed(2))
        while text.last == "0" { text = text.dropLast() }
        if text.last == "." { text = text.dropLast() }
        raw(String(text))
    }

    private static func isAllowed(_ value: UInt32) -> Bool {
        switch value {
        case 0...0x1F, 0x7F...0x9F, 0xFFFE...0xFFFF: false
        default: true
        }
    }
}

/// A name from outside on one line: controls and direction overrides replaced, cut to a length.
func displayName(_ name: String, maximumCharacters: Int = 400) -> String {
    // Ten kilobytes of name are looked at only as far as they can be shown.
    let beginning = name.utf8.count > 4096 ? String(decoding: name.utf8.prefix(4096), as: UTF8.self) : name
    return PlainText.sanitized(beginning, maximumCharacters: maximumCharacters)
}
