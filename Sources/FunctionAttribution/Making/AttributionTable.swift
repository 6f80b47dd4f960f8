internal import Measurement
internal import StackProfile

/// One side of a stage run by run: for every function and every edge from caller to callee the weight of its samples.
///
/// A column per run. Sweeping the tree once per column costs time proportional to its nodes, not to samples by depth.
struct AttributionColumns {
    /// The runs with samples in the stage, in order of their names; nil for samples that name none.
    let runs: [String?]
    /// The weight of each run's samples.
    let weights: [Int64]
    /// What each function weighs by itself: a function's runs stand together.
    private(set) var own: [Int64]
    /// What each function weighs with all it calls.
    private(set) var total: [Int64]
    /// What is charged to each function: each sample once (``StageTree/owner``).
    private(set) var charged: [Int64]
    /// What each edge weighs: a function's total by its caller.
    private(set) var edges: [Int64]
    /// Samples of each run as nodes of the stage's tree and weights.
    private let samples: [[(node: Int32, weight: Int64)]]

    init(_ profile: StackProfile, nodes: [StackID], stage: StageName?, in tree: StageTree) {
        let isWanted = profile.labelSets.map { stage == nil || $0.stage == stage }
        var runs: [String?] = []
        var indexOfRun: [String?: Int] = [:]
        let runOfLabels = profile.labelSets.map { set -> Int in
            if let known = indexOfRun[set.run] { return known }
            runs.append(set.run)
            indexOfRun[set.run] = runs.count - 1
            return runs.count - 1
        }
        var samples = [[(node: Int32, weight: Int64)]](repeating: [], count: runs.count)
        for sample in profile.samples where isWanted[sample.labels] && sample.weight > 0 {
            let node = tree.localNode[nodes[sample.stack.position].position]
            samples[runOfLabels[sample.labels]].append((node, sample.weight))
        }
        let order = runs.indices.filter { !samples[$0].isEmpty }.sorted {
            (runs[$0] ?? "") < (runs[$1] ?? "")
        }
        self.runs = order.map { runs[$0] }
        self.samples = order.map { samples[$0] }
        weights = self.samples.map { $0.reduce(0) { $0 + $1.weight } }
        own = [Int64](repeating: 0, count: tree.functionCount * order.count)
        total = own
        charged = own
        edges = [Int64](repeating: 0, count: tree.edges.count * order.count)
        for run in order.indices { fill(run, tree) }
    }

    private mutating func fill(_ run: Int, _ tree: StageTree) {
        let count = runs.count
        let ownOfNode = ownWeights(run, tree)
        let totalOfNode = tree.summed(ownOfNode)
        for node in 1..<max(tree.count, 1) {
            let function = Int(tree.function[node])
            own[function * count + run] += ownOfNode[node]
            charged[Int(tree.owner[node]) * count + run] += ownOfNode[node]
            let edge = Int(tree.edge[node])
            if edge >= 0 {
                total[function * count + run] += totalOfNode[node]
                edges[edge * count + run] += totalOfNode[node]
            }
        }
        // Samples without a stack are a function of their own, so that everything adds up.
        own[run] += ownOfNode[0]
        charged[run] += ownOfNode[0]
        total[run] += ownOfNode[0]
    }

    private func ownWeights(_ run: Int, _ tree: StageTree) -> [Int64] {
        var weights = [Int64](repeating: 0, count: tree.count)
        for sample in samples[run] { weights[Int(sample.node)] += sample.weight }
        return weights
    }

    /// The weight under some nodes in every run.
    func weights(under nodes: [Int32], in tree: StageTree) -> [[Int64]] {
        var result = nodes.map { _ in [Int64](repeating: 0, count: runs.count) }
        guard !nodes.isEmpty else { return [] }
        for run in runs.indices {
            let totals = tree.summed(ownWeights(run, tree))
            for (index, node) in nodes.enumerated() { result[index][run] = totals[Int(node)] }
        }
        return result
    }

    /// What native functions weigh that run for some interpreted functions, in every run.
    func parts(of owners: Set<Int32>, in tree: StageTree) -> [StageTree.Part: [Int64]] {
        var result: [StageTree.Part: [Int64]] = [:]
        guard !owners.isEmpty else { return result }
        for run in runs.indices {
            let weights = ownWeights(run, tree)
            for node in 1..<max(tree.count, 1) where weights[node] > 0 && owners.contains(tree.owner[node]) {
                guard tree.owner[node] != tree.function[node] else { continue }
                let part = StageTree.Part(owner: tree.owner[node], function: tree.function[node])
                result[part, default: [Int64](repeating: 0, count: runs.count)][run] += weights[node]
            }
        }
        return result
    }

    func charged(_ function: Int) -> ArraySlice<Int64> {
        charged[function * runs.count..<(function + 1) * runs.count]
    }
    func own(_ function: Int) -> ArraySlice<Int64> {
        own[function * runs.count..<(function + 1) * runs.count]
    }
    func total(_ function: Int) -> ArraySlice<Int64> {
        total[function * runs.count..<(function + 1) * runs.count]
    }
    func edge(_ edge: Int) -> ArraySlice<Int64> { edges[edge * runs.count..<(edge + 1) * runs.count] }
}

