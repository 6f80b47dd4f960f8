internal import StackProfile

/// The text of `perf script`.
///
/// Each sample begins with a line `comm pid/tid [cpu] time: period event:`, of which most parts may be missing; the
/// frames follow, innermost first, `address symbol+offset (file)`, and a blank line ends it. Of several kinds of events
/// one is read: the first, as FlameGraph's scripts do, or the one that is asked for.
struct PerfScript {
    private let buffer: UnsafeRawBufferPointer
    private let wanted: String?
    private var builder = StackProfileBuilder()
    private var events: [String: Int] = [:]
    private var eventOrder: [String] = []
    private var taken: String?
    /// Frames of each line's text behind its address, so that a line that was met before is not taken apart again.
    private let hasher: SliceHasher
    private var table: SliceTable
    private var framesOfLine: [[FrameID]] = []
    private var labels: [String: Int] = [:]
    private var comms: Set<String> = []
    private var sample: Sample?
    /// Samples taken apart but not yet added: the unit is known only with the first event.
    private var weights = Weights()

    private struct Sample {
        var labels: Int
        var weight: Int64
        var frames: [FrameID] = []
    }

    private struct Weights {
        /// Whether every sample had a period.
        var areAllTold = true
        var same: Int64?
        var differ = false
    }

    /// Whether a text is what `perf script` prints: among its first lines is one that begins a sample.
    static func isLikely(_ beginning: UnsafeRawBufferPointer) -> Bool {
        var lines = TextLines(beginning)
        var looked = 0
        var mayFollow = false
        while let line = lines.next(), looked < 200 {
            if line.isEmpty || beginning[line.lowerBound] == UInt8(ascii: "#") { continue }
            looked += 1
            // Without a time, other texts have such lines too; but not with a frame behind them.
            if mayFollow, beginning[line.lowerBound].isBlank,
                beginning[line.upperBound - 1] == UInt8(ascii: ")")
            {
                return true
            }
            guard let event = PerfEventLine(beginning, line) else { continue }
            if event.isCertain { return true }
            mayFollow = true
        }
        return false
    }

    static func read(
        _ buffer: UnsafeRawBufferPointer, sampleType: String?
    ) throws(FormatError) -> ForeignProfile {
        // The unit depends on the event, so the event is looked for first.
        var first = Self(buffer, wanted: sampleType)
        first.findEvents()
        if let sampleType, first.events[sampleType] == nil {
            throw .noSampleType(sampleType, known: first.eventOrder)
        }
        let unit = first.unit
        var reader = Self(buffer, wanted: first.taken)
        reader.builder = StackProfileBuilder(unit: unit.unit, period: unit.period)
        try reader.readAll(countsPeriods: unit.countsPeriods)
        return first.result(of: reader)
    }

    private init(_ buffer: UnsafeRawBufferPointer, wanted: String?) {
        self.buffer = buffer
        self.wanted = wanted
        hasher = SliceHasher(buffer)
        table = SliceTable(of: buffer)
    }

    private func result(of reader: PerfScript) -> ForeignProfile {
        var result = ForeignProfile(profile: reader.builder.build())
        result.sampleTypes = eventOrder
        result.taken = eventOrder.firstIndex { $0 == taken } ?? 0
        result.grouping = [.process]
        return result
    }

    // MARK: Events

    private mutating func findEvents() {
        var lines = TextLines(buffer)
        while let line = lines.next() {
            guard !line.isEmpty, let event = PerfEventLine(buffer, line), !event.isRecord else { continue }
            let name = event.name.map { buffer.text($0) } ?? ""
            if events[name] == nil {
                guard eventOrder.count < FormatLimits.names else { continue }
                eventOrder.append(name)
                if taken == nil, wanted == nil { taken = name }
                if name == wanted { taken = name }
            }
            events[name, default: 0] += 1
            guard name == taken else { continue }
            guard let period = event.period else {
                weights.areAllTold = false
                continue
            }
            if let same = weights.same, same != period { weights.differ = true }
            weights.same = period
        }
    }

    /// What weights count: periods of a clock are nanoseconds, periods of anything else are that.
    private var unit: (unit: WeightUnit, period: Duration?, countsPeriods: Bool) {
        guard weights.areAllTold, let period = weights.same else { return (.samples, nil, false) }
        let name = taken ?? ""
        let event = name.split(separator: ":").first.map(String.init) ?? name
        if event == "cpu-clock" || event == "task-clock" {
            return (.nanoseconds, weights.differ ? nil : .nanoseconds(period), true)
        }
        // A tracepoint's period is 1: its samples are counted.
        if !weights.differ && period <= 1 { return (.samples, nil, true) }
        return (.counts(name), nil, true)
    }

    // MARK: Samples

    private mutating func readAll(countsPeriods: Bool) throws(FormatError) {
        var lines = TextLines(buffer)
        while let line = lines.next() {
            if line.isEmpty || buffer.trimmed(line).isEmpty {
                try endSample()
                continue
            }
            if buffer[line.lowerBound] == UInt8(ascii: "#") { continue }
            if let event = PerfEventLine(buffer, line) {
                try endSample()
                begin(event, countsPeriods: countsPeriods)
                if let rest = event.frame { addFrames(rest) }
            } else if sample != nil {
                addFrames(line)
            }
            guard builder.stackCount <= FormatLimits.stacks else {
                throw FormatError("It has more than \(FormatLimits.stacks) different stacks.")
            }
        }
        try endSample()
    }

    private mutating func begin(_ event: PerfEventLine, countsPeriods: Bool) {
        guard !event.isRecord, (event.name.map { buffer.text($0) } ?? "") == (wanted ?? "") else { return }
        let comm = buffer.text(event.comm)
        let thread = event.thread.map { buffer.text($0) } ?? ""
        let key = "\(comm)\u{0}\(thread)"
        let id: Int
        if let known = labels[key] {
            id = known
        } else {
            id = builder.id(
                of: SampleLabels(thread: thread.isEmpty ? comm : "\(comm) \(thread)", process: comm))
            labels[key] = id
        }
        sample = Sample(labels: id, weight: countsPeriods ? event.period ?? 1 : 1)
    }

    private mutating func endSample() throws(FormatError) {
        guard let done = sample else { return }
        sample = nil
        let stack = builder.stack(done.frames.reversed())
        try FormatError.adding { () throws(StackProfileError) in
            try builder.add(stack, weight: done.weight, labels: done.labels)
        }
    }

    private mutating func addFrames(_ line: Range<Int>) {
        guard let count = sample?.frames.count, count < FormatLimits.depth else { return }
        let text = PerfFrameLine.withoutAddress(buffer, line)
        let next = framesOfLine.count
        let number = Int(table.intern(text, hash: hasher.hash(text)) { Int32(next) })
        if number == next {
            framesOfLine.append(PerfFrameLine.frames(buffer.text(text)).map { builder.id(of: $0) })
        }
        sample?.frames += framesOfLine[number]
    }
}
