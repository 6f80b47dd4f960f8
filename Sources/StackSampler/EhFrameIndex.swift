/// A sorted table of call-frame information built from `.eh_frame` itself, for files that bring none or one in an
/// encoding that libunwind cannot search (L22).
///
/// Pure; every length in the section is untrusted and checked.
struct EhFrameIndex: Equatable {
    /// Pairs of signed 32-bit offsets from the section's address: function, and its entry; sorted by function.
    var table: [Int32]

    /// Reads a section that the image has at an address.
    init(_ section: UnsafeRawBufferPointer, address: UInt64) {
        var pairs: [(function: Int32, entry: Int32)] = []
        var encodings: [Int: UInt8?] = [:]
        var reader = Reader(bytes: section)
        while let entry = reader.nextEntry() {
            guard entry.cieDistance != 0 else { continue }
            let cie = entry.identifierOffset - entry.cieDistance
            if encodings[cie] == nil { encodings[cie] = .some(Self.pointerEncoding(ofCIE: cie, in: section)) }
            guard let encoding = encodings[cie] ?? nil,
                let function = Self.offsetOfFunction(
                    at: entry.identifierOffset + 4, encoding: encoding, in: section, address: address)
            else { continue }
            pairs.append((function, Int32(truncatingIfNeeded: entry.offset)))
        }
        pairs.sort { $0.function < $1.function }
        table = pairs.flatMap { [$0.function, $0.entry] }
    }

    private struct Entry {
        /// Of its length field, of its identifier field, both from the section's start.
        var offset: Int
        var identifierOffset: Int
        /// How far before the identifier its CIE begins; 0 for a CIE.
        var cieDistance: Int
    }

    private struct Reader {
        let bytes: UnsafeRawBufferPointer
        var offset = 0

        mutating func nextEntry() -> Entry? {
            guard bytes.count < Int(Int32.max), offset + 4 <= bytes.count else { return nil }
            let start = offset
            var length = UInt64(bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
            var content = offset + 4
            if length == 0xFFFF_FFFF {
                guard offset + 12 <= bytes.count else { return nil }
                length = bytes.loadUnaligned(fromByteOffset: offset + 4, as: UInt64.self)
                content = offset + 12
            }
            // A length of zero ends the section.
            guard length >= 4, length <= UInt64(bytes.count - content) else { return nil }
            offset = content + Int(length)
            let distance = Int(bytes.loadUnaligned(fromByteOffset: content, as: UInt32.self))
            return Entry(offset: start, identifierOffset: content, cieDistance: distance)
        }
    }

    /// How the entries of a CIE write addresses: the argument of 'R' in its augmentation.
    private static func pointerEncoding(ofCIE lengthOffset: Int, in bytes: UnsafeRawBufferPointer) -> UInt8? {
        guard lengthOffset >= 0, lengthOffset + 9 < bytes.count else { return nil }
        var at = lengthOffset + 8
        let version = bytes[at]
        at += 1
        var augmentation: [UInt8] = []
        while at < bytes.count, bytes[at] != 0, augmentation.count < 16 {
            augmentation.append(bytes[at])
            at += 1
        }
        at += 1
        guard augmentation.first == UInt8(ascii: "z") else { return augmentation.isEmpty ? 0 : nil }
        // Code and data alignment, then the return address's register: a byte in version 1.
        skipVariableLength(&at, bytes)
        skipVariableLength(&at, bytes)
        if version == 1 { at += 1 } else { skipVariableLength(&at, bytes) }
        skipVariableLength(&at, bytes)
        for letter in augmentation.dropFirst() {
            guard at < bytes.count else { return nil }
            switch letter {
            case UInt8(ascii: "R"): return bytes[at]
            case UInt8(ascii: "P"):
                guard let size = EhFrameHeader.size(ofEncoding: bytes[at]) else { return nil }
                at += 1 + size
            case UInt8(ascii: "L"): at += 1
            case UInt8(ascii: "S"), UInt8(ascii: "B"): continue
            default: return nil
            }
        }
        return 0
    }

    private static func skipVariableLength(_ at: inout Int, _ bytes: UnsafeRawBufferPointer) {
        while at < bytes.count, bytes[at] & 0x80 != 0 { at += 1 }
        at += 1
    }

    private static func offsetOfFunction(
        at offset: Int, encoding: UInt8, in bytes: UnsafeRawBufferPointer, address: UInt64
    ) -> Int32? {
        guard let size = EhFrameHeader.size(ofEncoding: encoding), size >= 4, offset + size <= bytes.count
        else { return nil }
        var value: UInt64
        switch encoding & 0x0F {
        case 0x03: value = UInt64(bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
        case 0x0B:
            value = UInt64(
                bitPattern: Int64(bytes.loadUnaligned(fromByteOffset: offset, as: Int32.self)))
        default: value = bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
        }
        switch encoding & 0x70 {
        case 0x00: break
        case 0x10: value &+= address &+ UInt64(offset)
        default: return nil
        }
        return Int32(exactly: Int64(bitPattern: value &- address))
    }
}
