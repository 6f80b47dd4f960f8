internal import StackProfile

/// The frames that are too small to be drawn, so that a search counts them all the same.
public struct HiddenFrames: Sendable {
    /// One frame, before those that it calls.
    struct Node: Sendable {
        /// Index into `frames`.
        var frame: Int32
        var weight: Int64
        /// The number of undrawn frames around it.
        var depth: Int32
    }

    /// What the nodes are of.
    let frames: [Frame]
    /// For a rectangle that stands for small frames, by its index: what it stands for.
    let nodes: [Int: [Node]]
    /// The number of frames that are left out here too.
    let omitted: Int

    /// The most frames that are kept: about ten bytes of a picture each.
    static let limit = 60_000
}

/// Collects the undrawn frames of a tree.
struct HiddenFrameCollector {
    private let tree: DisplayTree
    private let isKept: [Bool]
    private var firstChild: [Int32]
    private var nextSibling: [Int32]
    private let lightest: Int64
    private(set) var omitted = 0

    init(_ tree: DisplayTree, isKept: [Bool]) {
        self.tree = tree
        self.isKept = isKept
        firstChild = [Int32](repeating: 0, count: isKept.count)
        nextSibling = firstChild
        var weights: [Int64] = []
        for node in isKept.indices.reversed() where !isKept[node] && tree.totalWeights[node] > 0 && node > 0 {
            let parent = Int(tree.parents[node])
            nextSibling[node] = firstChild[parent]
            firstChild[parent] = Int32(node)
            weights.append(tree.totalWeights[node])
        }
        // The heaviest; a caller weighs at least as much as what it calls, so no frame is kept without its callers.
        let count = weights.count
        if count > HiddenFrames.limit {
            weights.sort(by: >)
            lightest = weights[HiddenFrames.limit] + 1
        } else {
            lightest = 1
        }
    }

    /// The undrawn frames under a node that is drawn.
    mutating func nodes(under node: Int) -> [HiddenFrames.Node] {
        var found: [HiddenFrames.Node] = []
        var waiting: [(node: Int32, depth: Int32)] = []
        push(node, depth: 0, &waiting)
        while let next = waiting.popLast() {
            let index = Int(next.node)
            if tree.totalWeights[index] < lightest {
                omitted += 1
            } else {
                found.append(
                    .init(
                        frame: Int32(tree.frameOfNode[index]), weight: tree.totalWeights[index],
                        depth: next.depth))
            }
            push(index, depth: next.depth + 1, &waiting)
        }
        return found
    }

    private func push(_ node: Int, depth: Int32, _ waiting: inout [(node: Int32, depth: Int32)]) {
        var child = firstChild[node]
        while child != 0 {
            waiting.append((child, depth))
            child = nextSibling[Int(child)]
        }
    }
}
