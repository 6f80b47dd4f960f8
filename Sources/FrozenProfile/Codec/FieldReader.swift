internal import Measurement
internal import YAMLDocument

/// A mapping of a file, with what an error message needs: the file and the path of keys.
struct FieldReader {
    let file: String
    let path: String
    let mapping: YAMLMapping
    /// Why a value is unavailable whose key is not there.
    let reasonWhenMissing: String

    /// The mapping at a node, which has to be one.
    init(file: String, path: String, node: YAMLNode, reasonWhenMissing: String) throws(ProfileError) {
        guard let mapping = node.asMapping else {
            throw .wrongValue(
                file: file, key: path.isEmpty ? "the document" : path, found: node.kindInWords,
                expected: "a mapping")
        }
        self.file = file
        self.path = path
        self.mapping = mapping
        self.reasonWhenMissing = reasonWhenMissing
    }

    /// The mapping under a key, nil when there is none.
    func mapping(_ key: String) throws(ProfileError) -> FieldReader? {
        guard let node = mapping[key], !node.isNull else { return nil }
        return try FieldReader(
            file: file, path: pathOf(key), node: node, reasonWhenMissing: reasonWhenMissing)
    }

    /// The mappings of a list under a key, none when there is no such key.
    func mappings(_ key: String) throws(ProfileError) -> [FieldReader] {
        var readers: [FieldReader] = []
        for (index, node) in try sequence(key).enumerated() {
            readers.append(
                try FieldReader(
                    file: file, path: "\(pathOf(key))[\(index)]", node: node,
                    reasonWhenMissing: reasonWhenMissing))
        }
        return readers
    }

    /// The strings of a list under a key, none when there is no such key.
    func texts(_ key: String) throws(ProfileError) -> [String] {
        var texts: [String] = []
        for (index, node) in try sequence(key).enumerated() {
            guard let text = node.asText else {
                throw wrong("\(key)[\(index)]", node, expected: "a string")
            }
            texts.append(text)
        }
        return texts
    }

    /// The string under a key; nil when there is none.
    func text(_ key: String) throws(ProfileError) -> String? {
        guard let node = mapping[key], !node.isNull else { return nil }
        guard let text = node.asText else { throw wrong(key, node, expected: "a string") }
        return text
    }

    /// The string under a key that has to be there.
    func requiredText(_ key: String) throws(ProfileError) -> String {
        guard let text = try text(key), !text.isEmpty else { throw .missing(file: file, key: pathOf(key)) }
        return text
    }

    /// The truth value under a key, false when there is none.
    func flag(_ key: String) throws(ProfileError) -> Bool {
        guard let node = mapping[key], !node.isNull else { return false }
        guard let value = node.asBool else { throw wrong(key, node, expected: "true or false") }
        return value
    }

    /// The number under a key: finite, and not negative unless allowed.
    func number(_ key: String, mayBeNegative: Bool = false) throws(ProfileError) -> Reading<Double> {
        let expected = mayBeNegative ? "a number" : "a number that is not negative"
        return try reading(key, expected: expected) { node in
            node.asNumber.flatMap {
                $0.isFinite && $0.magnitude < 1e15 && (mayBeNegative || $0 >= 0) ? $0 : nil
            }
        }
    }

    /// The count under a key.
    func count(_ key: String) throws(ProfileError) -> Reading<Int> {
        try reading(key, expected: "a whole number that is not negative") { node in
            node.asInteger.flatMap { $0 >= 0 ? Int($0) : nil }
        }
    }

    /// The string under a key as a reading.
    func textReading(_ key: String) throws(ProfileError) -> Reading<String> {
        try reading(key, expected: "a string") { $0.asText }
    }

    /// The string, number or truth value under a key.
    func fact(_ key: String) throws(ProfileError) -> Reading<Fact> {
        try reading(key, expected: "a string, a number, or true or false") { node in
            if let text = node.asText { return .text(text) }
            if let flag = node.asBool { return .bool(flag) }
            return node.asNumber.flatMap { $0.isFinite ? .number($0) : nil }
        }
    }

    /// The path of a key, for a message.
    func pathOf(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

    /// The error of a value that is not what it should be.
    func wrong(_ key: String, _ node: YAMLNode, expected: String) -> ProfileError {
        .wrongValue(file: file, key: pathOf(key), found: FieldReader.shown(node), expected: expected)
    }

    private func sequence(_ key: String) throws(ProfileError) -> [YAMLNode] {
        guard let node = mapping[key], !node.isNull else { return [] }
        guard let items = node.asSequence else { throw wrong(key, node, expected: "a list") }
        return items
    }

    private func reading<Value>(
        _ key: String, expected: String, _ convert: (YAMLNode) -> Value?
    ) throws(ProfileError) -> Reading<Value> {
        guard let node = mapping[key] else { return .unavailable(reason: reasonWhenMissing) }
        if node.isNull { return .unavailable(reason: "null in the file") }
        if let reason = node["unavailable"]?.asText { return .unavailable(reason: reason) }
        guard let value = convert(node) else { throw wrong(key, node, expected: expected) }
        return .value(value)
    }

    /// A value as a phrase: numbers themselves, of anything else the kind.
    private static func shown(_ node: YAMLNode) -> String {
        switch node {
        case .integer(let value): "\(value)"
        case .number(let value): value.isFinite ? "\(value)" : value.isNaN ? "not a number" : "infinite"
        case .text(let value): "the string '\(PlainText.sanitized(value, maximumCharacters: 40))'"
        default: node.kindInWords
        }
    }
}
