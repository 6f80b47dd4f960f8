/// The stacks of two profiles in one tree of functions: what both have once, and what only one has too.
///
/// A node is a path of functions, distinguished as ``ComparableName`` says, so that a function is the same on both sides
/// although its line moved or its library has a new version.
public struct UnionTree: Sendable {
    /// One frame for each function, the newer side's where it has it; the line is that of any of its frames.
    public let functions: [Frame]
    /// The tree; a node's ``FrameID/position`` is the index of its function in ``functions``.
    public let tree: StackTree
    /// For each stack of the older side, by ``StackID/position``, its node.
    public let nodesBefore: [StackID]
    /// For each stack of the newer side, by ``StackID/position``, its node.
    public let nodesAfter: [StackID]

    /// The union of two profiles, in time proportional to their sizes.
    public init(before: StackProfile, after: StackProfile) {
        var table = FunctionTable(before: before.frames, after: after.frames)
        // The newer side first, so that its frames stand for functions of both.
        let afterFunctions = table.numbers(of: after.frames)
        let beforeFunctions = table.numbers(of: before.frames)
        var interner = StackInterner()
        nodesAfter = Self.nodes(of: after.stacks, afterFunctions, &interner)
        nodesBefore = Self.nodes(of: before.stacks, beforeFunctions, &interner)
        functions = table.functions
        tree = interner.tree
    }

    private static func nodes(
        of stacks: StackTree, _ functions: [FrameID], _ interner: inout StackInterner
    ) -> [StackID] {
        var nodes = [StackID](repeating: .empty, count: stacks.count)
        stacks.forEachStack { stack, parent, leaf in
            nodes[stack.position] = interner.child(of: nodes[parent.position], functions[leaf.position])
        }
        return nodes
    }
}

/// Numbers the functions of two profiles.
///
/// The module, or the source file of an interpreted function, distinguishes functions of one name only where a side has
/// several of that name: a program that was renamed from one release to the next is no other program.
private struct FunctionTable {
    private struct Key: Hashable {
        let name: String
        let module: String
        let traits: UInt8
    }

    private(set) var functions: [Frame] = []
    private var numbers: [Key: FrameID] = [:]
    private let ambiguous: Set<String>

    init(before: [Frame], after: [Frame]) {
        var ambiguous: Set<String> = []
        for frames in [before, after] {
            var moduleOfName: [String: String] = [:]
            for frame in frames where !frame.isUnknown {
                let name = ComparableName.of(function: frame.function)
                let module = Self.place(of: frame)
                if moduleOfName.updateValue(module, forKey: name) ?? module != module {
                    ambiguous.insert(name)
                }
            }
        }
        self.ambiguous = ambiguous
    }

    private static func place(of frame: Frame) -> String {
        if frame.isInterpreted { return frame.file ?? "" }
        return frame.module.map(ComparableName.of(module:)) ?? ""
    }

    mutating func numbers(of frames: [Frame]) -> [FrameID] {
        frames.map { frame in
            let module = Self.place(of: frame)
            // An unknown function is named after its file, or by an address, which no other build has.
            let isNameless = frame.isUnknown && !(frame.module ?? "").isEmpty
            let name = isNameless ? "[\(module)]" : ComparableName.of(function: frame.function)
            let key = Key(
                name: name, module: ambiguous.contains(name) ? module : "",
                // Guessed or not, inlined or not, it is the same function.
                traits: frame.traits.subtracting([.guessed, .inlined]).rawValue)
            if let known = numbers[key] { return known }
            let id = FrameID(Int32(functions.count))
            functions.append(frame)
            numbers[key] = id
            return id
        }
    }
}
