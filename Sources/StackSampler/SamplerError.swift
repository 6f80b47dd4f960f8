public import LinuxSystem
internal import Measurement

/// Why a process cannot be sampled.
public enum SamplerError: Error, Equatable, CustomStringConvertible {
    /// The kernel's setting keeps unprivileged users from perf events.
    case paranoid(level: Int)
    /// The process belongs to another user, or is protected.
    case accessDenied(pid: Int32)
    /// A seccomp filter, as container runtimes install, or a kernel without perf events.
    case notAvailable(reason: String)
    /// There is no such process.
    case noSuchProcess(pid: Int32)
    /// More descriptors would be needed than we may open.
    case tooManyDescriptors(needed: Int)
    /// Not even the smallest ring may be locked in memory.
    case ringRefused(bytes: Int)
    /// The process belongs to another user.
    case otherUser(pid: Int32, owner: UInt32)
    /// The Yama security module keeps us from stopping the process.
    case yama(pid: Int32, scope: Int)
    /// A kernel thread: there is no stack of a program.
    case kernelThread(pid: Int32)
    /// The process has ended, and its parent has not asked for its status yet.
    case zombie(pid: Int32)
    /// A debugger or tracer has the process.
    case alreadyTraced(pid: Int32, by: Int32, name: String)
    /// A seccomp filter keeps us from ptrace.
    case ptraceFiltered(reason: String)
    /// Another system call failed.
    case system(SystemError)

    /// One or two sentences with a remedy where there is one.
    public var description: String {
        switch self {
        case .paranoid(let level):
            "Cannot use perf events: kernel.perf_event_paranoid is \(level), and only up to 2 may anybody sample "
                + "their own processes. Run `sysctl kernel.perf_event_paranoid=2` as root, or give CAP_PERFMON."
        case .accessDenied(let pid):
            "Cannot sample process \(pid): it belongs to another user or is protected. Run as the same user, or "
                + "give CAP_PERFMON and CAP_SYS_PTRACE."
        case .notAvailable(let reason):
            "Cannot use perf events: the kernel refuses perf_event_open (\(reason)), as it does under the seccomp "
                + "profiles of containers. Allow the call there, or give CAP_PERFMON."
        case .noSuchProcess(let pid): "Cannot sample process \(pid): there is no such process."
        case .tooManyDescriptors(let needed):
            "Cannot open \(needed) perf events, one for each thread and CPU: the limit of open files is lower. "
                + "Raise it with `ulimit -n`, or start the process under the sampler instead of attaching."
        case .ringRefused(let bytes):
            "Cannot lock \(bytes) bytes of ring buffer in memory: the limit is used up. Raise it with `ulimit -l` "
                + "or `sysctl kernel.perf_event_mlock_kb`."
        case .otherUser(let pid, let owner):
            "Cannot stop threads of process \(pid): it belongs to the user with the number \(owner). Run as that "
                + "user or as root, or give CAP_SYS_PTRACE."
        case .yama(let pid, let scope): Self.yamaSentence(pid, scope)
        case .kernelThread(let pid):
            "Cannot sample process \(pid): it is a kernel thread, which runs no program. Choose a process with a "
                + "command line."
        case .zombie(let pid):
            "Cannot sample process \(pid): it has ended and waits for its parent to ask for its exit status."
        case .alreadyTraced(let pid, let tracer, let name):
            "Cannot stop threads of process \(pid): process \(tracer) (\(PlainText.sanitized(name))) traces it, and "
                + "a thread can have one tracer only. End that one, or sample CPU time with perf events."
        case .ptraceFiltered(let reason):
            "Cannot use ptrace: the kernel refuses it (\(reason)), as it does under the seccomp profiles of "
                + "containers. Allow it there, for instance with `--cap-add SYS_PTRACE`."
        case .system(let error): error.description
        }
    }

    private static func yamaSentence(_ pid: Int32, _ scope: Int) -> String {
        let beginning = "Cannot stop threads of process \(pid): kernel.yama.ptrace_scope is \(scope), "
        return switch scope {
        case 1:
            beginning + "so only a process's ancestors may. Start it under the sampler, run as root, or run "
                + "`sysctl kernel.yama.ptrace_scope=0` as root."
        case 2: beginning + "so only CAP_SYS_PTRACE may. Run as root, or give that capability."
        default:
            beginning + "so no process may until the next boot. Sample CPU time with perf events instead."
        }
    }
}
