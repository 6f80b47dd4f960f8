internal import Measurement

/// Writes JSON piece by piece, so that a profile of millions of samples needs no tree of values first.
package struct JSONWriter {
    package private(set) var bytes: [UInt8] = []
    /// Whether the next value follows another one.
    private var needsComma = false

    package init() {}

    package mutating func object(_ fill: (inout JSONWriter) -> Void) { enclose("{", "}", fill) }
    package mutating func array(_ fill: (inout JSONWriter) -> Void) { enclose("[", "]", fill) }

    package mutating func string(_ text: String) {
        separate()
        append(text)
        needsComma = true
    }

    package mutating func number(_ value: Int64) {
        separate()
        bytes += Array(String(value).utf8)
        needsComma = true
    }

    /// A value that is JSON already: a number with a fraction, `true`, `null`.
    package mutating func literal(_ text: String) {
        separate()
        bytes += Array(text.utf8)
        needsComma = true
    }

    /// The key of the value that is written next.
    package mutating func key(_ name: String) {
        string(name)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    package mutating func field(_ name: String, _ text: String) {
        key(name)
        string(text)
    }

    package mutating func field(_ name: String, _ value: Int64) {
        key(name)
        number(value)
    }

    private mutating func enclose(
        _ open: Unicode.Scalar, _ close: Unicode.Scalar, _ fill: (inout Self) -> Void
    ) {
        separate()
        bytes.append(UInt8(ascii: open))
        needsComma = false
        fill(&self)
        bytes.append(UInt8(ascii: close))
        needsComma = true
    }

    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
    }

    private mutating func append(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x22, 0x5C: bytes += [UInt8(ascii: "\\"), UInt8(scalar.value)]
            // Legal as they are, but scripts that are given the text as source stumble over the separators.
            case 0...0x1F, 0x7F...0x9F, 0x2028, 0x2029:
                let digits = String(scalar.value, radix: 16)
                bytes += Array(("\\u" + String(repeating: "0", count: 4 - digits.count) + digits).utf8)
            default: bytes += Array(String(scalar).utf8)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}
