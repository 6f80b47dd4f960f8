internal import Measurement

/// Makes characters and references of a feed's text such as XML allows, before a parser sees them.
///
/// A stray `&` is kept as itself; named characters of HTML become characters; control characters and references to none go.
/// The XML declaration and a document type without entities of its own are left out, line ends kept, so that lines count as
/// in the feed. What is found wrong is counted by kind. In one pass over the bytes.
struct FeedRepair {
    /// The text that a parser gets.
    private(set) var text: [UInt8] = []
    /// What was mended, a sentence for each kind.
    var notes: [String] {
        Kind.allCases.compactMap { kind in counts[kind].map { kind.note($0.count, firstLine: $0.line) } }
    }

    private enum Kind: CaseIterable {
        case leadingBlank, strayAmpersand, namedCharacter, unknownEntity, control, badReference

        func note(_ count: Int, firstLine line: Int) -> String {
            let place = count == 1 ? "at line \(line)" : "\(count) times, first at line \(line)"
            return switch self {
            case .leadingBlank: "White space stands before the XML declaration; it was left out."
            case .strayAmpersand: "A '&' that begins no reference was taken as it is, \(place)."
            case .namedCharacter:
                "A named character of HTML, which XML does not have, was replaced by itself, \(place)."
            case .unknownEntity:
                "A reference to an entity that is not known was kept as it is written, \(place)."
            case .control: "A control character that XML does not allow was left out, \(place)."
            case .badReference: "A reference to a character that XML does not allow was left out, \(place)."
            }
        }
    }

    private var counts: [Kind: (count: Int, line: Int)] = [:]
    private var line = 1
    private var rest: ArraySlice<UInt8>

    /// Repairs a text. A document type with entities of its own is refused.
    init(_ bytes: [UInt8]) throws(FeedError) {
        rest = bytes[...]
        text.reserveCapacity(bytes.count + 64)
        skipProlog()
        while let byte = rest.first {
            switch byte {
            case UInt8(ascii: "<"): try takeMarkup()
            case UInt8(ascii: "&"): takeReference()
            default: takeCharacters()
            }
        }
    }

    private mutating func count(_ kind: Kind) {
        counts[kind, default: (0, line)].count += 1
    }

    private mutating func skipProlog() {
        let blank = rest.prefix { $0 <= 0x20 }
        if !blank.isEmpty, rest[blank.endIndex...].starts(with: "<?xml".utf8) { count(.leadingBlank) }
        drop(upTo: blank.endIndex)
        if rest.starts(with: "<?xml".utf8), let end = end(of: "?>") { drop(upTo: end) }
    }

    /// Leaves bytes out, but for the line ends among them.
    private mutating func drop(upTo end: Int) {
        for byte in rest[..<end] where byte == 0x0A {
            text.append(byte)
            line += 1
        }
        rest = rest[end...]
    }

    private mutating func keep(upTo end: Int) {
        for byte in rest[..<end] {
            if byte == 0x0A { line += 1 }
            if byte < 0x20, byte != 0x09, byte != 0x0A, byte != 0x0D {
                count(.control)
            } else {
                text.append(byte)
            }
        }
        rest = rest[end...]
    }

    /// Characters up to the next markup or reference. U+FFFE and U+FFFF are no characters.
    private mutating func takeCharacters() {
        keep(upTo: rest.firstIndex { $0 == UInt8(ascii: "<") || $0 == UInt8(ascii: "&") } ?? rest.endIndex)
    }

    private func end(of terminator: String) -> Int? {
        let wanted = Array(terminator.utf8)
        var position = rest.startIndex
        while let first = rest[position...].firstIndex(of: wanted[0]) {
            if rest[first...].starts(with: wanted) { return first + wanted.count }
            position = first + 1
        }
        return nil
    }

    private mutating func takeMarkup() throws(FeedError) {
        // Within these a '&' is a character like any other.
        for (start, terminator) in [("<![CDATA[", "]]>"), ("<!--", "-->"), ("<?", "?>")]
        where rest.starts(with: start.utf8) {
            return keep(upTo: end(of: terminator) ?? rest.endIndex)
        }
        if rest.starts(with: "<!DOCTYPE".utf8) || rest.starts(with: "<!doctype".utf8) {
            let close = rest.firstIndex(of: UInt8(ascii: ">")) ?? rest.endIndex
            if rest[..<close].contains(UInt8(ascii: "[")) { throw .internalDocumentType(line: line) }
            return drop(upTo: min(close + 1, rest.endIndex))
        }
        keep(upTo: rest.startIndex + 1)
    }

    /// A reference, or what looks like the beginning of one.
    private mutating func takeReference() {
        let body = rest.dropFirst().prefix(33).prefix { Self.isReferenceByte($0) }
        guard !body.isEmpty, body.endIndex < rest.endIndex, rest[body.endIndex] == UInt8(ascii: ";") else {
            count(.strayAmpersand)
            text += "&amp;".utf8
            rest = rest.dropFirst()
            return
        }
        let name = String(decoding: body, as: UTF8.self)
        rest = rest[(body.endIndex + 1)...]
        if name.first == "#" {
            guard let scalar = Self.scalar(ofNumber: name.dropFirst()) else { return count(.badReference) }
            append(scalar)
        } else if ["lt", "gt", "amp", "quot", "apos"].contains(name) {
            text += "&\(name);".utf8
        } else if let scalar = NamedCharacters.scalar(name) {
            count(.namedCharacter)
            append(scalar)
        } else {
            count(.unknownEntity)
            text += "&amp;\(name);".utf8
        }
    }

    private mutating func append(_ scalar: Unicode.Scalar) {
        // By number, so that a '<' or a quote made of a reference stays text.
        if scalar.isASCII {
            text += "&#\(scalar.value);".utf8
        } else {
            text += UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter
        }
    }

    private static func isReferenceByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "#"):
            true
        default: false
        }
    }

    /// The character of a number, decimal or after `x` hexadecimal; nil for one that XML 1.0 does not allow.
    private static func scalar(ofNumber digits: Substring) -> Unicode.Scalar? {
        let isHexadecimal = digits.first == "x" || digits.first == "X"
        guard let value = UInt32(isHexadecimal ? digits.dropFirst() : digits, radix: isHexadecimal ? 16 : 10),
            value >= 0x20 || [0x09, 0x0A, 0x0D].contains(value), value & 0xFFFE != 0xFFFE
        else { return nil }
        return Unicode.Scalar(value)
    }
}
