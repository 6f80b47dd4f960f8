internal import Measurement

/// Folded stacks: one line per stack, `outermost;...;innermost weight` (docs/formats/folded.md).
public enum FoldedStacks {
    /// What is accepted of folded text.
    public struct Limits: Sendable {
        /// The most bytes of a whole text.
        public var bytes = 1 << 30
        /// The most bytes of a line; longer lines are bad lines.
        public var lineBytes = 1 << 20
        /// The most frames of a stack; deeper ones are cut at their inner end.
        public var depth = 4096

        /// The limits that suit text from outside.
        public init() {}
    }

    /// A profile read from folded text, and what was found on the way.
    public struct Outcome: Sendable {
        /// The profile.
        public let profile: StackProfile
        /// What was and what was not understood.
        public let report: Report
    }

    /// What a reader met.
    public struct Report: Hashable, Sendable {
        /// Lines read, of any kind.
        public internal(set) var lines = 0
        /// Lines that gave a sample.
        public internal(set) var samples = 0
        /// Comments, which start with `# `.
        public internal(set) var comments = 0
        /// Lines that could not be understood.
        public internal(set) var badLines = 0
        /// The first ten bad lines.
        public internal(set) var examples: [BadLine] = []
        /// Weights with a fraction other than 0.
        public internal(set) var fractionalWeights = 0
        /// The power of ten that all weights were multiplied by, so that their fractions count.
        public internal(set) var scaleDigits = 0
        /// Lines that end in two weights: stacks of two profiles, as `difffolded.pl` writes them.
        public internal(set) var twoWeightLines = 0
        /// Stacks deeper than the limit.
        public internal(set) var cutStacks = 0
    }

    /// A line that could not be understood.
    public struct BadLine: Hashable, Sendable, CustomStringConvertible {
        /// The line's number, counted from 1.
        public let number: Int
        /// Why it could not be understood.
        public let reason: Reason
        /// The beginning of the line, safe to show.
        public let excerpt: String

        /// Why a line could not be understood.
        public enum Reason: String, Hashable, Sendable {
            case noWeight = "it does not end with a space and a whole number"
            case noStack = "it has no stack before its weight"
            case weightTooLarge = "its weight makes the total too large"
            case tooLong = "it is too long"
        }

        /// One sentence.
        public var description: String {
            "Line \(number) was left out because \(reason.rawValue): '\(excerpt)'."
        }
    }

    /// Why folded text was not read at all.
    public enum ReadError: Error, Equatable, CustomStringConvertible {
        /// The text is longer than the limit, in bytes.
        case tooLong(bytes: Int, limit: Int)

        /// One sentence.
        public var description: String {
            switch self {
            case .tooLong(let bytes, let limit):
                "The folded stacks are \(bytes) bytes long, more than the \(limit) that are read."
            }
        }
    }

    /// Reads folded stacks. Bad lines are left out, counted and reported.
    ///
    /// - Parameters:
    ///   - bytes: UTF-8 text; invalid sequences are replaced by `U+FFFD`.
    ///   - unit: What the weights count. The format does not say.
    ///   - period: The time between two samples, where it is known.
    ///   - limits: What is accepted.
    public static func read(
        _ bytes: [UInt8], unit: WeightUnit = .samples, period: Duration? = nil, limits: Limits = Limits()
    ) throws(ReadError) -> Outcome {
        try check(bytes.count, limits)
        return bytes.withUnsafeBytes { outcome(of: $0, unit, period, limits) }
    }

    /// Reads folded stacks from memory that the caller owns, such as a mapped file.
    public static func read(
        _ buffer: UnsafeRawBufferPointer, unit: WeightUnit = .samples, period: Duration? = nil,
        limits: Limits = Limits()
    ) throws(ReadError) -> Outcome {
        try check(buffer.count, limits)
        return outcome(of: buffer, unit, period, limits)
    }

    private static func check(_ count: Int, _ limits: Limits) throws(ReadError) {
        // Numbers of frames and stacks are 32 bits wide, so no limit may be larger.
        let limit = min(limits.bytes, 1 << 30)
        guard count <= limit else { throw .tooLong(bytes: count, limit: limit) }
    }

    private static func outcome(
        of buffer: UnsafeRawBufferPointer, _ unit: WeightUnit, _ period: Duration?, _ limits: Limits
    ) -> Outcome {
        let digits = FoldedFractions.digits(of: buffer)
        var reader = FoldedReader(
            buffer, limits: limits,
            builder: .init(
                unit: digits == 0 ? unit : .counts("units of 10^-\(digits)"),
                period: digits == 0 ? period : nil),
            scaleDigits: digits)
        reader.readAll()
        return Outcome(profile: reader.builder.build(), report: reader.report)
    }
}

/// Reads folded text in one pass over its bytes. Text becomes a `String` once per different frame.
private struct FoldedReader {
    private let buffer: UnsafeRawBufferPointer
    private let limits: FoldedStacks.Limits
    private let names: SliceHasher
    private var slices: SliceTable
    var builder: StackProfileBuilder
    var report = FoldedStacks.Report()

    // The stack of the previous line: neighbours share most of their frames, and files are mostly sorted.
    private var previous = 0..<0
    private var parts: [Part] = []

    /// What is between two semicolons.
    private struct Part {
        /// From the stack's beginning.
        var end: Int
        /// Of the part's name.
        var nameHash: UInt64
        /// Of the stack up to the part.
        var key: StackInterner.Key
    }

    private static let semicolon = UInt8(ascii: ";")
    private static let space = UInt8(ascii: " ")

