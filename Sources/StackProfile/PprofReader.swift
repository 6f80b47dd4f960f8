internal import Measurement

extension Pprof {
    /// Why a profile could not be read.
    public enum ReadError: Error, Equatable, CustomStringConvertible {
        /// The gzip file is damaged or ends early.
        case damagedGzip
        /// There is more in it than the limit, in bytes.
        case tooLong(limit: Int)
        /// The bytes are no protobuf message of a profile.
        case malformed
        /// The profile contradicts itself.
        case inconsistent(String)
        /// The values count something else than samples or a time.
        case unsupportedUnit(String)

        /// One sentence.
        public var description: String {
            switch self {
            case .damagedGzip: "The profile's gzip file is damaged or cut short."
            case .tooLong(let limit): "The profile is longer than the \(limit) bytes that are read."
            case .malformed: "The file is no pprof profile (profile.proto)."
            case .inconsistent(let what): "The pprof profile contradicts itself: \(what)."
            case .unsupportedUnit(let unit):
                "The pprof profile counts '\(PlainText.sanitized(unit, maximumCharacters: 40))': "
                    + "only samples and times can be read."
            }
        }
    }

    /// The largest message that is read, in bytes.
    static let byteLimit = 1 << 29
    /// The most frames of a stack.
    static let depthLimit = 1 << 16
    /// The most functions inlined into one place. Few bytes of samples could otherwise ask for endless stacks.
    static let inlineLimit = 256
    /// The most different stacks, callers included: two gigabytes of them. A hundred times what a day of sampling
    /// gives, and less than a small file of inlined functions could ask for.
    static let stackLimit = 1 << 26

    /// Reads a profile, gzipped or not.
    ///
    /// Of several sample types the default one is taken, or else the last, as pprof does. Labels other than
    /// those of ``SampleLabels`` are left out.
    public static func read(_ bytes: [UInt8]) throws(ReadError) -> StackProfile {
        var message = bytes
        if Gzip.isGzip(bytes) {
            do throws(Gzip.Failure) {
                message = try Gzip.inflated(bytes, limit: byteLimit)
            } catch {
                throw error == .tooLong ? .tooLong(limit: byteLimit) : .damagedGzip
            }
        }
        guard message.count <= byteLimit else { throw .tooLong(limit: byteLimit) }
        var contents = PprofContents()
        do throws(ProtobufReader.Malformed) {
            try contents.read(message[...])
        } catch {
            throw .malformed
        }
        return try contents.profile()
    }
}

/// The tables of a profile as they stand in the file.
private struct PprofContents {
    private var strings: [String] = []
    private var sampleTypes: [(type: UInt64, unit: UInt64)] = []
    private var samples: [ArraySlice<UInt8>] = []
    private var mappings: [UInt64: (name: UInt64, buildID: UInt64)] = [:]
    private var locations: [UInt64: (mapping: UInt64, lines: [(function: UInt64, line: UInt64)])] = [:]
    private var functions: [UInt64: (name: UInt64, file: UInt64, traits: UInt64)] = [:]
    private var periodType: (type: UInt64, unit: UInt64)?
    private var period: UInt64 = 0
    private var defaultType: UInt64 = 0

    mutating func read(_ bytes: ArraySlice<UInt8>) throws(ProtobufReader.Malformed) {
        var reader = ProtobufReader(bytes)
        while let (field, value) = try reader.next() {
            switch field {
            case 1: sampleTypes.append(try Self.valueType(try value.content()))
            case 2: samples.append(try value.content())
            case 3:
                let fields = try Self.numbers(try value.content())
                mappings[fields[1] ?? 0] = (fields[5] ?? 0, fields[6] ?? 0)
            case 4: try readLocation(try value.content())
            case 5:
                let fields = try Self.numbers(try value.content())
                functions[fields[1] ?? 0] = (fields[2] ?? 0, fields[4] ?? 0, fields[Pprof.traitsField] ?? 0)
            case 6: strings.append(String(decoding: try value.content(), as: UTF8.self))
            case 11: periodType = try Self.valueType(try value.content())
            case 12: period = try value.number()
            case 14: defaultType = try value.number()
            default: break
            }
        }
    }

    /// The plain numbers of a message by field; the last of a field counts.
    private static func numbers(
        _ bytes: ArraySlice<UInt8>
    ) throws(ProtobufReader.Malformed) -> [UInt64: UInt64] {
        var fields: [UInt64: UInt64] = [:]
        var reader = ProtobufReader(bytes)
        while let (field, value) = try reader.next() {
            if case .number(let number) = value { fields[field] = number }
        }
        return fields
    }

    private static func valueType(
        _ bytes: ArraySlice<UInt8>
    ) throws(ProtobufReader.Malformed) -> (type: UInt64, unit: UInt64) {
        let fields = try numbers(bytes)
        return (fields[1] ?? 0, fields[2] ?? 0)
    }

