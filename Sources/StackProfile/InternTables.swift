/// Numbers pairs of numbers: the same pair always gets the same number.
///
/// Open addressing with linear probing. The hash is seeded at random, so that no input can be made to
/// collide on purpose; numbers are given in order of first appearance, so results do not depend on the seed.
struct PairTable: Sendable {
    private struct Slot {
        var key: UInt64 = 0
        var value: Int32 = -1
    }

    private var slots = [Slot](repeating: Slot(), count: 64)
    private var occupied = 0
    private let seed = UInt64.random(in: .min ... .max)

    /// The value of a pair; `newValue` becomes it when the pair is new.
    mutating func intern(_ first: Int32, _ second: Int32, newValue: Int32) -> Int32 {
        let key = UInt64(UInt32(bitPattern: first)) << 32 | UInt64(UInt32(bitPattern: second))
        let mask = slots.count - 1
        var index = slotIndex(of: key, mask: mask)
        while slots[index].value >= 0 {
            if slots[index].key == key { return slots[index].value }
            index = (index + 1) & mask
        }
        slots[index] = Slot(key: key, value: newValue)
        occupied += 1
        if occupied * 2 > slots.count { grow() }
        return newValue
    }

    private func slotIndex(of key: UInt64, mask: Int) -> Int {
        let product = (key ^ seed).multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15)
        return Int(truncatingIfNeeded: product.high ^ product.low) & mask
    }

    private mutating func grow() {
        let old = slots
        slots = [Slot](repeating: Slot(), count: old.count * 2)
        let mask = slots.count - 1
        for slot in old where slot.value >= 0 {
            var index = slotIndex(of: slot.key, mask: mask)
            while slots[index].value >= 0 { index = (index + 1) & mask }
            slots[index] = slot
        }
    }
}

/// Numbers slices of one buffer by their bytes, with the hashes that a ``SliceHasher`` made of them.
///
/// The first few thousand are copied to one place: compared where they were first met, all over a large file, each would
/// cost a look into the page tables.
package struct SliceTable {
    private struct Slot {
        var hash: UInt64 = 0
        /// In the buffer, or, as its complement, in the copies.
        var start = 0
        var count: Int32 = 0
        var value: Int32 = -1
    }

    private var copies: [UInt8] = []
    private static let copyLimit = 256 << 10

    private var slots = [Slot](repeating: Slot(), count: 256)
    private var occupied = 0
    private let buffer: UnsafeRawBufferPointer

    /// A table of slices of a buffer, which has to outlive the table.
    package init(of buffer: UnsafeRawBufferPointer) {
        self.buffer = buffer
    }

    /// The value of a slice; when its bytes are new, `make` says what becomes it.
    package mutating func intern(_ slice: Range<Int>, hash: UInt64, make: () -> Int32) -> Int32 {
        let mask = slots.count - 1
        var index = Int(truncatingIfNeeded: hash) & mask
        while slots[index].value >= 0 {
            let slot = slots[index]
            if slot.hash == hash, Int(slot.count) == slice.count, holds(slot, slice) { return slot.value }
            index = (index + 1) & mask
        }
        let value = make()
        slots[index] = Slot(hash: hash, start: keep(slice), count: Int32(slice.count), value: value)
        occupied += 1
        if occupied * 2 > slots.count { grow() }
        return value
    }

    private func holds(_ slot: Slot, _ slice: Range<Int>) -> Bool {
        let name = UnsafeRawBufferPointer(rebasing: buffer[slice])
        if slot.start >= 0 { return name.isEqual(to: buffer, at: slot.start) }
        return copies.withUnsafeBytes { name.isEqual(to: $0, at: ~slot.start) }
    }

    private mutating func keep(_ slice: Range<Int>) -> Int {
        guard copies.count + slice.count <= Self.copyLimit else { return slice.lowerBound }
        copies += buffer[slice]
        return ~(copies.count - slice.count)
    }

    private mutating func grow() {
        let old = slots
        slots = [Slot](repeating: Slot(), count: old.count * 2)
        let mask = slots.count - 1
        for slot in old where slot.value >= 0 {
            var index = Int(truncatingIfNeeded: slot.hash) & mask
            while slots[index].value >= 0 { index = (index + 1) & mask }
            slots[index] = slot
        }
    }
}

