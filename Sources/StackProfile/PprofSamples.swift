internal import Measurement

/// Reads the samples of a pprof profile, with what is looked up once rather than for every one of them.
struct PprofSamples {
    private let contents: PprofContents
    /// The number of the value that is read, of those that each sample has.
    private let column: Int
    private let factor: Int64
    /// The frames of each location, by its number where numbers are dense, as they nearly always are.
    private var framesOfLocation: [[FrameID]?] = []
    private var framesOfOtherLocation: [UInt64: [FrameID]] = [:]
    private let hasher: SliceHasher
    /// Numbers of stacks by their locations as they stand in the file: the same stack comes with many labels.
    private var stackNumbers: SliceTable
    private var stacks: [StackID] = []
    /// Numbers of labels as they stand in the file, and the builder's numbers of them.
    private var labelNumbers: SliceTable
    private var labels: [Int] = []

    init(_ contents: PprofContents, column: Int, factor: Int64) {
        self.contents = contents
        self.column = column
        self.factor = factor
        hasher = SliceHasher(contents.buffer)
        stackNumbers = SliceTable(of: contents.buffer)
        labelNumbers = SliceTable(of: contents.buffer)
    }

    /// Says which frames a location has, outermost first.
    mutating func set(_ frames: [FrameID], ofLocation id: UInt64, locations: Int) {
        guard id <= 2 * UInt64(locations) + 16 else {
            framesOfOtherLocation[id] = frames
            return
        }
        while framesOfLocation.count <= Int(id) { framesOfLocation.append(nil) }
        framesOfLocation[Int(id)] = frames
    }

    private func frames(ofLocation id: UInt64) -> [FrameID]? {
        id < UInt64(framesOfLocation.count) ? framesOfLocation[Int(id)] : framesOfOtherLocation[id]
    }

    /// Adds the sample at a place of the file.
    ///
    /// - Returns: The place of the builder's sample that it was added to.
    mutating func add(
        _ place: Range<Int>, to builder: inout StackProfileBuilder
    ) throws(Pprof.ReadError) -> Int {
        let fields = try fields(of: place)
        guard fields.values == contents.sampleTypes.count else {
            throw .inconsistent(
                "a sample has \(fields.values) values for \(contents.sampleTypes.count) types")
        }
        let stack = try stack(of: fields.locations, sample: place, in: &builder)
        let labels = try labels(fields.labels, sample: place, in: &builder)
        let (weight, overflow) = Int64(bitPattern: fields.value).multipliedReportingOverflow(by: factor)
        do throws(StackProfileError) {
            guard !overflow else { throw StackProfileError.totalTooLarge }
            return try builder.add(stack, weight: weight, labels: labels)
        } catch {
            throw .inconsistent("a value is negative, or all add up to more than \(StackProfile.weightLimit)")
        }
    }

    /// Where something stands in a sample.
    private enum Place {
        case nowhere
        /// In one piece, as nearly always.
        case here(Range<Int>)
        /// In several, with other fields between them, or unpacked.
        case scattered
    }

    private struct Fields {
        var locations = Place.nowhere
        var labels = Place.nowhere
        /// How many values there are, and the one that is read.
        var values = 0
        var value: UInt64 = 0
    }

    private func fields(of place: Range<Int>) throws(Pprof.ReadError) -> Fields {
        var fields = Fields()
        do throws(ProtobufReader.Malformed) {
            var reader = ProtobufReader(contents.buffer, place)
            var start = reader.position
            while let (field, value) = try reader.next() {
                switch field {
                case 1:
                    if case .content(let packed) = value, case .nowhere = fields.locations {
                        fields.locations = .here(packed)
                    } else {
                        fields.locations = .scattered
                    }
                case 2:
                    try reader.forEachNumber(value) { number in
                        if fields.values == column { fields.value = number }
                        fields.values += 1
                    }
                case 3:
                    _ = try value.content()
                    switch fields.labels {
                    case .nowhere: fields.labels = .here(start..<reader.position)
                    case .here(let before) where before.upperBound == start:
                        fields.labels = .here(before.lowerBound..<reader.position)
                    default: fields.labels = .scattered
                    }
                default: break
                }
                start = reader.position
            }
        } catch {
            throw .malformed
        }
        return fields
    }

