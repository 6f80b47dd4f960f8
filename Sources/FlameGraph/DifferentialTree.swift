internal import Measurement
internal import StackProfile

/// A union tree with both sides' values, pruned of what is too small to be drawn.
struct DifferentialTree {
    private let functions: [Frame]
    private var parents: [Int32]
    private var functionOfNode: [Int32]
    private var own: (before: [Double], after: [Double])
    private var total: (before: [Double], after: [Double])
    private var samples: (before: [Int64], after: [Int64])
    private var isKept: [Bool] = []

    init(_ union: UnionTree, before: DifferentialLayout.Side, after: DifferentialLayout.Side) {
        functions = union.functions
        parents = [Int32](repeating: -1, count: union.tree.count)
        functionOfNode = parents
        var above = parents
        var leaves = parents
        union.tree.forEachStack { stack, parent, leaf in
            above[stack.position] = Int32(parent.position)
            leaves[stack.position] = Int32(leaf.position)
        }
        parents = above
        functionOfNode = leaves
        let older = Self.weights(before, union.nodesBefore, above)
        let newer = Self.weights(after, union.nodesAfter, above)
        own = (older.own, newer.own)
        total = (older.total, newer.total)
        samples = (older.samples, newer.samples)
    }

    private static func weights(
        _ side: DifferentialLayout.Side, _ nodes: [StackID], _ parents: [Int32]
    ) -> (own: [Double], total: [Double], samples: [Int64]) {
        var weights = [Int64](repeating: 0, count: parents.count)
        for sample in side.profile.samples { weights[nodes[sample.stack.position].position] += sample.weight }
        let own = weights.map { Double($0) * side.valuePerWeight }
        for node in stride(from: weights.count - 1, to: 0, by: -1) {
            weights[Int(parents[node])] += weights[node]
        }
        let total = weights.map { Double($0) * side.valuePerWeight }
        // Weights that are times count samples by the period, or, where it is unknown, by the smallest of them.
        let period: Int64 =
            switch side.profile.unit {
            case .samples, .instructions, .bytes, .counts: 1
            case .nanoseconds:
                max(
                    1,
                    side.profile.period?.inNanoseconds ?? side.profile.samples.lazy.map(\.weight).min() ?? 1)
            }
        return (own, total, weights.map { $0 / period })
    }

    /// Keeps what makes up a share of either side, and no more rectangles than a maximum.
    mutating func prune(below share: Double, maximum: Int) {
        func flags(_ share: Double) -> [Bool] {
            parents.indices.map { node in
                let (before, after) = (total.before[node], total.after[node])
                return node == 0
                    || max(before, after) > 0
                        && (before >= share * total.before[0] && before > 0
                            || after >= share * total.after[0] && after > 0)
            }
        }
        var limit = share
        isKept = flags(limit)
        while isKept.count(where: { $0 }) > maximum, limit < 1 {
            limit = max(limit * 2, 1e-6)
            isKept = flags(limit)
        }
    }

    /// The kept nodes as rectangles, depth first, siblings by name, the small ones as one at the end.
    func rectangles() -> [DifferentialLayout.Rectangle] {
        let children = childrenInOrder()
        let dropped = droppedUnderNodes()
        var result: [DifferentialLayout.Rectangle] = []
        // The next one last, so that a deep tree needs no deep recursion.
        var waiting: [(node: Int, parent: Int?, level: Int)] = [(0, nil, 0)]
        while let next = waiting.popLast() {
            if next.node < 0 {
                let parent = next.parent ?? 0
                result.append(
                    rectangle(
                        of: dropped[-next.node - 1], under: parent, next.level, hash: result[parent].pathHash)
                )
                continue
            }
            let content = next.parent == nil ? .root : FlameGraphLayout.Content.frame(frame(of: next.node))
            result.append(
                DifferentialLayout.Rectangle(
                    content: content, level: next.level, parent: next.parent, before: total.before[next.node],
                    after: total.after[next.node], selfBefore: own.before[next.node],
                    selfAfter: own.after[next.node], samplesBefore: samples.before[next.node],
                    samplesAfter: samples.after[next.node],
                    pathHash: content.pathHash(under: next.parent.map { result[$0].pathHash })))
            let index = result.count - 1
            if dropped[next.node].count > 0 { waiting.append((-next.node - 1, index, next.level + 1)) }
            for child in children[next.node, default: []].reversed() {
                waiting.append((child, index, next.level + 1))
            }
        }
        return result
    }

    private func frame(of node: Int) -> Frame { functions[Int(functionOfNode[node])] }

    private func childrenInOrder() -> [Int: [Int]] {
        var children: [Int: [Int]] = [:]
        for node in parents.indices.dropFirst() where isKept[node] {
            children[Int(parents[node]), default: []].append(node)
        }
        return children.mapValues { family in
            family.sorted { one, other in
                let (left, right) = (frame(of: one), frame(of: other))
                return (left.function, left.module ?? "") < (right.function, right.module ?? "")
            }
        }
    }

    /// What was dropped under a node, together.
    private struct Dropped {
        var count = 0
        var before = 0.0
        var after = 0.0
        var samplesBefore: Int64 = 0
        var samplesAfter: Int64 = 0
    }

    private func droppedUnderNodes() -> [Dropped] {
        var dropped = [Dropped](repeating: Dropped(), count: parents.count)
        for node in stride(from: parents.count - 1, to: 0, by: -1)
        where !isKept[node] && max(total.before[node], total.after[node]) > 0 {
            let parent = Int(parents[node])
            dropped[parent].count += dropped[node].count + 1
            dropped[parent].before += total.before[node]
            dropped[parent].after += total.after[node]
            dropped[parent].samplesBefore += samples.before[node]
            dropped[parent].samplesAfter += samples.after[node]
        }
        return dropped
    }

    /// The rectangle that stands for the dropped children of a node.
    private func rectangle(
        of dropped: Dropped, under parent: Int, _ level: Int, hash: UInt64
    ) -> DifferentialLayout.Rectangle {
        let content = FlameGraphLayout.Content.smallFrames(count: dropped.count)
        return DifferentialLayout.Rectangle(
            content: content, level: level, parent: parent, before: dropped.before, after: dropped.after,
            selfBefore: dropped.before, selfAfter: dropped.after, samplesBefore: dropped.samplesBefore,
            samplesAfter: dropped.samplesAfter, pathHash: content.pathHash(under: hash))
    }
}
