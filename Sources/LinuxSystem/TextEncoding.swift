internal import Glibc

/// A character encoding that the C library converts from. The corresponding C functions are `iconv_open` and `iconv`.
public struct TextEncoding: ~Copyable {
    private let descriptor: iconv_t

    /// The encoding of a name, nil where the C library knows none.
    public init?(named name: String) {
        guard !name.isEmpty, name.utf8.count <= 40, name.utf8.allSatisfy(Self.isNameByte) else { return nil }
        guard let opened = iconv_open("UTF-8", name), Int(bitPattern: opened) != -1 else { return nil }
        descriptor = opened
    }

    deinit {
        iconv_close(descriptor)
    }

    /// The text of some bytes as UTF-8, and the number of bytes that stand for no character: each becomes `U+FFFD`.
    public func utf8(_ bytes: [UInt8], limit: Int) -> (text: [UInt8], lost: Int) {
        var text: [UInt8] = []
        text.reserveCapacity(min(limit, bytes.count + bytes.count / 8))
        var lost = 0
        var input = bytes
        iconv(descriptor, nil, nil, nil, nil)
        input.withUnsafeMutableBytes { raw in
            var next = raw.baseAddress?.assumingMemoryBound(to: CChar.self)
            var left = raw.count
            while left > 0, text.count < limit {
                var code: Int32 = 0
                text += [UInt8](unsafeUninitializedCapacity: 1 << 16) { buffer, count in
                    var output = UnsafeMutableRawPointer(buffer.baseAddress)?.assumingMemoryBound(
                        to: CChar.self)
                    var room = buffer.count
                    let result = iconv(descriptor, &next, &left, &output, &room)
                    code = result == -1 ? errno : 0
                    count = buffer.count - room
                }
                guard code == EILSEQ || code == EINVAL else { continue }
                lost += 1
                text += [0xEF, 0xBF, 0xBD]
                next = next?.advanced(by: 1)
                left -= 1
            }
        }
        return (text, lost)
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "-_.:+".utf8.contains(byte)
        }
    }
}
