internal import Measurement
internal import StackProfile

/// One thread of a file, with tables of its own.
struct FirefoxThread {
    private let profile: StackProfile
    private let thread: FirefoxProfile.Thread
    private let scale: FirefoxProfile.TimeScale
    private var strings: [String] = []
    private var stringIDs: [ExactText: Int] = [:]
    /// The stacks that the thread's samples use, parents first, and their places in the table.
    private var stacks: [StackID] = []
    private var places: [Int32]
    private var frameIDs: [Int] = []
    private var framePlaces: [Int]

    init(_ profile: StackProfile, _ thread: FirefoxProfile.Thread, _ scale: FirefoxProfile.TimeScale) {
        self.profile = profile
        self.thread = thread
        self.scale = scale
        var isUsed = [Bool](repeating: false, count: profile.stacks.count)
        for sample in thread.samples {
            var stack = sample.stack
            while stack != .empty, !isUsed[stack.position] {
                isUsed[stack.position] = true
                stack = profile.stacks.parent(of: stack) ?? .empty
            }
        }
        places = [Int32](repeating: -1, count: profile.stacks.count)
        framePlaces = [Int](repeating: -1, count: profile.frames.count)
        var (stacks, places, frames, framePlaces): ([StackID], [Int32], [Int], [Int]) = (
            [], places, [], framePlaces
        )
        profile.stacks.forEachStack { stack, _, leaf in
            guard isUsed[stack.position] else { return }
            places[stack.position] = Int32(stacks.count)
            stacks.append(stack)
            if framePlaces[leaf.position] < 0 {
                framePlaces[leaf.position] = frames.count
                frames.append(leaf.position)
            }
        }
        (self.stacks, self.places, frameIDs, self.framePlaces) = (stacks, places, frames, framePlaces)
    }

    private mutating func string(_ text: String) -> Int64 {
        let key = ExactText(text)
        if let known = stringIDs[key] { return Int64(known) }
        stringIDs[key] = strings.count
        strings.append(text)
        return Int64(strings.count - 1)
    }

    func write(_ entry: inout JSONWriter, index: Int, product: String) {
        var writer = self
        writer.writeThread(&entry, index: index)
    }

    private mutating func writeThread(_ entry: inout JSONWriter, index: Int) {
        let spans = stageSpans()
        let end = FirefoxProfile.milliseconds(spans.end)
        entry.field("name", PlainText.sanitized(thread.name, maximumCharacters: 200))
        entry.field("processName", PlainText.sanitized(thread.process, maximumCharacters: 200))
        entry.field("processType", "default")
        entry.field("pid", "1")
        entry.field("tid", Int64(index + 1))
        entry.key("isMainThread")
        entry.literal(index == 0 ? "true" : "false")
        for name in ["processStartupTime", "registerTime"] { entry.field(name, 0) }
        for name in ["processShutdownTime", "unregisterTime"] {
            entry.key(name)
            entry.literal(end)
        }
        entry.key("pausedRanges")
        entry.array { _ in }
        entry.key("showMarkersInTimeline")
        entry.literal("true")
        writeSamples(&entry)
        writeStacks(&entry)
        writeFrames(&entry)
        writeMarkers(&entry, spans.list)
        entry.key("stringArray")
        entry.array { list in for text in strings { list.string(text) } }
    }

    private func writeSamples(_ entry: inout JSONWriter) {
        entry.key("samples")
        entry.object { table in
            table.column("stack", thread.samples) {
                $0.stack == .empty ? "null" : String(places[$0.stack.position])
            }
            table.key("time")
            table.array { list in
                var now: Int64 = 0
                for sample in thread.samples {
                    list.literal(FirefoxProfile.milliseconds(now))
                    now += sample.weight * scale.nanoseconds
                }
            }
            table.column("weight", thread.samples) { scale.weight($0.weight) }
            table.field("weightType", scale.weightType)
            table.field("length", Int64(thread.samples.count))
        }
    }

    private func writeStacks(_ entry: inout JSONWriter) {
        entry.key("stackTable")
        entry.object { table in
            table.column("frame", stacks) { stack in
                profile.stacks.leaf(of: stack).map { String(framePlaces[$0.position]) } ?? "null"
            }
            table.column("prefix", stacks) { stack in
                guard let parent = profile.stacks.parent(of: stack), parent != .empty else { return "null" }
                return String(places[parent.position])
            }
            table.column("category", stacks) { stack in
                profile.stacks.leaf(of: stack).map { String(FirefoxProfile.category(of: profile[$0])) } ?? "0"
            }
            table.column("subcategory", stacks) { _ in "0" }
            table.field("length", Int64(stacks.count))
        }
    }

    /// A function as the Firefox Profiler distinguishes functions.
    private struct Function: Hashable {
        var name: Int64
        var resource: Int64
        var file: Int64?
    }

