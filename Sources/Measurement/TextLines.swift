/// Text broken into lines.
public enum TextLines {
    /// A text broken at spaces into lines of at most a width; longer words are cut.
    public static func wrapped(_ text: String, width: Int) -> [String] {
        var lines: [String] = []
        for word in text.split(separator: " ") {
            let word = cut(String(word), to: width)
            if let last = lines.last, CellWidth.of(last) + 1 + CellWidth.of(word) <= width {
                lines[lines.count - 1] = last + " " + word
            } else {
                lines.append(word)
            }
        }
        return lines.isEmpty ? [""] : lines
    }

    /// A wrapped text behind a mark, its other lines indented.
    public static func marked(_ mark: String, _ text: String, width: Int) -> [String] {
        wrapped(text, width: width - 2).enumerated().map { ($0.offset == 0 ? mark + " " : "  ") + $0.element }
    }

    /// A text, cut to a width in cells of a terminal with an ellipsis.
    public static func cut(_ text: String, to width: Int) -> String {
        CellWidth.of(text) <= width ? text : CellWidth.cut(text, to: max(0, width - 1)) + "…"
    }
}
