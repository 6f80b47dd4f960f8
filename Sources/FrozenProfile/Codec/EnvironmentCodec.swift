internal import Measurement
internal import YAMLDocument

extension ObservedEnvironment {
    /// As it stands in a file.
    var node: YAMLNode {
        var mapping = YAMLMapping()
        for key in ObservedKey.allCases {
            if let value = values[key] { mapping[key.rawValue] = value.node(decimals: 2) }
        }
        if let governor { mapping["governor"] = governor.node { .text($0) } }
        return .mapping(mapping)
    }

    /// What a file says; nothing where it has no such mapping.
    init(_ fields: FieldReader?) throws(ProfileError) {
        self.init()
        guard let fields else { return }
        for key in ObservedKey.allCases where fields.mapping[key.rawValue] != nil {
            values[key] = try fields.number(key.rawValue)
        }
        if fields.mapping["governor"] != nil { governor = try fields.textReading("governor") }
    }
}

extension RunEnvironment {
    /// As it stands in a file.
    var node: YAMLNode {
        var mapping = YAMLMapping()
        for key in RunEnvironmentKey.allCases {
            if let value = values[key] { mapping[key.rawValue] = value.node(decimals: key.decimals) }
        }
        for key in ObservedKey.states {
            if let range = ranges[key] { mapping[key.rawValue] = range.node(\.node) }
        }
        return .mapping(mapping)
    }

    /// What a file says.
    init(fields: FieldReader) throws(ProfileError) {
        self.init()
        for key in RunEnvironmentKey.allCases where fields.mapping[key.rawValue] != nil {
            values[key] = try fields.number(key.rawValue)
        }
        for key in ObservedKey.states {
            guard let range = try fields.mapping(key.rawValue) else { continue }
            ranges[key] = try ObservedRange.reading(range)
        }
    }

    /// Takes the ranges from where files before schema 2.2 and records before 1.1 have them: the state `before`,
    /// `during` (a mean) and `after` the run.
    mutating func takeRanges(fromOlder fields: FieldReader) throws(ProfileError) {
        let during = try ObservedEnvironment(try fields.mapping("during"))
        ranges = ObservedKey.ranges(
            before: try ObservedEnvironment(try fields.mapping("before")),
            during: during.isEmpty ? [] : [during],
            after: try ObservedEnvironment(try fields.mapping("after")))
    }
}

extension ObservedRange {
    fileprivate var node: YAMLNode {
        func number(_ value: Double) -> YAMLNode { .number(value, decimals: 2) }
        return .mapping([
            "before": number(before), "after": number(after), "lowest": number(lowest),
            "highest": number(highest),
        ])
    }

    fileprivate static func reading(_ fields: FieldReader) throws(ProfileError) -> Reading<ObservedRange> {
        if let reason = fields.mapping["unavailable"]?.asText { return .unavailable(reason: reason) }
        func number(_ key: String) throws(ProfileError) -> Double {
            guard let value = try fields.number(key).value else {
                throw .missing(file: fields.file, key: fields.pathOf(key))
            }
            return value
        }
        return .value(
            ObservedRange(
                before: try number("before"), after: try number("after"), lowest: try number("lowest"),
                highest: try number("highest")))
    }
}

extension Canary {
    /// Canaries by name, as they stand in a file.
    static func node(_ canaries: [Canary]) -> YAMLNode {
        var mapping = YAMLMapping()
        for canary in canaries {
            var moments = YAMLMapping()
            for moment in Canary.Moment.allCases {
                guard let repetitions = canary.repetitions[moment] else { continue }
                moments["\(moment.rawValue)_s"] = repetitions.node { seconds in
                    .sequence(seconds.map { .number($0, decimals: 6) })
                }
            }
            mapping[canary.name] = .mapping(moments)
        }
        return .mapping(mapping)
    }

    /// The canaries in a mapping of a file.
    static func list(_ fields: FieldReader?) throws(ProfileError) -> [Canary] {
        var canaries: [Canary] = []
        for name in fields?.mapping.keys ?? [] {
            guard let moments = try fields?.mapping(name) else { continue }
            var canary = Canary(name: name)
            for moment in Moment.allCases {
                let key = "\(moment.rawValue)_s"
                guard let node = moments.mapping[key] else { continue }
                canary.repetitions[moment] = try repetitions(node, key, moments)
            }
            canaries.append(canary)
        }
        return canaries
    }

    private static func repetitions(
        _ node: YAMLNode, _ key: String, _ fields: FieldReader
    ) throws(ProfileError) -> Reading<[Double]> {
        if let reason = node["unavailable"]?.asText { return .unavailable(reason: reason) }
        let numbers = node.asSequence?.map(\.asNumber)
        guard let numbers, numbers.allSatisfy({ $0.map { $0.isFinite && $0 >= 0 && $0 < 1e15 } ?? false })
        else { throw fields.wrong(key, node, expected: "a list of numbers that are not negative") }
        return .value(numbers.compactMap(\.self))
    }
}
