internal import JSONDocument
internal import LinuxSystem
internal import Measurement

/// One task of a run that spans nodes: where it runs, and what the clocks of its node showed when it began.
public struct TaskHeader: Equatable, Sendable {
    /// The job, as the scheduler writes it: `12`, or `12_3` for a task of an array.
    public var job: String
    /// The number by which the scheduler's tools find the allocation; nil outside of one.
    public var allocation: Int?
    /// The job's step; nil for what the batch script runs itself.
    public var step: String?
    /// The task's number within its step.
    public var rank: Int?
    /// The node, by the scheduler's name for it.
    public var node: String
    /// The machine, by its own name.
    public var host: String
    /// Which monotonic clock its moments are of (``NodeMoment/clock``).
    public var began: NodeMoment
    /// What runs, by its file name.
    public var program: String

    /// The task's name for a person: `12.0.3`, `12` for the batch script.
    public var name: String {
        guard let step else { return job }
        return "\(job).\(step)" + (rank.map { ".\($0)" } ?? "")
    }

    /// The header of what runs here and now, by the variables that Slurm sets.
    public static func here(program: String) -> TaskHeader {
        here(program: program, began: .now(), host: CurrentProcess.hostName) {
            CurrentProcess.environmentVariable($0)
        }
    }

    static func here(
        program: String, began: NodeMoment, host: String, variable: (String) -> String?
    ) -> TaskHeader {
        func word(_ name: String) -> String? {
            variable(name).flatMap { $0.isEmpty ? nil : PlainText.sanitized($0, maximumCharacters: 200) }
        }
        var job = word("SLURM_JOB_ID") ?? "none"
        if let array = word("SLURM_ARRAY_JOB_ID"), let task = word("SLURM_ARRAY_TASK_ID") {
            job = "\(array)_\(task)"
        }
        // Only what srun has started is a step; the batch script inherits nothing of one.
        let step = word("SLURM_STEP_ID").flatMap { UInt32($0) }.flatMap { $0 < 1 << 31 ? "\($0)" : nil }
        let host = PlainText.sanitized(host, maximumCharacters: 200)
        return TaskHeader(
            job: job, allocation: word("SLURM_JOB_ID").flatMap { Int($0) }, step: step,
            rank: step == nil ? nil : word("SLURM_PROCID").flatMap { Int($0) },
            node: word("SLURMD_NODENAME") ?? host, host: host, began: began,
            program: PlainText.sanitized(program, maximumCharacters: 64))
    }

    /// The header as a file.
    func encode() -> [UInt8] {
        Array(
            (JSONText.object([
                ("schema", Self.schema.asJSON), ("schema_version", "1.0".asJSON), ("job", job.asJSON),
                ("allocation", allocation.map { "\($0)" }), ("step", step.map(\.asJSON)),
                ("rank", rank.map { "\($0)" }), ("node", node.asJSON), ("host", host.asJSON),
                ("program", program.asJSON), ("clock", began.clock.asJSON),
                ("monotonic_ns", "\(began.monotonicNanoseconds)"), ("epoch_ns", "\(began.epochNanoseconds)"),
            ]) + "\n").utf8)
    }

    /// Reads a header; nil when the bytes are none.
    init?(_ bytes: [UInt8]) {
        guard let root = JSONValue.parse(bytes)?.object, root["schema"]?.string == Self.schema,
            root["schema_version"]?.string?.hasPrefix("1.") ?? false,
            let job = root["job"]?.string, let node = root["node"]?.string, let host = root["host"]?.string,
            let program = root["program"]?.string, let clock = root["clock"]?.string,
            let monotonic = root["monotonic_ns"]?.number.flatMap({ Int64(exactly: $0) }),
            let epoch = root["epoch_ns"]?.number.flatMap({ Int64(exactly: $0.rounded()) })
        else { return nil }
        func plain(_ text: String) -> String { PlainText.sanitized(text, maximumCharacters: 200) }
        self.init(
            job: plain(job), allocation: root["allocation"]?.number.flatMap { Int(exactly: $0) },
            step: root["step"]?.string.map(plain), rank: root["rank"]?.number.flatMap { Int(exactly: $0) },
            node: plain(node), host: plain(host),
            began: NodeMoment(clock: clock, monotonicNanoseconds: monotonic, epochNanoseconds: epoch),
            program: plain(program))
    }

    init(
        job: String, allocation: Int?, step: String?, rank: Int?, node: String, host: String,
        began: NodeMoment, program: String
    ) {
        self.job = job
        self.allocation = allocation
        self.step = step
        self.rank = rank
        self.node = node
        self.host = host
        self.began = began
        self.program = program
    }

    private static let schema = "freeze-profile.task"
    /// The most bytes of a header that are read.
    static let maximumBytes = 16 << 10
}
