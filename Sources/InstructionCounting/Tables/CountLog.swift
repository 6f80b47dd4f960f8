/// What a process wrote at its edges: `log-N` beside its table. Pure.
enum CountLog {
    /// The segments in a log. A last one that is cut off is left out: the process was killed while it wrote.
    static func segments(_ bytes: [UInt8]) -> [CountTable.Segment] {
        var segments: [CountTable.Segment] = []
        var position = 0
        while position + 4 <= bytes.count {
            let length = (0..<4).reduce(0) { $0 | Int(bytes[position + $1]) << (8 * $1) }
            let end = position + 4 + length
            guard end <= bytes.count else { break }
            var reader = NumberReader(bytes: bytes[(position + 4)..<end])
            if let segment = reader.segment() { segments.append(segment) }
            position = end
        }
        return segments
    }

    /// Numbers in LEB128, one after the other.
    private struct NumberReader {
        var bytes: ArraySlice<UInt8>

        mutating func next() -> UInt64? {
            var number: UInt64 = 0
            var shift: UInt64 = 0
            while let byte = bytes.popFirst(), shift < 64 {
                number |= UInt64(byte & 127) << shift
                if byte < 128 { return number }
                shift += 7
            }
            return nil
        }

        mutating func pairs() -> [(UInt64, UInt64)]? {
            guard let count = next(), count <= bytes.count else { return nil }
            var pairs: [(UInt64, UInt64)] = []
            pairs.reserveCapacity(Int(count))
            for _ in 0..<count {
                guard let first = next(), let second = next() else { return nil }
                pairs.append((first, second))
            }
            return pairs
        }

        mutating func segment() -> CountTable.Segment? {
            guard let thread = next(), let epoch = next(), let code = next(), let calls = pairs(),
                let blocks = pairs()
            else { return nil }
            var number = 0
            return CountTable.Segment(
                thread: Int32(truncatingIfNeeded: thread), epoch: epoch, code: Int(truncatingIfNeeded: code),
                blocks: blocks.map { difference, count in
                    number &+= Int(truncatingIfNeeded: difference)
                    return (number, count)
                },
                calls: calls.map { (Int(truncatingIfNeeded: $0), $1) })
        }
    }
}
