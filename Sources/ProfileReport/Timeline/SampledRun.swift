internal import Measurement
public import StackProfile

/// One profiled run in time: what each thread was seen doing, and the stacks of any interval.
public struct SampledRun: Sendable {
    /// A thread's row.
    struct Track {
        var name: String
        /// Stretches of the same stage and load.
        var stretches: [Stretch] = []
    }

    /// A stretch in which a thread was in one stage.
    struct Stretch {
        var stage: String
        var start: Double
        var end: Double
        /// The share of the time for which it was seen, 0 to 1.
        var load: Double
    }

    /// The run as `SESSION/INDEX`; nil where the archive does not say.
    let run: String?
    /// Seconds from the first sample to the last.
    let duration: Double
    /// The threads with most samples, the busiest first.
    let tracks: [Track]
    /// Threads that have no row.
    let otherThreads: Int
    let moments: Int
    private let profile: StackProfile
    private let places: [Int]

    /// The most threads that get a row, and the most stretches of a row.
    private static let (mostTracks, columns) = (12, 400)

    /// The run with most moments of an archive; nil where it has none.
    public init?(_ profile: StackProfile) {
        guard !profile.moments.isEmpty else { return nil }
        self.profile = profile
        var byRun: [String?: [Int]] = [:]
        for place in 0..<profile.moments.count {
            let labels = profile.labels(of: profile.samples[profile.moments[place].sample])
            byRun[labels.run, default: []].append(place)
        }
        guard let chosen = byRun.max(by: { ($0.value.count, $1.key ?? "") < ($1.value.count, $0.key ?? "") })
        else { return nil }
        (run, places) = (chosen.key, chosen.value)
        moments = chosen.value.count
        let last = chosen.value.map { profile.moments[$0].microseconds }.max() ?? 0
        duration = max(Double(last) / 1e6, 1e-6)
        var byThread: [String: [Int]] = [:]
        for place in places {
            let labels = profile.labels(of: profile.samples[profile.moments[place].sample])
            byThread[labels.thread ?? "all threads", default: []].append(place)
        }
        let order = byThread.sorted { ($1.value.count, $0.key) < ($0.value.count, $1.key) }
        let (length, period) = (duration, profile.period?.inSeconds ?? 0.001)
        tracks = order.prefix(Self.mostTracks).map { name, places in
            Track(name: name, stretches: Self.stretches(places, profile, length, period))
        }
        otherThreads = max(0, order.count - Self.mostTracks)
    }

    /// A thread's stretches: for each column the stage that it was seen in most.
    private static func stretches(
        _ places: [Int], _ profile: StackProfile, _ length: Double, _ period: Double
    ) -> [Stretch] {
        var weights = [[String: Int64]](repeating: [:], count: columns)
        for place in places {
            let moment = profile.moments[place]
            let column = min(columns - 1, Int(Double(moment.microseconds) / 1e6 / length * Double(columns)))
            let stage = profile.labels(of: profile.samples[moment.sample]).stage?.text ?? ""
            weights[column][stage, default: 0] += moment.weight
        }
        let width = length / Double(columns)
        var stretches: [Stretch] = []
        for (column, stages) in weights.enumerated() {
            guard let most = stages.max(by: { ($0.value, $1.key) < ($1.value, $0.key) }) else { continue }
            let total = stages.values.reduce(0, +)
            // In tenths: neighbours that look alike are one.
            let load = (min(1, Double(total) * period / width) * 10).rounded(.up) / 10
            let start = Double(column) * width
            if let last = stretches.last, last.stage == most.key, last.load == load,
                last.end > start - width / 2
            {
                stretches[stretches.count - 1].end = start + width
            } else {
                stretches.append(Stretch(stage: most.key, start: start, end: start + width, load: load))
            }
        }
        return stretches
    }

    // MARK: For the script

    /// The stacks and moments as JSON: a tree of functions, samples that name its nodes, and moments packed as text.
    func json() -> String {
        var (nodeOfStack, parents, functions): ([Int: Int], [Int], [Int]) = ([0: 0], [-1], [-1])
        var (names, numbers): ([String], [ExactText: Int]) = ([], [:])
        var samples: [Int] = []
        var placeOfSample: [Int: Int] = [:]
        var stages: [String] = []
        var stageOfSample: [Int] = []
        func node(of stack: StackID) -> Int {
            if let known = nodeOfStack[stack.position] { return known }
            var path: [StackID] = []
            var next = stack
            while nodeOfStack[next.position] == nil {
                path.append(next)
                next = profile.stacks.parent(of: next) ?? .empty
            }
            for stack in path.reversed() {
                let parent = profile.stacks.parent(of: stack) ?? .empty
                let name = ExactText(
                    profile.stacks.leaf(of: stack).map {
                        PlainText.sanitized(profile[$0].function, maximumCharacters: 200)
                    } ?? "")
                if numbers[name] == nil {
                    numbers[name] = names.count
                    names.append(name.text)
                }
                nodeOfStack[stack.position] = parents.count
                parents.append(nodeOfStack[parent.position] ?? 0)
                functions.append(numbers[name] ?? 0)
            }
            return nodeOfStack[stack.position] ?? 0
        }
        var packed: [UInt8] = []
        var last: Int64 = 0
        for place in places {
            let moment = profile.moments[place]
            let sample: Int
            if let known = placeOfSample[moment.sample] {
                sample = known
            } else {
                sample = samples.count
                placeOfSample[moment.sample] = sample
                samples.append(node(of: profile.samples[moment.sample].stack))
                let stage = profile.labels(of: profile.samples[moment.sample]).stage?.text ?? ""
                if !stages.contains(stage) { stages.append(stage) }
                stageOfSample.append(stages.firstIndex(of: stage) ?? 0)
            }
            for number in [UInt64(sample), UInt64(max(0, moment.microseconds - last)), UInt64(moment.weight)]
            {
                var rest = number
                while rest >= 0x80 {
                    packed.append(UInt8(truncatingIfNeeded: rest) | 0x80)
                    rest >>= 7
                }
                packed.append(UInt8(rest))
            }
            last = moment.microseconds
        }
        var json = JSONWriter()
        json.object { file in
            file.field("period", profile.period?.inNanoseconds ?? 0)
            for (name, numbers) in [
                ("parents", parents), ("functions", functions), ("samples", samples),
                ("stage", stageOfSample),
            ] {
                file.key(name)
                file.array { list in for number in numbers { list.number(Int64(number)) } }
            }
            for (name, texts) in [("names", names), ("stages", stages)] {
                file.key(name)
                file.array { list in for text in texts { list.string(text) } }
            }
            file.field("moments", Base64.text(packed))
        }
        return String(decoding: json.bytes, as: UTF8.self)
    }
}

/// Bytes as text (RFC 4648).
enum Base64 {
    static func text(_ bytes: [UInt8]) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count * 4 / 3 + 4)
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let count = min(3, bytes.count - start)
            var word = 0
            for index in 0..<3 { word = word << 8 | (index < count ? Int(bytes[start + index]) : 0) }
            for index in 0..<4 {
                text.append(index <= count ? alphabet[word >> (18 - 6 * index) & 63] : UInt8(ascii: "="))
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
