internal import Measurement
internal import YAMLDocument

extension FrozenCounts {
    /// The key in profiles and records.
    static let key = "counts"

    var node: YAMLNode {
        var parts = YAMLMapping()
        for stage in stages { parts[stage.name.text] = stage.part.node }
        return .mapping([
            "engine": .text(engine), "depends_on": .text(identity),
            "command": .sequence(command.map { .text($0) }), "environment": Recipe.Variable.node(environment),
            "total": total.node, "outside_stages": outside.node, "stages": .mapping(parts),
        ])
    }

    init(_ fields: FieldReader) throws(ProfileError) {
        var stages: [Stage] = []
        if let all = try fields.mapping("stages") {
            for (name, part) in try all.namedStages() {
                stages.append(Stage(name: name, part: try Part(part)))
            }
        }
        let environment = try fields.mapping("environment").map(Recipe.Variable.list) ?? []
        guard let total = try fields.mapping("total"), let outside = try fields.mapping("outside_stages")
        else {
            throw .missing(file: fields.file, key: fields.pathOf("total"))
        }
        self.init(
            engine: try fields.requiredText("engine"), identity: try fields.requiredText("depends_on"),
            command: try fields.texts("command"), environment: environment, stages: stages,
            outside: try Part(outside), total: try Part(total))
    }
}

extension FrozenCounts.Part {
    fileprivate var node: YAMLNode {
        var mapping: YAMLMapping = [
            "instructions": .integer(Int64(median.rounded())),
            "floor_pct": floorPercent.node(decimals: 6),
            "runs": .sequence(instructions.map { .integer($0) }),
        ]
        mapping["system_calls"] = systemCalls.node { calls in
            var nodes = YAMLMapping()
            for (name, count) in calls.sorted(by: { $0.key < $1.key }) { nodes[name] = .integer(count) }
            return .mapping(nodes)
        }
        if !lowerBound.isEmpty { mapping["lower_bound"] = .sequence(lowerBound.map { .text($0) }) }
        if isShared { mapping["shared"] = .bool(true) }
        return .mapping(mapping)
    }

    fileprivate init(_ fields: FieldReader) throws(ProfileError) {
        var instructions: [Int64] = []
        for (index, node) in (fields.mapping["runs"]?.asSequence ?? []).enumerated() {
            guard let count = node.asInteger, (0..<1 << 53).contains(count) else {
                throw fields.wrong("runs[\(index)]", node, expected: "a whole number that is not negative")
            }
            instructions.append(count)
        }
        var calls: [String: Int64] = [:]
        var reason: String?
        if let all = try fields.mapping("system_calls") {
            reason = try all.text("unavailable")
            for name in all.mapping.keys where reason == nil {
                calls[name] = Int64(try all.count(name).value ?? 0)
            }
        }
        self.init(
            instructions: instructions,
            systemCalls: reason.map { .unavailable(reason: $0) } ?? .value(calls),
            lowerBound: try fields.texts("lower_bound"), isShared: try fields.flag("shared"))
    }
}

extension Reading<FrozenCounts> {
    /// The counts under the key of a profile; nil where it has none of it, as profiles of older versions.
    static func decode(_ fields: FieldReader) throws(ProfileError) -> Reading<FrozenCounts>? {
        guard let found = try fields.mapping(FrozenCounts.key) else { return nil }
        if let reason = try found.text("unavailable") { return .unavailable(reason: reason) }
        return .value(try FrozenCounts(found))
    }
}
