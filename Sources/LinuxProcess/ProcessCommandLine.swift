internal import LinuxSystem

/// What a process was started with.
public enum ProcessCommandLine {
    private static let limit = 1 << 21

    /// Its arguments, the program first; none when it is gone or a kernel thread. From `/proc/PID/cmdline`.
    public static func words(of pid: Int32) -> [String] { strings("/proc/\(pid)/cmdline") }

    /// A variable of the environment it was started with, nil when it has none or may not be asked. From
    /// `/proc/PID/environ`.
    public static func environmentVariable(_ name: String, of pid: Int32) -> String? {
        strings("/proc/\(pid)/environ").first { $0.hasPrefix(name + "=") }.map {
            String($0.dropFirst(name.count + 1))
        }
    }

    private static func strings(_ path: String) -> [String] {
        do throws(Files.ReadError) {
            return try Files.read(path, limit: limit).split(separator: 0).map {
                NativeText.text($0)
            }
        } catch {
            // Gone, or another user's: there is nothing to name.
            return []
        }
    }
}
