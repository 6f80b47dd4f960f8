internal import StackProfile

/// gprof2dot's JSON, which `memray transform gprof2dot` writes: functions, and chains of calls with their costs.
enum CallChains {
    private static let kind = "a gprof2dot file"

    static func read(
        _ buffer: UnsafeRawBufferPointer, sampleType: String?
    ) throws(FormatError) -> ForeignProfile {
        do throws(JSONReader.Failure) {
            var file = JSONReader(buffer)
            let members = try file.members()
            let costs = try self.costs(members["costs"])
            let names = costs.map { $0["description"] ?? "" }
            guard let column = sampleType.map({ names.firstIndex(of: $0) }) ?? 0,
                costs.indices.contains(column)
            else { throw .refused(.noSampleType(sampleType ?? "", known: names)) }
            let isBytes = costs[column]["unit"] == "bytes"
            var builder = StackProfileBuilder(unit: isBytes ? .bytes : .counts(names[column]))
            let frames = try self.frames(members["functions"]).map { builder.id(of: $0) }
            if var events = members["events"] {
                try events.forEachElement { (event) throws(JSONReader.Failure) in
                    try add(&event, column, frames, &builder)
                }
            }
            return ForeignProfile(profile: builder.build(), sampleTypes: names, taken: column)
        } catch {
            throw .damaged(kind, error)
        }
    }

    private static func add(
        _ event: inout JSONReader, _ column: Int, _ frames: [FrameID], _ builder: inout StackProfileBuilder
    ) throws(JSONReader.Failure) {
        var (chain, costs): ([Double], [Double]) = ([], [])
        try event.forEachMember { (name, value) throws(JSONReader.Failure) in
            switch name {
            case "callchain": try CallTreeProfile.readNumbers(&value, into: &chain)
            case "cost": try CallTreeProfile.readNumbers(&value, into: &costs)
            default: break
            }
        }
        guard costs.indices.contains(column) else { throw .unfit("an event has too few costs") }
        var stack = StackID.empty
        for number in chain.prefix(FormatLimits.depth).reversed() {
            guard let index = Int(exactly: number), frames.indices.contains(index) else {
                throw .unfit("an event names a function that is missing")
            }
            stack = builder.stack(under: stack, frames[index])
        }
        try builder.add(read: costs[column], stack, labels: 0)
    }

    private static func costs(_ place: JSONReader?) throws(JSONReader.Failure) -> [[String: String]] {
        guard var reader = place else { return [] }
        var costs: [[String: String]] = []
        try reader.forEachElement { (element) throws(JSONReader.Failure) in
            guard costs.count < FormatLimits.names else { return }
            var fields: [String: String] = [:]
            try element.forEachMember { (name, value) throws(JSONReader.Failure) in
                if fields.count < FormatLimits.names { fields[name] = try value.optionalString() }
            }
            costs.append(fields)
        }
        return costs
    }

    private static func frames(_ place: JSONReader?) throws(JSONReader.Failure) -> [Frame] {
        guard var reader = place else { return [] }
        var frames: [Frame] = []
        try reader.forEachElement { (element) throws(JSONReader.Failure) in
            var frame = Frame("[unknown]")
            try element.forEachMember { (name, value) throws(JSONReader.Failure) in
                switch name {
                case "name": frame.function = try value.optionalString() ?? frame.function
                // gprof2dot's module is where the function was written.
                case "module": frame.file = try value.optionalString()
                default: break
                }
            }
            frames.append(frame)
        }
        return frames
    }
}
