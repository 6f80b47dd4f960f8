internal import Measurement

/// Names out of files made safe to show.
enum DisplayText {
    /// Longer names are cut: they are hard to read, and a hostile one must not fill a report.
    static let limit = 512

    /// The text sanitised and cut. Plain ASCII, which nearly all names are, needs no look at its characters.
    static func safe(_ text: String, limit: Int = limit) -> String {
        let bytes = text.utf8
        guard bytes.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) else {
            return PlainText.sanitized(text, maximumCharacters: limit)
        }
        return bytes.count <= limit ? text : String(decoding: bytes.prefix(limit), as: UTF8.self) + "…"
    }
}
