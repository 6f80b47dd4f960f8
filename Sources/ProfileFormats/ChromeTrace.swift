internal import StackProfile

/// Chrome's trace events, which Perfetto and `chrome://tracing` show and many tools write: spans by thread.
///
/// What passes in a span outside of the spans within it is its own. Recordings of Chrome's that hold samples are read for
/// those.
struct ChromeTrace {
    private static let kind = "a Chrome trace"
    /// The most events that are read.
    private static let eventLimit = 1 << 25

    private struct Span {
        var start: Int64
        var end: Int64
        var frame: FrameID
    }

    private struct Thread: Hashable {
        var process: String
        var thread: String
    }

    private struct Event {
        var phase: UInt8 = 0
        var name = ""
        var category = ""
        var thread = Thread(process: "", thread: "")
        var id = ""
        /// Nanoseconds.
        var time: Int64?
        var duration: Int64?
        var arguments: JSONReader?
    }

    private var builder = StackProfileBuilder(unit: .nanoseconds)
    private var spans: [Thread: [Span]] = [:]
    private var open: [Thread: [(frame: FrameID, start: Int64)]] = [:]
    private var names: [Thread: String] = [:]
    private var processNames: [String: String] = [:]
    private var sampled: [String: (thread: Thread, tree: CallTreeProfile)] = [:]
    private var (count, unmatched, last): (Int, Int, Int64) = (0, 0, 0)

    static func read(_ buffer: UnsafeRawBufferPointer) throws(FormatError) -> ForeignProfile {
        var trace = ChromeTrace()
        do throws(JSONReader.Failure) {
            var file = JSONReader(buffer)
            if file.kind() == .array {
                try trace.readEvents(&file)
            } else {
                guard var list = try file.members()["traceEvents"] else { throw .malformed(at: 0) }
                try trace.readEvents(&list)
            }
        } catch {
            // Traces of programs that ended early lack their end; the events before it are whole.
            guard case .malformed(let position) = error, position >= buffer.count, trace.count > 0 else {
                throw .damaged(kind, error)
            }
        }
        return try trace.result()
    }

    // MARK: Events

    private mutating func readEvents(_ list: inout JSONReader) throws(JSONReader.Failure) {
        var trace = self
        defer { self = trace }
        try list.forEachElement { (element) throws(JSONReader.Failure) in
            guard element.kind() == .object, trace.count < Self.eventLimit else { return }
            trace.count += 1
            try trace.add(try Self.event(&element))
        }
    }

    private static func event(_ element: inout JSONReader) throws(JSONReader.Failure) -> Event {
        var event = Event()
        try element.forEachMember { (name, value) throws(JSONReader.Failure) in
            switch name {
            case "ph": event.phase = try value.optionalString()?.utf8.first ?? 0
            case "name": event.name = try value.optionalString() ?? ""
            case "cat": event.category = try value.optionalString() ?? ""
            case "ts": event.time = nanoseconds(try value.optionalNumber())
            case "dur": event.duration = nanoseconds(try value.optionalNumber())
            case "pid": event.thread.process = try text(&value)
            case "tid": event.thread.thread = try text(&value)
            case "id": event.id = try text(&value)
            case "args":
                value.skipSpace()
                event.arguments = value
            default: break
            }
        }
        return event
    }

    private static func nanoseconds(_ microseconds: Double?) -> Int64? {
        guard let microseconds, microseconds.magnitude < 9e15 else { return nil }
        return Int64((microseconds * 1000).rounded())
    }

    /// Identifiers are numbers or texts.
    private static func text(_ value: inout JSONReader) throws(JSONReader.Failure) -> String {
        switch value.kind() {
        case .number: return Int64(exactly: try value.number()).map { String($0) } ?? ""
        case .string: return try value.string()
        default: return ""
        }
    }

    private mutating func add(_ event: Event) throws(JSONReader.Failure) {
        if let time = event.time { last = max(last, time + (event.duration ?? 0)) }
        switch event.phase {
        case UInt8(ascii: "X"):
            guard let start = event.time, let duration = event.duration, duration >= 0 else { return }
            append(Span(start: start, end: start + duration, frame: frame(event)), event.thread)
        case UInt8(ascii: "B"):
            guard let start = event.time, open[event.thread, default: []].count < FormatLimits.depth else {
                return
            }
            open[event.thread, default: []].append((frame(event), start))
        case UInt8(ascii: "E"):
            guard let end = event.time, let begin = open[event.thread]?.popLast() else {
                unmatched += 1
                return
            }
            append(Span(start: begin.start, end: max(begin.start, end), frame: begin.frame), event.thread)
        case UInt8(ascii: "M"): try readName(event)
        case UInt8(ascii: "P"): try readSamples(event)
        default: break
        }
    }

    private mutating func append(_ span: Span, _ thread: Thread) { spans[thread, default: []].append(span) }

    private mutating func frame(_ event: Event) -> FrameID {
        builder.id(
            of: Frame(
                event.name.isEmpty ? "[unknown]" : event.name,
                module: event.category.isEmpty ? nil : event.category))
    }

