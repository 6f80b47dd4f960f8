internal import Measurement

/// How much memory may be allocated before the kernel kills a process for it: in this process's groups, and on the machine.
enum FreeMemory {
    /// The least of what is free; nil where nothing says so.
    static func now() -> ByteCount? {
        let unified = EnvironmentProbe.groupDirectories(controller: "", root: "/sys/fs/cgroup").map {
            room("\($0)/memory.max", "\($0)/memory.current", "\($0)/memory.stat")
        }
        let older = EnvironmentProbe.groupDirectories(controller: "memory", root: "/sys/fs/cgroup/memory")
            .map { room("\($0)/memory.limit_in_bytes", "\($0)/memory.usage_in_bytes", "\($0)/memory.stat") }
        let machine = EnvironmentProbe.text("/proc/meminfo").value.flatMap {
            number(after: "MemAvailable:", in: $0).map { $0 * 1024 }
        }
        return ((unified + older).compactMap(\.self) + [machine].compactMap(\.self)).min()
            .map(ByteCount.init(bytes:))
    }

    /// What is left of a group's limit, with the pages of files that the kernel gives up first; nil without a limit.
    private static func room(_ limit: String, _ usage: String, _ stat: String) -> Int64? {
        func bytes(_ path: String) -> Int64? {
            EnvironmentProbe.text(path).value.flatMap { Int64($0.prefix { $0.isNumber }) }
        }
        guard let limit = bytes(limit), let used = bytes(usage) else { return nil }
        let pages = EnvironmentProbe.text(stat).value.flatMap {
            number(after: "total_inactive_file ", in: $0) ?? number(after: "inactive_file ", in: $0)
        }
        return max(0, limit - max(0, used - (pages ?? 0)))
    }

    /// The number in the line that begins with a word.
    static func number(after word: String, in text: String) -> Int64? {
        text.split(separator: "\n").first { $0.hasPrefix(word) }.flatMap { line in
            Int64(line.dropFirst(word.count).drop { $0 == " " }.prefix { $0.isNumber })
        }
    }
}
