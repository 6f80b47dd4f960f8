internal import CLibYAML

/// Turns libyaml's events into nodes. The parser is freed with its owner.
struct YAMLReader: ~Copyable {
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let bytes: UnsafeBufferPointer<UInt8>
    private let dialect: YAMLDocument.Dialect
    private var nodes = 0

    /// Reads one document.
    static func read(_ bytes: [UInt8], dialect: YAMLDocument.Dialect) throws(YAMLError) -> YAMLNode {
        // withUnsafeBufferPointer rethrows untyped, so the outcome travels as a value.
        try bytes.withUnsafeBufferPointer { buffer -> Result<YAMLNode, YAMLError> in
            Result { () throws(YAMLError) -> YAMLNode in
                var reader = YAMLReader(buffer, dialect: dialect)
                return try reader.document()
            }
        }.get()
    }

    private init(_ bytes: UnsafeBufferPointer<UInt8>, dialect: YAMLDocument.Dialect) {
        self.dialect = dialect
        self.bytes = bytes
        parser = .allocate(capacity: 1)
        parser.initialize(to: yaml_parser_t())
        // Fails only when memory is exhausted, where Swift's own allocations end the process as well.
        precondition(yaml_parser_initialize(parser) == 1, "out of memory")
        yaml_parser_set_input_string(parser, bytes.baseAddress, bytes.count)
    }

    deinit {
        yaml_parser_delete(parser)
        parser.deinitialize(count: 1)
        parser.deallocate()
    }

    private mutating func document() throws(YAMLError) -> YAMLNode {
        guard case .streamStart = try next().kind else { return .null }
        guard case .documentStart = try next().kind else { return .null }
        let root = try node(try next(), depth: 0)
        _ = try next()
        let end = try next()
        guard case .streamEnd = end.kind else {
            throw end.error("a second document begins here; keep one document in a file")
        }
        return root
    }

    private mutating func node(_ event: Event, depth: Int) throws(YAMLError) -> YAMLNode {
        nodes += 1
        guard nodes <= YAMLDocument.maximumNodes else {
            throw event.error("the document has more than \(YAMLDocument.maximumNodes) values")
        }
        guard depth <= YAMLDocument.maximumDepth else {
            throw event.error("lists and mappings nest deeper than \(YAMLDocument.maximumDepth)")
        }
        guard !event.hasAnchor else {
            throw event.error("anchors (&name) and aliases (*name) are not read; write the value out")
        }
        switch event.kind {
        case .scalar(let text, let isPlain): return try scalar(event, text: text, isPlain: isPlain)
        case .sequenceStart:
            try requireTag(of: event, among: ["seq"])
            return .sequence(try sequence(depth: depth + 1))
        case .mappingStart:
            try requireTag(of: event, among: ["map"])
            return .mapping(try mapping(depth: depth + 1))
        default: throw event.error("anchors (&name) and aliases (*name) are not read; write the value out")
        }
    }

    private mutating func sequence(depth: Int) throws(YAMLError) -> [YAMLNode] {
        var items: [YAMLNode] = []
        while true {
            let event = try next()
            if case .sequenceEnd = event.kind { return items }
            items.append(try node(event, depth: depth))
        }
    }

    private mutating func mapping(depth: Int) throws(YAMLError) -> YAMLMapping {
        var mapping = YAMLMapping()
        while true {
            let event = try next()
            if case .mappingEnd = event.kind { return mapping }
            guard case .scalar(let key, _) = event.kind, !event.hasAnchor else {
                throw event.error("a key must be a plain or quoted string")
            }
            try requireTag(of: event, among: ["str"])
            guard mapping[key] == nil else {
                throw event.error("the key '\(YAMLReader.shown(key))' is there twice; remove one of them")
            }
            nodes += 1
            mapping[key] = try node(try next(), depth: depth)
        }
    }

    private func scalar(_ event: Event, text: String, isPlain: Bool) throws(YAMLError) -> YAMLNode {
        try requireTag(of: event, among: ["str", "int", "float", "bool", "null"])
        guard let tag = event.coreTag else {
            guard isPlain, event.tag == nil else { return .text(text) }
            guard let value = YAMLScalar.resolve(text, dialect) else {
                throw event.error("the whole number does not fit 64 bits; quote it if it is a name")
            }
            return value
        }
        switch (tag, YAMLScalar.resolve(text)) {
        case ("str", _): return .text(text)
        case ("int", .integer(let value)?): return .integer(value)
        case ("float", .integer(let value)?): return .number(Double(value))
        case ("float", .number(let value)?): return .number(value)
        case ("bool", .bool(let value)?): return .bool(value)
        case ("null", .null?): return .null
        default: throw event.error("'\(YAMLReader.shown(text))' is no value of the tag !!\(tag)")
        }
    }

