/// A stack: a node in the tree of all stacks of a profile. Its callers are its ancestors.
public struct StackID: Hashable, Sendable {
    let index: Int32

    init(_ index: Int32) {
        self.index = index
    }

    /// The stack without frames, the root of the tree.
    public static let empty = StackID(0)

    /// The index into the tree's nodes; a caller's is always smaller than its callee's.
    public var position: Int { Int(index) }
}

/// All stacks of a profile, with what they have in common stored once.
///
/// A node is a stack: the stack of its parent and one frame more. Parents come before their children, so one
/// sweep backwards sums children into parents and one sweep forwards hands values down.
public struct StackTree: Sendable {
    private(set) var parents: [Int32] = [-1]
    private(set) var frames: [Int32] = [-1]
    private(set) var depths: [Int32] = [0]

    /// The number of stacks, the empty one included.
    public var count: Int { parents.count }

    /// The caller's stack; nil for the empty stack.
    public func parent(of stack: StackID) -> StackID? {
        stack == .empty ? nil : StackID(parents[stack.position])
    }

    /// The innermost frame; nil for the empty stack.
    public func leaf(of stack: StackID) -> FrameID? {
        stack == .empty ? nil : FrameID(frames[stack.position])
    }

    /// The number of frames.
    public func depth(of stack: StackID) -> Int { Int(depths[stack.position]) }

    /// The frames, outermost first.
    public func frames(of stack: StackID) -> [FrameID] {
        var result: [FrameID] = []
        result.reserveCapacity(depth(of: stack))
        var node = stack.index
        while node > 0 {
            result.append(FrameID(frames[Int(node)]))
            node = parents[Int(node)]
        }
        return result.reversed()
    }

    mutating func append(parent: Int32, frame: Int32) {
        parents.append(parent)
        frames.append(frame)
        depths.append(depths[Int(parent)] + 1)
    }

    /// Every stack but the empty one with its parent and its leaf, parents first.
    public func forEachStack(_ body: (_ stack: StackID, _ parent: StackID, _ leaf: FrameID) -> Void) {
        for index in parents.indices.dropFirst() {
            body(StackID(Int32(index)), StackID(parents[index]), FrameID(frames[index]))
        }
    }
}

/// Interns stacks while a tree is built.
///
/// Most functions call few others, so the first children of a node are found along a chain: a third of the memory
/// that a hash table of all nodes would take, and a third of the cache misses. Only large families need the table.
struct StackInterner: Sendable {
    private(set) var tree = StackTree()
    private var links = [Link()]
    private var furtherChildren = PairTable()

    private struct Link {
        var frame: Int32 = -1
        var firstChild: Int32 = 0
        var nextSibling: Int32 = 0
    }

    /// The number of children along a chain.
    private static let chainLength = 6

    mutating func child(of parent: StackID, _ frame: FrameID) -> StackID {
        var last: Int32 = 0
        var node = links[parent.position].firstChild
        var length = 0
        while node != 0 {
            let link = links[Int(node)]
            if link.frame == frame.index { return StackID(node) }
            last = node
            node = link.nextSibling
            length += 1
        }
        let next = Int32(tree.count)
        if length < Self.chainLength {
            if last == 0 {
                links[parent.position].firstChild = next
            } else {
                links[Int(last)].nextSibling = next
            }
        } else {
            node = furtherChildren.intern(parent.index, frame.index, newValue: next)
            if node != next { return StackID(node) }
        }
        tree.append(parent: parent.index, frame: frame.index)
        links.append(Link(frame: frame.index))
        return StackID(next)
    }
}
