internal import FrozenProfile
internal import LinuxSystem
internal import Measurement
internal import MessageDigest

/// Reads where this process runs. What cannot be read is unavailable with its reason.
enum EnvironmentProbe {
    /// What the machine is: the identity keys that do not depend on the pipeline.
    static func machineIdentity() -> EnvironmentIdentity {
        let cpuinfo = text("/proc/cpuinfo")
        let kernel = CurrentProcess.kernel
        let major = kernel.release.split(separator: ".").first.flatMap { Double($0) }
        return EnvironmentIdentity([
            .cpuModel: cpuinfo.flatMap(EnvironmentText.cpuModel).map(Fact.text),
            .usableCPUs: usableCPUs().map(Fact.number),
            .affinityCPUs: affinityCPUs().map(Fact.number),
            .cpuQuota: .value(cpuQuota().map(Fact.number) ?? .text("none")),
            .memoryClass: text("/proc/meminfo")
                .flatMap { EnvironmentText.memory("MemTotal", meminfo: $0) }
                .map { .number(EnvironmentText.memoryClass(min($0, memoryLimit() ?? $0))) },
            .operatingSystem: text("/etc/os-release").flatMap(EnvironmentText.operatingSystem).map(Fact.text),
            .kernelMajor: major.map { .value(.number($0)) }
                ?? .unavailable(reason: "the kernel's release is no number"),
            .libc: .value(.text(Machine.libc)),
            .architecture: .value(.text(kernel.machine)),
        ])
    }

    /// The identity of a pipeline's stage graph: a digest of the stages' names in order of first entry.
    static func stageGraph(of stages: [StageName]) -> Reading<Fact> {
        guard !stages.isEmpty else { return .unavailable(reason: "no stage was seen") }
        let names = stages.map(\.text).joined(separator: "\n")
        return .value(.text(String(SHA256.hexadecimal(of: Array(names.utf8)).prefix(16))))
    }

    /// CPUs by affinity, or less where a control group limits CPU time.
    private static func usableCPUs() -> Reading<Double> {
        affinityCPUs().map { min($0, cpuQuota() ?? $0) }
    }

    private static func affinityCPUs() -> Reading<Double> {
        do throws(SystemError) {
            return .value(Double(try Machine.allowedCPUs()))
        } catch {
            return .unavailable(reason: error.description)
        }
    }

    /// The least quota of this process's group and those above it, in CPUs; nil without a limit.
    private static func cpuQuota() -> Double? {
        var quotas: [Double] = []
        for directory in groupDirectories(controller: "", root: "/sys/fs/cgroup") {
            quotas += [text("\(directory)/cpu.max").value.flatMap(EnvironmentText.quota)].compactMap(\.self)
        }
        for directory in groupDirectories(controller: "cpu", root: "/sys/fs/cgroup/cpu") {
            guard let quota = text("\(directory)/cpu.cfs_quota_us").value,
                let period = text("\(directory)/cpu.cfs_period_us").value
            else { continue }
            quotas += [EnvironmentText.quota(cpuMax: "\(quota) \(period)")].compactMap(\.self)
        }
        return quotas.min()
    }

    /// The least memory limit of this process's group and those above it; nil without a limit.
    private static func memoryLimit() -> ByteCount? {
        let unified = groupDirectories(controller: "", root: "/sys/fs/cgroup").map { "\($0)/memory.max" }
        let older = groupDirectories(controller: "memory", root: "/sys/fs/cgroup/memory")
            .map { "\($0)/memory.limit_in_bytes" }
        let limits = (unified + older).compactMap { text($0).value.flatMap { Int64($0[...].trimmed) } }
        return limits.min().map(ByteCount.init(bytes:))
    }

    /// The directory of this process's group in a hierarchy, and of those above it.
    static func groupDirectories(controller: String, root: String) -> [String] {
        guard let cgroup = text("/proc/self/cgroup").value,
            let path = EnvironmentText.groupPath(cgroup: cgroup, controller: controller)
        else { return [] }
        var directories = [root]
        // Inside a container the path may be that of the host, where only the root is to be seen.
        for component in path.split(separator: "/").prefix(32) where component != ".." {
            directories.append("\(directories[directories.count - 1])/\(component)")
        }
        return directories
    }

    /// A small file as text.
    static func text(_ path: String) -> Reading<String> {
        do throws(Files.ReadError) {
            return .value(String(decoding: try Files.read(path, limit: 1 << 20), as: UTF8.self))
        } catch {
            return .unavailable(reason: String(error.description.prefix { $0 != "." }))
        }
    }
}
