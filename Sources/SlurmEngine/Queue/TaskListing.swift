internal import Measurement

/// A task of an array job: `12_3`.
public struct TaskID: Hashable, Sendable, CustomStringConvertible {
    /// The array's number.
    public var job: Int
    /// The task's number in it.
    public var task: Int
    public var description: String { "\(job)_\(task)" }

    /// A task.
    public init(job: Int, task: Int) {
        self.job = job
        self.task = task
    }

    /// The task in a text such as `12_3`; nil for anything else, such as the tasks that wait together, `12_[4-8]`.
    init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "_", omittingEmptySubsequences: false)
        guard parts.count == 2, let job = Int(parts[0]), let task = Int(parts[1]), job > 0, task >= 0 else {
            return nil
        }
        self.init(job: job, task: task)
    }
}

/// What Slurm says of one task.
public struct TaskLine: Equatable, Sendable {
    public var state: JobState
    /// The node, nil before it has one.
    public var node: String?
    /// Why it waits, in Slurm's word; nil where it says none.
    public var reason: String?
    /// The name of its job; nil where that was not asked for.
    public var name: String?
    /// How long it runs.
    public var elapsed: Duration?

    /// A task's line.
    public init(
        _ state: JobState, node: String? = nil, reason: String? = nil, name: String? = nil,
        elapsed: Duration? = nil
    ) {
        self.state = state
        self.node = node
        self.reason = reason
        self.name = name
        self.elapsed = elapsed
    }
}

/// A line that Slurm printed and that could not be read.
public struct ListingError: Error, Equatable, CustomStringConvertible {
    public var program: String
    public var line: String
    public var description: String {
        "\(program) printed a line that is not understood: '\(PlainText.sanitized(line, maximumCharacters: 200))'."
    }
}

/// Reads what squeue and sacct print.
public enum TaskListing {
    /// The most tasks that are read: an array has at most 1,001 unless the admin says otherwise.
    static let maximumTasks = 100_000

    /// squeue and its arguments: every task by itself, ended ones too, as long as Slurm keeps them.
    ///
    /// - Parameter names: Names of jobs.
    public static func queueArguments(names: [String]) -> [String] {
        [
            "squeue", "--noheader", "--array", "--states=all", "--name=\(names.joined(separator: ","))",
            "--format=%F|%K|%T|%N|%M|%j|%r",
        ]
    }

    /// The tasks in what squeue prints.
    public static func queue(_ text: String) throws(ListingError) -> [TaskID: TaskLine] {
        var tasks: [TaskID: TaskLine] = [:]
        for line in text.split(whereSeparator: \.isNewline).prefix(maximumTasks) {
            // The reason stands last: an admin may write one with a bar in it.
            let fields = line.split(separator: "|", maxSplits: 6, omittingEmptySubsequences: false)
            guard fields.count == 7, let job = Int(fields[0]), let task = Int(fields[1]), job > 0, task >= 0
            else { throw ListingError(program: "squeue", line: String(line.prefix(400))) }
            tasks[TaskID(job: job, task: task)] = TaskLine(
                JobState(fields[2]), node: plain(fields[3]),
                reason: fields[6] == "None" ? nil : plain(fields[6]),
                name: String(fields[5].prefix(200)), elapsed: elapsed(fields[4]))
        }
        return tasks
    }

    /// sacct and its arguments: what is known of jobs that the queue has forgotten.
    public static func accountingArguments(jobs: [Int]) -> [String] {
        [
            "sacct", "--noheader", "--parsable2", "--allocations",
            "--jobs=\(jobs.map { "\($0)" }.joined(separator: ","))", "--format=JobID,State,NodeList",
        ]
    }

    /// The tasks in what sacct prints. Of a task that was started again the last line counts.
    public static func accounting(_ text: String) throws(ListingError) -> [TaskID: TaskLine] {
        var tasks: [TaskID: TaskLine] = [:]
        for line in text.split(whereSeparator: \.isNewline).prefix(maximumTasks) {
            let fields = line.split(separator: "|", omittingEmptySubsequences: false)
            guard fields.count == 3 else {
                throw ListingError(program: "sacct", line: String(line.prefix(400)))
            }
            guard let id = TaskID(fields[0]) else { continue }
            let node = fields[2] == "None assigned" ? nil : plain(fields[2])
            tasks[id] = TaskLine(JobState(fields[1]), node: node)
        }
        return tasks
    }

    private static func plain(_ text: Substring) -> String? {
        text.isEmpty ? nil : PlainText.sanitized(text, maximumCharacters: 200)
    }

    /// A time such as `3-04:05:06`, `04:05:06` or `05:06`; nil for anything else.
    static func elapsed(_ text: some StringProtocol) -> Duration? {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard let clock = parts.last, parts.count <= 2 else { return nil }
        let days = parts.count == 2 ? Int(parts[0]) : 0
        var seconds = 0
        let fields = clock.split(separator: ":", omittingEmptySubsequences: false).map { Int($0) }
        guard (2...3).contains(fields.count), let days, (0...100_000).contains(days) else { return nil }
        for field in fields {
            guard let field, (0..<1000).contains(field) else { return nil }
            seconds = seconds * 60 + field
        }
        return .seconds(days * 86_400 + seconds)
    }
}
