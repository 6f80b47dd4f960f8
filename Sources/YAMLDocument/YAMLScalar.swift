/// Scalars as text: what a plain one means, and which strings must be quoted to stay strings.
enum YAMLScalar {
    /// The value of a plain scalar by the core schema of YAML 1.2; nil for a whole number that fits no 64 bits.
    static func resolve(_ text: String, _ dialect: YAMLDocument.Dialect = .core) -> YAMLNode? {
        switch text {
        case "", "~", "null", "Null", "NULL": return .null
        case "true", "True", "TRUE": return .bool(true)
        case "false", "False", "FALSE": return .bool(false)
        case ".nan", ".NaN", ".NAN": return .number(.nan)
        case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF": return .number(.infinity)
        case "-.inf", "-.Inf", "-.INF": return .number(-.infinity)
        default: break
        }
        let bytes = Array(text.utf8)
        // No number is longer, and most strings are distinguished from a number by their first character.
        guard let first = bytes.first, isDigit(first) || first == plus || first == minus || first == point
        else {
            return .text(text)
        }
        if let (digits, radix) = wholeNumber(bytes, text) {
            return Int64(digits, radix: radix).map { .integer($0) }
        }
        if dialect == .pyYAML && !bytes.contains(point) { return .text(text) }
        return isDecimal(bytes) ? Double(text).map { .number($0) } ?? .text(text) : .text(text)
    }

    /// How a number is written: the shortest decimal that reads back as the same number, always with a point,
    /// because readers of YAML 1.1 take `1e5` for a string; in plain notation from 1e-9 to 1e16.
    static func text(of number: Double) -> String {
        if number.isNaN { return ".nan" }
        if number.isInfinite { return number < 0 ? "-.inf" : ".inf" }
        let shortest = "\(number)"
        guard let mark = shortest.firstIndex(of: "e") else { return shortest }
        let mantissa = shortest[..<mark]
        let exponent = Int(shortest[shortest.index(after: mark)...]) ?? 0
        if exponent < 0, exponent >= -9 {
            let sign = number < 0 ? "-" : ""
            let digits = mantissa.filter(\.isNumber)
            return sign + "0." + String(repeating: "0", count: -exponent - 1) + digits
        }
        return mantissa + (mantissa.contains(".") ? "" : ".0") + shortest[mark...]
    }

    /// Whether a string written without quotes is a string to every reader, YAML 1.1's too.
    ///
    /// Only strings that begin with a letter, `_` or `/` qualify: no number, date or time of either version does.
    /// What else a plain scalar may not contain, the emitter itself knows.
    static func staysText(_ text: String) -> Bool {
        guard let first = text.unicodeScalars.first else { return false }
        guard isLetter(first) || first == "_" || first == "/" else { return false }
        return !wordsWithMeaning.contains(text.lowercased())
    }

    /// Whether a string has characters that only a double-quoted scalar can carry in one line.
    static func needsEscapes(_ text: String) -> Bool {
        text.unicodeScalars.contains { scalar in
            switch scalar.value {
            case 0...0x1F, 0x7F...0x9F, 0x2028, 0x2029, 0xFEFF, 0xFFFE, 0xFFFF: true
            default: false
            }
        }
    }

    private static let wordsWithMeaning: Set = [
        "null", "true", "false", "yes", "no", "on", "off", "y", "n",
    ]
    private static let plus = UInt8(ascii: "+")
    private static let minus = UInt8(ascii: "-")
    private static let point = UInt8(ascii: ".")

    private static func isLetter(_ scalar: Unicode.Scalar) -> Bool {
        ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    /// The digits and the radix of a whole number; nil for anything else.
    private static func wholeNumber(_ bytes: [UInt8], _ text: String) -> (digits: Substring, radix: Int)? {
        if text.hasPrefix("0x") || text.hasPrefix("0o") {
            let digits = text.dropFirst(2)
            let radix = text.hasPrefix("0x") ? 16 : 8
            let areDigits =
                !digits.isEmpty && digits.allSatisfy { $0.isASCII && ($0.hexDigitValue ?? 99) < radix }
            return areDigits ? (digits, radix) : nil
        }
        let signed = bytes[0] == plus || bytes[0] == minus
        let digits = bytes.dropFirst(signed ? 1 : 0)
        return !digits.isEmpty && digits.allSatisfy(isDigit) ? (text[...], 10) : nil
    }

    /// Whether the bytes are `[-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?`.
    private static func isDecimal(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        func isSign(_ byte: UInt8?) -> Bool { byte == plus || byte == minus }
        if isSign(rest.first) { rest = rest.dropFirst() }
        let whole = rest.prefix(while: isDigit).count
        rest = rest.dropFirst(whole)
        var fraction = 0
        if rest.first == point {
            fraction = rest.dropFirst().prefix(while: isDigit).count
            rest = rest.dropFirst(1 + fraction)
        }
        guard whole + fraction > 0 else { return false }
        guard rest.first == UInt8(ascii: "e") || rest.first == UInt8(ascii: "E") else { return rest.isEmpty }
        rest = rest.dropFirst()
        if isSign(rest.first) { rest = rest.dropFirst() }
        return !rest.isEmpty && rest.allSatisfy(isDigit)
    }
}