/// Hashes slices of a buffer eight bytes at a time, and finds on the way where a name ends.
///
/// The seed is random, so that no input can be made to collide on purpose.
package struct SliceHasher {
    package let buffer: UnsafeRawBufferPointer
    /// The byte that ends a name, eight times. Slices whose end is known need none.
    private let ends: UInt64
    private let seed = UInt64.random(in: .min ... .max)

    package init(_ buffer: UnsafeRawBufferPointer, endingAt byte: UInt8 = 0) {
        self.buffer = buffer
        ends = UInt64(byte) &* 0x0101_0101_0101_0101
    }

    /// The end of the name that starts at a position, at most a limit, and its hash.
    @inline(__always)
    func next(from start: Int, to limit: Int) -> (end: Int, hash: UInt64) {
        var hash = seed
        var position = start
        while true {
            let rest = limit - position
            let word = rest >= 8 ? word(at: position) : lastWord(at: position, count: rest)
            let difference = word ^ ends
            // The lowest set high bit marks the first byte that ends a name.
            let marks = (difference &- 0x0101_0101_0101_0101) & ~difference & 0x8080_8080_8080_8080
            if marks == 0, rest > 8 {
                hash = Self.mix(hash ^ word)
                position += 8
                continue
            }
            let count = min(marks == 0 ? 8 : marks.trailingZeroBitCount / 8, rest)
            // What has been hashed by then must not depend on what follows: a name whose last word is full ends here or
            // at the beginning of the next one.
            if count > 0 { hash = Self.mix(hash ^ (count == 8 ? word : word & (1 << UInt64(8 * count) - 1))) }
            return (position + count, Self.mix(hash ^ UInt64(position + count - start)))
        }
    }

    /// The hash of a slice.
    package func hash(_ slice: Range<Int>) -> UInt64 {
        var hash = seed
        var position = slice.lowerBound
        while slice.upperBound - position >= 8 {
            hash = Self.mix(hash ^ word(at: position))
            position += 8
        }
        let rest = slice.upperBound - position
        if rest > 0 {
            hash = Self.mix(hash ^ (lastWord(at: position, count: rest) & (1 << UInt64(8 * rest) - 1)))
        }
        return Self.mix(hash ^ UInt64(slice.count))
    }

    @inline(__always)
    private func word(at position: Int) -> UInt64 {
        UInt64(littleEndian: buffer.loadUnaligned(fromByteOffset: position, as: UInt64.self))
    }

    /// The last bytes of a text, which may be the last of the buffer.
    private func lastWord(at position: Int, count: Int) -> UInt64 {
        if position + 8 <= buffer.count { return word(at: position) }
        var word: UInt64 = 0
        for offset in 0..<count { word |= UInt64(buffer[position + offset]) << UInt64(8 * offset) }
        return word
    }

    @inline(__always)
    private static func mix(_ value: UInt64) -> UInt64 {
        let product = (value ^ 0x9E37_79B9_7F4A_7C15).multipliedFullWidth(by: 0xA076_1D64_78BD_642F)
        return product.high ^ product.low
    }
}

extension UnsafeRawBufferPointer {
    /// The position of the next line feed, or the end; eight bytes at a time.
    package func nextLineFeed(from start: Int) -> Int {
        var position = start
        while position + 8 <= count {
            let word = loadUnaligned(fromByteOffset: position, as: UInt64.self) ^ 0x0A0A_0A0A_0A0A_0A0A
            // The lowest set high bit marks the first byte that was a line feed.
            let marks = (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080
            if marks != 0 { return position + UInt64(littleEndian: marks).trailingZeroBitCount / 8 }
            position += 8
        }
        while position < count, self[position] != 0x0A { position += 1 }
        return position
    }

    /// Whether the bytes are those of another buffer at a place, eight at a time.
    fileprivate func isEqual(to buffer: UnsafeRawBufferPointer, at start: Int) -> Bool {
        var offset = 0
        while offset + 8 <= count {
            if loadUnaligned(fromByteOffset: offset, as: UInt64.self)
                != buffer.loadUnaligned(fromByteOffset: start + offset, as: UInt64.self)
            {
                return false
            }
            offset += 8
        }
        while offset < count, self[offset] == buffer[start + offset] { offset += 1 }
        return offset == count
    }

    /// The number of bytes that two parts of the buffer begin with alike, eight at a time.
    func commonPrefix(_ one: Range<Int>, _ other: Range<Int>) -> Int {
        let limit = Swift.min(one.count, other.count)
        var count = 0
        while count + 8 <= limit,
            loadUnaligned(fromByteOffset: one.lowerBound + count, as: UInt64.self)
                == loadUnaligned(fromByteOffset: other.lowerBound + count, as: UInt64.self)
        {
            count += 8
        }
        while count < limit, self[one.lowerBound + count] == self[other.lowerBound + count] { count += 1 }
        return count
    }
}
