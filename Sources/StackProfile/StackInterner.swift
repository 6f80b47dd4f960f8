/// Interns stacks while a tree is built.
///
/// Every stack has a hash, made of its caller's hash and its last frame. So a stack is found by one look into one table,
/// however deep it is, and only what is new in it is walked through: on unsorted input nearly every look misses the cache,
/// and following a tree from its root would be one or two of them for every frame.
///
/// Hashes are 64 bits wide and seeded at random, so that no input can be made to collide on purpose. A stack that is looked
/// for by its hash alone also has to have the right last frame and depth: among 67 million stacks, the most that is read, two
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

    init() {
        hashes = [UInt64.random(in: .min ... .max)]
    }

    /// The hash of a stack.
    func hash(of stack: StackID) -> UInt64 { hashes[stack.position] }

    /// The hash of the stack with one frame more.
    @inline(__always)
    static func hash(_ caller: UInt64, extendedBy frame: Int32) -> UInt64 {
        let product = (caller ^ 0x9E37_79B9_7F4A_7C15)
            .multipliedFullWidth(by: UInt64(UInt32(bitPattern: frame)) &* 2 | 0xA076_1D64_0000_0001)
        return product.high ^ product.low &+ UInt64(UInt32(bitPattern: frame))
    }

    /// The stack of a caller with one frame more.
    mutating func child(of parent: StackID, _ frame: FrameID) -> StackID {
        let hash = Self.hash(hashes[parent.position], extendedBy: frame.index)
        var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
        while slots[slot].node != 0 {
            let node = slots[slot].node
            if slots[slot].tag == UInt32(hash >> 32), tree.isChild(node, of: parent.index, frame.index) {
                return StackID(node)
            }
            slot = (slot + 1) & (slots.count - 1)
        }
        return append(parent, frame.index, hash, slot: slot)
    }

    /// A stack that is the beginning of another, by what it is found with.
    struct Prefix {
        /// The last frame; below 0 for none, where the prefix is the one before.
        var frame: Int32
        var depth: Int32
        var hash: UInt64

        static func empty(hash: UInt64) -> Prefix { Prefix(frame: -1, depth: 0, hash: hash) }

        /// With a frame more.
        @inline(__always)
        func extended(by frame: Int32) -> Prefix {
            if frame < 0 { return Prefix(frame: frame, depth: depth, hash: hash) }
            return Prefix(
                frame: frame, depth: depth + 1, hash: StackInterner.hash(hash, extendedBy: frame))
        }
    }

    /// The stack that the last of some prefixes is, each of which is the one before with a frame more.
    mutating func stack(_ prefixes: [Prefix]) -> StackID {
        // Every caller of a stack that is known is known as well, so the first one found from the inner end is the deepest.
        var next = prefixes.count
        var node = StackID.empty
        while next > 0 {
            let prefix = prefixes[next - 1]
            if prefix.frame >= 0, let known = find(prefix) {
                node = known
                break
            }
            next -= 1
        }
        for index in next..<prefixes.count where prefixes[index].frame >= 0 {
            node = child(of: node, FrameID(prefixes[index].frame))
        }
        return node
    }

    @inline(__always)
    private func find(_ prefix: Prefix) -> StackID? {
        let hash = prefix.hash
        var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
        while case let node = slots[slot].node, node != 0 {
            if slots[slot].tag == UInt32(hash >> 32), hashes[Int(node)] == hash,
                tree.isLast(prefix.frame, of: node, depth: prefix.depth)
            {
                return StackID(node)
            }
            slot = (slot + 1) & (slots.count - 1)
        }
        return nil
    }

    private mutating func append(_ parent: StackID, _ frame: Int32, _ hash: UInt64, slot: Int) -> StackID {
        let node = Int32(tree.count)
        tree.append(parent: parent.index, frame: frame)
        hashes.append(hash)
        slots[slot] = Slot(tag: UInt32(hash >> 32), node: node)
        if tree.count * 4 > slots.count * 3 { grow() }
        return StackID(node)
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
