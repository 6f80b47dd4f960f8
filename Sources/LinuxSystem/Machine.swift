internal import CLinux
internal import Glibc

/// What the C library and the scheduler say about this machine.
public enum Machine {
    /// The C library, such as `glibc 2.36`. The corresponding C function is `gnu_get_libc_version`.
    public static var libc: String { "glibc " + String(cString: clinux_libc_version()) }

    /// How many CPUs this process may run on. The corresponding C function is `sched_getaffinity`.
    public static func allowedCPUs() throws(SystemError) -> Int {
        let count = clinux_allowed_cpus()
        guard count > 0 else { throw SystemError(action: "count the CPUs of this process", code: -count) }
        return Int(count)
    }
}
