public import Measurement

/// What one function cost, summed over every stack it is in.
public struct FunctionCost: Hashable, Sendable {
    /// The function's name.
    public let function: String
    /// Where it was loaded from.
    public let module: String?
    /// The weight of the samples it was running in itself.
    public let selfWeight: Int64
    /// The weight of the samples it was anywhere in; counted once where it calls itself.
    public let totalWeight: Int64
}

extension StackProfile {
    /// For every stack the weight of the samples in it and in what it called, by ``StackID/position``.
    public func totalWeights() -> [Int64] {
        var totals = selfWeights()
        for index in stride(from: stacks.count - 1, to: 0, by: -1) {
            totals[Int(stacks.parents[index])] += totals[index]
        }
        return totals
    }

    /// For every stack the weight of the samples in exactly that stack, by ``StackID/position``.
    public func selfWeights() -> [Int64] {
        var weights = [Int64](repeating: 0, count: stacks.count)
        for sample in samples { weights[sample.stack.position] += sample.weight }
        return weights
    }

    /// Self and total weight of every function, heaviest total first, then by name.
    ///
    /// Functions are distinguished by name and module; groups and truncation markers are no functions.
    ///
    /// - Parameter totals: The profile's ``totalWeights()``, from who has them already.
    public func functionCosts(totals: [Int64]? = nil) -> [FunctionCost] {
        let (functionOfFrame, functions) = functionTable()
        var selfWeights = [Int64](repeating: 0, count: functions.count)
        for sample in samples where sample.stack != .empty {
            let function = functionOfFrame[Int(stacks.frames[sample.stack.position])]
            if function >= 0 { selfWeights[Int(function)] += sample.weight }
        }
        let totalWeights = outermostWeights(
            totals ?? self.totalWeights(), functionOfFrame, count: functions.count)
        return functions.indices
            .filter { totalWeights[$0] > 0 }
            .map {
                FunctionCost(
                    function: functions[$0].function, module: functions[$0].module,
                    selfWeight: selfWeights[$0], totalWeight: totalWeights[$0])
            }
            .sorted {
                if $0.totalWeight != $1.totalWeight { return $0.totalWeight > $1.totalWeight }
                if $0.function != $1.function { return $0.function < $1.function }
                return ($0.module ?? "") < ($1.module ?? "")
            }
    }

    /// The module of the program that most weight belongs to: of each stack the outermost module that is no shared
    /// library. Nil where no frame names one.
    public var heaviestProgram: String? {
        let weights = selfWeights()
        var programs: [String?] = [nil]
        var totals: [String: Int64] = [:]
        for position in 1..<max(stacks.count, 1) {
            let module = frames[Int(stacks.frames[position])].module
            let program =
                programs[Int(stacks.parents[position])] ?? (module.flatMap { Self.isLibrary($0) ? nil : $0 })
            programs.append(program)
            if let program { totals[program, default: 0] += weights[position] }
        }
        return totals.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key
    }

    /// Whether a file is a shared library (`libc.so.6`, `ld-2.31.so`) or the kernel's own (`[vdso]`).
    private static func isLibrary(_ module: String) -> Bool {
        module.hasPrefix("[") || module.hasSuffix(".so") || module.contains(".so.")
    }

    /// The share of samples, by weight, whose innermost frame is unknown: 0 to 1.
    public var unknownLeafShare: Reading<Double> {
        share { sample in
            stacks.leaf(of: sample.stack).map { frames[$0.position].isUnknown } ?? true
        }
    }

    /// The share of samples, by weight, whose stack was cut off: 0 to 1.
    public var truncatedShare: Reading<Double> {
        let flags = stacksContaining { $0.isTruncationMarker }
        return share { flags[$0.stack.position] }
    }

    /// The share of frames, by the weight of their samples, that are unknown: 0 to 1. Groups do not count.
    public var unknownFrameShare: Reading<Double> { unknownFrameShare(totals: totalWeights()) }

