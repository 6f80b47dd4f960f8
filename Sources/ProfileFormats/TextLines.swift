internal import StackProfile

/// The lines of a text, one after the other, without their ends.
struct TextLines {
    private let buffer: UnsafeRawBufferPointer
    private(set) var position: Int
    /// The number of the line that was given last, from 1.
    private(set) var number = 0

    init(_ buffer: UnsafeRawBufferPointer, at position: Int = 0) {
        self.buffer = buffer
        self.position = position
    }

    mutating func next() -> Range<Int>? {
        guard position < buffer.count else { return nil }
        let start = position
        var end = buffer.nextLineFeed(from: start)
        position = end + 1
        number += 1
        if end > start, buffer[end - 1] == 0x0D { end -= 1 }
        return start..<end
    }
}

extension UnsafeRawBufferPointer {
    /// The text at a place; invalid UTF-8 becomes `U+FFFD`.
    func text(_ place: Range<Int>) -> String {
        let cut = place.lowerBound..<Swift.min(place.upperBound, place.lowerBound + FormatLimits.nameBytes)
        return String(decoding: UnsafeRawBufferPointer(rebasing: self[cut]), as: UTF8.self)
    }

    func starts(_ place: Range<Int>, with text: StaticString) -> Bool {
        text.withUTF8Buffer { prefix in
            place.count >= prefix.count
                && self[place.lowerBound..<place.lowerBound + prefix.count].elementsEqual(prefix)
        }
    }

    /// The place without blanks at its ends.
    func trimmed(_ place: Range<Int>) -> Range<Int> {
        var (lower, upper) = (place.lowerBound, place.upperBound)
        while lower < upper, self[lower].isBlank { lower += 1 }
        while lower < upper, self[upper - 1].isBlank { upper -= 1 }
        return lower..<upper
    }

    /// The words of a place, at most so many.
    func words(_ place: Range<Int>, atMost limit: Int = 64) -> [Range<Int>] {
        var words: [Range<Int>] = []
        var position = place.lowerBound
        while words.count < limit {
            while position < place.upperBound, self[position].isBlank { position += 1 }
            guard position < place.upperBound else { break }
            let start = position
            while position < place.upperBound, !self[position].isBlank { position += 1 }
            words.append(start..<position)
        }
        return words
    }

    /// The whole number at a place, of digits alone; nil where there is none, or one that is too large.
    func wholeNumber(_ place: Range<Int>) -> Int64? {
        guard !place.isEmpty, place.count <= 18 else { return nil }
        var value: Int64 = 0
        for position in place {
            let digit = self[position] &- 0x30
            guard digit < 10 else { return nil }
            value = value * 10 + Int64(digit)
        }
        return value
    }

    /// The hexadecimal number at a place, without `0x`.
    func hexadecimal(_ place: Range<Int>) -> UInt64? {
        guard !place.isEmpty, place.count <= 16 else { return nil }
        var value: UInt64 = 0
        for position in place {
            let digit: UInt8
            switch self[position] {
            case let byte where byte &- 0x30 < 10: digit = byte - 0x30
            case let byte where (byte | 0x20) &- 0x61 < 6: digit = (byte | 0x20) - 0x61 + 10
            default: return nil
            }
            value = value << 4 | UInt64(digit)
        }
        return value
    }

    func firstIndex(of byte: UInt8, in place: Range<Int>) -> Int? { place.first { self[$0] == byte } }
}

extension UInt8 {
    var isBlank: Bool { self == 0x20 || self == 0x09 || self == 0x0D }
    var isDigit: Bool { self &- 0x30 < 10 }
}
