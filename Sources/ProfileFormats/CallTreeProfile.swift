internal import StackProfile

/// The sampled call trees of V8 and Chrome: nodes with children or parents, and samples that name nodes.
struct CallTreeProfile {
    struct Node {
        var frame: Frame
        var parent: Int?
        var children: [Int] = []
        var hits = 0
    }

    var nodes: [Int: Node] = [:]
    var samples: [Int] = []
    /// Microseconds since the sample before, for each sample.
    var deltas: [Double] = []
    /// Microseconds.
    var start: Double?
    var end: Double?

    /// Reads an array of nodes into the tree.
    mutating func readNodes(_ list: inout JSONReader) throws(JSONReader.Failure) {
        var nodes = self.nodes
        try list.forEachElement { (element) throws(JSONReader.Failure) in
            var (id, node): (Int?, Node) = (nil, Node(frame: Frame("")))
            try element.forEachMember { (name, value) throws(JSONReader.Failure) in
                switch name {
                case "id": id = try value.index()
                case "parent": node.parent = try value.index()
                case "hitCount": node.hits = try value.index() ?? 0
                case "callFrame": node.frame = try Self.frame(&value)
                case "children":
                    guard value.kind() == .array else { return }
                    try value.forEachElement { (child) throws(JSONReader.Failure) in
                        if let child = try child.index() { node.children.append(child) }
                    }
                default: break
                }
            }
            guard let id, nodes.count < FormatLimits.stacks else { throw .malformed(at: element.position) }
            nodes[id] = node
        }
        self.nodes = nodes
    }

    /// A function of V8: lines count from 0.
    private static func frame(_ value: inout JSONReader) throws(JSONReader.Failure) -> Frame {
        var frame = Frame("")
        try value.forEachMember { (name, value) throws(JSONReader.Failure) in
            switch name {
            case "functionName": frame.function = try value.optionalString() ?? ""
            case "url": frame.file = try value.optionalString().flatMap { $0.isEmpty ? nil : $0 }
            case "lineNumber":
                frame.line = try value.optionalNumber().flatMap { Int(exactly: $0) }.map { $0 + 1 }
            default: break
            }
        }
        if frame.function.isEmpty { frame.function = "(anonymous)" }
        if (frame.line ?? 1) <= 0 { frame.line = nil }
        return frame
    }

    /// Reads numbers into a list.
    static func readNumbers(_ list: inout JSONReader, into numbers: inout [Double]) throws(JSONReader.Failure)
    {
        guard list.kind() == .array else { return }
        var read: [Double] = []
        try list.forEachElement { (value) throws(JSONReader.Failure) in read.append(try value.number()) }
        numbers += read
    }

    /// Whether times are known; otherwise hits are counted.
    var isTimed: Bool { !samples.isEmpty && deltas.count >= samples.count }

    /// Adds the samples, or else the hits, to a profile.
    func add(to builder: inout StackProfileBuilder, labels: Int, kind: String) throws(FormatError) {
        let stacks = try self.stacks(&builder, kind: kind)
        guard isTimed else {
            for (id, node) in nodes.sorted(by: { $0.key < $1.key }) where node.hits > 0 {
                try add(stacks[id] ?? .empty, Double(node.hits), labels, &builder)
            }
            return
        }
        // A sample lasts until the next one.
        var total = (start ?? 0) + (deltas.first ?? 0)
        for (index, id) in samples.enumerated() {
            guard let stack = stacks[id] else {
                throw .damaged(kind, "a sample names a node that is missing")
            }
            let isLast = index + 1 == samples.count
            let duration = isLast ? (end ?? total) - total : deltas[index + 1]
            if !isLast { total += duration }
            try add(stack, max(0, duration) * 1000, labels, &builder)
        }
    }

    private func add(
        _ stack: StackID, _ weight: Double, _ labels: Int, _ builder: inout StackProfileBuilder
    ) throws(FormatError) {
        guard weight <= Double(StackProfile.weightLimit), stack != .empty else { return }
        try FormatError.adding { () throws(StackProfileError) in
            try builder.add(stack, weight: Int64(weight.rounded()), labels: labels)
        }
    }

    /// The stack of each node; `(root)` is no function.
    private func stacks(
        _ builder: inout StackProfileBuilder, kind: String
    ) throws(FormatError) -> [Int: StackID] {
        var parents: [Int: Int] = [:]
        for (id, node) in nodes.sorted(by: { $0.key < $1.key }) {
            if let parent = node.parent { parents[id] = parent }
            for child in node.children { parents[child] = id }
        }
        var stacks: [Int: StackID] = [:]
        for id in nodes.keys.sorted() where stacks[id] == nil {
            // From the node outwards to one that is known, then back.
            var path = [id]
            while let parent = parents[path[path.count - 1]], stacks[parent] == nil, nodes[parent] != nil {
                path.append(parent)
                guard path.count <= FormatLimits.depth else {
                    throw .damaged(
                        kind, "its nodes are nested deeper than \(FormatLimits.depth), or in a circle")
                }
            }
            for id in path.reversed() {
                guard let node = nodes[id] else { continue }
                let caller = parents[id].flatMap { stacks[$0] } ?? .empty
                stacks[id] =
                    node.frame.function == "(root)"
                    ? caller : builder.stack(under: caller, builder.id(of: node.frame))
            }
        }
        return stacks
    }
}

/// V8's and Chrome's CPU profiles, `.cpuprofile`.
enum ChromeProfile {
    private static let kind = "a Chrome CPU profile"

    static func read(_ buffer: UnsafeRawBufferPointer) throws(FormatError) -> ForeignProfile {
        var tree = CallTreeProfile()
        do throws(JSONReader.Failure) {
            var file = JSONReader(buffer)
            try file.forEachMember { (name, value) throws(JSONReader.Failure) in
                switch name {
                case "nodes": try tree.readNodes(&value)
                case "samples":
                    var ids: [Double] = []
                    try CallTreeProfile.readNumbers(&value, into: &ids)
                    tree.samples = ids.compactMap { Int(exactly: $0) }
                case "timeDeltas": try CallTreeProfile.readNumbers(&value, into: &tree.deltas)
                case "startTime": tree.start = try value.optionalNumber()
                case "endTime": tree.end = try value.optionalNumber()
                default: break
                }
            }
        } catch {
            throw .damaged(kind, error)
        }
        var builder = StackProfileBuilder(unit: tree.isTimed ? .nanoseconds : .samples)
        try tree.add(to: &builder, labels: 0, kind: kind)
        return ForeignProfile(profile: builder.build())
    }
}
