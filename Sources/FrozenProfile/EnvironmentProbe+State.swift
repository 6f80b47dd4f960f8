internal import LinuxProcess
internal import LinuxSystem
public import Measurement

extension EnvironmentProbe {
    /// The state of the machine now, with the counters that tell what happens until the next snapshot.
    public static func snapshot() -> EnvironmentSnapshot {
        let stat = text("/proc/stat")
        let times = stat.then { EnvironmentText.cpuTime(stat: $0) }
        let pressures = ["cpu", "memory", "io"].map { text("/proc/pressure/\($0)") }
        var observed = observeQuickly()
        observed[.steal] = stat.then(EnvironmentText.steal)
        for (key, pressure) in zip([ObservedKey.pressureCPU, .pressureMemory, .pressureIO], pressures) {
            observed[key] = pressure.then(EnvironmentText.pressure)
        }
        observed[.frequency] = text("/proc/cpuinfo").then(EnvironmentText.frequency)
        observed[.thermalThrottles] = thermalThrottles()
        observed.governor = governor()
        return EnvironmentSnapshot(
            monotonicNanoseconds: SystemClock.monotonicNanoseconds, observed: observed,
            counters: [
                .busyCPU: times.map(\.busy), .allCPU: times.map(\.all), .stolenCPU: times.map(\.stolen),
                .stalledCPU: pressures[0].then(EnvironmentText.stalled),
                .stalledMemory: pressures[1].then(EnvironmentText.stalled),
                .stalledIO: pressures[2].then(EnvironmentText.stalled),
                .thermalThrottles: observed[.thermalThrottles], .quotaThrottled: quotaThrottled(),
            ])
    }

    /// The state of the machine now.
    public static func observe() -> ObservedEnvironment { snapshot().observed }

    /// What may be read often while something is measured: load and memory.
    ///
    /// Frequencies are not among it: the kernel interrupts every CPU to find them out.
    static func observeQuickly() -> ObservedEnvironment {
        let meminfo = text("/proc/meminfo")
        func memory(_ key: String) -> Reading<ByteCount> {
            meminfo.then { EnvironmentText.memory(key, meminfo: $0) }
        }
        return ObservedEnvironment([
            .load: text("/proc/loadavg").then(EnvironmentText.load),
            .memoryAvailable: memory("MemAvailable").map(\.mebibytes),
            .swapUsed: memory("SwapTotal").then { total in
                memory("SwapFree").map { ByteCount(bytes: total.bytes - $0.bytes).mebibytes }
            },
        ])
    }

    /// Whose `malloc` a running process uses. Ask when it has mapped its libraries: not before the first stage.
    public static func allocator(ofProcess pid: Int32) -> Reading<Fact> {
        do throws(Files.ReadError) {
            let mappings = try MemoryMapping.ofProcess(pid)
            let environment = try Files.readBeginning("/proc/\(pid)/environ", limit: 1 << 20)
            let entries = environment.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
            return Allocator.name(
                mappedFiles: mappings.filter(\.isFileBacked).map(\.path), environment: entries)
        } catch {
            return .unavailable(reason: "the process could not be looked at: \(error)")
        }
    }

    /// How long the living threads of a process and its descendants have waited for a CPU so far, in seconds.
    public static func runQueueWait(ofTree root: Int32) -> Reading<Double> {
        var total = 0.0
        var threads = 0
        for pid in ProcessTree.processes(from: root) {
            for thread in names("/proc/\(pid)/task") {
                let wait = text("/proc/\(pid)/task/\(thread)/schedstat").value
                guard let seconds = wait.flatMap({ EnvironmentText.runQueueWait(schedstat: $0) }) else {
                    continue
                }
                total += seconds
                threads += 1
            }
        }
        return threads > 0 ? .value(total) : .unavailable(reason: "/proc/PID/schedstat could not be read")
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

/// Follows what goes on around a run.
///
/// Taken at the run's start, looked through from time to time (once a second is often enough), and closed at its end:
///
///     var watch = SurroundingsWatch()
///     ... watch.look(at: pid) ...
///     let observed = watch.finish(cpuSeconds: ..., involuntarySwitches: ...)
public struct SurroundingsWatch: Sendable {
    private let before: EnvironmentSnapshot
    private let ownCPUBefore: Duration
    /// The extremes so far, so that a run of a day costs no more memory than one of a second.
    private var lowest = ObservedEnvironment()
    private var highest = ObservedEnvironment()
    private var runQueueWait = Reading<Double>.unavailable(reason: "the run ended before it was looked at")
    /// Whose `malloc` the run uses, as of the last look.
    public private(set) var allocator = Reading<Fact>.unavailable(
        reason: "the run ended before it was looked at")

    /// A watch that begins now.
    public init() {
        before = EnvironmentProbe.snapshot()
        ownCPUBefore = SurroundingsWatch.ownCPU
    }

    /// Looks at the machine and at a running process with its descendants.
    public mutating func look(at pid: Int32) {
        let now = EnvironmentProbe.observeQuickly()
        for (key, reading) in now.values {
            guard let value = reading.value else { continue }
            lowest[key] = .value(min(value, lowest[key].value ?? value))
            highest[key] = .value(max(value, highest[key].value ?? value))
        }
        let waited = EnvironmentProbe.runQueueWait(ofTree: pid)
        // Threads that have ended take their account with them.
        if let value = waited.value { runQueueWait = .value(max(value, runQueueWait.value ?? 0)) }
        let found = EnvironmentProbe.allocator(ofProcess: pid)
        if found.value != nil || allocator.value == nil { allocator = found }
    }

    /// What went on, when the run has ended.
    ///
    /// - Parameters:
    ///   - runCPU: CPU time of the run's processes.
    ///   - toolCPU: CPU time of the tool's own other processes during the run, such as the monitor's. That of this
    ///     process and of its threads is known.
    ///   - involuntarySwitches: How often the run's processes lost a CPU, by the kernel's account.
    public func finish(
        runCPU: Duration, toolCPU: Duration = .zero,
        involuntarySwitches: Reading<Double> = .unavailable(reason: "not counted")
    ) -> RunEnvironment {
        let own = runCPU + toolCPU + (SurroundingsWatch.ownCPU - ownCPUBefore)
        return RunEnvironment(
            before: before, during: [lowest, highest], after: EnvironmentProbe.snapshot(),
            own: .init(
                cpuSeconds: .value(own.inSeconds), involuntarySwitches: involuntarySwitches,
                runQueueWaitSeconds: runQueueWait))
    }

    /// CPU time of this process's threads; of children there is an account of their own.
    private static var ownCPU: Duration { SystemClock.processCPU }
}