    init(
        _ buffer: UnsafeRawBufferPointer, limits: FoldedStacks.Limits, builder: StackProfileBuilder,
        scaleDigits: Int
    ) {
        self.buffer = buffer
        report.scaleDigits = scaleDigits
        self.limits = limits
        self.builder = builder
        names = SliceHasher(buffer, endingAt: Self.semicolon)
        slices = SliceTable(of: buffer)
    }

    mutating func readAll() {
        var start = 0
        while start < buffer.count {
            let end = buffer.nextLineFeed(from: start)
            report.lines += 1
            readLine(start..<end)
            start = end + 1
        }
    }

    private mutating func readLine(_ whole: Range<Int>) {
        let line = trimmed(whole)
        if line.isEmpty { return }
        guard line.count <= limits.lineBytes else { return reject(line, .tooLong) }
        if buffer[line.lowerBound] == UInt8(ascii: "#"),
            line.count == 1 || buffer[line.lowerBound + 1] == Self.space
        {
            report.comments += 1
            return
        }
        guard let (stackEnd, weight) = weight(of: line) else { return reject(line, .noWeight) }
        let stack = trimmed(line.lowerBound..<stackEnd)
        guard !stack.isEmpty else { return reject(line, .noStack) }
        guard let weight else { return reject(line, .weightTooLarge) }
        let node = intern(stack)
        do throws(StackProfileError) {
            try builder.add(node, weight: weight)
            report.samples += 1
        } catch {
            // The weight is not negative and the unit is the builder's, so the total is what is left.
            reject(line, .weightTooLarge)
        }
    }

    private func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D }

    private func trimmed(_ range: Range<Int>) -> Range<Int> {
        var (lower, upper) = (range.lowerBound, range.upperBound)
        while lower < upper, isBlank(buffer[upper - 1]) { upper -= 1 }
        while lower < upper, isBlank(buffer[lower]) { lower += 1 }
        return lower..<upper
    }

    /// Where the stack ends and the number begins; nil when there is no number, a nil weight when it is too large.
    private mutating func weight(of line: Range<Int>) -> (stackEnd: Int, weight: Int64?)? {
        var position = line.upperBound
        while position > line.lowerBound, !isBlank(buffer[position - 1]) { position -= 1 }
        let stackEnd = position
        guard let number = FoldedNumber(buffer, position..<line.upperBound) else { return nil }
        if number.fractionDigits > 0 { report.fractionalWeights += 1 }
        return (stackEnd, number.weight(scaledBy: report.scaleDigits))
    }

    /// The stack of a line. What it shares with the line before is not read again, and the names of a stack that is known
    /// are not looked up.
    private mutating func intern(_ stack: Range<Int>) -> StackID {
        read(stack)
        // Every caller of a stack that is known is known as well, so the first one found from the inner end is the deepest.
        var next = parts.count
        var node = StackID.empty
        while next > 0 {
            if let known = builder.stack(parts[next - 1].key, lastHashedBy: parts[next - 1].nameHash) {
                node = known
                break
            }
            next -= 1
        }
        for index in next..<parts.count {
            if let frame = frame(of: index, in: stack) { node = builder.stack(under: node, frame) }
        }
        return node
    }

    /// Takes a stack apart.
    private mutating func read(_ stack: Range<Int>) {
        let shared = buffer.commonPrefix(previous, stack)
        while let end = parts.last?.end,
            end > shared || (end < stack.count && buffer[stack.lowerBound + end] != Self.semicolon)
        {
            parts.removeLast()
        }
        previous = stack
        var key = parts.last?.key ?? builder.emptyKey
        var start = stack.lowerBound + (parts.last.map { $0.end + 1 } ?? 0)
        while start <= stack.upperBound {
            var (end, nameHash) = names.next(from: start, to: stack.upperBound)
            if parts.count >= limits.depth {
                let marker = builder.id(of: .truncationMarker)
                nameHash = builder.seed(of: marker)
                report.cutStacks += 1
                // Shared by no line, so that each is counted.
                end = Int.max / 2
            }
            // `a;;b` and a leading or trailing semicolon hold no frame.
            if end > start { key = key.extended(by: nameHash) }
            parts.append(Part(end: end - stack.lowerBound, nameHash: nameHash, key: key))
            start = end + 1
        }
    }

    /// The frame of a part; nil where there is none.
    private mutating func frame(of index: Int, in stack: Range<Int>) -> FrameID? {
        if index >= limits.depth { return builder.id(of: .truncationMarker) }
        let start = stack.lowerBound + (index > 0 ? parts[index - 1].end + 1 : 0)
        let (end, hash) = (stack.lowerBound + parts[index].end, parts[index].nameHash)
        guard end > start else { return nil }
        return FrameID(
            slices.intern(start..<end, hash: hash) {
                let name = String(decoding: buffer[start..<end], as: UTF8.self)
                return builder.id(of: Frame(folded: name), hashedBy: hash).index
            })
    }

    private mutating func reject(_ line: Range<Int>, _ reason: FoldedStacks.BadLine.Reason) {
        report.badLines += 1
        guard report.examples.count < 10 else { return }
        let excerpt = String(
            decoding: buffer[line.lowerBound..<min(line.upperBound, line.lowerBound + 200)], as: UTF8.self)
        report.examples.append(
            FoldedStacks.BadLine(
                number: report.lines, reason: reason,
                excerpt: PlainText.sanitized(excerpt, maximumCharacters: 80)))
    }
}
