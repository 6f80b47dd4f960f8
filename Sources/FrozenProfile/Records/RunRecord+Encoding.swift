internal import JSONDocument
internal import Measurement
internal import YAMLDocument

extension RunRecord {
    /// The record as a file: JSON with keys in a fixed order, the same record always as the same bytes.
    public func encode() -> [UInt8] {
        var root: YAMLMapping = [
            "schema": .text(RunRecord.schemaName),
            "schema_version": .text(RunRecord.schemaVersion.description),
            "tool_version": .text(toolVersion),
            "release": release.node { .text($0) },
            "session": .text(session.text), "index": .integer(Int64(run.index)),
            "kind": .text(run.kind.rawValue),
        ]
        if let startedAt = run.startedAt { root["started_at"] = .text(startedAt) }
        run.writeWhatHappened(to: &root)
        if let observed = run.observed { root["observed"] = .mapping(["before": observed.node]) }
        if !openStages.isEmpty { root["open_stages"] = .sequence(openStages.map { .text($0.text) }) }
        if let leftOutput { root["left_output"] = .text(leftOutput) }
        root["recipe"] = recipe.node
        if let loginEnvironment { root["login_environment"] = Recipe.Variable.node(loginEnvironment) }
        root["program"] = program.node { .text($0) }
        if let place { root[SessionPlace.key] = place.yaml }
        root["dataset_id"] = datasetID.node { .text($0) }
        root["episodes_processed"] = episodesProcessed.countNode
        root["identity"] = identity.node
        root["classes"] = .mapping(classes)
        var totals = YAMLMapping()
        run.use.write(to: &totals, key: \.runKey)
        root["totals"] = .mapping(totals)
        root["stages"] = .sequence(run.stages.map(\.recordNode))
        if !nodes.isEmpty { root[Node.key] = Node.yaml(nodes) }
        if let monitor { root["monitor"] = monitor.node }
        root["sampler"] = sampler.node
        root["sampler_cpu_s"] = samplerCPUSeconds.node(decimals: 6)
        if let counts { root[FrozenCounts.key] = counts.node }
        root["files"] = .mapping(Companion.nodes(files))
        if !canaries.isEmpty { root["canaries"] = Canary.node(canaries) }
        root["notes"] = .sequence(notes.map { .text($0) })
        root["transitions"] = .sequence(transitions.map(\.recordNode))
        root["transitions_left_out"] = .integer(Int64(transitionsLeftOut))
        return JSONLayout.emit(.mapping(root))
    }

    /// How each value of the record came about, by key.
    private var classes: YAMLMapping {
        var classes: YAMLMapping = [
            "entered": .text(ValueClass.exact.rawValue),
            "episodes_processed": .text(ValueClass.exact.rawValue),
            "work_s": .text(ValueClass.noisy.rawValue),
        ]
        if run.outputDigest != nil { classes["output_digest"] = .text(ValueClass.exact.rawValue) }
        for metric in Set(([run.use] + run.stages.map(\.use)).flatMap(\.metrics)).sorted() {
            classes[metric.runKey] = .text(metric.valueClass.rawValue)
        }
        return classes
    }
}

extension StageRun {
    fileprivate var recordNode: YAMLNode {
        var mapping: YAMLMapping = ["stage": .text(stage.text)]
        for entry in fields.entries { mapping[entry.key] = entry.value }
        if let peakMethod { mapping["peak_method"] = .text(peakMethod) }
        if let source { mapping["source"] = .text(source) }
        return .mapping(mapping)
    }
}

extension StageTruth.Transition {
    /// The moment, what happened, the stage, and the episode and the node where there are any: short, for there may be many.
    fileprivate var recordNode: YAMLNode {
        var items: [YAMLNode] = [
            .number(seconds, decimals: 6), .text(isBegin ? "begin" : "end"), .text(stage.text),
        ]
        if let episode { items.append(.integer(Int64(episode))) }
        if let node { items.append(.text(node)) }
        return .sequence(items)
    }
}

extension RunRecord.Monitor {
    fileprivate var node: YAMLNode {
        .mapping([
            "interval_s": intervalSeconds.node(decimals: 4), "cpu_s": cpuSeconds.node(decimals: 6),
            "peak_rss_mb": peakResidentMB.node(decimals: 3),
            "ticks": .integer(Int64(ticks)), "log_lines": logLines.countNode,
            "log_lines_lost": .integer(Int64(lostLogLines)),
        ])
    }
}

/// JSON as a person reads it: what fits into a line stands in one, everything else an item to a line.
enum JSONLayout {
    private static let lineWidth = 120

    /// The text of a node, as UTF-8, ended by a line feed.
    static func emit(_ node: YAMLNode) -> [UInt8] {
        var text = ""
        write(node, indent: 0, to: &text)
        return Array((text + "\n").utf8)
    }

    /// The text of a node in one line, without a line feed.
    static func oneLine(_ node: YAMLNode) -> String { line(node, within: .max) ?? "" }

    private static func write(_ node: YAMLNode, indent: Int, to text: inout String) {
        if indent > 0, let line = line(node, within: lineWidth - indent) {
            text += line
            return
        }
        let inner = String(repeating: " ", count: indent + 2)
        let outer = String(repeating: " ", count: indent)
        switch node {
        case .sequence(let items) where !items.isEmpty:
            text += "["
            for (index, item) in items.enumerated() {
                text += (index == 0 ? "\n" : ",\n") + inner
                write(item, indent: indent + 2, to: &text)
            }
            text += "\n\(outer)]"
        case .mapping(let mapping) where !mapping.entries.isEmpty:
            text += "{"
            for (index, entry) in mapping.entries.enumerated() {
                text += (index == 0 ? "\n" : ",\n") + inner + entry.key.asJSON + ": "
                write(entry.value, indent: indent + 2, to: &text)
            }
            text += "\n\(outer)}"
        default: text += line(node, within: .max) ?? ""
        }
    }

    /// The node in one line; nil when that is longer than so many characters.
    private static func line(_ node: YAMLNode, within width: Int) -> String? {
        var parts: [String] = []
        var left = width - 2
        func add(_ key: String, _ value: YAMLNode) -> Bool {
            guard let text = line(value, within: left - key.count) else { return false }
            parts.append(key + text)
            left -= key.count + text.count + 2
            return left >= 0
        }
        switch node {
        case .null: return "null"
        case .bool(let value): return value ? "true" : "false"
        case .integer(let value): return "\(value)"
        // No record has another one, and no JSON could.
        case .number(let value): return value.isFinite ? "\(value)" : "null"
        case .text(let value): return value.asJSON
        case .sequence(let items):
            for item in items where !add("", item) { return nil }
            return "[\(parts.joined(separator: ", "))]"
        case .mapping(let mapping):
            for entry in mapping.entries where !add("\(entry.key.asJSON): ", entry.value) { return nil }
            return "{\(parts.joined(separator: ", "))}"
        }
    }
}