/// The part of a union tree that has samples of a stage.
struct StageTree {
    /// For each node of the union tree its number here; -1 for those without samples of the stage.
    let localNode: [Int32]
    /// The parent of every node, which comes before it; node 0 is the stage.
    private(set) var parent: [Int32] = [-1]
    private(set) var depth: [Int32] = [0]
    /// The function of every node; 0 stands for samples without a stack.
    private(set) var function: [Int32] = [0]
    /// For every node the function that its samples are charged to: the innermost interpreted one there or above, whose
    /// work native code does; where there is none, the node's own.
    private(set) var owner: [Int32] = [0]
    /// For the outermost node of its function on its path, the edge from its caller; else -1.
    private(set) var edge: [Int32] = [-1]
    /// Every pair of a caller and what it calls; caller 0 is the stage itself.
    private(set) var edges: [(caller: Int32, callee: Int32)] = []
    /// The frame of every function but the first.
    private(set) var frames: [Frame?] = [nil]

    /// A native function that runs for an interpreted one.
    struct Part: Hashable {
        var owner: Int32
        var function: Int32
    }

    var count: Int { parent.count }
    var functionCount: Int { frames.count }

    init(_ union: UnionTree, before: StackProfile, after: StackProfile, stage: StageName?) {
        var isUsed = [Bool](repeating: false, count: union.tree.count)
        for (profile, nodes) in [(before, union.nodesBefore), (after, union.nodesAfter)] {
            let isWanted = profile.labelSets.map { stage == nil || $0.stage == stage }
            for sample in profile.samples where isWanted[sample.labels] && sample.weight > 0 {
                isUsed[nodes[sample.stack.position].position] = true
            }
        }
        var parents = [Int32](repeating: -1, count: union.tree.count)
        var leaves = parents
        union.tree.forEachStack { stack, parent, leaf in
            parents[stack.position] = Int32(parent.position)
            leaves[stack.position] = Int32(leaf.position)
        }
        for node in stride(from: isUsed.count - 1, to: 0, by: -1) where isUsed[node] {
            isUsed[Int(parents[node])] = true
        }
        var local = [Int32](repeating: -1, count: isUsed.count)
        local[0] = 0
        var numberOfFunction = [Int32](repeating: -1, count: union.functions.count)
        for node in isUsed.indices.dropFirst() where isUsed[node] {
            local[node] = Int32(parent.count)
            let leaf = Int(leaves[node])
            if numberOfFunction[leaf] < 0 {
                numberOfFunction[leaf] = Int32(frames.count)
                frames.append(union.functions[leaf])
            }
            let above = local[Int(parents[node])]
            parent.append(above)
            depth.append(depth[Int(above)] + 1)
            function.append(numberOfFunction[leaf])
            let (number, ownerAbove) = (numberOfFunction[leaf], owner[Int(above)])
            let isOwned = Self.ownsNative(frames[Int(ownerAbove)]) && !Self.ownsNative(frames[Int(number)])
            owner.append(isOwned ? ownerAbove : number)
        }
        localNode = local
        findEdges()
    }

    /// Whether the native code under a function is charged to it.
    private static func ownsNative(_ frame: Frame?) -> Bool {
        frame.map { $0.isInterpreted || $0 == .unreadPython } ?? false
    }

    private mutating func findEdges() {
        var numbers: [UInt64: Int32] = [:]
        for node in parent.indices.dropFirst() {
            var above = parent[node]
            while above > 0, function[Int(above)] != function[node] { above = parent[Int(above)] }
            guard above <= 0 else {
                edge.append(-1)
                continue
            }
            let caller = function[Int(parent[node])]
            let key = UInt64(UInt32(bitPattern: caller)) << 32 | UInt64(UInt32(bitPattern: function[node]))
            let number = numbers[key] ?? Int32(edges.count)
            if number == edges.count {
                numbers[key] = number
                edges.append((caller, function[node]))
            }
            edge.append(number)
        }
    }

    /// Each node's weight with those under it.
    func summed(_ own: [Int64]) -> [Int64] {
        var sums = own
        for node in stride(from: sums.count - 1, to: 0, by: -1) { sums[Int(parent[node])] += sums[node] }
        return sums
    }

    /// For some functions, the nearest node that is around all places where they are called.
    func nearestCommonCallers(of wanted: Set<Int32>) -> [Int32: Int32] {
        var result: [Int32: Int32] = [:]
        for node in parent.indices.dropFirst() where edge[node] >= 0 && wanted.contains(function[node]) {
            let above = parent[node]
            result[function[node]] = result[function[node]].map { commonAncestor($0, above) } ?? above
        }
        return result
    }

    private func commonAncestor(_ one: Int32, _ other: Int32) -> Int32 {
        var (one, other) = (one, other)
        while one != other {
            if depth[Int(one)] >= depth[Int(other)] {
                one = parent[Int(one)]
            } else {
                other = parent[Int(other)]
            }
        }
        return one
    }
}
