internal import LinuxSystem

/// The CPUs that can run something.
enum OnlineCPUs {
    /// Their numbers; one CPU where the kernel does not say.
    static func list() -> [Int32] {
        do throws(Files.ReadError) {
            let bytes = try Files.read("/sys/devices/system/cpu/online", limit: 4096)
            let cpus = parse(String(decoding: bytes, as: UTF8.self))
            return cpus.isEmpty ? [0] : cpus
        } catch {
            return [0]
        }
    }

    /// Numbers and ranges, such as `0-3,8`.
    static func parse(_ text: String) -> [Int32] {
        text.split { $0 == "," || $0 == "\n" }.flatMap { part -> [Int32] in
            let bounds = part.split(separator: "-").compactMap { Int32($0) }
            guard let first = bounds.first, let last = bounds.last, first <= last, last < 1 << 16 else {
                return []
            }
            return Array(first...last)
        }
    }
}
