internal import FrozenProfile
internal import Measurement

/// What the kernel's and the distribution's files say. Each function takes a file's content.
enum EnvironmentText {
    /// The CPU's name in `/proc/cpuinfo`; of several kinds each once.
    static func cpuModel(cpuinfo: String) -> Reading<String> {
        for key in ["model name", "Model", "cpu model", "Processor", "cpu"] {
            var names: [String] = []
            for value in values(of: key, in: cpuinfo, separator: ":") where !names.contains(value) {
                names.append(value)
            }
            if !names.isEmpty { return .value(names.joined(separator: " and ")) }
        }
        // ARM servers name no model, only who made it and its part number.
        let maker = values(of: "CPU implementer", in: cpuinfo, separator: ":").first
        let part = values(of: "CPU part", in: cpuinfo, separator: ":").first
        if let maker, let part { return .value("implementer \(maker) part \(part)") }
        return .unavailable(reason: "/proc/cpuinfo names no CPU model")
    }

    /// The mean of the CPUs' current frequencies in `/proc/cpuinfo`, in MHz.
    static func frequency(cpuinfo: String) -> Reading<Double> {
        let values = values(of: "cpu MHz", in: cpuinfo, separator: ":").compactMap(Double.init)
        guard !values.isEmpty else { return .unavailable(reason: "/proc/cpuinfo gives no frequency") }
        return .value(values.reduce(0, +) / Double(values.count))
    }

    /// A line of `/proc/meminfo`.
    static func memory(_ key: String, meminfo: String) -> Reading<ByteCount> {
        guard let line = values(of: key, in: meminfo, separator: ":").first,
            let kibibytes = line.split(separator: " ").first.flatMap({ Int64($0) }), kibibytes >= 0
        else { return .unavailable(reason: "/proc/meminfo has no \(key)") }
        return .value(.kibibytes(kibibytes))
    }

    /// Memory rounded to a common size in GiB, so that what firmware and kernel keep makes no difference.
    static func memoryClass(_ memory: ByteCount) -> Double {
        EnvironmentIdentity.memoryClass(Double(memory.bytes) / 1_073_741_824)
    }

    /// The distribution and its version in `/etc/os-release`, such as `debian 12`.
    static func operatingSystem(osRelease: String) -> Reading<String> {
        func value(_ key: String) -> String? {
            values(of: key, in: osRelease, separator: "=").first.map { text in
                text.filter { $0 != "\"" && $0 != "'" }
            }
        }
        guard let name = value("ID") else { return .unavailable(reason: "/etc/os-release has no ID") }
        return .value(value("VERSION_ID").map { "\(name) \($0)" } ?? name)
    }

    /// The first number of `/proc/loadavg`.
    static func load(loadavg: String) -> Reading<Double> {
        guard let load = loadavg.split(separator: " ").first.flatMap({ Double($0) }) else {
            return .unavailable(reason: "/proc/loadavg is not as expected")
        }
        return .value(load)
    }

    /// The share of the last 10 seconds in which some task waited, in a file of `/proc/pressure`.
    static func pressure(_ text: String) -> Reading<Double> {
        let some = text.split(separator: "\n").first { $0.hasPrefix("some ") }
        let field = some?.split(separator: " ").first { $0.hasPrefix("avg10=") }
        guard let value = field.flatMap({ Double($0.dropFirst("avg10=".count)) }) else {
            return .unavailable(reason: "the pressure file is not as expected")
        }
        return .value(value)
    }

    /// Stolen time by all time since boot, in percent, in `/proc/stat`.
    static func steal(stat: String) -> Reading<Double> {
        let first = stat.split(separator: "\n").first { $0.hasPrefix("cpu ") }
        let ticks = first?.split(separator: " ").dropFirst().prefix(8).compactMap { Double($0) } ?? []
        let all = ticks.reduce(0, +)
        guard ticks.count == 8, all > 0 else { return .unavailable(reason: "/proc/stat has no steal time") }
        return .value(100 * ticks[7] / all)
    }

    /// The time in which some task waited since boot, in seconds, in a file of `/proc/pressure`.
    static func stalled(_ text: String) -> Reading<Double> {
        let some = text.split(separator: "\n").first { $0.hasPrefix("some ") }
        let field = some?.split(separator: " ").first { $0.hasPrefix("total=") }
        guard let microseconds = field.flatMap({ Double($0.dropFirst("total=".count)) }) else {
            return .unavailable(reason: "the pressure file is not as expected")
        }
        return .value(microseconds / 1e6)
    }

    /// CPU time of the whole machine since boot, in seconds, in `/proc/stat`.
    static func cpuTime(stat: String) -> Reading<(busy: Double, all: Double, stolen: Double)> {
        let first = stat.split(separator: "\n").first { $0.hasPrefix("cpu ") }
        let ticks = first?.split(separator: " ").dropFirst().prefix(8).compactMap { Double($0) } ?? []
        guard ticks.count == 8 else { return .unavailable(reason: "/proc/stat is not as expected") }
        // USER_HZ is 100 on every architecture that Swift runs on. Guest time is in user time already.
        let seconds = ticks.map { $0 / 100 }
        let busy = seconds[0] + seconds[1] + seconds[2] + seconds[5] + seconds[6]
        return .value((busy, seconds.reduce(0, +), seconds[7]))
    }

    /// Time during which a quota held a control group back, in seconds, in its `cpu.stat` of either version.
    static func quotaThrottled(cpuStat: String) -> Double? {
        for line in cpuStat.split(separator: "\n") {
            let parts = line.split(separator: " ")
            guard parts.count == 2, let number = Double(parts[1]) else { continue }
            if parts[0] == "throttled_usec" { return number / 1e6 }
            if parts[0] == "throttled_time" { return number / 1e9 }
        }
        return nil
    }

    /// CPUs' worth of time in `cpu.max`, nil without a limit.
    static func quota(cpuMax: String) -> Double? {
        let parts = cpuMax.split(whereSeparator: \.isWhitespace)
        guard parts.count == 2, let quota = Double(parts[0]), let period = Double(parts[1]), quota > 0,
            period > 0
        else { return nil }
        return quota / period
    }

    /// The group's path for a controller in `/proc/self/cgroup`; the unified hierarchy has the empty controller.
    static func groupPath(cgroup: String, controller: String) -> String? {
        for line in cgroup.split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { continue }
            if parts[1].split(separator: ",", omittingEmptySubsequences: false).contains(controller[...]) {
                return String(parts[2])
            }
        }
        return nil
    }

    private static func values(of key: String, in text: String, separator: Character) -> [String] {
        text.split(separator: "\n").compactMap { line in
            guard let mark = line.firstIndex(of: separator) else { return nil }
            let name = line[..<mark].trimmed
            let value = line[line.index(after: mark)...].trimmed
            return name == key && !value.isEmpty ? value : nil
        }
    }
}

extension Substring {
    /// The text without spaces and tabs at its ends.
    var trimmed: String {
        var rest = self
        while let first = rest.first, first.isWhitespace { rest = rest.dropFirst() }
        while let last = rest.last, last.isWhitespace { rest = rest.dropLast() }
        return String(rest)
    }
}
