internal import JSONDocument
internal import LinuxProcess
internal import LinuxSystem
internal import Measurement
internal import Stages

/// What the parent sends to the monitor child, one JSON object a line.
enum ControlMessage: Equatable {
    case configure(MonitorConfiguration)
    case observe(pid: Int32)
    /// A process of the run has lost its parent: it belongs to the run all the same.
    case adopt(pid: Int32)
    /// A process of the run that had lost its parent has ended; its CPU time is what `wait4` reports.
    case orphanEnded(pid: Int32, cpu: Duration)
    /// A line for the terminal, above the panel.
    case say(String)
    /// The pipeline waits for the user to type, or no longer does: the panel and the keys are out of its way meanwhile.
    case stepAside(Bool)
    /// The signal that the monitor has reported went to the whole process group: it is for the pipeline to decide.
    case stay
    /// The run is over. The numbers are what the kernel reported to the process that waited for the target.
    case finish(exit: ExitStatus?, waited: WaitedUsage)

    /// The message as a line, its end included.
    var line: String {
        switch self {
        case .configure(let configuration): return "{\"configure\":\(configuration.json)}\n"
        case .observe(let pid): return "{\"observe\":\(pid)}\n"
        case .adopt(let pid): return "{\"adopt\":\(pid)}\n"
        case .orphanEnded(let pid, let cpu):
            return "{\"orphan_ended\":[\(pid),\(cpu.inNanoseconds)]}\n"
        case .say(let text): return "{\"say\":\(text.asJSON)}\n"
        case .stepAside(let isAside): return "{\"step_aside\":\(isAside)}\n"
        case .stay: return "{\"stay\":true}\n"
        case .finish(let exit, let waited):
            var fields: [String] = []
            if let exit { fields.append(exit.jsonField) }
            if let cpu = waited.cpu { fields.append("\"cpu_ns\":\(cpu.inNanoseconds)") }
            if let peak = waited.peak { fields.append("\"peak_rss_bytes\":\(peak.bytes)") }
            if let usage = waited.usage { fields.append("\"usage\":\(usage.json)") }
            if let ended = waited.ended { fields.append("\"ended_ns\":\(ended)") }
            return "{\"finish\":{\(fields.joined(separator: ","))}}\n"
        }
    }

    /// The message in a line, nil when it is none.
    static func parse(_ line: [UInt8]) -> ControlMessage? {
        guard let fields = JSONValue.parse(line)?.object else { return nil }
        if let configuration = fields["configure"].flatMap({ MonitorConfiguration(json: $0) }) {
            return .configure(configuration)
        }
        if let pid = fields["observe"]?.number.flatMap({ Int32(exactly: $0) }), pid > 0 {
            return .observe(pid: pid)
        }
        if let pid = fields["adopt"]?.number.flatMap({ Int32(exactly: $0) }), pid > 0 {
            return .adopt(pid: pid)
        }
        if let numbers = fields["orphan_ended"]?.array?.compactMap({
            $0.number.flatMap { Int64(exactly: $0) }
        }),
            numbers.count == 2, let pid = Int32(exactly: numbers[0]), pid > 0
        {
            return .orphanEnded(pid: pid, cpu: Duration(nanosecondCount: numbers[1]))
        }
        if let text = fields["say"]?.string { return .say(text) }
        if let isAside = fields["step_aside"]?.bool { return .stepAside(isAside) }
        if fields["stay"] != nil { return .stay }
        guard let finish = fields["finish"]?.object else { return nil }
        return .finish(
            exit: ExitStatus(jsonFields: finish),
            waited: WaitedUsage(
                cpu: finish["cpu_ns"]?.number.flatMap { Int64(exactly: $0) }.map {
                    Duration(nanosecondCount: $0)
                },
                peak: finish["peak_rss_bytes"]?.number.flatMap { Int64(exactly: $0) }.map {
                    ByteCount(bytes: $0)
                },
                usage: finish["usage"].flatMap { ChildProcess.Usage(json: $0) },
                ended: finish["ended_ns"]?.number.flatMap { Int64(exactly: $0) }))
    }
}

extension ChildProcess.Usage {
    fileprivate var json: String {
        "[\(diskRead.bytes),\(diskWritten.bytes),\(majorFaults),\(voluntarySwitches),\(involuntarySwitches),"
            + "\(minorFaults)]"
    }

    fileprivate init?(json: JSONValue) {
        let numbers = (json.array ?? []).compactMap { $0.number.flatMap { Int(exactly: $0) } }
        guard numbers.count == 6 else { return nil }
        self.init(
            diskRead: ByteCount(bytes: Int64(numbers[0])), diskWritten: ByteCount(bytes: Int64(numbers[1])),
            majorFaults: numbers[2], minorFaults: numbers[5], voluntarySwitches: numbers[3],
            involuntarySwitches: numbers[4])
    }
}

/// What the monitor child sends to its parent unasked: a signal that it has got from a process.
///
/// Who sends one to a whole process group reaches the pipeline, the parent and the monitor; who sends it to the parent
/// alone wants it passed on. That the monitor has it too distinguishes the two.
struct SignalReport {
    static let prefix = "signal "

    static func line(_ signal: SignalInbox.Received) -> String? {
        signal.sender.map { "\(prefix)\(signal.number) \($0)\n" }
    }

    static func parse(_ line: [UInt8]) -> SignalInbox.Received? {
        let words = String(decoding: line, as: UTF8.self).split(separator: " ")
        guard words.count == 3, words[0] == prefix.dropLast(), let number = Int32(words[1]),
            let sender = Int32(words[2])
        else { return nil }
        return SignalInbox.Received(number: number, sender: sender)
    }

    /// What is left of an answer when the words about signals before it are taken away.
    static func stripped(_ answer: [UInt8]) -> [UInt8] {
        var rest = answer[...]
        while rest.starts(with: prefix.utf8) || rest.starts(with: MonitorChild.drawing.utf8),
            let end = rest.firstIndex(of: UInt8(ascii: "\n"))
        {
            rest = rest[(end + 1)...]
        }
        return Array(rest)
    }
}

extension ExitStatus {
    /// `"exit_code":3` or `"signal":9`.
    var jsonField: String {
        switch self {
        case .code(let code): "\"exit_code\":\(code)"
        case .signal(let signal): "\"signal\":\(signal)"
        }
    }

    /// The status in the fields of an object, nil where there is none.
    init?(jsonFields fields: [String: JSONValue]) {
        if let code = fields["exit_code"]?.number.flatMap({ Int32(exactly: $0) }) {
            self = .code(code)
        } else if let signal = fields["signal"]?.number.flatMap({ Int32(exactly: $0) }) {
            self = .signal(signal)
        } else {
            return nil
        }
    }
}

/// Cuts what arrives on a pipe into lines.
struct LineSplitter {
    private var partial: [UInt8] = []
    private let limit: Int

    /// A splitter that gives up on lines longer than a limit: they come out empty.
    init(limit: Int = 1 << 20) {
        self.limit = limit
    }

    /// The whole lines that some more bytes complete, without their ends.
    mutating func take(_ bytes: [UInt8]) -> [[UInt8]] {
        var lines: [[UInt8]] = []
        var rest = bytes[...]
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            lines.append(partial + rest[..<end])
            partial.removeAll()
            rest = rest[(end + 1)...]
        }
        partial += rest
        if partial.count > limit { partial.removeAll() }
        return lines
    }
}
