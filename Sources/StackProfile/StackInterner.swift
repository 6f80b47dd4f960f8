/// Interns stacks while a tree is built.
///
/// Every stack has a hash, made of its caller's hash and of what its last frame is hashed by. So a stack is found by one
/// look into one table, however deep it is, and only what is new in it is walked through: on unsorted input nearly every
/// look misses the cache, and following a tree from its root would be one or two of them for every frame.
///
/// Hashes are 64 bits wide and seeded at random, so that no input can be made to collide on purpose. A stack that is looked
/// for by its hash alone also has to have the right depth and last frame: among 67 million stacks, the most that is read, two
/// different ones are taken for one with a probability below one in a million.
struct StackInterner: Sendable {
    private(set) var tree = StackTree()
    private var hashes: [UInt64]
    private var slots = [Slot](repeating: Slot(), count: 64)

    private struct Slot {
        /// The upper half of the hash, of which the lower chooses the slot.
        var tag: UInt32 = 0
        /// 0, the stack without frames, is never looked for.
        var node: Int32 = 0
    }

    /// What a stack is found by.
    struct Key {
        fileprivate var hash: UInt64
        fileprivate var depth: Int32

        /// The key of the stack with one frame more, by what that is hashed by.
        @inline(__always)
        func extended(by seed: UInt64) -> Key {
            Key(hash: StackInterner.hash(hash, extendedBy: seed), depth: depth + 1)
        }
    }

    /// Without stacks.
    init() {
        hashes = [UInt64.random(in: .min ... .max)]
    }

    /// The key that the keys of all stacks begin with.
    var emptyKey: Key { Key(hash: hashes[0], depth: 0) }

    @inline(__always)
    private static func hash(_ caller: UInt64, extendedBy seed: UInt64) -> UInt64 {
        let product = (caller ^ 0x9E37_79B9_7F4A_7C15).multipliedFullWidth(by: seed | 1)
        return (product.high ^ product.low) &+ seed
    }

    /// The stack of a caller with one frame more, hashed by its ``FrameID/seed``.
    mutating func child(of parent: StackID, _ frame: FrameID) -> StackID {
        child(of: parent, frame, hashedBy: frame.seed)
    }

    /// The stack of a caller with one frame more, and what the frame is hashed by: the same for the frame every time.
    mutating func child(of parent: StackID, _ frame: FrameID, hashedBy seed: UInt64) -> StackID {
        let hash = Self.hash(hashes[parent.position], extendedBy: seed)
        var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
        while slots[slot].node != 0 {
            let node = slots[slot].node
            if slots[slot].tag == UInt32(hash >> 32), tree.isChild(node, of: parent.index, frame.index) {
                return StackID(node)
            }
            slot = (slot + 1) & (slots.count - 1)
        }
        let node = Int32(tree.count)
        tree.append(parent: parent.index, frame: frame.index)
        hashes.append(hash)
        slots[slot] = Slot(tag: UInt32(hash >> 32), node: node)
        if tree.count * 4 > slots.count * 3 { grow() }
        return StackID(node)
    }

    /// The stack with a key; nil where there is none yet. Its last frame is for the caller to check.
    @inline(__always)
    func find(_ key: Key) -> StackID? {
        var slot = Int(truncatingIfNeeded: key.hash) & (slots.count - 1)
        while case let node = slots[slot].node, node != 0 {
            if slots[slot].tag == UInt32(key.hash >> 32), hashes[Int(node)] == key.hash,
                tree.depth(of: StackID(node)) == key.depth
            {
                return StackID(node)
            }
            slot = (slot + 1) & (slots.count - 1)
        }
        return nil
    }

    private mutating func grow() {
        slots = [Slot](repeating: Slot(), count: slots.count * 4)
        let mask = slots.count - 1
        for node in hashes.indices.dropFirst() {
            var slot = Int(truncatingIfNeeded: hashes[node]) & mask
            while slots[slot].node != 0 { slot = (slot + 1) & mask }
            slots[slot] = Slot(tag: UInt32(hashes[node] >> 32), node: Int32(node))
        }
    }
}

extension FrameID {
    /// The hash of a frame for which none is given. Hashes of stacks begin with a random number, so this need not be random.
    var seed: UInt64 { UInt64(position + 1) &* 0xD6E8_FEB8_6659_FD93 }
}
