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
    private var positions: [String: Int] = [:]

    /// A mapping without entries.
    public init() {}

    /// The value of a key. Setting a new key appends it, setting nil removes it.
    public subscript(key: String) -> YAMLNode? {
        get { positions[key].map { entries[$0].value } }
        set {
            switch (positions[key], newValue) {
            case (let position?, let value?): entries[position].value = value
            case (nil, let value?):
                positions[key] = entries.count
                entries.append(Entry(key: key, value: value))
            case (let position?, nil):
                entries.remove(at: position)
                positions = [:]
                for (index, entry) in entries.enumerated() { positions[entry.key] = index }
            case (nil, nil): break
            }
        }
    }

    /// The keys in order.
    public var keys: [String] { entries.map(\.key) }
    public var count: Int { entries.count }
    public var isEmpty: Bool { entries.isEmpty }
}

extension YAMLMapping: ExpressibleByDictionaryLiteral {
    /// Entries in the order written; of a repeated key the last value counts.
    public init(dictionaryLiteral elements: (String, YAMLNode)...) {
        for (key, value) in elements { self[key] = value }
    }
}
