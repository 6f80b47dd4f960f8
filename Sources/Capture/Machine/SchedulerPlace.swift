internal import FrozenProfile
internal import LinuxSystem
internal import Measurement

/// Where a scheduler runs this process, by the variables that it sets.
enum SchedulerPlace {
    /// The place; nil outside a scheduler's job.
    ///
    /// - Parameter identity: The machine, for its class.
    static func current(_ identity: EnvironmentIdentity) -> SessionPlace? {
        place(identity, host: CurrentProcess.hostName) { CurrentProcess.environmentVariable($0) }
    }

    /// Pure.
    static func place(
        _ identity: EnvironmentIdentity, host: String, variable: (String) -> String?
    ) -> SessionPlace? {
        func words(_ name: String) -> String? {
            variable(name).flatMap { $0.isEmpty ? nil : PlainText.sanitized($0, maximumCharacters: 200) }
        }
        guard let job = words("SLURM_JOB_ID") else { return nil }
        var name = job
        if let array = words("SLURM_ARRAY_JOB_ID"), let task = words("SLURM_ARRAY_TASK_ID") {
            name = "\(array)_\(task)"
        }
        let host = PlainText.sanitized(host, maximumCharacters: 200)
        return SessionPlace(
            scheduler: "slurm", node: words("SLURMD_NODENAME") ?? host, host: host,
            nodeClass: identity.machineInWords, job: name, partition: words("SLURM_JOB_PARTITION"))
    }
}
