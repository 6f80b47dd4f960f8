internal import JSONDocument
internal import Measurement

/// An object of a JSON file, with what an error message needs: the file and the path of names.
struct TruthFields {
    let file: String
    let path: String
    let object: [String: JSONValue]

    /// The path of a name, for a message.
    func pathOf(_ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }

    /// The error of a value that is not what it should be.
    func wrong(_ name: String, expected: String) -> ProfileError {
        let found =
            switch object[name] {
            case nil: "not there"
            case .null: "null"
            case .object: "an object"
            case .array: "a list"
            case .string(let text): "the string '\(PlainText.sanitized(text, maximumCharacters: 40))'"
            case .number(let number): "\(number)"
            case .bool(let flag): flag ? "true" : "false"
            }
        return .wrongValue(file: file, key: pathOf(name), found: found, expected: expected)
    }

    /// The object under a name; nil when there is none.
    func object(_ name: String) throws(ProfileError) -> TruthFields? {
        guard let value = object[name], value != .null else { return nil }
        guard let inner = value.object else { throw wrong(name, expected: "an object") }
        return TruthFields(file: file, path: pathOf(name), object: inner)
    }

    /// The object under a name that has to be there.
    func required(_ name: String) throws(ProfileError) -> TruthFields {
        guard let inner = try object(name) else { throw .missing(file: file, key: pathOf(name)) }
        return inner
    }

    /// The objects of a list that has to be there.
    func objects(_ name: String) throws(ProfileError) -> [TruthFields] {
        guard let value = object[name] else { throw .missing(file: file, key: pathOf(name)) }
        guard let list = value.array else { throw wrong(name, expected: "a list") }
        var all: [TruthFields] = []
        for (index, item) in list.enumerated() {
            guard let inner = item.object else { throw wrong(name, expected: "a list of objects") }
            all.append(TruthFields(file: file, path: "\(pathOf(name))[\(index)]", object: inner))
        }
        return all
    }

    func requiredText(_ name: String) throws(ProfileError) -> String {
        guard let value = object[name] else { throw .missing(file: file, key: pathOf(name)) }
        guard let text = value.string else { throw wrong(name, expected: "a string") }
        return text
    }

    func stageName(_ name: String) throws(ProfileError) -> StageName {
        guard let stage = StageName(try requiredText(name)) else {
            throw wrong(name, expected: "a stage's name")
        }
        return stage
    }

    func flag(_ name: String) throws(ProfileError) -> Bool {
        guard let value = object[name] else { throw .missing(file: file, key: pathOf(name)) }
        guard let flag = value.bool else { throw wrong(name, expected: "true or false") }
        return flag
    }

    func text(_ name: String) throws(ProfileError) -> Reading<String> {
        try reading(name, expected: "a string") { $0.string }
    }

    func number(_ name: String, mayBeNegative: Bool = false) throws(ProfileError) -> Reading<Double> {
        try reading(name, expected: mayBeNegative ? "a number" : "a number that is not negative") { value in
            value.number.flatMap { $0.magnitude < 1e15 && (mayBeNegative || $0 >= 0) ? $0 : nil }
        }
    }

    func count(_ name: String) throws(ProfileError) -> Reading<Int> {
        try reading(name, expected: "a whole number that is not negative") { value in
            value.number.flatMap { Int(exactly: $0) }.flatMap { $0 >= 0 ? $0 : nil }
        }
    }

    func use(_ key: (Metric) -> String) throws(ProfileError) -> ResourceUse {
        var use = ResourceUse.unavailable("not recorded")
        for metric in Metric.allCases where object[key(metric)] != nil {
            use[metric] = try number(key(metric))
        }
        return use
    }

    private func reading<Value>(
        _ name: String, expected: String, _ convert: (JSONValue) -> Value?
    ) throws(ProfileError) -> Reading<Value> {
        guard let value = object[name] else { return .unavailable(reason: "not recorded") }
        if value == .null { return .unavailable(reason: "null in the file") }
        if let reason = value.object?["unavailable"]?.string { return .unavailable(reason: reason) }
        guard let converted = convert(value) else { throw wrong(name, expected: expected) }
        return .value(converted)
    }
}
