/// Finds the index of an equal element in a list kept elsewhere: a hash table of indices alone, with linear probing.
///
/// A Dictionary would hash with SipHash and keep a second copy of each key; this runs for every frame of every sample.
struct IndexTable {
    private var slots: [Int32] = Array(repeating: -1, count: 1024)
    private var hashes: [UInt64] = []

    /// The number of elements known.
    var count: Int { hashes.count }

    /// The index of an element with this hash that is equal, nil when there is none.
    @inline(__always)
    func find(_ hash: UInt64, _ isEqual: (Int) -> Bool) -> Int? {
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while slots[slot] >= 0 {
            let index = Int(slots[slot])
            if hashes[index] == hash && isEqual(index) { return index }
            slot = (slot + 1) & mask
        }
        return nil
    }

    /// Notes that the next element has this hash. Returns its index.
    mutating func append(_ hash: UInt64) -> Int {
        let index = hashes.count
        hashes.append(hash)
        if hashes.count * 2 > slots.count {
            slots = Array(repeating: -1, count: slots.count * 2)
            for index in hashes.indices { place(index) }
        } else {
            place(index)
        }
        return index
    }

    private mutating func place(_ index: Int) {
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: hashes[index]) & mask
        while slots[slot] >= 0 { slot = (slot + 1) & mask }
        slots[slot] = Int32(index)
    }

    /// A step of a hash over 64-bit words: multiply and fold, as fast hashes do.
    @inline(__always)
    static func mix(_ hash: UInt64, _ word: UInt64) -> UInt64 {
        let product = (hash ^ word).multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15)
        return product.high ^ product.low
    }
}