    private func requireTag(of event: Event, among names: [String]) throws(YAMLError) {
        guard let tag = event.tag, tag != "!" else { return }
        guard let name = event.coreTag, names.contains(name) else {
            throw event.error("the tag '\(YAMLReader.shown(tag))' is not read here; remove it")
        }
    }

    /// The next event, copied out of libyaml's memory.
    private func next() throws(YAMLError) -> Event {
        var raw = yaml_event_t()
        guard yaml_parser_parse(parser, &raw) == 1 else { throw parserError() }
        defer { yaml_event_delete(&raw) }
        return Event(raw)
    }

    private func parserError() -> YAMLError {
        let state = parser.pointee
        let problem = state.problem.map { String(cString: $0) } ?? "it cannot be read"
        if state.error == YAML_READER_ERROR {
            // The reader knows the byte, not the line.
            let before = bytes.prefix(state.problem_offset)
            let line = before.count { $0 == 0x0A } + 1
            let start = before.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
            let column = String(decoding: before[start...], as: UTF8.self).count + 1
            return YAMLError(problem: "this is not YAML text (\(problem))", line: line, column: column)
        }
        return YAMLError(
            problem: "this is not YAML (\(problem))", line: Int(state.problem_mark.line) + 1,
            column: Int(state.problem_mark.column) + 1)
    }

    /// A piece of the document fit for a message.
    fileprivate static func shown(_ text: String) -> String {
        let start = text.unicodeScalars.prefix(60).map {
            YAMLScalar.needsEscapes(String($0)) ? "\u{FFFD}" : String($0)
        }
        return start.joined() + (text.unicodeScalars.count > 60 ? "…" : "")
    }
}

/// An event of libyaml as Swift values.
private struct Event {
    enum Kind {
        case streamStart, streamEnd, documentStart, documentEnd
        case scalar(String, isPlain: Bool)
        case sequenceStart, sequenceEnd, mappingStart, mappingEnd
        case alias, none
    }

    let kind: Kind
    var tag: String?
    var hasAnchor = false
    let line: Int
    let column: Int

    /// The tag's name when it is one of YAML's own.
    var coreTag: String? {
        guard let tag, tag.hasPrefix(Event.corePrefix) else { return nil }
        return String(tag.dropFirst(Event.corePrefix.count))
    }

    private static let corePrefix = "tag:yaml.org,2002:"

    init(_ raw: yaml_event_t) {
        line = Int(raw.start_mark.line) + 1
        column = Int(raw.start_mark.column) + 1
        switch raw.type {
        case YAML_STREAM_START_EVENT: kind = .streamStart
        case YAML_STREAM_END_EVENT: kind = .streamEnd
        case YAML_DOCUMENT_START_EVENT: kind = .documentStart
        case YAML_DOCUMENT_END_EVENT: kind = .documentEnd
        case YAML_ALIAS_EVENT: kind = .alias
        case YAML_SCALAR_EVENT:
            let scalar = raw.data.scalar
            let text = UnsafeBufferPointer(start: scalar.value, count: scalar.length)
            kind = .scalar(
                String(decoding: text, as: UTF8.self), isPlain: scalar.style == YAML_PLAIN_SCALAR_STYLE)
            hasAnchor = scalar.anchor != nil
            tag = scalar.tag.map { String(cString: $0) }
        case YAML_SEQUENCE_START_EVENT:
            kind = .sequenceStart
            hasAnchor = raw.data.sequence_start.anchor != nil
            tag = raw.data.sequence_start.tag.map { String(cString: $0) }
        case YAML_SEQUENCE_END_EVENT: kind = .sequenceEnd
        case YAML_MAPPING_START_EVENT:
            kind = .mappingStart
            hasAnchor = raw.data.mapping_start.anchor != nil
            tag = raw.data.mapping_start.tag.map { String(cString: $0) }
        case YAML_MAPPING_END_EVENT: kind = .mappingEnd
        default: kind = .none
        }
    }

    func error(_ problem: String) -> YAMLError {
        YAMLError(problem: problem, line: line, column: column)
    }
}