    private mutating func writeFrames(_ entry: inout JSONWriter) {
        var (functions, known): ([Function], [Function: Int]) = ([], [:])
        var (resources, resourceIDs): ([Int64], [Int64: Int]) = ([], [:])
        var functionOfFrame: [Int] = []
        for id in frameIDs {
            let frame = profile.frames[id]
            var resource: Int64 = -1
            if let module = frame.module {
                let name = string(module)
                if resourceIDs[name] == nil {
                    resourceIDs[name] = resources.count
                    resources.append(name)
                }
                resource = Int64(resourceIDs[name] ?? -1)
            }
            let function = Function(
                name: string(frame.function.isEmpty ? "[unknown]" : frame.function), resource: resource,
                file: frame.file.map { string($0) })
            let place = known[function] ?? functions.count
            if known.updateValue(place, forKey: function) == nil { functions.append(function) }
            functionOfFrame.append(place)
        }
        writeFrameTable(&entry, functionOfFrame)
        entry.key("funcTable")
        entry.object { table in
            table.column("name", functions) { String($0.name) }
            table.column("isJS", functions) { _ in "false" }
            table.column("relevantForJS", functions) { _ in "false" }
            table.column("resource", functions) { String($0.resource) }
            table.column("fileName", functions) { $0.file.map { String($0) } ?? "null" }
            table.column("lineNumber", functions) { _ in "null" }
            table.column("columnNumber", functions) { _ in "null" }
            table.field("length", Int64(functions.count))
        }
        entry.key("resourceTable")
        entry.object { table in
            table.column("lib", resources) { _ in "null" }
            table.column("name", resources) { String($0) }
            table.column("host", resources) { _ in "null" }
            // A library, as far as the format distinguishes kinds of resources.
            table.column("type", resources) { _ in "1" }
            table.field("length", Int64(resources.count))
        }
        entry.key("nativeSymbols")
        entry.literal("{\"libIndex\":[],\"address\":[],\"name\":[],\"functionSize\":[],\"length\":0}")
    }

    private func writeFrameTable(_ entry: inout JSONWriter, _ functionOfFrame: [Int]) {
        entry.key("frameTable")
        entry.object { table in
            table.column("address", frameIDs) { _ in "-1" }
            table.column("inlineDepth", frameIDs) { _ in "0" }
            table.column("category", frameIDs) { String(FirefoxProfile.category(of: profile.frames[$0])) }
            table.column("subcategory", frameIDs) { _ in "0" }
            table.column("func", functionOfFrame) { String($0) }
            for name in ["nativeSymbol", "implementation", "column", "optimizations"] {
                table.column(name, frameIDs) { _ in "null" }
            }
            table.column("innerWindowID", frameIDs) { _ in "0" }
            table.column("line", frameIDs) { id in
                profile.frames[id].line.flatMap { $0 > 0 ? String($0) : nil } ?? "null"
            }
            table.field("length", Int64(frameIDs.count))
        }
    }

    private func stageSpans() -> (
        list: [(stage: String, start: Int64, end: Int64, weight: Int64)], end: Int64
    ) {
        var spans: [(stage: String, start: Int64, end: Int64, weight: Int64)] = []
        var now: Int64 = 0
        for sample in thread.samples {
            let next = now + sample.weight * scale.nanoseconds
            if let stage = profile.labels(of: sample).stage?.text {
                if let last = spans.last, last.stage == stage, last.end == now {
                    spans[spans.count - 1].end = next
                    spans[spans.count - 1].weight += sample.weight
                } else {
                    spans.append((stage, now, next, sample.weight))
                }
            }
            now = next
        }
        return (spans, now)
    }

    private mutating func writeMarkers(
        _ entry: inout JSONWriter, _ spans: [(stage: String, start: Int64, end: Int64, weight: Int64)]
    ) {
        let names = spans.map { string($0.stage) }
        entry.key("markers")
        entry.object { table in
            table.column("category", spans) { _ in "5" }
            table.key("data")
            table.array { list in
                for span in spans {
                    list.object { data in
                        data.field("type", "stage")
                        data.field("name", span.stage)
                        data.field("weight", "\(scale.weight(span.weight)) \(scale.weightType)")
                    }
                }
            }
            table.column("name", names) { String($0) }
            table.column("startTime", spans) { FirefoxProfile.milliseconds($0.start) }
            table.column("endTime", spans) { FirefoxProfile.milliseconds($0.end) }
            // An interval.
            table.column("phase", spans) { _ in "1" }
            table.field("length", Int64(spans.count))
        }
    }
}

extension JSONWriter {
    /// A column of a table: an array of literals.
    fileprivate mutating func column<Rows: Sequence>(
        _ name: String, _ rows: Rows, _ value: (Rows.Element) -> String
    ) {
        key(name)
        array { list in for row in rows { list.literal(value(row)) } }
    }
}
