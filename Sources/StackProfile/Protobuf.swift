/// Writes the protobuf wire format.
struct ProtobufWriter {
    private(set) var encoded: [UInt8] = []

    mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            encoded.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        encoded.append(UInt8(rest))
    }

    /// A number; zero is the default and left out.
    mutating func number(_ field: UInt64, _ value: UInt64) {
        guard value != 0 else { return }
        varint(field << 3)
        varint(value)
    }

    /// Numbers in one packed field.
    mutating func numbers(_ field: UInt64, _ values: some Sequence<UInt64>) {
        var packed = ProtobufWriter()
        for value in values { packed.varint(value) }
        if !packed.encoded.isEmpty { bytes(field, packed.encoded) }
    }

    /// A string or a message.
    mutating func bytes(_ field: UInt64, _ content: some Collection<UInt8>) {
        varint(field << 3 | 2)
        varint(UInt64(content.count))
        encoded.append(contentsOf: content)
    }

    mutating func message(_ field: UInt64, _ fill: (inout ProtobufWriter) -> Void) {
        var writer = ProtobufWriter()
        fill(&writer)
        bytes(field, writer.encoded)
    }
}

/// Reads the protobuf wire format from left to right.
struct ProtobufReader {
    /// The bytes end early, or a length or a type is not possible.
    struct Malformed: Error {}

    /// The value of a field.
    enum Value {
        case number(UInt64)
        case content(ArraySlice<UInt8>)

        func number() throws(Malformed) -> UInt64 {
            guard case .number(let value) = self else { throw Malformed() }
            return value
        }

        func content() throws(Malformed) -> ArraySlice<UInt8> {
            guard case .content(let bytes) = self else { throw Malformed() }
            return bytes
        }

        /// Repeated numbers, packed or not.
        func numbers() throws(Malformed) -> [UInt64] {
            switch self {
            case .number(let value): return [value]
            case .content(let bytes):
                var reader = ProtobufReader(bytes)
                var values: [UInt64] = []
                values.reserveCapacity(min(bytes.count, 4096))
                while !reader.rest.isEmpty { values.append(try reader.varint()) }
                return values
            }
        }
    }

    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) {
        rest = bytes
    }

    /// The next field; nil at the end.
    mutating func next() throws(Malformed) -> (field: UInt64, value: Value)? {
        guard !rest.isEmpty else { return nil }
        let key = try varint()
        switch key & 7 {
        case 0: return (key >> 3, .number(try varint()))
        case 1: return (key >> 3, .content(try take(8)))
        case 2: return (key >> 3, .content(try take(try varint())))
        case 5: return (key >> 3, .content(try take(4)))
        default: throw Malformed()
        }
    }

    private mutating func take(_ count: UInt64) throws(Malformed) -> ArraySlice<UInt8> {
        guard count <= UInt64(rest.count) else { throw Malformed() }
        let taken = rest.prefix(Int(count))
        rest = rest.dropFirst(Int(count))
        return taken
    }

    private mutating func varint() throws(Malformed) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while let byte = rest.popFirst() {
            guard shift < 64 else { throw Malformed() }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
        throw Malformed()
    }
}
