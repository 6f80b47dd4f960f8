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

/// Numbers slices of one buffer by their bytes.
///
/// The first few thousand are copied to one place: compared where they were first met, all over a large file, each would
/// cost a look into the page tables.
struct SliceTable {
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
    private let seed = UInt64.random(in: .min ... .max)
    private let buffer: UnsafeRawBufferPointer

    /// A table of slices of a buffer, which has to outlive the table.
    init(of buffer: UnsafeRawBufferPointer) {
        self.buffer = buffer
    }

    /// The value of a slice; when its bytes are new, `make` says what becomes it.
    mutating func intern(_ slice: Range<Int>, make: () -> Int32) -> Int32 {
        let hash = hash(of: slice)
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

    @inline(__always)
    private func holds(_ slot: Slot, _ slice: Range<Int>) -> Bool {
        if slot.start >= 0 {
            return buffer.isEqual(at: slice.lowerBound, buffer, at: slot.start, count: slice.count)
        }
        return copies.withUnsafeBytes {
            buffer.isEqual(at: slice.lowerBound, $0, at: ~slot.start, count: slice.count)
        }
    }

    private mutating func keep(_ slice: Range<Int>) -> Int {
        guard copies.count + slice.count <= Self.copyLimit else { return slice.lowerBound }
        copies += buffer[slice]
        return ~(copies.count - slice.count)
    }

    /// Eight bytes at a time, folded with a widening multiplication. The last eight may overlap those before: names have
    /// all lengths, and a loop over what is left is a branch that nobody foresees.
    @inline(__always)
    private func hash(of slice: Range<Int>) -> UInt64 {
        var hash = seed ^ UInt64(slice.count)
        if slice.count < 8 {
            var rest: UInt64 = 0
            for position in slice { rest = rest << 8 | UInt64(buffer[position]) }
            return Self.mix(hash ^ rest)
        }
        var position = slice.lowerBound
        while position + 8 < slice.upperBound {
            hash = Self.mix(hash ^ buffer.loadUnaligned(fromByteOffset: position, as: UInt64.self))
            position += 8
        }
        return Self.mix(hash ^ buffer.loadUnaligned(fromByteOffset: slice.upperBound - 8, as: UInt64.self))
    }

    @inline(__always)
    private static func mix(_ value: UInt64) -> UInt64 {
        let product = value.multipliedFullWidth(by: 0xA076_1D64_78BD_642F)
        return product.high ^ product.low
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

extension UnsafeRawBufferPointer {
    /// Whether a part of the buffer is like one of another, eight bytes at a time, the last eight overlapping those before.
    @inline(__always)
    func isEqual(at one: Int, _ buffer: UnsafeRawBufferPointer, at other: Int, count: Int) -> Bool {
        if count < 8 {
            for offset in 0..<count where self[one + offset] != buffer[other + offset] { return false }
            return true
        }
        var offset = 0
        while offset + 8 < count {
            if word(at: one + offset) != buffer.word(at: other + offset) { return false }
            offset += 8
        }
        return word(at: one + count - 8) == buffer.word(at: other + count - 8)
    }

    @inline(__always)
    private func word(at offset: Int) -> UInt64 { loadUnaligned(fromByteOffset: offset, as: UInt64.self) }

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
