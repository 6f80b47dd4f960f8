public import Measurement
internal import YAMLDocument

extension RunRecord {
    /// What one node had of a run whose tasks were at work on several.
    public struct Node: Equatable, Sendable {
        /// By the scheduler's name for it, and by its own.
        public var name: String
        public var host: String
        public var tasks: Int
        public var cpuSeconds: Reading<Double>
        /// The most memory at one moment, all its tasks together, and how that was found.
        public var peakResidentMB: Reading<Double>
        public var peakMethod: String?
        /// By how much its monotonic clock is ahead of that of the machine that made the record, and the most by which that
        /// is off.
        public var clockAheadSeconds: Reading<Double>
        public var clockBoundSeconds: Reading<Double>

        /// An account of a node.
        public init(
            name: String, host: String, tasks: Int, cpuSeconds: Reading<Double>,
            peakResidentMB: Reading<Double>, peakMethod: String?, clockAheadSeconds: Reading<Double>,
            clockBoundSeconds: Reading<Double>
        ) {
            self.name = name
            self.host = host
            self.tasks = tasks
            self.cpuSeconds = cpuSeconds
            self.peakResidentMB = peakResidentMB
            self.peakMethod = peakMethod
            self.clockAheadSeconds = clockAheadSeconds
            self.clockBoundSeconds = clockBoundSeconds
        }
    }
}

extension RunRecord.Node {
    /// The key under which they stand in a record: a mapping by node.
    static let key = "nodes"

    static func yaml(_ nodes: [RunRecord.Node]) -> YAMLNode {
        var byName = YAMLMapping()
        for node in nodes {
            var mapping: YAMLMapping = [
                "host": .text(node.host), "tasks": .integer(Int64(node.tasks)),
                "cpu_s": node.cpuSeconds.node(decimals: 6),
                "peak_rss_mb": node.peakResidentMB.node(decimals: 3),
            ]
            if let method = node.peakMethod { mapping["peak_method"] = .text(method) }
            mapping["clock_ahead_s"] = node.clockAheadSeconds.node(decimals: 9)
            mapping["clock_bound_s"] = node.clockBoundSeconds.node(decimals: 9)
            byName[node.name] = .mapping(mapping)
        }
        return .mapping(byName)
    }

    static func read(_ fields: FieldReader) throws(ProfileError) -> [RunRecord.Node] {
        guard let nodes = try fields.mapping(key) else { return [] }
        var list: [RunRecord.Node] = []
        for name in nodes.mapping.entries.map(\.key) {
            guard let node = try nodes.mapping(name) else { continue }
            list.append(
                RunRecord.Node(
                    name: name, host: try node.requiredText("host"),
                    tasks: try node.count("tasks").value ?? 0,
                    cpuSeconds: try node.number("cpu_s"), peakResidentMB: try node.number("peak_rss_mb"),
                    peakMethod: try node.text("peak_method"),
                    clockAheadSeconds: try node.number("clock_ahead_s", mayBeNegative: true),
                    clockBoundSeconds: try node.number("clock_bound_s")))
        }
        return list
    }
}
