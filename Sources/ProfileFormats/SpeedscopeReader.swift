internal import StackProfile

/// speedscope's own files: profiles of sampled stacks, or of functions that are opened and closed.
struct SpeedscopeReader {
    private static let kind = "a speedscope file"

    private var builder: StackProfileBuilder
    private var frames: [FrameID] = []
    private let scale: Scale

    /// What a number of the file is in the profile's unit.
    private struct Scale {
        var unit: WeightUnit
        var factor: Double

        init(_ name: String) {
            switch name {
            case "nanoseconds": (unit, factor) = (.nanoseconds, 1)
            case "microseconds": (unit, factor) = (.nanoseconds, 1e3)
            case "milliseconds": (unit, factor) = (.nanoseconds, 1e6)
            case "seconds": (unit, factor) = (.nanoseconds, 1e9)
            case "bytes": (unit, factor) = (.bytes, 1)
            default: (unit, factor) = (.samples, 1)
            }
        }
    }

    /// What is known of a profile before its samples are read.
    private struct Header {
        var name = ""
        var unit = "none"
        var type = ""
        var members: [String: JSONReader] = [:]
    }

    static func read(
        _ buffer: UnsafeRawBufferPointer, sampleType: String?
    ) throws(FormatError) -> ForeignProfile {
        do throws(JSONReader.Failure) {
            var file = JSONReader(buffer)
            let members = try file.members()
            let headers = try self.headers(members["profiles"])
            var units: [String] = []
            for header in headers where !units.contains(header.unit) { units.append(header.unit) }
            var active = 0
            if var place = members["activeProfileIndex"] { active = try place.index() ?? 0 }
            let wanted =
                sampleType ?? (headers.indices.contains(active) ? headers[active].unit : units.first)
                ?? "none"
            guard units.isEmpty || units.contains(wanted) else {
                throw .refused(.noSampleType(wanted, known: units))
            }
            var reader = SpeedscopeReader(scale: Scale(wanted))
            if var shared = members["shared"] { try reader.readFrames(&shared) }
            let taken = headers.filter { $0.unit == wanted }
            for header in taken { try reader.add(header, isAlone: taken.count == 1) }
            var result = ForeignProfile(profile: reader.builder.build())
            (result.sampleTypes, result.taken) = (units, units.firstIndex(of: wanted) ?? 0)
            if taken.count > 1 { result.grouping = [.thread] }
            return result
        } catch {
            throw .damaged(kind, error)
        }
    }

    private init(scale: Scale) {
        self.scale = scale
        builder = StackProfileBuilder(unit: scale.unit)
    }

    private static func headers(_ place: JSONReader?) throws(JSONReader.Failure) -> [Header] {
        guard var reader = place else { return [] }
        var headers: [Header] = []
        try reader.forEachElement { (element) throws(JSONReader.Failure) in
            guard element.kind() == .object, headers.count < 100_000 else { return }
            var header = Header()
            header.members = try element.members()
            if var name = header.members["name"] { header.name = try name.optionalString() ?? "" }
            if var unit = header.members["unit"] { header.unit = try unit.optionalString() ?? "none" }
            if var type = header.members["type"] { header.type = try type.optionalString() ?? "" }
            headers.append(header)
        }
        return headers
    }

    private mutating func readFrames(_ shared: inout JSONReader) throws(JSONReader.Failure) {
        guard var list = try shared.members()["frames"] else { return }
        var frames: [FrameID] = []
        var builder = self.builder
        try list.forEachElement { (element) throws(JSONReader.Failure) in
            guard element.kind() == .object else { throw .malformed(at: element.position) }
            var frame = Frame("[unknown]")
            try element.forEachMember { (name, value) throws(JSONReader.Failure) in
                switch name {
                case "name": frame.function = try value.optionalString() ?? frame.function
                case "file": frame.file = try value.optionalString()
                case "line": frame.line = try value.index()
                default: break
                }
            }
            frames.append(builder.id(of: frame))
        }
        (self.frames, self.builder) = (frames, builder)
    }

    private mutating func add(_ header: Header, isAlone: Bool) throws(JSONReader.Failure) {
        let labels = builder.id(of: isAlone ? .none : SampleLabels(thread: header.name))
        switch header.type {
        case "sampled": try addSamples(header, labels: labels)
        case "evented": try addEvents(header, labels: labels)
        default: throw .unfit("a profile is neither 'sampled' nor 'evented'")
        }
    }

    private mutating func addSamples(_ header: Header, labels: Int) throws(JSONReader.Failure) {
        var stacks: [StackID] = []
        var reader = self
        if var samples = header.members["samples"] {
            try samples.forEachElement { (element) throws(JSONReader.Failure) in
                stacks.append(try reader.stack(&element))
            }
        }
        var weights: [Double] = []
        if var list = header.members["weights"] {
            try list.forEachElement { (weight) throws(JSONReader.Failure) in
                weights.append(try weight.number())
            }
        } else {
            weights = Array(repeating: 1, count: stacks.count)
        }
        self = reader
        guard weights.count == stacks.count else {
            throw .unfit("a profile has \(stacks.count) samples and \(weights.count) weights")
        }
        for (stack, weight) in zip(stacks, weights) {
            try builder.add(read: weight * scale.factor, stack, labels: labels)
        }
    }

    private mutating func stack(_ element: inout JSONReader) throws(JSONReader.Failure) -> StackID {
        var (stack, depth) = (StackID.empty, 0)
        var reader = self
        try element.forEachElement { (frame) throws(JSONReader.Failure) in
            guard let index = try frame.index(), reader.frames.indices.contains(index) else {
                throw .unfit("a sample names a frame that is missing")
            }
            depth += 1
            if depth <= FormatLimits.depth {
                stack = reader.builder.stack(under: stack, reader.frames[index])
            }
        }
        self = reader
        return stack
    }

    /// Events open and close functions; what passes between two of them belongs to what is open.
    private mutating func addEvents(_ header: Header, labels: Int) throws(JSONReader.Failure) {
        guard var events = header.members["events"] else { return }
        var open: [(frame: Int, stack: StackID)] = []
        var last: Double?
        var reader = self
        try events.forEachElement { (element) throws(JSONReader.Failure) in
            var (type, frame, at): (String, Int?, Double?) = ("", nil, nil)
            try element.forEachMember { (name, value) throws(JSONReader.Failure) in
                switch name {
                case "type": type = try value.optionalString() ?? ""
                case "frame": frame = try value.index()
                case "at": at = try value.optionalNumber()
                default: break
                }
            }
            guard let frame, let at, reader.frames.indices.contains(frame) else {
                throw .unfit("an event names a frame that is missing, or has no time")
            }
            if let last, at < last { throw .unfit("its events go back in time") }
            if let last, let inner = open.last {
                try reader.builder.add(read: (at - last) * reader.scale.factor, inner.stack, labels: labels)
            }
            last = at
            guard type == "O" else {
                guard open.popLast()?.frame == frame else { throw .unfit("its events are not nested") }
                return
            }
            guard open.count < FormatLimits.depth else { throw .tooDeep }
            open.append(
                (frame, reader.builder.stack(under: open.last?.stack ?? .empty, reader.frames[frame])))
        }
        self = reader
    }
}