    private mutating func stack(
        of locations: Place, sample: Range<Int>, in builder: inout StackProfileBuilder
    ) throws(Pprof.ReadError) -> StackID {
        switch locations {
        case .nowhere: return .empty
        case .scattered: return try makeStack(try scatteredLocations(sample), in: &builder)
        case .here(let packed):
            let next = stacks.count
            let number = Int(stackNumbers.intern(packed, hash: hasher.hash(packed)) { Int32(next) })
            if number == next {
                var numbers: [UInt64] = []
                do throws(ProtobufReader.Malformed) {
                    try ProtobufReader(contents.buffer, packed)
                        .forEachNumber(.content(packed)) { numbers.append($0) }
                } catch {
                    throw .malformed
                }
                stacks.append(try makeStack(numbers, in: &builder))
            }
            return stacks[number]
        }
    }

    /// The locations of a sample where they do not stand in one field.
    private func scatteredLocations(_ sample: Range<Int>) throws(Pprof.ReadError) -> [UInt64] {
        var numbers: [UInt64] = []
        do throws(ProtobufReader.Malformed) {
            var reader = ProtobufReader(contents.buffer, sample)
            while let (field, value) = try reader.next() {
                if field == 1 { try reader.forEachNumber(value) { numbers.append($0) } }
            }
        } catch {
            throw .malformed
        }
        return numbers
    }

    /// The stack of some locations, which stand innermost first.
    private func makeStack(
        _ locations: [UInt64], in builder: inout StackProfileBuilder
    ) throws(Pprof.ReadError) -> StackID {
        guard locations.count <= Pprof.depthLimit else {
            throw .inconsistent("a stack has more than \(Pprof.depthLimit) locations")
        }
        var stack = StackID.empty
        for location in locations.reversed() {
            guard let frames = frames(ofLocation: location) else {
                throw .inconsistent("a location is missing")
            }
            for frame in frames { stack = builder.stack(under: stack, frame) }
            guard builder.stackCount <= Pprof.stackLimit else {
                throw .inconsistent("it has more than \(Pprof.stackLimit) different stacks")
            }
        }
        return stack
    }

    private mutating func labels(
        _ labels: Place, sample: Range<Int>, in builder: inout StackProfileBuilder
    ) throws(Pprof.ReadError) -> Int {
        switch labels {
        // The builder's number of the empty set.
        case .nowhere: return 0
        case .scattered: return builder.id(of: try makeLabels(sample))
        case .here(let place):
            let next = self.labels.count
            let number = Int(labelNumbers.intern(place, hash: hasher.hash(place)) { Int32(next) })
            if number == next { self.labels.append(builder.id(of: try makeLabels(place))) }
            return self.labels[number]
        }
    }

    /// The labels among the fields at a place.
    private func makeLabels(_ place: Range<Int>) throws(Pprof.ReadError) -> SampleLabels {
        var labels = SampleLabels.none
        var pairs: [(key: UInt64, text: UInt64)] = []
        var numbers: [(key: UInt64, value: UInt64, unit: UInt64)] = []
        do throws(ProtobufReader.Malformed) {
            var reader = ProtobufReader(contents.buffer, place)
            while let (field, value) = try reader.next() {
                guard field == 3 else { continue }
                var pair: (key: UInt64, text: UInt64) = (0, 0)
                var (number, unit): (UInt64?, UInt64) = (nil, 0)
                var label = ProtobufReader(contents.buffer, try value.content())
                while let (field, value) = try label.next() {
                    guard case .number(let content) = value else { continue }
                    switch field {
                    case 1: pair.key = content
                    case 2: pair.text = content
                    case 3: number = content
                    case 4: unit = content
                    default: break
                    }
                }
                pairs.append(pair)
                if pair.text == 0, let number { numbers.append((pair.key, number, unit)) }
            }
        } catch {
            throw .malformed
        }
        for pair in pairs where pair.text != 0 {
            let text = try contents.string(pair.text)
            switch try contents.string(pair.key) {
            case "stage": labels.stage = StageName(text)
            case "thread": labels.thread = text
            case "process": labels.process = text
            case "state": labels.state = text
            case "run": labels.run = text
            case let name: labels.others[name] = text
            }
        }
        for (key, value, unit) in numbers {
            let unit = try contents.string(unit)
            labels.others[try contents.string(key)] =
                "\(Int64(bitPattern: value))" + (unit.isEmpty ? "" : " \(unit)")
        }
        return labels
    }
}
