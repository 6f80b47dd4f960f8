public import Measurement
public import YAMLDocument

/// A fact about where or from what a profile was made.
public enum Fact: Hashable, Sendable, CustomStringConvertible {
    case text(String)
    case number(Double)
    case bool(Bool)

    /// The fact for a person: `x86_64`, `2`, `1.5`, `true`.
    public var description: String {
        switch self {
        case .text(let text): PlainText.sanitized(text, maximumCharacters: 200)
        case .number(let number): number == number.rounded() ? number.fixed(0) : number.fixed(2)
        case .bool(let value): value ? "true" : "false"
        }
    }
}

/// What must be the same for two profiles to be comparable, or, for the source, says what differs between them.
public enum IdentityKey: String, CaseIterable, Sendable {
    case cpuModel = "cpu_model"
    /// CPUs that the pipeline may use: its affinity, or less by the control group's quota.
    case usableCPUs = "usable_cpus"
    /// CPUs of the process's affinity.
    case affinityCPUs = "affinity_cpus"
    /// CPUs' worth of time that the control group allows, or `none`.
    case cpuQuota = "cpu_quota"
    /// Memory in GiB, rounded to a common size, so that what the firmware keeps makes no difference.
    case memoryClass = "memory_class_gb"
    case operatingSystem = "os"
    case kernelMajor = "kernel_major"
    case libc
    /// Whose `malloc` the pipeline used, with the settings it was given: `glibc malloc`, `jemalloc`.
    case allocator
    case architecture
    case buildMode = "build_mode"
    case pipelineVersion = "pipeline_version"
    case gitCommit = "git_commit"
    case gitDirty = "git_dirty"
    /// A digest of the executable and of the scripts and programs that the command names.
    case programDigest = "program_digest"
    case configDigest = "config_digest"
    case inputDigest = "input_digest"
    /// A digest of the stages' names in order of first entry.
    case stageGraph = "stage_graph"

    /// Whether a difference is what a comparison of two versions is about, rather than a reason to doubt it.
    public var isSource: Bool {
        switch self {
        case .pipelineVersion, .gitCommit, .gitDirty, .programDigest: true
        default: false
        }
    }
}

extension EnvironmentIdentity {
    /// Memory in GiB rounded to a common size, so that what firmware and kernel keep makes no difference.
    public static func memoryClass(_ gibibytes: Double) -> Double {
        // 0.5, 0.75, 1, 1.5, 2, 3, 4, 6, 8, 12, 16 and so on.
        var sizes = [0.5, 0.75]
        while let size = sizes.dropLast().last, size < 65_536 { sizes.append(size * 2) }
        // The size kept is a few percent below the one built in, never above it.
        return sizes.first { gibibytes <= $0 * 1.01 } ?? gibibytes.rounded()
    }
}

/// What changes from minute to minute on one machine.
public enum ObservedKey: String, CaseIterable, Sendable {
    /// Processes running or waiting, averaged over a minute.
    case load = "load_1m"
    case memoryAvailable = "memory_available_mb"
    case swapUsed = "swap_used_mb"
    /// Share of CPU time that the hypervisor gave to others since boot, in percent.
    case steal = "steal_pct"
    /// Share of the last 10 seconds in which some task waited for a CPU, memory or a disk, in percent.
    case pressureCPU = "pressure_cpu_pct"
    case pressureMemory = "pressure_memory_pct"
    case pressureIO = "pressure_io_pct"
    /// The mean of the CPUs' current frequencies.
    case frequency = "cpu_mhz"
    /// How often a CPU was slowed down because of heat, since boot.
    case thermalThrottles = "thermal_throttles"
}

/// Readings by identity key; a key without one was not asked for.
public struct EnvironmentIdentity: Equatable, Sendable {
    public var facts: [IdentityKey: Reading<Fact>]

    /// Readings by key.
    public init(_ facts: [IdentityKey: Reading<Fact>] = [:]) {
        self.facts = facts
    }

    /// The reading of a key.
    public subscript(key: IdentityKey) -> Reading<Fact> {
        get { facts[key] ?? .unavailable(reason: "not recorded") }
        set { facts[key] = newValue }
    }
}

/// Readings of the machine's state; a key without one was not asked for.
public struct ObservedEnvironment: Equatable, Sendable {
    public var values: [ObservedKey: Reading<Double>]
    /// How the kernel chooses frequencies, such as `performance`; nil when not asked for.
    public var governor: Reading<String>?

    /// Readings by key.
    public init(_ values: [ObservedKey: Reading<Double>] = [:], governor: Reading<String>? = nil) {
        self.values = values
        self.governor = governor
    }

    /// Whether nothing was asked for.
    public var isEmpty: Bool { values.isEmpty && governor == nil }

    /// The reading of a key.
    public subscript(key: ObservedKey) -> Reading<Double> {
        get { values[key] ?? .unavailable(reason: "not recorded") }
        set { values[key] = newValue }
    }
}

/// Where a profile was made.
public struct ProfileEnvironment: Equatable, Sendable {
    public var identity: EnvironmentIdentity
    public var observed: ObservedEnvironment
    /// Whatever else is under `environment`: from a file of the older schema, or written by hand.
    public var other: YAMLMapping

    /// An environment.
    public init(
        identity: EnvironmentIdentity, observed: ObservedEnvironment, other: YAMLMapping = YAMLMapping()
    ) {
        self.identity = identity
        self.observed = observed
        self.other = other
    }

    /// A fact that a file of the older schema holds under a key of its own, such as `hostname`; nil for none.
    public func olderFact(_ key: String) -> Fact? {
        guard let node = other[key] else { return nil }
        if let text = node.asText { return .text(text) }
        if let flag = node.asBool { return .bool(flag) }
        return node.asNumber.flatMap { $0.isFinite ? .number($0) : nil }
    }
}
