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

    /// Whether a stack is that of a caller with a frame more.
    func isChild(_ node: Int32, of parent: Int32, _ frame: Int32) -> Bool {
        parents[Int(node)] == parent && frames[Int(node)] == frame
    }

    /// Every stack but the empty one with its parent and its leaf, parents first.
    public func forEachStack(_ body: (_ stack: StackID, _ parent: StackID, _ leaf: FrameID) -> Void) {
        for index in parents.indices.dropFirst() {
            body(StackID(Int32(index)), StackID(parents[index]), FrameID(frames[index]))
        }
    }
}
