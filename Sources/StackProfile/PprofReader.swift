internal import Compression
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
        /// The profile has no values of a type; those that it has.
        case noSampleType(String, known: [String])

        /// One sentence.
        public var description: String {
            switch self {
            case .damagedGzip: "The profile's gzip file is damaged or cut short."
            case .tooLong(let limit): "The profile is longer than the \(limit) bytes that are read."
            case .malformed: "The file is no pprof profile (profile.proto)."
            case .inconsistent(let what): "The pprof profile contradicts itself: \(what)."
            case .noSampleType(let name, let known):
                "It has no samples of type '\(PlainText.sanitized(name, maximumCharacters: 40))'; it has "
                    + known.map { PlainText.sanitized($0, maximumCharacters: 40) }.joined(separator: ", ")
                    + "."
            }
        }
    }

    /// The largest message that is read, in bytes.
    package static let byteLimit = 1 << 29
    /// The most frames of a stack.
    static let depthLimit = 1 << 16
    /// The most functions inlined into one place. Few bytes of samples could otherwise ask for endless stacks.
    static let inlineLimit = 256
    /// The most different stacks, callers included: two gigabytes of them. A hundred times what a day of sampling
    /// gives, and less than a small file of inlined functions could ask for.
    static let stackLimit = 1 << 26

    /// Reads a profile, gzipped or not.
    ///
    /// Of several sample types the default one is taken, or else the last, as pprof does.
    ///
    /// - Parameter sampleType: The sample type that is taken instead, such as `alloc_space`.
    public static func read(_ bytes: [UInt8], sampleType: String? = nil) throws(ReadError) -> StackProfile {
        var message = bytes
        if Gzip.isGzip(bytes) {
            do throws(Gzip.Failure) {
                message = try Gzip.inflated(bytes, limit: byteLimit)
            } catch {
                throw error == .tooLong ? .tooLong(limit: byteLimit) : .damagedGzip
            }
        }
        let result = message.withUnsafeBytes { plain in
            Result { () throws(ReadError) in try read(plain: plain, sampleType: sampleType).profile }
        }
        return try result.get()
    }

    /// Reads a profile that is not gzipped, and the names of its sample types with the place of the one that was taken.
    package static func read(
        plain message: UnsafeRawBufferPointer, sampleType: String? = nil
    ) throws(ReadError) -> (profile: StackProfile, types: [String], taken: Int) {
        guard message.count <= byteLimit else { throw .tooLong(limit: byteLimit) }
        var contents = PprofContents(message)
        do throws(ProtobufReader.Malformed) {
            try contents.read()
        } catch {
            throw .malformed
        }
        return try contents.profile(sampleType: sampleType)
    }
}

/// The tables of a profile as they stand in the file.
struct PprofContents {
    let buffer: UnsafeRawBufferPointer
    private var strings: [String] = []
    private(set) var sampleTypes: [(type: UInt64, unit: UInt64)] = []
    private var samples: [Range<Int>] = []
    private var moments: Range<Int>?
    private var mappings: [UInt64: (name: UInt64, buildID: UInt64)] = [:]
    private var locations: [UInt64: (mapping: UInt64, lines: [(function: UInt64, line: UInt64)])] = [:]
    private var functions: [UInt64: (name: UInt64, file: UInt64, traits: UInt64)] = [:]
    private var periodType: (type: UInt64, unit: UInt64)?
    private var period: UInt64 = 0
    private var defaultType: UInt64 = 0

    /// The contents of a message, which has to outlive them.
    init(_ message: UnsafeRawBufferPointer) {
        buffer = message
    }

    mutating func read() throws(ProtobufReader.Malformed) {
        var reader = ProtobufReader(buffer, buffer.indices)
        while let (field, value) = try reader.next() {
            switch field {
            case 1: sampleTypes.append(try valueType(try value.content()))
            case 2: samples.append(try value.content())
            case 3:
                let fields = try numbers(try value.content())
                mappings[fields[1] ?? 0] = (fields[5] ?? 0, fields[6] ?? 0)
            case 4: try readLocation(try value.content())
            case 5:
                let fields = try numbers(try value.content())
                // Some writers give the name only as the linker knows it.
                let name = fields[2].flatMap { $0 == 0 ? nil : $0 } ?? fields[3] ?? 0
                functions[fields[1] ?? 0] = (name, fields[4] ?? 0, fields[Pprof.traitsField] ?? 0)
            case 6:
                strings.append(
                    String(
                        decoding: UnsafeRawBufferPointer(rebasing: buffer[try value.content()]), as: UTF8.self
                    ))
            case 11: periodType = try valueType(try value.content())
            case 12: period = try value.number()
            case 14: defaultType = try value.number()
            case Pprof.momentsField: moments = try value.content()
            default: break
            }
        }
    }

