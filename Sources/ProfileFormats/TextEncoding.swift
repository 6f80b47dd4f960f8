internal import StackProfile

/// Text in UTF-8 with plain line ends, whatever it came in.
enum TextEncoding {
    /// The text without a byte-order mark, from UTF-16 if it is that, with lone carriage returns as line feeds; nil where
    /// the bytes are such a text already.
    static func normalized(_ buffer: UnsafeRawBufferPointer) throws(FormatError) -> [UInt8]? {
        if buffer.starts(with: [0xFF, 0xFE, 0, 0]) || buffer.starts(with: [0, 0, 0xFE, 0xFF]) {
            throw FormatError(
                "It is text in UTF-32; write it as UTF-8 first: 'iconv -f UTF-32 -t UTF-8 FILE > NEW'.")
        }
        if let isLittleEndian = utf16(buffer) {
            return withPlainLineEnds(decoded(buffer, isLittleEndian: isLittleEndian))
        }
        let hasMark = buffer.starts(with: [0xEF, 0xBB, 0xBF])
        guard hasMark || hasLoneCarriageReturn(buffer) else { return nil }
        return withPlainLineEnds(Array(buffer.dropFirst(hasMark ? 3 : 0)))
    }

    /// Whether the bytes are UTF-16: by its mark, or by a text's every other byte being 0.
    private static func utf16(_ buffer: UnsafeRawBufferPointer) -> Bool? {
        if buffer.starts(with: [0xFF, 0xFE]) { return true }
        if buffer.starts(with: [0xFE, 0xFF]) { return false }
        let beginning = buffer.prefix(64)
        guard beginning.count >= 4, beginning.count.isMultiple(of: 2) else { return nil }
        let even = stride(from: 0, to: beginning.count, by: 2)
        let odd = stride(from: 1, to: beginning.count, by: 2)
        if odd.allSatisfy({ beginning[$0] == 0 }), even.allSatisfy({ beginning[$0] >= 0x09 }) { return true }
        if even.allSatisfy({ beginning[$0] == 0 }), odd.allSatisfy({ beginning[$0] >= 0x09 }) { return false }
        return nil
    }

    private static func decoded(_ buffer: UnsafeRawBufferPointer, isLittleEndian: Bool) -> [UInt8] {
        var units: [UInt16] = []
        units.reserveCapacity(buffer.count / 2)
        for index in stride(from: 0, to: buffer.count - 1, by: 2) {
            let (first, second) = (UInt16(buffer[index]), UInt16(buffer[index + 1]))
            units.append(isLittleEndian ? second << 8 | first : first << 8 | second)
        }
        if units.first == 0xFEFF { units.removeFirst() }
        return Array(String(decoding: units, as: UTF16.self).utf8)
    }

    private static func hasLoneCarriageReturn(_ buffer: UnsafeRawBufferPointer) -> Bool {
        var start = 0
        while let place = buffer[start...].firstIndex(of: 0x0D) {
            // One before a line feed, or more of them, end a line as people's editors have it.
            var next = place
            while next < buffer.count, buffer[next] == 0x0D { next += 1 }
            if next == buffer.count || buffer[next] == 0x0A {
                start = next
                if start >= buffer.count { return false }
                continue
            }
            return true
        }
        return false
    }

    private static func withPlainLineEnds(_ bytes: [UInt8]) -> [UInt8] {
        guard bytes.contains(0x0D) else { return bytes }
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count)
        for index in bytes.indices {
            if bytes[index] != 0x0D {
                text.append(bytes[index])
            } else if index + 1 == bytes.count || bytes[index + 1] != 0x0A {
                text.append(0x0A)
            }
        }
        return text
    }
}
