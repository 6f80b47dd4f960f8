/// Arguments, environment, paths and directory entries as text, without loss.
///
/// The kernel takes any bytes but NUL there; a `String` holds Unicode. Bytes that are no UTF-8 stand in the text as the
/// scalars U+10FF80 to U+10FFFF, the low eight bits being the byte, and become that byte again when the text is handed
/// back to the kernel. These scalars lie in a private-use area; where a file name holds one in earnest, its four bytes
/// are escaped in the same way, so that two different names never become one. `PlainText.sanitized` shows them as
/// U+FFFD.
public enum NativeText {
    /// Where the escapes begin: this and a byte.
    static let escapeBase: UInt32 = 0x10FF00

    /// Text for bytes that the kernel gave.
    public static func text(_ bytes: some Sequence<UInt8>) -> String {
        let bytes = Array(bytes)
        if let text = String(validating: bytes, as: UTF8.self), !holdsEscape(bytes) { return text }
        var result = String.UnicodeScalarView()
        var position = 0
        while position < bytes.count {
            let length = sequenceLength(bytes[position])
            let end = min(position + length, bytes.count)
            let piece = bytes[position..<end]
            if let text = String(validating: piece, as: UTF8.self), !holdsEscape(piece) {
                result.append(contentsOf: text.unicodeScalars)
                position = end
            } else if let escape = Unicode.Scalar(escapeBase + UInt32(bytes[position])) {
                result.append(escape)
                position += 1
            }
        }
        return String(result)
    }

    /// Text for a C string that the kernel gave.
    public static func text(cString: UnsafePointer<CChar>) -> String {
        var bytes: [UInt8] = []
        var pointer = cString
        while pointer.pointee != 0 {
            bytes.append(UInt8(bitPattern: pointer.pointee))
            pointer += 1
        }
        return text(bytes)
    }

    /// The bytes for a text, those that were escaped included.
    public static func bytes(_ text: String) -> [UInt8] {
        let encoded = Array(text.utf8)
        guard holdsEscape(encoded) else { return encoded }
        var result: [UInt8] = []
        for scalar in text.unicodeScalars {
            if scalar.value >= escapeBase + 0x80 {
                result.append(UInt8(truncatingIfNeeded: scalar.value))
            } else {
                result += Array(String(scalar).utf8)
            }
        }
        return result
    }

    /// Whether one of the scalars U+10FF80 to U+10FFFF, in UTF-8 F4 8F BE 80 and up, may be among the bytes.
    private static func holdsEscape(_ bytes: some Collection<UInt8>) -> Bool {
        var beginning = (UInt8(0), UInt8(0))
        for byte in bytes {
            if beginning == (0xF4, 0x8F) && byte >= 0xBE { return true }
            beginning = (beginning.1, byte)
        }
        return false
    }

    private static func sequenceLength(_ first: UInt8) -> Int {
        switch first {
        case 0xC0...0xDF: 2
        case 0xE0...0xEF: 3
        case 0xF0...0xF7: 4
        default: 1
        }
    }
}

extension String {
    /// Calls a function with the bytes that this text stands for, ended by NUL; see ``NativeText``.
    public func withNativeCString<Result>(_ body: (UnsafePointer<CChar>) -> Result) -> Result {
        let bytes = NativeText.bytes(self).map { CChar(bitPattern: $0) } + [0]
        return bytes.withUnsafeBufferPointer { buffer in
            // An array with a NUL has a first element.
            guard let base = buffer.baseAddress else {
                preconditionFailure("an array with an element has an address")
            }
            return body(base)
        }
    }
}
