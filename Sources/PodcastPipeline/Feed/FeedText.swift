internal import Compression
internal import LinuxSystem
internal import Measurement

/// A feed's bytes as UTF-8 text, whatever encoding they came in.
///
/// What the bytes are is decided in this order: a byte order mark; the pattern of UTF-16; the charset of Content-Type and
/// the XML declaration, the first under which no byte is lost; UTF-8; windows-1252. ISO-8859-1 and ASCII mean
/// windows-1252, as in browsers (https://encoding.spec.whatwg.org/#names-and-labels).
struct FeedText: Equatable {
    /// UTF-8 without a byte order mark.
    var bytes: [UInt8]
    /// What was lost or guessed, a sentence each.
    var notes: [String]

    /// A feed longer than this, inflated, is refused.
    static let maximumBytes = 32 << 20

    /// The text of a body, unpacked first when it is a gzip file.
    static func decode(_ body: [UInt8], contentType: String?) throws(FeedError) -> FeedText {
        let plain = try unpacked(body)
        if let marked = byMark(plain) { return marked }
        let declared = [contentType.flatMap(charset), declaration(plain)].compactMap { $0 }.filter {
            !isWide($0)
        }
        var best: FeedText?
        for name in declared {
            guard let decoded = decode(plain, as: name) else { continue }
            if decoded.notes.isEmpty { return decoded }
            best = best ?? decoded
        }
        if let text = valid(plain) { return text }
        if let best { return best }
        var notes = declared.map {
            "The encoding '\(PlainText.sanitized($0, maximumCharacters: 40))' is not known."
        }
        notes.append("The feed does not say its encoding and is not UTF-8; it was read as windows-1252.")
        let text = TextEncoding(named: "CP1252")?.utf8(plain, limit: maximumBytes).text
        return FeedText(bytes: text ?? replaced(plain).0, notes: notes)
    }

    private static func unpacked(_ body: [UInt8]) throws(FeedError) -> [UInt8] {
        guard Gzip.isGzip(body) else { return body }
        do throws(Gzip.Failure) {
            return try Gzip.inflated(body, limit: maximumBytes)
        } catch {
            switch error {
            case .damaged: throw .damagedGzip
            case .tooLong: throw .tooLong(limit: ByteCount(bytes: Int64(maximumBytes)))
            }
        }
    }

    private static func byMark(_ bytes: [UInt8]) -> FeedText? {
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) {
            let rest = Array(bytes.dropFirst(3))
            return decode(rest, as: "utf-8")
        }
        if bytes.starts(with: [0xFF, 0xFE]) { return decode(Array(bytes.dropFirst(2)), as: "UTF-16LE") }
        if bytes.starts(with: [0xFE, 0xFF]) { return decode(Array(bytes.dropFirst(2)), as: "UTF-16BE") }
        if bytes.starts(with: [0x3C, 0, 0x3F, 0]) || bytes.starts(with: [0x3C, 0, 0x72, 0]) {
            return decode(bytes, as: "UTF-16LE")
        }
        if bytes.starts(with: [0, 0x3C, 0, 0x3F]) || bytes.starts(with: [0, 0x3C, 0, 0x72]) {
            return decode(bytes, as: "UTF-16BE")
        }
        return nil
    }

    /// Encodings whose bytes cannot begin a document that was found to begin with plain ASCII.
    private static func isWide(_ name: String) -> Bool {
        let name = name.lowercased()
        return name.hasPrefix("utf-16") || name.hasPrefix("utf-32") || name.hasPrefix("ucs")
    }

    /// The text in one encoding, with a note for what is lost; nil where the encoding is not known.
    private static func decode(_ bytes: [UInt8], as name: String) -> FeedText? {
        let label = canonical(name)
        if label == "utf-8" {
            let (text, lost) = replaced(bytes)
            return FeedText(bytes: text, notes: notes(lost: lost, of: "UTF-8"))
        }
        guard let encoding = TextEncoding(named: label) else { return nil }
        let (text, lost) = encoding.utf8(bytes, limit: maximumBytes)
        return FeedText(bytes: text, notes: notes(lost: lost, of: name))
    }

    private static func notes(lost: Int, of name: String) -> [String] {
        guard lost > 0 else { return [] }
        let count = lost == 1 ? "One byte is" : "\(lost) bytes are"
        return [
            "\(count) not \(PlainText.sanitized(name, maximumCharacters: 40)); each was replaced by U+FFFD."
        ]
    }

    private static func valid(_ bytes: [UInt8]) -> FeedText? {
        let (text, lost) = replaced(bytes)
        return lost == 0 ? FeedText(bytes: text, notes: []) : nil
    }

    /// UTF-8 with each malformed sequence replaced, and their number.
    private static func replaced(_ bytes: [UInt8]) -> ([UInt8], Int) {
        if String(validating: bytes, as: UTF8.self) != nil { return (bytes, 0) }
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count + 16)
        var lost = 0
        var input = bytes.makeIterator()
        var decoder = UTF8()
        while true {
            switch decoder.decode(&input) {
            case .scalarValue(let scalar): text += UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter
            case .emptyInput: return (text, lost)
            case .error:
                lost += 1
                text += UTF8.encodedReplacementCharacter
            }
        }
    }

    /// The name that the C library has for an encoding, by what feeds call it.
    private static func canonical(_ name: String) -> String {
        let name = name.lowercased()
        return aliases[name] ?? name
    }

    private static let aliases = [
        "utf8": "utf-8", "iso-8859-1": "CP1252", "iso8859-1": "CP1252", "latin1": "CP1252",
        "latin-1": "CP1252",
        "us-ascii": "CP1252", "ascii": "CP1252", "windows-1252": "CP1252", "cp1252": "CP1252",
        "iso-8859-9": "CP1254",
        "shift_jis": "CP932", "shift-jis": "CP932", "sjis": "CP932", "x-sjis": "CP932",
        "windows-31j": "CP932",
        "gb2312": "GB18030", "gbk": "GB18030", "ks_c_5601-1987": "CP949", "euc-kr": "CP949",
        "big5": "BIG5-HKSCS",
    ]

    /// The charset parameter of a media type.
    private static func charset(_ contentType: String) -> String? {
        for part in contentType.split(separator: ";").dropFirst() {
            let pair = part.split(separator: "=", maxSplits: 1).map { String($0).trimmed }
            guard pair.count == 2, pair[0].lowercased() == "charset" else { continue }
            let value = pair[1].filter { $0 != "\"" && $0 != "'" }.trimmed
            return value.isEmpty ? nil : value
        }
        return nil
    }

    /// The encoding in the XML declaration, in which all is ASCII.
    private static func declaration(_ bytes: [UInt8]) -> String? {
        let head = String(decoding: bytes.prefix(512), as: UTF8.self)
        guard let start = head.firstRange(of: "<?xml"),
            let end = head[start.upperBound...].firstRange(of: "?>"),
            let key = head[start.upperBound..<end.lowerBound].firstRange(of: "encoding")
        else { return nil }
        let rest = head[key.upperBound..<end.lowerBound].drop { $0.isWhitespace || $0 == "=" }
        guard let quote = rest.first, quote == "\"" || quote == "'" else { return nil }
        let value = String(rest.dropFirst().prefix { $0 != quote }).trimmed
        return value.isEmpty ? nil : value
    }
}
