internal import CLibYAML

/// Turns nodes into libyaml's events. The emitter is freed with its owner.
struct YAMLWriter: ~Copyable {
    private let emitter: UnsafeMutablePointer<yaml_emitter_t>
    private let output = Output()

    /// Where libyaml's write handler puts the bytes.
    private final class Output {
        var bytes: [UInt8] = []
    }

    /// The document of a node.
    static func write(_ node: YAMLNode) -> [UInt8] {
        let writer = YAMLWriter()
        writer.emit { yaml_stream_start_event_initialize($0, YAML_UTF8_ENCODING) }
        writer.emit { yaml_document_start_event_initialize($0, nil, nil, nil, 1) }
        writer.write(node)
        writer.emit { yaml_document_end_event_initialize($0, 1) }
        writer.emit { yaml_stream_end_event_initialize($0) }
        return writer.output.bytes
    }

    private init() {
        emitter = .allocate(capacity: 1)
        emitter.initialize(to: yaml_emitter_t())
        // Fails only when memory is exhausted, where Swift's own allocations end the process as well.
        precondition(yaml_emitter_initialize(emitter) == 1, "out of memory")
        yaml_emitter_set_unicode(emitter, 1)
        // No line is folded: a changed word changes one line of a git diff.
        yaml_emitter_set_width(emitter, -1)
        yaml_emitter_set_indent(emitter, 2)
        yaml_emitter_set_output(
            emitter,
            { context, buffer, size in
                guard let context, let buffer else { return 0 }
                let output = Unmanaged<Output>.fromOpaque(context).takeUnretainedValue()
                output.bytes.append(contentsOf: UnsafeBufferPointer(start: buffer, count: size))
                return 1
            }, Unmanaged.passUnretained(output).toOpaque())
    }

    deinit {
        yaml_emitter_delete(emitter)
        emitter.deinitialize(count: 1)
        emitter.deallocate()
    }

    private func write(_ node: YAMLNode) {
        switch node {
        case .null: plain("null")
        case .bool(let value): plain(value ? "true" : "false")
        case .integer(let value): plain("\(value)")
        case .number(let value): plain(YAMLScalar.text(of: value))
        case .text(let value): text(value)
        case .sequence(let items):
            emit { yaml_sequence_start_event_initialize($0, nil, nil, 1, YAML_BLOCK_SEQUENCE_STYLE) }
            for item in items { write(item) }
            emit { yaml_sequence_end_event_initialize($0) }
        case .mapping(let mapping):
            emit { yaml_mapping_start_event_initialize($0, nil, nil, 1, YAML_BLOCK_MAPPING_STYLE) }
            for entry in mapping.entries {
                text(entry.key)
                write(entry.value)
            }
            emit { yaml_mapping_end_event_initialize($0) }
        }
    }

    private func text(_ value: String) {
        if YAMLScalar.needsEscapes(value) {
            scalar(value, YAML_DOUBLE_QUOTED_SCALAR_STYLE)
        } else {
            scalar(
                value, YAMLScalar.staysText(value) ? YAML_PLAIN_SCALAR_STYLE : YAML_SINGLE_QUOTED_SCALAR_STYLE
            )
        }
    }

    private func plain(_ value: String) {
        scalar(value, YAML_PLAIN_SCALAR_STYLE)
    }

    private func scalar(_ value: String, _ style: yaml_scalar_style_t) {
        let bytes = Array(value.utf8)
        bytes.withUnsafeBufferPointer { buffer in
            emit { event in
                // An empty array may have no address, and libyaml wants one.
                var nothing: UInt8 = 0
                return withUnsafePointer(to: &nothing) { nothing in
                    yaml_scalar_event_initialize(
                        event, nil, nil, buffer.baseAddress ?? nothing, Int32(buffer.count), 1, 1, style)
                }
            }
        }
    }

    /// Hands an event over. What we emit is well formed and valid UTF-8, so only exhausted memory can make it fail.
    private func emit(_ initialize: (UnsafeMutablePointer<yaml_event_t>) -> Int32) {
        var event = yaml_event_t()
        precondition(initialize(&event) == 1 && yaml_emitter_emit(emitter, &event) == 1, "out of memory")
    }
}
