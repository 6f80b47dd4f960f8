internal import StackProfile

/// The tree of a profile's stacks with frames joined that are shown as one: those that differ only in their line.
struct DisplayTree {
    /// What is shown; the line is nil where several were joined.
    let frames: [Frame]
    /// The parent of every node, which comes before it; node 0 is the root.
    let parents: [Int32]
    /// The frame of every node.
    let frameOfNode: [Int32]
    /// The weight of every node without its children.
    let selfWeights: [Int64]
    /// The weight of every node with its children.
    let totalWeights: [Int64]

    init(_ profile: StackProfile) {
        let displayed = Self.join(profile.frames)
        frames = displayed.frames
        var parents: [Int32] = [-1]
        var frameOfNode: [Int32] = [-1]
        var nodeOfStack = [Int32](repeating: 0, count: profile.stacks.count)
        if frames.count == profile.frames.count {
            // Nothing to join, so the nodes are the stacks.
            parents.reserveCapacity(profile.stacks.count)
            frameOfNode.reserveCapacity(profile.stacks.count)
            profile.stacks.forEachStack { stack, parent, leaf in
                nodeOfStack[stack.position] = Int32(stack.position)
                parents.append(Int32(parent.position))
                frameOfNode.append(displayed.ofFrame[leaf.position])
            }
        } else {
            var interner: [UInt64: Int32] = [:]
            profile.stacks.forEachStack { stack, parent, leaf in
                let above = nodeOfStack[parent.position]
                let frame = displayed.ofFrame[leaf.position]
                let key = UInt64(UInt32(bitPattern: above)) << 32 | UInt64(UInt32(bitPattern: frame))
                let node = interner[key] ?? Int32(parents.count)
                if node == parents.count {
                    interner[key] = node
                    parents.append(above)
                    frameOfNode.append(frame)
                }
                nodeOfStack[stack.position] = node
            }
        }
        var weights = [Int64](repeating: 0, count: parents.count)
        for sample in profile.samples { weights[Int(nodeOfStack[sample.stack.position])] += sample.weight }
        selfWeights = weights
        for node in stride(from: parents.count - 1, to: 0, by: -1) {
            weights[Int(parents[node])] += weights[node]
        }
        totalWeights = weights
        self.parents = parents
        self.frameOfNode = frameOfNode
    }

    private static func join(_ frames: [Frame]) -> (frames: [Frame], ofFrame: [Int32]) {
        // Without a line nothing can differ in it: the common case for folded text, worth a million hashes.
        guard frames.contains(where: { $0.line != nil }) else {
            return (frames, (0..<Int32(frames.count)).map { $0 })
        }
        var joined: [Frame] = []
        var numbers: [Frame: Int32] = [:]
        let ofFrame = frames.map { frame -> Int32 in
            var key = frame
            key.line = nil
            if let number = numbers[key] {
                if joined[Int(number)].line != frame.line { joined[Int(number)].line = nil }
                return number
            }
            numbers[key] = Int32(joined.count)
            joined.append(frame)
            return Int32(joined.count - 1)
        }
        return (joined, ofFrame)
    }
}
