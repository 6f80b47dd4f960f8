internal import FrozenProfile
internal import LinuxProcess
internal import LinuxSystem
internal import Measurement

extension EnvironmentProbe {
    /// The state of the machine now, with the counters that show what happens until the next snapshot.
    static func snapshot() -> EnvironmentSnapshot {
        let stat = text("/proc/stat")
        let times = stat.flatMap { EnvironmentText.cpuTime(stat: $0) }
        let pressures = ["cpu", "memory", "io"].map { text("/proc/pressure/\($0)") }
        let meminfo = text("/proc/meminfo")
        func memory(_ key: String) -> Reading<ByteCount> {
            meminfo.flatMap { EnvironmentText.memory(key, meminfo: $0) }
        }
        var observed = ObservedEnvironment([
            .load: text("/proc/loadavg").flatMap(EnvironmentText.load),
            .memoryAvailable: memory("MemAvailable").map(\.mebibytes),
            .swapUsed: memory("SwapTotal").flatMap { total in
                memory("SwapFree").map { ByteCount(bytes: total.bytes - $0.bytes).mebibytes }
            },
        ])
        observed[.steal] = stat.flatMap(EnvironmentText.steal)
        for (key, pressure) in zip([ObservedKey.pressureCPU, .pressureMemory, .pressureIO], pressures) {
            observed[key] = pressure.flatMap(EnvironmentText.pressure)
        }
        observed[.frequency] = text("/proc/cpuinfo").flatMap(EnvironmentText.frequency)
        observed[.thermalThrottles] = thermalThrottles()
        observed.governor = governor()
        return EnvironmentSnapshot(
            monotonicNanoseconds: SystemClock.monotonicNanoseconds, observed: observed,
            counters: [
                .ownCPU: .value((SystemClock.processCPU + SystemClock.waitedChildrenCPU).inSeconds),
                .busyCPU: times.map(\.busy), .allCPU: times.map(\.all), .stolenCPU: times.map(\.stolen),
                .stalledCPU: pressures[0].flatMap(EnvironmentText.stalled),
                .stalledMemory: pressures[1].flatMap(EnvironmentText.stalled),
                .stalledIO: pressures[2].flatMap(EnvironmentText.stalled),
                .thermalThrottles: observed[.thermalThrottles], .quotaThrottled: quotaThrottled(),
            ])
    }

    /// The state of the machine now.
    static func observe() -> ObservedEnvironment { snapshot().observed }

    /// Whose `malloc` a running process uses; nil for one that has ended. Wrappers have one too: the last answer counts.
    static func allocator(ofProcess pid: Int32) -> Reading<Fact>? {
        do throws(Files.ReadError) {
            let mappings = try MemoryMapping.ofProcess(pid)
            guard !mappings.isEmpty else { return nil }
            let environment = try Files.readBeginning("/proc/\(pid)/environ", limit: 1 << 20)
            let entries = environment.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
            return Allocator.name(
                mappedFiles: mappings.filter(\.isFileBacked).map(\.path), environment: entries)
        } catch {
            if case .system(let cause) = error, cause.isNotFound { return nil }
            return .unavailable(reason: "the process could not be looked at: \(error)")
        }
    }

    private static let cpus = "/sys/devices/system/cpu"

    private static func thermalThrottles() -> Reading<Double> {
        let files = names(cpus).filter { $0.hasPrefix("cpu") && $0.dropFirst(3).allSatisfy(\.isNumber) }
            .flatMap { cpu in
                ["core", "package"].map { "\(cpus)/\(cpu)/thermal_throttle/\($0)_throttle_count" }
            }
        let counts = files.compactMap { text($0).value.flatMap { Double($0[...].trimmed) } }
        return counts.isEmpty
            ? .unavailable(reason: "the kernel has no throttle counters here") : .value(counts.reduce(0, +))
    }

    private static func governor() -> Reading<String> {
        let policies = names("\(cpus)/cpufreq").filter { $0.hasPrefix("policy") }
        let found = policies.compactMap { text("\(cpus)/cpufreq/\($0)/scaling_governor").value?[...].trimmed }
        return found.isEmpty
            ? .unavailable(reason: "the kernel chooses no frequencies here")
            : .value(Set(found).sorted().joined(separator: " and "))
    }

    private static func quotaThrottled() -> Reading<Double> {
        let groups =
            groupDirectories(controller: "", root: "/sys/fs/cgroup")
            + groupDirectories(controller: "cpu", root: "/sys/fs/cgroup/cpu")
        let times = groups.compactMap {
            text("\($0)/cpu.stat").value.flatMap { EnvironmentText.quotaThrottled(cpuStat: $0) }
        }
        return times.max().map { .value($0) }
            ?? .unavailable(reason: "no control group accounts for CPU time")
    }

    /// What is in a directory; nothing where there is none, which on these paths is an answer.
    private static func names(_ directory: String) -> [String] {
        do throws(SystemError) { return try Files.names(inDirectory: directory) } catch { return [] }
    }
}
