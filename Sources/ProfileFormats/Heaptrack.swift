internal import StackProfile

/// heaptrack's data files: allocations by trace. What a process had at its peak is read, unless another type is asked for.
struct Heaptrack {
    private static let kind = "a heaptrack file"
    /// What can be read of a file.
    private enum Cost: String, CaseIterable {
        case peak, leaked, allocations
    }

    private struct Instruction {
        var frames: [FrameID]
    }

    private let buffer: UnsafeRawBufferPointer
    private let cost: Cost
    private var builder: StackProfileBuilder
    private var strings: [String] = []
    private var instructions: [Instruction] = []
    private var traces: [StackID] = []
    private var allocations: [(size: UInt64, trace: Int)] = []
    /// How many of each kind of allocation there are, and have been.
    private var live: [Int64] = []
    private var made: [Int64] = []
    private var (total, peak): (Int64, Int64) = (0, 0)
    private var atPeak: [Int64] = []
    /// The kinds that have changed since the peak.
    private var changed: Set<Int> = []

    static func isLikely(_ beginning: UnsafeRawBufferPointer) -> Bool {
        var lines = TextLines(beginning)
        guard let first = lines.next(), beginning.starts(first, with: "v ") else { return false }
        while let line = lines.next(), lines.number < 20 {
            if beginning.starts(line, with: "X ") || beginning.starts(line, with: "I ") { return true }
        }
        return false
    }

    static func read(
        _ buffer: UnsafeRawBufferPointer, sampleType: String?
    ) throws(FormatError) -> ForeignProfile {
        let known = Cost.allCases.map(\.rawValue)
        guard let cost = Cost(rawValue: sampleType ?? Cost.peak.rawValue) else {
            throw .noSampleType(sampleType ?? "", known: known)
        }
        var reader = Heaptrack(buffer, cost)
        try reader.readAll()
        var result = ForeignProfile(profile: try reader.profile(), sampleTypes: known)
        result.taken = known.firstIndex(of: cost.rawValue) ?? 0
        return result
    }

    private init(_ buffer: UnsafeRawBufferPointer, _ cost: Cost) {
        self.buffer = buffer
        self.cost = cost
        builder = StackProfileBuilder(unit: cost == .allocations ? .counts("allocations") : .bytes)
    }

    // MARK: Lines

    private mutating func readAll() throws(FormatError) {
        var lines = TextLines(buffer)
        while let line = lines.next() {
            guard line.count >= 2 else { continue }
            let rest = line.lowerBound + 2..<max(line.lowerBound + 2, line.upperBound)
            let isUnderstood: Bool =
                switch buffer[line.lowerBound] {
                case UInt8(ascii: "s"): readString(rest)
                case UInt8(ascii: "i"): readInstruction(numbers(rest))
                case UInt8(ascii: "t"): readTrace(numbers(rest))
                case UInt8(ascii: "a"): readAllocation(numbers(rest))
                case UInt8(ascii: "+"): count(numbers(rest), by: 1)
                case UInt8(ascii: "-"): count(numbers(rest), by: -1)
                // Times, memory in use, the command: not needed here.
                default: true
                }
            guard isUnderstood else {
                throw .damaged(Self.kind, "line \(lines.number) is malformed or names what is missing")
            }
            guard builder.stackCount <= FormatLimits.stacks else {
                throw FormatError("It has more than \(FormatLimits.stacks) different stacks.")
            }
        }
    }

    private func numbers(_ place: Range<Int>) -> [Int] {
        buffer.words(place, atMost: 1024).map { word in
            buffer.hexadecimal(word).map { Int(clamping: $0) } ?? -1
        }
    }

    /// `length text` since version 3 of the format, `text` before.
    private mutating func readString(_ place: Range<Int>) -> Bool {
        var text = place
        if let space = buffer.firstIndex(of: 0x20, in: place),
            let length = buffer.hexadecimal(place.lowerBound..<space),
            length == UInt64(place.upperBound - space - 1)
        {
            text = space + 1..<place.upperBound
        }
        strings.append(buffer.text(text))
        return true
    }

    /// `address module [function file line]...`: the function, then those that it is inlined into.
    private mutating func readInstruction(_ numbers: [Int]) -> Bool {
        guard numbers.count >= 2, let path = string(numbers[1]) else { return false }
        let module = path?.split(separator: "/").last.map(String.init)
        var frames: [FrameID] = []
        var next = 2
        while next < numbers.count {
            guard let function = string(numbers[next]) else { return false }
            var frame = function.map { Frame($0, module: module) } ?? .unknown(module: module)
            if next + 2 < numbers.count, let file = string(numbers[next + 1]) {
                (frame.file, frame.line) = (file, numbers[next + 2])
            }
            frames.append(builder.id(of: frame))
            next += 3
        }
        if frames.isEmpty { frames = [builder.id(of: .unknown(module: module))] }
        instructions.append(Instruction(frames: frames.reversed()))
        return true
    }

    /// The text of a number, from 1; nil within for 0, which is no text, and nil for what is missing.
    private func string(_ number: Int) -> String?? {
        if number == 0 { return .some(nil) }
        return strings.indices.contains(number - 1) ? .some(strings[number - 1]) : nil
    }

    /// `instruction parent`, both from 1; 0 is the outermost.
    private mutating func readTrace(_ numbers: [Int]) -> Bool {
        guard numbers.count >= 2, instructions.indices.contains(numbers[0] - 1),
            numbers[1] == 0 || traces.indices.contains(numbers[1] - 1)
        else { return false }
        var stack = numbers[1] == 0 ? StackID.empty : traces[numbers[1] - 1]
        for frame in instructions[numbers[0] - 1].frames { stack = builder.stack(under: stack, frame) }
        traces.append(stack)
        return true
    }

    private mutating func readAllocation(_ numbers: [Int]) -> Bool {
        guard numbers.count >= 2, numbers[0] >= 0, numbers[0] < 1 << 46,
            traces.indices.contains(numbers[1] - 1)
        else { return false }
        allocations.append((UInt64(numbers[0]), numbers[1] - 1))
        live.append(0)
        made.append(0)
        atPeak.append(0)
        return true
    }

    private mutating func count(_ numbers: [Int], by step: Int64) -> Bool {
        guard let kind = numbers.first, allocations.indices.contains(kind) else { return false }
        changed.insert(kind)
        live[kind] += step
        total += step * Int64(allocations[kind].size)
        if step > 0 { made[kind] += 1 }
        // Only what has changed since the last peak is looked at.
        if step > 0 && total > peak {
            peak = total
            for kind in changed { atPeak[kind] = live[kind] }
            changed.removeAll(keepingCapacity: true)
        }
        return true
    }

    private func profile() throws(FormatError) -> StackProfile {
        var builder = builder
        for (kind, allocation) in allocations.enumerated() {
            let weight: (partialValue: Int64, overflow: Bool) =
                switch cost {
                case .allocations: (made[kind], false)
                case .leaked: live[kind].multipliedReportingOverflow(by: Int64(allocation.size))
                case .peak: atPeak[kind].multipliedReportingOverflow(by: Int64(allocation.size))
                }
            guard !weight.overflow else { throw .damaged(Self.kind, "its sizes are too large") }
            guard weight.partialValue > 0 else { continue }
            try FormatError.adding { () throws(StackProfileError) in
                try builder.add(traces[allocation.trace], weight: weight.partialValue)
            }
        }
        return builder.build()
    }
}
