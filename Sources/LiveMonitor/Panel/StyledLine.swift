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