    private mutating func readLocation(_ bytes: ArraySlice<UInt8>) throws(ProtobufReader.Malformed) {
        let fields = try Self.numbers(bytes)
        var lines: [(function: UInt64, line: UInt64)] = []
        var reader = ProtobufReader(bytes)
        while let (field, value) = try reader.next() {
            guard field == 4 else { continue }
            let line = try Self.numbers(try value.content())
            lines.append((line[1] ?? 0, line[2] ?? 0))
        }
        locations[fields[1] ?? 0] = (fields[2] ?? 0, lines)
    }

    private func string(_ index: UInt64) throws(Pprof.ReadError) -> String {
        guard index < UInt64(strings.count) else { throw .inconsistent("a string number is out of range") }
        return strings[Int(index)]
    }

    func profile() throws(Pprof.ReadError) -> StackProfile {
        guard strings.first == "" else { throw .malformed }
        let column = try self.column()
        let (unit, factor) = try self.unit(column)
        var builder = StackProfileBuilder(unit: unit, period: try samplingPeriod())
        var lookup = Lookup()
        for (id, location) in locations.sorted(by: { $0.key < $1.key }) {
            var ids: [FrameID] = []
            for frame in try frames(of: location) { ids.append(builder.id(of: frame)) }
            lookup.set(ids, ofLocation: id, locations: locations.count)
        }
        for sample in samples {
            try add(sample, to: &builder, column: column, factor: factor, &lookup)
        }
        for mapping in mappings.values where mapping.buildID != 0 {
            let module = try string(mapping.name)
            if !module.isEmpty { builder.buildIDs.insert(try string(mapping.buildID), of: module) }
        }
        return builder.build()
    }

    /// The sample type that is read.
    private func column() throws(Pprof.ReadError) -> Int {
        if sampleTypes.isEmpty && !samples.isEmpty { throw .inconsistent("samples have no type") }
        let byDefault = defaultType == 0 ? nil : sampleTypes.firstIndex { $0.type == defaultType }
        return byDefault ?? max(0, sampleTypes.count - 1)
    }

    private func unit(_ column: Int) throws(Pprof.ReadError) -> (WeightUnit, Int64) {
        guard sampleTypes.indices.contains(column) else { return (.samples, 1) }
        let name = try string(sampleTypes[column].unit)
        switch name {
        case "count": return (.samples, 1)
        case "nanoseconds": return (.nanoseconds, 1)
        case "microseconds": return (.nanoseconds, 1000)
        case "milliseconds": return (.nanoseconds, 1_000_000)
        case "seconds": return (.nanoseconds, 1_000_000_000)
        default: throw .unsupportedUnit(name)
        }
    }

    private func samplingPeriod() throws(Pprof.ReadError) -> Duration? {
        guard let periodType, period > 0, period <= UInt64(Int64.max),
            try string(periodType.unit) == "nanoseconds"
        else { return nil }
        return Duration(nanosecondCount: Int64(period))
    }

    /// The frames of a location, outermost first; inlined functions stand innermost first in the file.
    private func frames(
        of location: (mapping: UInt64, lines: [(function: UInt64, line: UInt64)])
    ) throws(Pprof.ReadError) -> [Frame] {
        var module: String?
        if location.mapping != 0 {
            guard let mapping = mappings[location.mapping] else {
                throw .inconsistent("a mapping is missing")
            }
            let path = try string(mapping.name)
            module = path.isEmpty ? nil : path
        }
        if location.lines.isEmpty { return [.unknown(module: module)] }
        guard location.lines.count <= Pprof.inlineLimit else {
            throw .inconsistent("a location has more than \(Pprof.inlineLimit) lines")
        }
        var frames: [Frame] = []
        for line in location.lines.reversed() {
            guard let function = functions[line.function] else {
                throw .inconsistent("a function is missing")
            }
            let file = try string(function.file)
            frames.append(
                Frame(
                    try string(function.name), module: module, file: file.isEmpty ? nil : file,
                    line: line.line == 0 ? nil : Int(clamping: line.line),
                    traits: FrameTraits(rawValue: UInt8(truncatingIfNeeded: function.traits))
                        .intersection(.known)))
        }
        return frames
    }

    /// What is looked up once rather than for every sample.
    private struct Lookup {
        /// The frames of each location, by its number where numbers are dense, as they nearly always are.
        var framesOfLocation: [[FrameID]?] = []
        var framesOfOtherLocation: [UInt64: [FrameID]] = [:]
        /// The stack of a sample, by its locations as they stand in the file: the same stack comes with many labels.
        var stacks: [ArraySlice<UInt8>: StackID] = [:]
        /// The builder's number for the labels of a sample, by the numbers of their keys and texts.
        var labels: [[UInt64]: Int] = [:]

