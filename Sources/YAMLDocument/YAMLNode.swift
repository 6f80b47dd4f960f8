/// A value of a YAML document.
public enum YAMLNode: Hashable, Sendable {
    /// No value: `null`, `~`, or nothing after a key.
    case null
    /// `true` or `false`.
    case bool(Bool)
    /// A whole number.
    case integer(Int64)
    /// A number with a point or an exponent; also `.nan`, `.inf` and `-.inf`.
    case number(Double)
    /// A string.
    case text(String)
    /// A list.
    case sequence([YAMLNode])
    /// Keys with values, in order.
    case mapping(YAMLMapping)
}

extension YAMLNode {
    /// Whether this is the null value.
    public var isNull: Bool { self == .null }
    /// The truth value, nil for any other kind.
    public var asBool: Bool? { if case .bool(let value) = self { value } else { nil } }
    /// The whole number, nil for any other kind.
    public var asInteger: Int64? { if case .integer(let value) = self { value } else { nil } }
    /// The string, nil for any other kind.
    public var asText: String? { if case .text(let value) = self { value } else { nil } }
    /// The list, nil for any other kind.
    public var asSequence: [YAMLNode]? { if case .sequence(let value) = self { value } else { nil } }
    /// The mapping, nil for any other kind.
    public var asMapping: YAMLMapping? { if case .mapping(let value) = self { value } else { nil } }

    /// The number, whole or not; nil for any other kind.
    public var asNumber: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }

    /// The value of a key when this is a mapping that has it.
    public subscript(key: String) -> YAMLNode? { asMapping?[key] }

    /// A number rounded to so many decimals, so that it is written short.
    ///
    /// The double nearest to a short decimal prints as that decimal. Beyond 2^53 there are no decimals to round.
    public static func number(_ value: Double, decimals: Int) -> YAMLNode {
        var scale = 1.0
        for _ in 0..<max(0, min(decimals, 15)) { scale *= 10 }
        let scaled = (value * scale).rounded()
        return .number(scaled.magnitude < 9_007_199_254_740_992 ? scaled / scale : value)
    }

    /// What kind of value this is, for a sentence: `a string`, `a list`.
    public var kindInWords: String {
        switch self {
        case .null: "no value"
        case .bool: "true or false"
        case .integer: "a whole number"
        case .number: "a number"
        case .text: "a string"
        case .sequence: "a list"
        case .mapping: "a mapping"
        }
    }
}

/// Keys with values, in the order in which they stand in the document. Equal only in the same order.
public struct YAMLMapping: Hashable, Sendable {
    /// A key and its value.
    public struct Entry: Hashable, Sendable {
        public var key: String
        public var value: YAMLNode

        /// A key and its value.
        public init(key: String, value: YAMLNode) {
            self.key = key
            self.value = value
        }
    }

    /// The entries in order. Keys are unique.
    public private(set) var entries: [Entry] = []
    /// Where each key is; empty while there are so few that looking through them is as fast.
    private var positions: [String: Int] = [:]
    private static let fewEntries = 24

    /// A mapping without entries.
    public init() {}

    /// The value of a key. Setting a new key appends it, setting nil removes it.
    public subscript(key: String) -> YAMLNode? {
        get { position(of: key).map { entries[$0].value } }
        set {
            switch (position(of: key), newValue) {
            case (let position?, let value?): entries[position].value = value
            case (nil, let value?):
                entries.append(Entry(key: key, value: value))
                if positions.isEmpty { index() } else { positions[key] = entries.count - 1 }
            case (let position?, nil):
                entries.remove(at: position)
                index()
            case (nil, nil): break
            }
        }
    }

    private func position(of key: String) -> Int? {
        positions.isEmpty ? entries.firstIndex { $0.key == key } : positions[key]
    }

    /// Finds the place of each key anew, once there are many.
    private mutating func index() {
        positions = [:]
        guard entries.count > YAMLMapping.fewEntries else { return }
        for (index, entry) in entries.enumerated() { positions[entry.key] = index }
    }

    /// The keys in order.
    public var keys: [String] { entries.map(\.key) }
    public var count: Int { entries.count }
    public var isEmpty: Bool { entries.isEmpty }

    public static func == (left: YAMLMapping, right: YAMLMapping) -> Bool { left.entries == right.entries }

    public func hash(into hasher: inout Hasher) { hasher.combine(entries) }
}

extension YAMLMapping: ExpressibleByDictionaryLiteral {
    /// Entries in the order written; of a repeated key the last value counts.
    public init(dictionaryLiteral elements: (String, YAMLNode)...) {
        for (key, value) in elements { self[key] = value }
    }
}
