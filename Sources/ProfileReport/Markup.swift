internal import Measurement

/// Builds HTML. What is not said to be markup of ours is escaped.
struct HTMLWriter {
    private(set) var text = ""

    /// Markup of ours, as it is.
    mutating func raw(_ markup: String) { text += markup }

    /// Text from anywhere.
    mutating func plain(_ content: String) { text += HTMLText.escaped(content) }

    /// An element with text in it.
    mutating func element(_ name: String, _ attributes: String = "", _ content: String) {
        open(name, attributes)
        plain(content)
        raw("</\(name)>")
    }

    /// An element with more in it.
    mutating func element(_ name: String, _ attributes: String = "", _ fill: (inout HTMLWriter) -> Void) {
        open(name, attributes)
        fill(&self)
        raw("</\(name)>\n")
    }

    private mutating func open(_ name: String, _ attributes: String) {
        raw(attributes.isEmpty ? "<\(name)>" : "<\(name) \(attributes)>")
    }
}

/// Text made safe to stand in HTML.
enum HTMLText {
    private static let entities = [
        ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&"),
    ]

    /// Text that ``escaped(_:maximumCharacters:)`` has made safe, as it was.
    static func unescaped(_ text: String) -> String {
        entities.reduce(text) { $0.replacing($1.0, with: $1.1) }
    }

    /// The text for an element or a quoted attribute, controls replaced.
    static func escaped(_ text: String, maximumCharacters: Int = 2000) -> String {
        var result = ""
        for scalar in PlainText.sanitized(text, maximumCharacters: maximumCharacters).unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
