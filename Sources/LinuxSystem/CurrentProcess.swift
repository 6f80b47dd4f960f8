internal import CLinux
internal import Glibc
internal import Measurement

/// The process this code runs in.
public enum CurrentProcess {
    /// Lets the calling thread run on one CPU only; false where the kernel refuses.
    @discardableResult
    public static func pinThread(toCPU cpu: Int32) -> Bool { clinux_pin_to_cpu(cpu) == 0 }

    /// Does something bound to one CPU, and then lets the calling thread run where it could before. Nil, and nothing done, where
    /// it may not run there.
    @discardableResult
    public static func onCPU<Result>(_ cpu: Int32, _ body: () -> Result) -> Result? {
        var affinity = clinux_affinity()
        guard clinux_get_affinity(&affinity) == 0, clinux_pin_to_cpu(cpu) == 0 else { return nil }
        defer { clinux_set_affinity(&affinity) }
        return body()
    }

    /// Lets the calling thread run only briefly at a time, and the sooner for it when it wakes; false where the kernel
    /// knows no such thing (before Linux 6.12). Needs no privilege.
    @discardableResult
    public static func setThreadSlice(_ slice: Duration) -> Bool {
        clinux_set_slice(UInt64(max(0, slice.inNanoseconds))) == 0
    }

    /// Its identifier.
    public static var pid: Int32 { getpid() }
    /// The identifier of the process that started it, or 1 when that one is gone.
    public static var parentPID: Int32 { getppid() }
    /// The identifier of its session's leader; 0 where that is outside of its PID namespace.
    public static var sessionID: Int32 { getsid(0) }
    /// The identifier of the calling thread.
    public static var threadID: Int32 { clinux_thread_id() }
    /// The effective user.
    public static var userID: UInt32 { geteuid() }

    /// The program's name and its arguments, bytes that are no UTF-8 escaped; see ``NativeText``.
    public static var arguments: [String] {
        (0..<Int(CommandLine.argc)).compactMap { index in
            CommandLine.unsafeArgv[index].map { NativeText.text(cString: $0) }
        }
    }

    /// A variable of the environment, nil when not set.
    public static func environmentVariable(_ name: String) -> String? {
        getenv(name).map { NativeText.text(cString: $0) }
    }

    /// The whole environment as `NAME=value`.
    public static var environment: [String] {
        var result: [String] = []
        var entry = environ
        while let variable = entry.pointee {
            result.append(NativeText.text(cString: variable))
            entry += 1
        }
        return result
    }

    /// The variables in entries `NAME=value`; an entry of another form is none.
    public static func variables(of entries: [String]) -> [String: String] {
        var variables: [String: String] = [:]
        for entry in entries {
            // A name has a character at least, even if that is an equals sign.
            guard let equals = entry.dropFirst().firstIndex(of: "=") else { continue }
            variables[String(entry[..<equals])] = String(entry[entry.index(after: equals)...])
        }
        return variables
    }

    /// Whether an environment variable is one of `1`, `true`, `yes`, `on`, in any case.
    public static func isSwitchedOn(_ name: String) -> Bool {
        guard let value = environmentVariable(name)?.lowercased() else { return false }
        return ["1", "true", "yes", "on"].contains(value.filter { !$0.isWhitespace })
    }

    /// Lets a write to a closed pipe fail with EPIPE instead of ending the process.
    public static func ignoreBrokenPipes() {
        signal(SIGPIPE, SIG_IGN)
    }

    /// Opens `/dev/null` for each of standard input, output and error that the caller has closed.
    ///
    /// Otherwise the next file or pipe that this process opens gets the number, and what is printed ends up in it. To be
    /// called before anything is opened.
    public static func openMissingStandardDescriptors() {
        for descriptor: Int32 in 0...2 where fcntl(descriptor, F_GETFD) == -1 {
            // The lowest free number is this one, and it is inherited by what this process starts.
            guard clinux_open("/dev/null", O_RDWR, 0) == descriptor else { return }
        }
    }

    /// Makes the kernel end this process with SIGKILL when its parent is gone.
    public static func dieWithParent() {
        _ = clinux_set_parent_death_signal(SIGKILL)
    }

    /// Stops this process as Ctrl-Z would, and returns when it goes on. The corresponding C function is `raise(SIGSTOP)`.
    public static func stop() {
        raise(SIGSTOP)
    }

    /// Names the calling thread for `ps` and `top`, cut to 15 bytes. The corresponding C call is `prctl(PR_SET_NAME)`.
    public static func setThreadName(_ name: String) {
        clinux_set_thread_name(name)
    }

    /// The path of the program that this process runs, as the kernel knows it; `/proc/self/exe` where that is all.
    public static var executable: String {
        do throws(SystemError) {
            return try Files.linkTarget("/proc/self/exe")
        } catch {
            return "/proc/self/exe"
        }
    }

    /// The name of this machine. The corresponding C function is `gethostname`.
    public static var hostName: String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, buffer.count - 1) == 0 else { return "unknown" }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// What `uname` says: system, release and machine.
    public static var kernel: (system: String, release: String, machine: String) {
        var name = utsname()
        uname(&name)
        return (text(of: name.sysname), text(of: name.release), text(of: name.machine))
    }

    private static func text<Characters>(of characters: Characters) -> String {
        withUnsafeBytes(of: characters) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}
