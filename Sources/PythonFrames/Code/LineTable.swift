/// The table by which a code object gives the lines of its instructions, in the form of its version.
///
/// Pure: it decodes what CPython's `Objects/lnotab_notes.txt` and `Objects/locations.md` describe. The bytes are
/// untrusted; a damaged table gives some line or none, never more than it has bytes of work.
public struct LineTable: Hashable, Sendable {
    private let form: PythonLayout.LineTableForm
    private let bytes: [UInt8]
    private let firstLine: Int

    /// A table of a function that begins in a line.
    public init(_ form: PythonLayout.LineTableForm, _ bytes: [UInt8], firstLine: Int) {
        self.form = form
        self.bytes = bytes
        self.firstLine = firstLine
    }

    /// The line of an instruction by its offset in bytes; nil where the table gives it none.
    public func line(atByteOffset offset: Int) -> Int? {
        switch form {
        case .lnotab: lineByIncrements(offset)
        case .ranges: lineByRanges(offset)
        case .locations: lineByLocations(offset / 2)
        }
    }

    /// Pairs of a distance in bytes and a signed distance in lines (3.8, 3.9).
    private func lineByIncrements(_ offset: Int) -> Int {
        var (address, line, index) = (0, firstLine, 0)
        while index + 1 < bytes.count {
            address += Int(bytes[index])
            if address > offset { break }
            line += Int(Int8(bitPattern: bytes[index + 1]))
            index += 2
        }
        return line
    }

    /// The same for ranges: -128 is a range without a line, which counts for the offsets all the same (3.10).
    private func lineByRanges(_ offset: Int) -> Int? {
        var (end, line, index) = (0, firstLine, 0)
        while index + 1 < bytes.count {
            let start = end
            end += Int(bytes[index])
            let distance = Int(Int8(bitPattern: bytes[index + 1]))
            index += 2
            if distance != -128 { line += distance }
            if start <= offset, offset < end { return distance == -128 ? nil : line }
        }
        return nil
    }

    /// Entries of a kind and a length in instructions, then what the kind needs (3.11 and later).
    private func lineByLocations(_ wanted: Int) -> Int? {
        if wanted < 0 { return firstLine }
        var (unit, line, index) = (0, firstLine, 0)
        while index < bytes.count {
            let first = bytes[index]
            index += 1
            let kind = Int(first >> 3 & 15)
            switch kind {
            case 0...9: index += 1
            case 10...12:
                line += kind - 10
                index += 2
            case 13: line += signed(at: &index)
            case 14:
                line += signed(at: &index)
                for _ in 0..<3 { _ = unsigned(at: &index) }
            default: break
            }
            unit += Int(first & 7) + 1
            if wanted < unit { return kind == 15 ? nil : line }
        }
        return nil
    }

    /// A number of 6 bits a byte, the lowest first; the seventh bit says that more follow.
    private func unsigned(at index: inout Int) -> UInt32 {
        var (value, shift): (UInt32, UInt32) = (0, 0)
        while index < bytes.count {
            let byte = bytes[index]
            index += 1
            if shift < 30 { value |= UInt32(byte & 0x3F) << shift }
            shift += 6
            if byte & 0x40 == 0 { break }
        }
        return value
    }

    /// The same with its sign in the lowest bit.
    private func signed(at index: inout Int) -> Int {
        let value = unsigned(at: &index)
        return value & 1 == 0 ? Int(value >> 1) : -Int(value >> 1)
    }
}
