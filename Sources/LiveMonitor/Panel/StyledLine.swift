internal import Measurement

/// A line of the panel before it meets a terminal: pieces of text, each with a look.
struct StyledLine: Equatable {
    /// A look, by what it means.
    enum Look: Equatable {
        case plain, title, label, emphasis, gauge, good, warning
    }

    struct Span: Equatable {
        var text: String
        var look: Look
    }

    private(set) var spans: [Span] = []

    init() {}

    init(_ text: String, _ look: Look = .plain) {
        append(text, look)
    }

    mutating func append(_ text: String, _ look: Look = .plain) {
        spans.append(Span(text: text, look: look))
    }

    /// The line's width in cells.
    var cells: Int { spans.reduce(0) { $0 + CellWidth.of($1.text) } }

    /// The text cut to a width in cells, with the codes that a style allows, all of them undone at the end.
    func rendered(cells limit: Int, style: PanelStyle) -> String {
        var left = limit
        var result = ""
        for span in spans where left > 0 {
            let text = CellWidth.cut(span.text, to: left)
            left -= CellWidth.of(text)
            let codes = style.codes(for: span.look)
            result += codes.isEmpty ? text : "\u{1B}[\(codes)m\(text)\u{1B}[0m"
        }
        return result
    }
}

/// What the terminal can show and the user wants to see.
struct PanelStyle: Equatable {
    /// False under NO_COLOR; bold and dim stay.
    var usesColor: Bool
    /// Whether glyphs beyond ASCII may be used, as the locale says.
    var usesUTF8: Bool
    /// False for text without any escape code.
    var usesCodes = true

    /// The SGR parameters of a look.
    func codes(for look: StyledLine.Look) -> String {
        guard usesCodes else { return "" }
        return switch look {
        case .plain: ""
        case .title: "1"
        case .label: "2"
        case .emphasis: usesColor ? "1;36" : "1"
        case .gauge: usesColor ? "36" : ""
        case .good: usesColor ? "32" : ""
        case .warning: usesColor ? "1;33" : "1"
        }
    }

    /// The style that the environment asks for.
    static func fromEnvironment(_ variable: (String) -> String?) -> PanelStyle {
        let noColor = variable("NO_COLOR").map { !$0.isEmpty } ?? false
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].compactMap { variable($0) }.first { !$0.isEmpty }
        let encoding = (locale ?? "").uppercased()
        return PanelStyle(
            usesColor: !noColor, usesUTF8: encoding.contains("UTF-8") || encoding.contains("UTF8"))
    }
}

/// How many cells of a terminal text takes.
enum CellWidth {
    /// The width of a text in cells.
    static func of(_ text: String) -> Int {
        isPlain(text) ? text.utf8.count : text.unicodeScalars.reduce(0) { $0 + of($1) }
    }

    /// Whether a text is ASCII without control characters, as most is.
    private static func isPlain(_ text: String) -> Bool {
        text.utf8.allSatisfy { (0x20..<0x7F).contains($0) }
    }

    /// The longest beginning of a text that fits into some cells.
    static func cut(_ text: String, to limit: Int) -> String {
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
    static func fitted(_ text: String, to cells: Int) -> String {
        let cut = cut(text, to: cells)
        return cut + String(repeating: " ", count: max(0, cells - of(cut)))
    }

    /// The width of one scalar in cells.
    static func of(_ scalar: Unicode.Scalar) -> Int {
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
