/// What a person asked for when sessions go to Slurm.
public struct SubmissionOptions: Equatable, Sendable {
    /// The nodes that the sessions are spread over, in this order; empty for whatever nodes Slurm takes.
    public var nodes: [String] = []
    /// The partition, nil for the cluster's default.
    public var partition: String?
    /// The time limit of a session, as sbatch takes it; nil for the partition's own.
    public var timeLimit: String?
    /// Further arguments of sbatch, as they are.
    public var arguments: [String] = []

    /// No wishes.
    public init() {}

    /// Whether a session has its node for itself. It has by default, because what runs beside it would be measured too.
    var isExclusive: Bool {
        !arguments.contains { argument in
            ["--exclusive", "--oversubscribe", "--share", "-s"].contains { argument.hasPrefix($0) }
        }
    }
}

/// One call of sbatch: an array job whose tasks are sessions.
public struct Submission: Equatable, Sendable {
    /// A name that no other job has: by it the job is found again if we end before sbatch says its number.
    public var name: String
    /// The tasks' numbers: the places of their sessions among those of the capture.
    public var slots: [Int]
    /// The node that they run on; nil for any.
    public var node: String?

    /// A job.
    public init(name: String, slots: [Int], node: String?) {
        self.name = name
        self.slots = slots
        self.node = node
    }

    /// sbatch and its arguments.
    ///
    /// - Parameters:
    ///   - directory: Where the command is run.
    ///   - logsDirectory: Where each task's output goes.
    public func arguments(
        _ options: SubmissionOptions, script: String, directory: String, logsDirectory: String
    ) -> [String] {
        var words = [
            "sbatch", "--parsable", "--array=\(TaskNumbers.text(slots))", "--job-name=\(name)",
            "--chdir=\(directory)", "--output=\(Submission.pattern(logsDirectory))/%A_%a.log",
            "--open-mode=append", "--ntasks=1", "--nodes=1",
        ]
        if options.isExclusive { words.append("--exclusive") }
        if let node { words.append("--nodelist=\(node)") }
        if let partition = options.partition { words.append("--partition=\(partition)") }
        if let timeLimit = options.timeLimit { words.append("--time=\(timeLimit)") }
        return words + options.arguments + [script]
    }

    /// Slurm takes `%` in the path of an output file for a placeholder.
    private static func pattern(_ path: String) -> String { path.replacing("%", with: "%%") }

    /// The job's number in what `sbatch --parsable` prints: `12` or `12;cluster`.
    public static func jobNumber(_ output: String) -> Int? {
        let first = output.prefix { $0 != ";" && !$0.isNewline }
        guard let number = Int(first), number > 0 else { return nil }
        return number
    }

    /// The slots that lack a session, by the node that each belongs to, in order of the nodes.
    public static func grouped(slots: [Int], over nodes: [String]) -> [(node: String?, slots: [Int])] {
        guard !nodes.isEmpty else { return slots.isEmpty ? [] : [(nil, slots)] }
        return nodes.enumerated().compactMap { index, node in
            let own = slots.filter { ($0 - 1) % nodes.count == index }
            return own.isEmpty ? nil : (node, own)
        }
    }
}
