internal import Compression
public import Measurement

/// Profiles as `profile.proto`, the format of pprof, gzipped: the one file that keeps all of a profile.
public enum Pprof {
    /// Numbers of our own field in a `Function`, which other readers skip: the frame's traits.
    static let traitsField: UInt64 = 1000
    /// The number of our own field in a `Profile`: when samples were taken.
    static let momentsField: UInt64 = 1001

    /// Writes a gzipped profile. The same profile gives the same bytes.
    ///
    /// - Parameters:
    ///   - profile: The stacks. Labels become string labels of their names.
    ///   - start: When sampling began, where it is known.
    ///   - duration: How long was sampled, where it is known.
    public static func write(
        _ profile: StackProfile, start: Timestamp? = nil, duration: Duration? = nil
    ) -> [UInt8] {
        var writer = PprofWriter(profile)
        return Gzip.compressed(writer.encoded(start: start, duration: duration))
    }
}

private struct PprofWriter {
    private let profile: StackProfile
    private var strings = [""]
    private var stringIDs = [ExactText(""): UInt64(0)]

    init(_ profile: StackProfile) {
        self.profile = profile
    }

    private mutating func id(of text: String) -> UInt64 {
        if let known = stringIDs[ExactText(text)] { return known }
        strings.append(text)
        stringIDs[ExactText(text)] = UInt64(strings.count - 1)
        return UInt64(strings.count - 1)
    }

    mutating func encoded(start: Timestamp?, duration: Duration?) -> [UInt8] {
        var output = ProtobufWriter()
        let names: (type: String, unit: String) =
            switch profile.unit {
            case .samples: ("samples", "count")
            case .nanoseconds: ("time", "nanoseconds")
            case .bytes: ("space", "bytes")
            case .instructions: ("instructions", "count")
            case .counts(let what): (what, "count")
            }
        let (type, unit) = (id(of: names.type), id(of: names.unit))
        output.message(1) {
            $0.number(1, type)
            $0.number(2, unit)
        }
        writeSamples(&output)
        writeCode(&output)
        let period = profile.period.map { ($0, id(of: "time"), id(of: "nanoseconds")) }
        for text in strings { output.bytes(6, text.utf8) }
        if let start { output.number(9, UInt64(bitPattern: start.nanosecondsSinceEpoch)) }
        if let duration { output.number(10, UInt64(bitPattern: duration.inNanoseconds)) }
        if let (period, type, unit) = period {
            output.message(11) {
                $0.number(1, type)
                $0.number(2, unit)
            }
            output.number(12, UInt64(bitPattern: period.inNanoseconds))
        }
        profile.moments.write(&output)
        return output.encoded
    }

    private mutating func writeSamples(_ output: inout ProtobufWriter) {
        let keys = [id(of: "stage"), id(of: "thread"), id(of: "process"), id(of: "state"), id(of: "run")]
        let labelSets = profile.labelSets.map { set in
            zip(keys, [set.stage?.text, set.thread, set.process, set.state, set.run]).compactMap {
                key, text in
                text.map { (key: key, text: id(of: $0)) }
            } + set.others.sorted { $0.key < $1.key }.map { (key: id(of: $0.key), text: id(of: $0.value)) }
        }
        for sample in profile.samples {
            output.message(2) { message in
                // Innermost first, and numbered from 1.
                message.numbers(
                    1, profile.stacks.frames(of: sample.stack).reversed().map { UInt64($0.position + 1) })
                message.numbers(2, [UInt64(sample.weight)])
                for label in labelSets[sample.labels] {
                    message.message(3) {
                        $0.number(1, label.key)
                        $0.number(2, label.text)
                    }
                }
            }
        }
    }

    /// Modules, numbered from 1. pprof takes the first for the program that the profile is of.
    private mutating func writeMappings(_ output: inout ProtobufWriter) -> [String: UInt64] {
        var identifiers: [String: UInt64] = [:]
        let program = profile.heaviestProgram
        for module in [program].compactMap({ $0 }) + profile.frames.compactMap(\.module)
        where identifiers[module] == nil {
            let mapping = UInt64(identifiers.count + 1)
            identifiers[module] = mapping
            let name = id(of: module)
            let buildID = profile.buildIDs[module].map { id(of: $0) }
            output.message(3) {
                $0.number(1, mapping)
                $0.number(5, name)
                if let buildID { $0.number(6, buildID) }
                for hasSymbols in 7...10 { $0.number(UInt64(hasSymbols), 1) }
            }
        }
        return identifiers
    }

    /// For each frame one location and, for each function in it, one function.
    private mutating func writeCode(_ output: inout ProtobufWriter) {
        let mappingIDs = writeMappings(&output)
        var functionIDs: [Frame: UInt64] = [:]
        for (index, frame) in profile.frames.enumerated() {
            let mapping = frame.module.flatMap { mappingIDs[$0] }
            var key = frame
            key.line = nil
            key.module = nil
            let function = functionIDs[key] ?? UInt64(functionIDs.count + 1)
            if functionIDs.updateValue(function, forKey: key) == nil {
                let (name, file) = (id(of: frame.function), id(of: frame.file ?? ""))
                output.message(5) {
                    $0.number(1, function)
                    // Without a system name, pprof takes the name as demangled and keeps its arguments.
                    $0.number(2, name)
                    $0.number(4, file)
                    $0.number(Pprof.traitsField, UInt64(frame.traits.rawValue))
                }
            }
            output.message(4) {
                $0.number(1, UInt64(index + 1))
                $0.number(2, mapping ?? 0)
                $0.message(4) {
                    $0.number(1, function)
                    $0.number(2, UInt64(max(0, frame.line ?? 0)))
                }
            }
        }
    }
}
