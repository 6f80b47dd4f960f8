internal import Measurement

/// Text as a field of comma-separated values (RFC 4180).
enum CSVText {
    /// A text in quotes where it needs them. What a spreadsheet would take for a formula begins with a quote of its own.
    static func field(_ text: String) -> String {
        var text = PlainText.sanitized(text, maximumCharacters: 1024)
        if let first = text.first, "=+-@".contains(first) { text = "'" + text }
        guard text.contains(where: { $0 == "," || $0 == "\"" }) else { return text }
        return "\"" + text.replacing("\"", with: "\"\"") + "\""
    }
}
