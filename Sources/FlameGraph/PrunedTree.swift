internal import StackProfile

/// A display tree without its small nodes, its siblings in order.
struct PrunedTree {
    let minimumShare: Double
    private let tree: DisplayTree
    private var isKept: [Bool]
    private var firstChild: [Int32]
    private var nextSibling: [Int32]

    init(_ tree: DisplayTree, options: FlameGraphLayout.Options) {
        self.tree = tree
        var share = min(max(options.minimumShare, 0), 1)
        var kept = Self.kept(tree, share: share)
        while kept.count > max(options.maximumRectangles, 1), share < 1 {
            share = max(share * 2, 1e-6)
            kept = Self.kept(tree, share: share)
        }
        minimumShare = share
        isKept = kept.flags
        firstChild = [Int32](repeating: 0, count: kept.flags.count)
        nextSibling = firstChild
        linkSiblings()
    }

    /// Which nodes weigh enough to be drawn. A group always does: a stage is not lost because it was short.
    private static func kept(_ tree: DisplayTree, share: Double) -> (flags: [Bool], count: Int) {
        let limit = share * Double(tree.totalWeights[0])
        let isGroup = tree.frames.map(\.isGroup)
        var count = 0
        let flags = tree.parents.indices.map { node in
            let weight = tree.totalWeights[node]
            let isKept =
                node == 0
                || weight > 0 && (Double(weight) >= limit || isGroup[Int(tree.frameOfNode[node])])
            if isKept { count += 1 }
            return isKept
        }
        return (flags, count)
    }

    /// Threads the kept children of each node in order of their names.
    ///
    /// Names are sorted once; handing the nodes out name by name puts every family in order at once.
    private mutating func linkSiblings() {
        var isUsed = [Bool](repeating: false, count: tree.frames.count)
        for node in isKept.indices.dropFirst() where isKept[node] {
            isUsed[Int(tree.frameOfNode[node])] = true
        }
        let inOrder = isUsed.indices.filter { isUsed[$0] }.sorted { precedes($0, $1) }
        var firstOfFrame = [Int32](repeating: 0, count: tree.frames.count)
        var nextOfFrame = [Int32](repeating: 0, count: isKept.count)
        for node in isKept.indices.dropFirst() where isKept[node] {
            let frame = Int(tree.frameOfNode[node])
            nextOfFrame[node] = firstOfFrame[frame]
            firstOfFrame[frame] = Int32(node)
        }
        // Backwards, because each is put in front of its elder siblings.
        for frame in inOrder.reversed() {
            var node = Int(firstOfFrame[frame])
            while node != 0 {
                let parent = Int(tree.parents[node])
                nextSibling[node] = firstChild[parent]
                firstChild[parent] = Int32(node)
                node = Int(nextOfFrame[node])
            }
        }
    }

    private func precedes(_ one: Int, _ other: Int) -> Bool {
        let (left, right) = (tree.frames[one], tree.frames[other])
        if left.function != right.function {
            return left.function.utf8.lexicographicallyPrecedes(right.function.utf8)
        }
        if left.module != right.module { return (left.module ?? "") < (right.module ?? "") }
        if left.file != right.file { return (left.file ?? "") < (right.file ?? "") }
        return left.traits.rawValue < right.traits.rawValue
    }

    /// For every kept node the number of dropped nodes under it that have no kept node between.
    private func droppedCounts() -> [Int] {
        var counts = [Int](repeating: 0, count: isKept.count)
        for node in stride(from: isKept.count - 1, to: 0, by: -1)
        where !isKept[node] && tree.totalWeights[node] > 0 {
            counts[Int(tree.parents[node])] += counts[node] + 1
        }
        return counts
    }

    /// A rectangle still to be made.
    private struct Pending {
        let content: FlameGraphLayout.Content
        /// Its node; nil for the one that stands for small frames.
        let node: Int?
        let parent: Int?
        let level: Int
        let start: Int64
        let weight: Int64
    }

    /// The rectangles, depth first, and what those stand for that stand for small frames.
    func rectangles() -> (rectangles: [FlameGraphLayout.Rectangle], hidden: HiddenFrames) {
        var rectangles: [FlameGraphLayout.Rectangle] = []
        var collector = HiddenFrameCollector(tree, isKept: isKept)
        var hidden: [Int: [HiddenFrames.Node]] = [:]
        var nodeOfRectangle: [Int] = []
        let dropped = droppedCounts()
        // The next one last, so that a deep tree needs no deep recursion.
        var waiting = [
            Pending(content: .root, node: 0, parent: nil, level: 0, start: 0, weight: tree.totalWeights[0])
        ]
        while let next = waiting.popLast() {
            let parentHash = next.parent.map { rectangles[$0].pathHash }
            rectangles.append(
                .init(
                    content: next.content, level: next.level, start: next.start, weight: next.weight,
                    selfWeight: next.node.map { tree.selfWeights[$0] } ?? next.weight,
                    parent: next.parent, pathHash: next.content.pathHash(under: parentHash)))
            nodeOfRectangle.append(next.node ?? 0)
            guard let node = next.node else {
                if let parent = next.parent {
                    hidden[rectangles.count - 1] = collector.nodes(under: nodeOfRectangle[parent])
                }
                continue
            }
            let children = children(of: node, next, index: rectangles.count - 1, smallFrames: dropped[node])
            waiting.append(contentsOf: children.reversed())
        }
        return (rectangles, HiddenFrames(frames: tree.frames, nodes: hidden, omitted: collector.omitted))
    }

    /// The children of a node from left to right, the small ones as one at the end.
    private func children(of node: Int, _ this: Pending, index: Int, smallFrames: Int) -> [Pending] {
        var result: [Pending] = []
        var position = this.start
        var child = Int(firstChild[node])
        while child != 0 {
            let frame = tree.frames[Int(tree.frameOfNode[child])]
            let weight = tree.totalWeights[child]
            result.append(
                Pending(
                    content: .frame(frame), node: child, parent: index, level: this.level + 1,
                    start: position, weight: weight))
            position += weight
            child = Int(nextSibling[child])
        }
        let rest = this.start + this.weight - tree.selfWeights[node] - position
        if rest > 0 {
            result.append(
                Pending(
                    content: .smallFrames(count: smallFrames), node: nil, parent: index,
                    level: this.level + 1, start: position, weight: rest))
        }
        return result
    }
}

extension FlameGraphLayout.Content {
    /// The hash of a path: FNV-1a over the names from the root, with a byte that no name has between them.
    func pathHash(under parent: UInt64?) -> UInt64 {
        var hash = parent ?? 0xCBF2_9CE4_8422_2325
        func add(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        switch self {
        case .root: return hash
        case .smallFrames: add(0xFE)
        case .frame(let frame):
            frame.function.utf8.forEach(add)
            add(0xFF)
            (frame.module ?? "").utf8.forEach(add)
            add(0xFF)
        }
        return hash
    }
}
