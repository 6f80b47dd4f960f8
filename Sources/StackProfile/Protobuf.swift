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

/// Reads the protobuf wire format from left to right, in a part of a buffer that has to outlive the reader.
///
/// What it gives are places in the buffer, so that nothing is copied or counted for each of a million samples.
struct ProtobufReader {
    /// The bytes end early, or a length or a type is not possible.
    struct Malformed: Error {}

    /// The value of a field.
    enum Value {
        case number(UInt64)
        /// The place of a string, a message or packed numbers in the buffer.
        case content(Range<Int>)

        func number() throws(Malformed) -> UInt64 {
            guard case .number(let value) = self else { throw Malformed() }
            return value
        }

        func content() throws(Malformed) -> Range<Int> {
            guard case .content(let place) = self else { throw Malformed() }
            return place
        }
    }

    private let buffer: UnsafeRawBufferPointer
    private let end: Int
    /// Where the next field begins.
    private(set) var position: Int

    /// A reader of a part of a buffer.
    init(_ buffer: UnsafeRawBufferPointer, _ place: Range<Int>) {
        precondition(
            place.lowerBound >= 0 && place.upperBound <= buffer.count, "a place outside of the buffer")
        self.buffer = buffer
        position = place.lowerBound
        end = place.upperBound
    }

    var isAtEnd: Bool { position == end }

    /// The next field; nil at the end.
    @inline(__always)
    mutating func next() throws(Malformed) -> (field: UInt64, value: Value)? {
        guard position < end else { return nil }
        let key = try varint()
        switch key & 7 {
        case 0: return (key >> 3, .number(try varint()))
        case 1: return (key >> 3, .content(try take(8)))
        case 2: return (key >> 3, .content(try take(try varint())))
        case 5: return (key >> 3, .content(try take(4)))
        default: throw Malformed()
        }
    }

    /// Calls back with each number of a repeated field, packed or not.
    @inline(__always)
    func forEachNumber(_ value: Value, _ body: (UInt64) -> Void) throws(Malformed) {
        switch value {
        case .number(let number): body(number)
        case .content(let place):
            var packed = ProtobufReader(buffer, place)
            while !packed.isAtEnd { body(try packed.varint()) }
        }
    }

    @inline(__always)
    private mutating func take(_ count: UInt64) throws(Malformed) -> Range<Int> {
        guard count <= UInt64(end - position) else { throw Malformed() }
        let start = position
        position += Int(count)
        return start..<position
    }

    @inline(__always)
    private mutating func varint() throws(Malformed) -> UInt64 {
        guard position < end else { throw Malformed() }
        let first = buffer[position]
        position += 1
        // Nearly all keys, lengths and label numbers are of one byte.
        return first < 0x80 ? UInt64(first) : try rest(of: first)
    }

    private mutating func rest(of first: UInt8) throws(Malformed) -> UInt64 {
        var value = UInt64(first & 0x7F)
        var shift: UInt64 = 7
        while position < end {
            guard shift < 64 else { throw Malformed() }
            let byte = buffer[position]
            position += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
        throw Malformed()
    }
}
