internal import Measurement

/// How many processes the kernel has killed because memory was used up.
enum MemoryKills {
    /// In this process's memory groups, or on the whole machine where there is none that counts.
    static func count() -> Int64 {
        let unified = EnvironmentProbe.groupDirectories(controller: "", root: "/sys/fs/cgroup")
            .map { "\($0)/memory.events" }
        let older = EnvironmentProbe.groupDirectories(controller: "memory", root: "/sys/fs/cgroup/memory")
            .map { "\($0)/memory.oom_control" }
        let counts = (unified + older + ["/proc/vmstat"]).compactMap {
            EnvironmentProbe.text($0).value.flatMap { FreeMemory.number(after: "oom_kill ", in: $0) }
        }
        // A group counts those of its own; the groups above it and the machine may count them again.
        return counts.reduce(0, +)
    }
}