    /// The plain numbers of a message by field; the last of a field counts.
    private func numbers(
        _ place: Range<Int>
    ) throws(ProtobufReader.Malformed) -> [UInt64: UInt64] {
        var fields: [UInt64: UInt64] = [:]
        var reader = ProtobufReader(buffer, place)
        while let (field, value) = try reader.next() {
            if case .number(let number) = value { fields[field] = number }
        }
        return fields
    }

    private func valueType(
        _ place: Range<Int>
    ) throws(ProtobufReader.Malformed) -> (type: UInt64, unit: UInt64) {
        let fields = try numbers(place)
        return (fields[1] ?? 0, fields[2] ?? 0)
    }

    private mutating func readLocation(_ place: Range<Int>) throws(ProtobufReader.Malformed) {
        let fields = try numbers(place)
        var lines: [(function: UInt64, line: UInt64)] = []
        var reader = ProtobufReader(buffer, place)
        while let (field, value) = try reader.next() {
            guard field == 4 else { continue }
            let line = try numbers(try value.content())
            lines.append((line[1] ?? 0, line[2] ?? 0))
        }
        locations[fields[1] ?? 0] = (fields[2] ?? 0, lines)
    }

    func string(_ index: UInt64) throws(Pprof.ReadError) -> String {
        guard index < UInt64(strings.count) else { throw .inconsistent("a string number is out of range") }
        return strings[Int(index)]
    }

    func profile(
        sampleType: String?
    ) throws(Pprof.ReadError) -> (profile: StackProfile, types: [String], taken: Int) {
        guard strings.first == "" else { throw .malformed }
        var types: [String] = []
        for type in sampleTypes { types.append(try string(type.type)) }
        let column = try self.column(sampleType, of: types)
        let (unit, factor) = try self.unit(column)
        var builder = StackProfileBuilder(unit: unit, period: try samplingPeriod())
        var reader = PprofSamples(self, column: column, factor: factor)
        for (id, location) in locations.sorted(by: { $0.key < $1.key }) {
            var ids: [FrameID] = []
            for frame in try frames(of: location) { ids.append(builder.id(of: frame)) }
            reader.set(ids, ofLocation: id, locations: locations.count)
        }
        var places: [Int] = []
        for sample in samples { places.append(try reader.add(sample, to: &builder)) }
        if let moments { builder.moments = try readMoments(moments, places) }
        for mapping in mappings.values where mapping.buildID != 0 {
            let module = try string(mapping.name)
            if !module.isEmpty { builder.buildIDs.insert(try string(mapping.buildID), of: module) }
        }
        return (builder.build(), types, column)
    }

    /// When the samples were taken; their places in the builder are not those in the file.
    private func readMoments(_ place: Range<Int>, _ places: [Int]) throws(Pprof.ReadError) -> SampleMoments {
        let moments: SampleMoments?
        do throws(ProtobufReader.Malformed) {
            moments = try SampleMoments.read(buffer, place, places: places)
        } catch {
            throw .malformed
        }
        guard let moments else { throw .inconsistent("its times are not those of its samples") }
        return moments
    }

    /// The sample type that is read.
    private func column(_ wanted: String?, of types: [String]) throws(Pprof.ReadError) -> Int {
        if sampleTypes.isEmpty && !samples.isEmpty { throw .inconsistent("samples have no type") }
        if let wanted {
            guard let column = types.firstIndex(of: wanted) else {
                throw .noSampleType(wanted, known: types)
            }
            return column
        }
        let byDefault = defaultType == 0 ? nil : sampleTypes.firstIndex { $0.type == defaultType }
        return byDefault ?? max(0, sampleTypes.count - 1)
    }

    private func unit(_ column: Int) throws(Pprof.ReadError) -> (WeightUnit, Int64) {
        guard sampleTypes.indices.contains(column) else { return (.samples, 1) }
        let (type, name) = (
            try string(sampleTypes[column].type), try string(sampleTypes[column].unit)
        )
        switch name {
        case "count" where type == "instructions": return (.instructions, 1)
        case "count": return (["", "sample", "samples"].contains(type) ? .samples : .counts(type), 1)
        case "nanoseconds", "ns": return (.nanoseconds, 1)
        case "microseconds", "us", "µs": return (.nanoseconds, 1000)
        case "milliseconds", "ms": return (.nanoseconds, 1_000_000)
        case "seconds", "s": return (.nanoseconds, 1_000_000_000)
        case "bytes", "byte", "B": return (.bytes, 1)
        case "kilobytes", "kb", "KB": return (.bytes, 1024)
        case "megabytes", "mb", "MB": return (.bytes, 1 << 20)
        default: return (.counts(name.isEmpty ? type : name), 1)
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
            // All but the outermost of a place are inlined there.
            let inlined: FrameTraits = frames.isEmpty ? [] : .inlined
            frames.append(
                Frame(
                    try string(function.name), module: module, file: file.isEmpty ? nil : file,
                    line: line.line == 0 ? nil : Int(clamping: line.line),
                    traits: FrameTraits(rawValue: UInt8(truncatingIfNeeded: function.traits))
                        .intersection(.known).union(inlined)))
        }
        return frames
    }
}