    private mutating func readName(_ event: Event) throws(JSONReader.Failure) {
        guard event.name == "thread_name" || event.name == "process_name", var arguments = event.arguments,
            arguments.kind() == .object
        else { return }
        var name: String?
        try arguments.forEachMember { (member, value) throws(JSONReader.Failure) in
            if member == "name" { name = try value.optionalString() }
        }
        guard let name, !name.isEmpty else { return }
        if event.name == "thread_name" {
            names[event.thread] = name
        } else {
            processNames[event.thread.process] = name
        }
    }

    /// `Profile` and `ProfileChunk`: V8's samples in pieces.
    private mutating func readSamples(_ event: Event) throws(JSONReader.Failure) {
        guard event.name == "Profile" || event.name == "ProfileChunk", var arguments = event.arguments,
            arguments.kind() == .object, sampled.count < FormatLimits.names
        else { return }
        let key = "\(event.thread.process)/\(event.id)"
        var (thread, tree) = sampled[key] ?? (event.thread, CallTreeProfile())
        guard var data = try arguments.members()["data"], data.kind() == .object else { return }
        try data.forEachMember { (name, value) throws(JSONReader.Failure) in
            switch name {
            case "startTime": tree.start = try value.optionalNumber()
            case "timeDeltas": try CallTreeProfile.readNumbers(&value, into: &tree.deltas)
            case "cpuProfile":
                guard value.kind() == .object else { return }
                try value.forEachMember { (name, value) throws(JSONReader.Failure) in
                    switch name {
                    case "nodes": try tree.readNodes(&value)
                    case "samples":
                        var ids: [Double] = []
                        try CallTreeProfile.readNumbers(&value, into: &ids)
                        tree.samples += ids.compactMap { Int(exactly: $0) }
                    default: break
                    }
                }
            default: break
            }
        }
        if event.name == "Profile" { thread = event.thread }
        sampled[key] = (thread, tree)
    }

    // MARK: Stacks

    private mutating func result() throws(FormatError) -> ForeignProfile {
        var notes: [String] = []
        let isSampled = sampled.values.contains { $0.tree.isTimed }
        if isSampled {
            for (_, value) in sampled.sorted(by: { $0.key < $1.key }) where value.tree.isTimed {
                try value.tree.add(to: &builder, labels: label(value.thread), kind: Self.kind)
            }
            if !spans.isEmpty { notes.append("The samples of the trace are drawn, not its other events.") }
        } else {
            try addSpans()
        }
        if unmatched > 0 { notes.append("\(unmatched) events ended what had not begun; they were left out.") }
        var result = ForeignProfile(profile: builder.build(), notes: notes)
        let threads = Set(spans.keys).union(sampled.values.map(\.thread))
        if threads.count > 1 { result.grouping = [.thread] }
        return result
    }

    private mutating func label(_ thread: Thread) -> Int {
        builder.id(
            of: SampleLabels(
                thread: names[thread].map { "\($0) \(thread.thread)" } ?? thread.thread,
                process: processNames[thread.process].map { "\($0) \(thread.process)" } ?? thread.process))
    }

    private mutating func addSpans() throws(FormatError) {
        for (thread, list) in open {
            // What was open at the end lasted until then.
            for begin in list {
                append(Span(start: begin.start, end: max(begin.start, last), frame: begin.frame), thread)
            }
        }
        let order = spans.keys.sorted { ($0.process, $0.thread) < ($1.process, $1.thread) }
        for thread in order {
            let labels = label(thread)
            // Spans that begin together: the longer one is outside.
            let sorted = (spans[thread] ?? []).enumerated().sorted {
                ($0.element.start, -$0.element.end, $0.offset) < (
                    $1.element.start, -$1.element.end, $1.offset
                )
            }
            try addNested(sorted.map(\.element), labels)
        }
    }

    /// Adds what each span has to itself.
    private mutating func addNested(_ spans: [Span], _ labels: Int) throws(FormatError) {
        var stack: [(end: Int64, node: StackID)] = []
        var now = spans.first?.start ?? 0
        func weight(until time: Int64) -> Int64 { max(0, time - now) }
        for span in spans {
            while let inner = stack.last, inner.end <= span.start {
                try add(inner.node, weight(until: inner.end), labels)
                now = max(now, inner.end)
                stack.removeLast()
            }
            if let inner = stack.last { try add(inner.node, weight(until: span.start), labels) }
            now = max(now, span.start)
            guard stack.count < FormatLimits.depth, builder.stackCount <= FormatLimits.stacks else {
                continue
            }
            // One that outlasts what it began in is cut there: time is counted once.
            let end = min(span.end, stack.last?.end ?? span.end)
            stack.append((end, builder.stack(under: stack.last?.node ?? .empty, span.frame)))
        }
        while let inner = stack.popLast() {
            try add(inner.node, weight(until: inner.end), labels)
            now = max(now, inner.end)
        }
    }

    private mutating func add(_ node: StackID, _ weight: Int64, _ labels: Int) throws(FormatError) {
        guard weight > 0 else { return }
        try FormatError.adding { () throws(StackProfileError) in
            try builder.add(node, weight: weight, labels: labels)
        }
    }
}
