/// Texts and byte strings of the interpreter, copied with bounds.
struct PythonObjects: Sendable {
    let memory: TargetMemory
    let layout: PythonLayout

    /// The most characters of a text that are read.
    static let characterLimit = 1024
    /// The most bytes of a line table that are read: functions of a hundred thousand lines have less.
    static let byteLimit = 1 << 20

    /// The characters of a `str`, cut at ``characterLimit``; nil where it is none.
    func text(at address: UInt64) -> String? {
        guard address & 7 == 0, let header = memory.bytes(layout.text.otherData, at: address) else {
            return nil
        }
        return header.withUnsafeBytes { header -> String? in
            guard let length = header.value(Int64.self, at: layout.text.length), length >= 0,
                let stored = header.value(UInt32.self, at: layout.text.state)
            else { return nil }
            let state = stored >> layout.text.stateShift
            let (width, isCompact, isASCII) = (Int(state >> 2 & 7), state >> 5 & 1 == 1, state >> 6 & 1 == 1)
            guard isCompact, [1, 2, 4].contains(width), !isASCII || width == 1 else { return nil }
            let characters = Int(min(length, Int64(Self.characterLimit)))
            let start = address &+ UInt64(isASCII ? layout.text.asciiData : layout.text.otherData)
            guard let data = memory.bytes(characters * width, at: start) else { return nil }
            return Self.decode(data, width: width)
        }
    }

    /// The bytes of a `bytes`; nil where it is none, or longer than ``byteLimit``.
    func bytes(at address: UInt64) -> [UInt8]? {
        guard let size = memory.value(Int64.self, at: address &+ UInt64(layout.bytes.size)), size >= 0,
            size <= Self.byteLimit
        else { return nil }
        return memory.bytes(Int(size), at: address &+ UInt64(layout.bytes.data))
    }

    /// Characters of 1 (Latin-1), 2 or 4 bytes each. What is no character becomes U+FFFD.
    static func decode(_ data: [UInt8], width: Int) -> String {
        var scalars = String.UnicodeScalarView()
        var index = 0
        while index + width <= data.count {
            var value: UInt32 = 0
            for byte in 0..<width { value |= UInt32(data[index + byte]) << UInt32(8 * byte) }
            scalars.append(Unicode.Scalar(value) ?? "\u{FFFD}")
            index += width
        }
        return String(scalars)
    }
}
