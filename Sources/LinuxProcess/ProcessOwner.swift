internal import LinuxSystem

/// Whose a process is.
public enum ProcessOwner {
    /// The effective user of a process, nil when it has ended. From `/proc/PID/status`.
    public static func effectiveUser(of pid: Int32) -> UInt32? {
        do throws(Files.ReadError) {
            let status = String(
                decoding: try Files.read("/proc/\(pid)/status", limit: 1 << 16), as: UTF8.self)
            guard let line = status.split(separator: "\n").first(where: { $0.hasPrefix("Uid:") }) else {
                return nil
            }
            let fields = line.split { $0 == "\t" || $0 == " " }
            return fields.count > 2 ? UInt32(fields[2]) : nil
        } catch {
            return nil
        }
    }
}
