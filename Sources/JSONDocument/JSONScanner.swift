/// Reads JSON (RFC 8259) from left to right.
struct JSONScanner {
    let bytes: [UInt8]
    var position = 0
    var refusesRepeatedNames = false
    /// The member of the outermost object whose value is stepped over: it is null, and was not checked.
    var skippedName: String?
    private var refusal: JSONError.Problem?

    static let maximumDepth = 16

    var isAtEnd: Bool { position == bytes.count }
    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// The line of the current position, from 1.
    var line: Int { bytes[..<position].reduce(1) { $1 == UInt8(ascii: "\n") ? $0 + 1 : $0 } }
    /// Why there is no value, after one was asked for in vain.
    var problem: JSONError.Problem { refusal ?? (isAtEnd ? .truncated : .syntax) }

    mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    mutating func value(depth: Int) -> JSONValue? {
        guard depth <= Self.maximumDepth else {
            refusal = .tooDeep(limit: Self.maximumDepth)
            return nil
        }
        skipSpace()
        switch next {
        case UInt8(ascii: "{"): return object(depth: depth)
        case UInt8(ascii: "["): return array(depth: depth)
        case UInt8(ascii: "\""): return string().map { .string($0) }
        case UInt8(ascii: "t"): return accept("true") ? .bool(true) : nil
        case UInt8(ascii: "f"): return accept("false") ? .bool(false) : nil
        case UInt8(ascii: "n"): return accept("null") ? .null : nil
        default: return number()
        }
    }

    private mutating func accept(_ literal: StaticString) -> Bool {
        let text = "\(literal)".utf8
        guard bytes[position...].starts(with: text) else { return false }
        position += text.count
        return true
    }

    private mutating func object(depth: Int) -> JSONValue? {
        position += 1
        var members: [String: JSONValue] = [:]
        skipSpace()
        if accept("}") { return .object(members) }
        while true {
            skipSpace()
            guard next == UInt8(ascii: "\""), let name = string() else { return nil }
            skipSpace()
            guard accept(":"),
                let value = depth == 0 && name == skippedName ? skippedValue() : value(depth: depth + 1)
            else { return nil }
            if members.updateValue(value, forKey: name) != nil && refusesRepeatedNames {
                refusal = .repeatedName(name)
                return nil
            }
            skipSpace()
            if accept("}") { return .object(members) }
            guard accept(",") else { return nil }
        }
    }

    /// Steps over a list or an object by its brackets; any other value is read.
    private mutating func skippedValue() -> JSONValue? {
        skipSpace()
        guard next == UInt8(ascii: "[") || next == UInt8(ascii: "{") else { return value(depth: 1) }
        var open = 0
        while let byte = next {
            position += 1
            switch byte {
            case UInt8(ascii: "["), UInt8(ascii: "{"): open += 1
            case UInt8(ascii: "]"), UInt8(ascii: "}"):
                open -= 1
                if open == 0 { return .null }
            case UInt8(ascii: "\""):
                while let inside = next, inside != UInt8(ascii: "\"") {
                    position += inside == UInt8(ascii: "\\") ? 2 : 1
                }
                position += 1
            default: break
            }
        }
        position = min(position, bytes.count)
        return nil
    }

    private mutating func array(depth: Int) -> JSONValue? {
        position += 1
        var elements: [JSONValue] = []
        skipSpace()
        if accept("]") { return .array(elements) }
        while true {
            guard let element = value(depth: depth + 1) else { return nil }
            elements.append(element)
            skipSpace()
            if accept("]") { return .array(elements) }
            guard accept(",") else { return nil }
        }
    }

    private mutating func number() -> JSONValue? {
        let start = position
        if let value = shortNumber() { return .number(value) }
        position = start
        while let byte = next, "+-.0123456789eE".utf8.contains(byte) { position += 1 }
        guard let value = Double(String(decoding: bytes[start..<position], as: UTF8.self)), value.isFinite
        else {
            return nil
        }
        return .number(value)
    }

    /// A number of at most fifteen digits without an exponent, nil for any other.
    ///
    /// Digits and power of ten are exact as they are, so their quotient is the double nearest to the decimal: what
    /// the general way gives too, in a fraction of its time. Records and profiles have millions of such numbers.
    private mutating func shortNumber() -> Double? {
        let isNegative = next == UInt8(ascii: "-")
        if isNegative { position += 1 }
        var digits: UInt64 = 0
        var count = 0
        var decimals = 0
        var hasPoint = false
        while let byte = next {
            switch byte {
            case 0x30...0x39:
                digits = digits * 10 + UInt64(byte - 0x30)
                count += 1
                if hasPoint { decimals += 1 }
                guard count <= 15 else { return nil }
            case UInt8(ascii: ".") where !hasPoint && count > 0: hasPoint = true
            case UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"), UInt8(ascii: "+"),
                UInt8(ascii: "-"):
                return nil
            default:
                return finished()
            }
        }
        return finished()

        func finished() -> Double? {
            guard count > 0, !hasPoint || decimals > 0 else { return nil }
            let value = Double(digits) / Self.powersOfTen[decimals]
            return isNegative ? -value : value
        }
    }

    private static let powersOfTen: [Double] = [
        1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
    ]

    private mutating func string() -> String? {
        position += 1
        var text: [UInt8] = []
        while let byte = next {
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"):
                guard let scalar = escape() else { return nil }
                text += Array(String(Character(scalar)).utf8)
            case 0..<0x20: return nil
            default: text.append(byte)
            }
        }
        return nil
    }

    private mutating func escape() -> Unicode.Scalar? {
        guard let byte = next else { return nil }
        position += 1
        switch byte {
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
        case UInt8(ascii: "u"): return unicodeEscape()
        default: return nil
        }
    }

    private mutating func unicodeEscape() -> Unicode.Scalar? {
        guard let first = hexadecimalQuad() else { return nil }
        guard (0xD800..<0xDC00).contains(first) else { return Unicode.Scalar(first) ?? loneSurrogate }
        // A high surrogate is the first half of a pair.
        let afterFirst = position
        guard accept("\\u"), let second = hexadecimalQuad(), (0xDC00..<0xE000).contains(second) else {
            position = afterFirst
            return loneSurrogate
        }
        return Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
    }

    /// What Python writes for a byte of a file name that is not UTF-8. Evidence that holds one is refused.
    private var loneSurrogate: Unicode.Scalar? { refusesRepeatedNames ? nil : "\u{FFFD}" }

    private mutating func hexadecimalQuad() -> UInt32? {
        guard position + 4 <= bytes.count else { return nil }
        let digits = String(decoding: bytes[position..<position + 4], as: UTF8.self)
        position += 4
        return digits.utf8.allSatisfy { $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") }
            ? UInt32(digits, radix: 16) : nil
    }
}