    /// The same, from who has the profile's ``totalWeights()`` already.
    public func unknownFrameShare(totals: [Int64]) -> Reading<Double> {
        var known = 0.0
        var unknown = 0.0
        stacks.forEachStack { stack, _, leaf in
            let frame = frames[leaf.position]
            guard !frame.isGroup, !frame.isTruncationMarker else { return }
            let weight = Double(totals[stack.position])
            if frame.isUnknown { unknown += weight } else { known += weight }
        }
        return known + unknown > 0
            ? .value(unknown / (known + unknown)) : .unavailable(reason: "the profile has no frames")
    }

    private func share(_ isCounted: (Sample) -> Bool) -> Reading<Double> {
        guard totalWeight > 0 else { return .unavailable(reason: "the profile has no samples") }
        let counted = samples.reduce(0) { $0 + (isCounted($1) ? $1.weight : 0) }
        return .value(Double(counted) / Double(totalWeight))
    }

    private func stacksContaining(_ condition: (Frame) -> Bool) -> [Bool] {
        let frameFlags = frames.map(condition)
        var flags = [Bool](repeating: false, count: stacks.count)
        stacks.forEachStack { stack, parent, leaf in
            flags[stack.position] = flags[parent.position] || frameFlags[leaf.position]
        }
        return flags
    }

    private struct Function: Hashable {
        let function: String
        let module: String?
    }

    /// For each function the weight of the stacks in which it is the last frame and is not among the callers.
    private func outermostWeights(_ totals: [Int64], _ functionOfFrame: [Int32], count: Int) -> [Int64] {
        var weights = [Int64](repeating: 0, count: count)
        // How often each function is on the path from the root to where the walk is.
        var onPath = [Int32](repeating: 0, count: count)
        walk(totals, functionOfFrame) { node, isEntering in
            guard node.function >= 0 else { return }
            let function = Int(node.function)
            guard isEntering else {
                onPath[function] -= 1
                return
            }
            if onPath[function] == 0 { weights[function] += node.total }
            onPath[function] += 1
        }
        return weights
    }

    /// Numbers functions; a frame that is no function has -1.
    private func functionTable() -> (ofFrame: [Int32], functions: [Function]) {
        var functions: [Function] = []
        var numbers: [Function: Int32] = [:]
        let ofFrame = frames.map { frame -> Int32 in
            if frame.isGroup || frame.isTruncationMarker { return -1 }
            let function = Function(function: frame.function, module: frame.module)
            if let number = numbers[function] { return number }
            functions.append(function)
            numbers[function] = Int32(functions.count - 1)
            return Int32(functions.count - 1)
        }
        return (ofFrame, functions)
    }

    /// What a walk needs of a stack, in one place: millions of them do not fit into any cache.
    private struct Node {
        var parent: Int32
        var firstChild: Int32 = 0
        var nextSibling: Int32 = 0
        var function: Int32
        var total: Int64
    }

    /// Enters and leaves every stack but the empty one, depth first, without recursion.
    private func walk(
        _ totals: [Int64], _ functionOfFrame: [Int32], _ visit: (_ node: Node, _ isEntering: Bool) -> Void
    ) {
        var nodes = stacks.parents.indices.map { index in
            Node(
                parent: stacks.parents[index],
                function: index == 0 ? -1 : functionOfFrame[Int(stacks.frames[index])], total: totals[index])
        }
        for index in stride(from: nodes.count - 1, to: 0, by: -1) {
            let parent = Int(nodes[index].parent)
            nodes[index].nextSibling = nodes[parent].firstChild
            nodes[parent].firstChild = Int32(index)
        }
        var node = nodes[0]
        while true {
            if node.firstChild != 0 {
                node = nodes[Int(node.firstChild)]
                visit(node, true)
                continue
            }
            while node.parent >= 0, node.nextSibling == 0 {
                visit(node, false)
                node = nodes[Int(node.parent)]
            }
            if node.parent < 0 { return }
            visit(node, false)
            node = nodes[Int(node.nextSibling)]
            visit(node, true)
        }
    }
}
