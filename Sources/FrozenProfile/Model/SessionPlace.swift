internal import Measurement

/// Where a scheduler had a session made.
public struct SessionPlace: Hashable, Sendable {
    /// Whose job it was: `slurm`.
    public var scheduler: String
    /// The node, by the scheduler's name for it.
    public var node: String
    /// The machine, by its own name.
    public var host: String
    /// What kind of machine it is, in words: nodes of one class are alike.
    public var nodeClass: String
    /// The job, as the scheduler writes it: `12_3`.
    public var job: String
    /// The partition or queue; nil where there is none.
    public var partition: String?

    /// A place.
    public init(
        scheduler: String, node: String, host: String, nodeClass: String, job: String, partition: String?
    ) {
        self.scheduler = scheduler
        self.node = node
        self.host = host
        self.nodeClass = nodeClass
        self.job = job
        self.partition = partition
    }
}

extension EnvironmentIdentity {
    /// What kind of machine it is, in words, of what is known: CPUs, memory, kernel.
    public var machineInWords: String {
        var words: [String] = []
        if let cpus = self[.usableCPUs].value { words.append("\(cpus) CPUs") }
        if let model = self[.cpuModel].value { words.append("\(model)") }
        if let memory = self[.memoryClass].value { words.append("\(memory) GiB") }
        if let kernel = self[.kernelMajor].value { words.append("Linux \(kernel)") }
        return words.isEmpty ? "unknown" : words.joined(separator: ", ")
    }
}