        mutating func set(_ frames: [FrameID], ofLocation id: UInt64, locations: Int) {
            guard id <= 2 * UInt64(locations) + 16 else {
                framesOfOtherLocation[id] = frames
                return
            }
            while framesOfLocation.count <= Int(id) { framesOfLocation.append(nil) }
            framesOfLocation[Int(id)] = frames
        }

        func frames(ofLocation id: UInt64) -> [FrameID]? {
            id < UInt64(framesOfLocation.count) ? framesOfLocation[Int(id)] : framesOfOtherLocation[id]
        }
    }

    private func add(
        _ bytes: ArraySlice<UInt8>, to builder: inout StackProfileBuilder, column: Int, factor: Int64,
        _ lookup: inout Lookup
    ) throws(Pprof.ReadError) {
        let fields = try self.fields(ofSample: bytes)
        guard fields.values.count == sampleTypes.count else {
            throw .inconsistent("a sample has \(fields.values.count) values for \(sampleTypes.count) types")
        }
        let stack = try stack(of: fields, in: &builder, &lookup)
        let labels: Int
        if let known = lookup.labels[fields.labels] {
            labels = known
        } else {
            labels = builder.id(of: try self.labels(fields.labels))
            lookup.labels[fields.labels] = labels
        }
        let (weight, overflow) = Int64(bitPattern: fields.values[column]).multipliedReportingOverflow(
            by: factor)
        do throws(StackProfileError) {
            guard !overflow else { throw StackProfileError.totalTooLarge }
            try builder.add(stack, weight: weight, labels: labels)
        } catch {
            throw .inconsistent("a value is negative, or all add up to more than \(StackProfile.weightLimit)")
        }
    }

    private func stack(
        of fields: SampleFields, in builder: inout StackProfileBuilder, _ lookup: inout Lookup
    ) throws(Pprof.ReadError) -> StackID {
        if let packed = fields.packedLocations, let known = lookup.stacks[packed] { return known }
        let locations: [UInt64]
        do throws(ProtobufReader.Malformed) {
            locations = try fields.locations()
        } catch {
            throw .malformed
        }
        guard locations.count <= Pprof.depthLimit else {
            throw .inconsistent("a stack has more than \(Pprof.depthLimit) locations")
        }
        var stack = StackID.empty
        for location in locations.reversed() {
            guard let frames = lookup.frames(ofLocation: location) else {
                throw .inconsistent("a location is missing")
            }
            for frame in frames { stack = builder.stack(under: stack, frame) }
            guard builder.stackCount <= Pprof.stackLimit else {
                throw .inconsistent("it has more than \(Pprof.stackLimit) different stacks")
            }
        }
        if let packed = fields.packedLocations { lookup.stacks[packed] = stack }
        return stack
    }

    /// A sample's fields.
    private struct SampleFields {
        /// The locations where they all stand in one field, as they nearly always do: not taken apart yet.
        var packedLocations: ArraySlice<UInt8>?
        var otherLocations: [UInt64] = []
        var values: [UInt64] = []
        /// Of each label the numbers of its key and its text.
        var labels: [UInt64] = []

        /// The locations, innermost first.
        func locations() throws(ProtobufReader.Malformed) -> [UInt64] {
            guard let packedLocations else { return otherLocations }
            return try ProtobufReader.Value.content(packedLocations).numbers()
        }

        mutating func addLocations(_ value: ProtobufReader.Value) throws(ProtobufReader.Malformed) {
            if case .content(let bytes) = value, packedLocations == nil, otherLocations.isEmpty {
                packedLocations = bytes
                return
            }
            otherLocations = try locations() + value.numbers()
            packedLocations = nil
        }
    }

    private func fields(ofSample bytes: ArraySlice<UInt8>) throws(Pprof.ReadError) -> SampleFields {
        var fields = SampleFields()
        do throws(ProtobufReader.Malformed) {
            var reader = ProtobufReader(bytes)
            while let (field, value) = try reader.next() {
                switch field {
                case 1: try fields.addLocations(value)
                case 2: fields.values += try value.numbers()
                case 3:
                    var (key, text): (UInt64, UInt64) = (0, 0)
                    var label = ProtobufReader(try value.content())
                    while let (field, value) = try label.next() {
                        guard case .number(let number) = value else { continue }
                        if field == 1 { key = number } else if field == 2 { text = number }
                    }
                    fields.labels.append(key)
                    fields.labels.append(text)
                default: break
                }
            }
        } catch {
            throw .malformed
        }
        return fields
    }

    private func labels(_ numbers: [UInt64]) throws(Pprof.ReadError) -> SampleLabels {
        var labels = SampleLabels.none
        for index in stride(from: 0, to: numbers.count, by: 2) where numbers[index + 1] != 0 {
            let text = try string(numbers[index + 1])
            switch try string(numbers[index]) {
            case "stage": labels.stage = StageName(text)
            case "thread": labels.thread = text
            case "process": labels.process = text
            case "state": labels.state = text
            case "run": labels.run = text
            default: break
            }
        }
        return labels
    }
}
