/// When samples were taken, one look at one thread each: what an aggregated profile forgets.
///
/// A moment refers to one of the profile's samples, which has the stack, stage, thread, process and run; so a moment is two
/// small numbers. `docs/formats/pprof.md` says how they are kept.
public struct SampleMoments: Hashable, Sendable {
    /// One moment.
    public struct Moment: Hashable, Sendable {
        /// The place of the sample in ``StackProfile/samples``.
        public var sample: Int
        /// Microseconds since the first moment of its run.
        public var microseconds: Int64
        /// How much of the sample's weight was taken then.
        public var weight: Int64

        /// A moment.
        public init(sample: Int, microseconds: Int64, weight: Int64) {
            self.sample = sample
            self.microseconds = microseconds
            self.weight = weight
        }
    }

    /// The most moments that are kept or read: a day at a thousand a second.
    public static let limit = 1 << 27

    /// A column each, which take half of what records would.
    private(set) var samples: [Int32] = []
    private(set) var times: [Int64] = []
    private(set) var weights: [Int64] = []

    /// No moments.
    public init() {}

    /// How many there are.
    public var count: Int { samples.count }
    /// Whether there are none.
    public var isEmpty: Bool { samples.isEmpty }

    /// The moment at a place; those of a run stand together, in order of time.
    public subscript(place: Int) -> Moment {
        Moment(sample: Int(samples[place]), microseconds: times[place], weight: weights[place])
    }

    /// Adds a moment; what is beyond the limit is left out.
    public mutating func append(_ moment: Moment) {
        guard count < Self.limit else { return }
        samples.append(Int32(moment.sample))
        times.append(moment.microseconds)
        weights.append(moment.weight)
    }

    /// The moments of samples that have other places now.
    func moved(to places: [Int]) -> SampleMoments {
        var moved = self
        moved.samples = samples.map { Int32(places[Int($0)]) }
        return moved
    }

    mutating func append(contentsOf other: SampleMoments) {
        samples += other.samples
        times += other.times
        weights += other.weights
    }
}

/// Moments in a pprof file: field 1001 of the profile, which other readers skip. Three packed columns: the samples' places,
/// the times as differences (zigzag), and the weights unless all are 1.
extension SampleMoments {
    func write(_ output: inout ProtobufWriter) {
        guard !isEmpty else { return }
        output.message(Pprof.momentsField) { message in
            message.numbers(1, samples.lazy.map { UInt64($0) })
            var last: Int64 = 0
            message.numbers(
                2,
                times.lazy.map { time in
                    defer { last = time }
                    let difference = time &- last
                    return UInt64(bitPattern: difference << 1 ^ difference >> 63)
                })
            if weights.contains(where: { $0 != 1 }) { message.numbers(3, weights.lazy.map { UInt64($0) }) }
        }
    }

    /// Reads moments, of samples whose places in the file have become others.
    ///
    /// - Returns: Nil where they contradict the file: a sample that is not there, or columns of different lengths.
    static func read(
        _ buffer: UnsafeRawBufferPointer, _ place: Range<Int>, places: [Int]
    ) throws(ProtobufReader.Malformed) -> SampleMoments? {
        var moments = SampleMoments()
        var isWhole = true
        var reader = ProtobufReader(buffer, place)
        while let (field, value) = try reader.next() {
            switch field {
            case 1:
                try reader.forEachNumber(value) { number in
                    guard number < UInt64(places.count), moments.samples.count < limit else {
                        isWhole = false
                        return
                    }
                    moments.samples.append(Int32(places[Int(number)]))
                }
            case 2:
                var time: Int64 = moments.times.last ?? 0
                try reader.forEachNumber(value) { number in
                    time = time &+ (Int64(bitPattern: number >> 1) ^ -Int64(bitPattern: number & 1))
                    guard moments.times.count < limit, (0...(1 << 50)).contains(time) else {
                        isWhole = false
                        return
                    }
                    moments.times.append(time)
                }
            case 3:
                try reader.forEachNumber(value) { number in
                    guard moments.weights.count < limit, number <= UInt64(StackProfile.weightLimit) else {
                        isWhole = false
                        return
                    }
                    moments.weights.append(Int64(number))
                }
            default: break
            }
        }
        if moments.weights.isEmpty { moments.weights = [Int64](repeating: 1, count: moments.samples.count) }
        let isEven =
            moments.samples.count == moments.times.count && moments.samples.count == moments.weights.count
        return isWhole && isEven ? moments : nil
    }
}
