internal import InstructionCounting
internal import LinuxProcess
internal import LinuxSystem
internal import Measurement
internal import StackRecording
internal import StackSampler

/// Tries out what this machine allows: the kernel's own answers where it can be asked, settings where it cannot.
public enum DoctorProbe {
    /// Everything that can be tried.
    public static func report() -> DoctorReport {
        DoctorReport(
            checks: [
                perfEvents(), kernelTime(SamplerAvailability.paranoidLevel, capabilities: capabilities()),
                lockedMemory(), cycles(SamplerAvailability.refusalOfCycles()),
                tracing(
                    SamplerAvailability.checkTracing(),
                    scope: number(in: "/proc/sys/kernel/yama/ptrace_scope"),
                    capabilities: capabilities()),
                pySpy(PySpy.program), highWaterMark(), directoryWatch(), exitStatus(), justInTimeNames(),
                debugInformation(),
            ] + CountingEngines.all().map(counting))
    }

    /// Whether an engine can count instructions.
    private static func counting(_ found: CountingEngines.Found) -> DoctorReport.Check {
        let purpose = "counted runs (--count-runs): a verdict from one session a side, whatever the machine"
        let name = "counting_" + found.name.replacing("-", with: "_")
        switch found.engine {
        case .value(let engine): return .init(name, purpose, .allowed, "\(engine.identity).")
        case .unavailable(let reason):
            return .init(name, purpose, .refused, "It is not there.", remedy: reason)
        }
    }

    // MARK: - Sampling

    private static func perfEvents() -> DoctorReport.Check {
        let purpose = "stacks of any native program, without stopping it"
        let level = SamplerAvailability.paranoidLevel.map { ", kernel.perf_event_paranoid is \($0)" } ?? ""
        switch SamplerAvailability.check() {
        case .success:
            return .init("perf_events", purpose, .allowed, "A CPU-clock event could be opened\(level).")
        case .failure(let error):
            return .init(
                "perf_events", purpose, .refused, "A CPU-clock event was refused\(level).",
                remedy: error.description)
        }
    }

    /// Whether time in the kernel can be seen, by the setting and our capabilities (CAP_SYS_ADMIN, CAP_PERFMON).
    static func kernelTime(_ level: Int?, capabilities: UInt64) -> DoctorReport.Check {
        let purpose = "time in the kernel as part of a stack"
        let finding = "kernel.perf_event_paranoid is \(level.map(String.init) ?? "unknown")"
        if capabilities & (1 << 21 | 1 << 38) != 0 {
            return .init("kernel_time", purpose, .allowed, "\(finding), and this process has CAP_PERFMON.")
        }
        if let level, level <= 1 { return .init("kernel_time", purpose, .allowed, "\(finding).") }
        return .init(
            "kernel_time", purpose, .refused, "\(finding).",
            remedy: "Run `sysctl kernel.perf_event_paranoid=1` as root, or give CAP_PERFMON.")
    }

    private static func lockedMemory() -> DoctorReport.Check {
        let purpose = "rings large enough to lose no samples"
        guard let kibibytes = number(in: "/proc/sys/kernel/perf_event_mlock_kb") else {
            return .init(
                "ring_memory", purpose, .refused, "kernel.perf_event_mlock_kb cannot be read.",
                remedy: "Run a kernel with perf events.")
        }
        if CurrentProcess.userID == 0 || kibibytes >= 4100 {
            return .init(
                "ring_memory", purpose, .allowed, "Rings of 4 MiB for each CPU may be locked in memory.")
        }
        return .init(
            "ring_memory", purpose, .limited,
            "kernel.perf_event_mlock_kb is \(kibibytes): beyond it the limit of `ulimit -l` counts, and rings are made "
                + "smaller where that is used up.",
            remedy: "Run `sysctl kernel.perf_event_mlock_kb=4100` as root, or raise `ulimit -l`.")
    }

    /// Whether there is a counter of cycles, by the reason why not.
    static func cycles(_ refusal: String?) -> DoctorReport.Check {
        let purpose = "sampling by the CPU's cycles (--cycles); the CPU clock does otherwise"
        guard let refusal else { return .init("cycles", purpose, .allowed, "The hardware counts cycles.") }
        return .init(
            "cycles", purpose, .refused, "Cycles cannot be counted: \(refusal).",
            remedy: "Nothing to do in a virtual machine whose host does not pass the counters on.")
    }

    /// Whether processes may be traced, by the kernel's answer, the setting of the Yama module and our capabilities.
    static func tracing(
        _ answer: Result<Void, SamplerError>, scope: Int?, capabilities: UInt64
    ) -> DoctorReport.Check {
        let purpose = "what threads wait for (--mode wall), stacks where perf events are refused, and py-spy"
        if case .failure(let error) = answer {
            return .init(
                "ptrace", purpose, .refused, "The kernel refuses ptrace.", remedy: error.description)
        }
        let canTraceAll = capabilities & (1 << 19) != 0
        switch scope {
        case nil, 0:
            return .init(
                "ptrace", purpose, .allowed,
                scope == nil
                    ? "The kernel has no Yama module: processes of the same user may be traced."
                    : "kernel.yama.ptrace_scope is 0: processes of the same user may be traced.")
        case 3:
            return .init(
                "ptrace", purpose, .refused,
                "kernel.yama.ptrace_scope is 3: no process may trace until the next boot.",
                remedy: "Boot with kernel.yama.ptrace_scope=1 or less.")
        case .some(let scope) where canTraceAll:
            return .init(
                "ptrace", purpose, .allowed,
                "kernel.yama.ptrace_scope is \(scope), and this process has CAP_SYS_PTRACE.")
        case 1:
            return .init(
                "ptrace", purpose, .limited,
                "kernel.yama.ptrace_scope is 1: only descendants may be traced, so that a command can be sampled, but "
                    + "no running process, and not by py-spy, which is a process of its own.",
                remedy: "Run `sysctl kernel.yama.ptrace_scope=0` as root, or give CAP_SYS_PTRACE.")
        case .some(let scope):
            return .init(
                "ptrace", purpose, .refused,
                "kernel.yama.ptrace_scope is \(scope), and this process has no CAP_SYS_PTRACE.",
                remedy: "Run `sysctl kernel.yama.ptrace_scope=0` as root, or give CAP_SYS_PTRACE.")
        }
    }

    private static func pySpy(_ path: String?) -> DoctorReport.Check {
        let purpose = "Python's own functions in stacks"
        if let path { return .init("py_spy", purpose, .allowed, "py-spy is \(path).") }
        return .init(
            "py_spy", purpose, .refused, "py-spy is not on PATH.", remedy: "Run `pip install py-spy`.")
    }

    // MARK: - Observing

    private static func highWaterMark() -> DoctorReport.Check {
        let purpose = "the exact peak memory of each stage"
        do throws(SystemError) {
            try ProcessMemory.resetHighWaterMark(of: CurrentProcess.pid)
            return .init("clear_refs", purpose, .allowed, "The kernel resets a process's high-water mark.")
        } catch {
            return .init(
                "clear_refs", purpose, .refused, error.description,
                remedy:
                    "Run a kernel with CONFIG_PROC_PAGE_MONITOR, and mount /proc writable; until then peaks are "
                    + "sampled, and say so.")
        }
    }

    private static func directoryWatch() -> DoctorReport.Check {
        let purpose = "stages noticed at the moment they begin"
        do throws(SystemError) {
            let watch = try DirectoryWatch("/tmp")
            _ = consume watch
            return .init("inotify", purpose, .allowed, "A directory could be watched.")
        } catch {
            return .init(
                "inotify", purpose, .limited,
                error.description + " The status file is then read every 20 ms.",
                remedy:
                    "Run `sysctl fs.inotify.max_user_instances=512 fs.inotify.max_user_watches=65536` as root."
            )
        }
    }

    /// Asks for the status of a process that has been waited for, which only the newer call reports.
    private static func exitStatus() -> DoctorReport.Check {
        let purpose = "the exit status of a process that was not started by us"
        do {
            var request = ChildRequest([Programs.installed("true") ?? "/bin/true"])
            request.standardOutput = .null
            var child = try ChildProcess.start(request)
            let handle = try ProcessHandle(pid: child.pid)
            guard try child.wait(timeout: .seconds(5)) != nil else {
                return .init("pidfd_info", purpose, .limited, "The program 'true' did not end within 5 s.")
            }
            if handle.exitStatus().value != nil {
                return .init("pidfd_info", purpose, .allowed, "The kernel has PIDFD_GET_INFO.")
            }
            return .init(
                "pidfd_info", purpose, .limited,
                "Linux \(CurrentProcess.kernel.release) has no PIDFD_GET_INFO: the status is known only where the "
                    + "parent has not asked for it yet.", remedy: "Run Linux 6.15 or later.")
        } catch {
            return .init("pidfd_info", purpose, .limited, "\(error)")
        }
    }

    // MARK: - Names

    private static func justInTimeNames() -> DoctorReport.Check {
        let purpose = "names of just-in-time compiled code"
        guard Files.isDirectory("/tmp") else {
            return .init(
                "perf_map", purpose, .refused, "There is no directory /tmp.",
                remedy: "Create it, with mode 1777.")
        }
        return .init(
            "perf_map", purpose, .limited,
            "The runtime has to write /tmp/perf-PID.map, as the user who runs it.",
            remedy:
                "Start the target so that it does: `python3 -X perf` (3.12 or later), `node --perf-basic-prof`, "
                + "`java -XX:+UnlockDiagnosticVMOptions -XX:+DumpPerfMapAtExit`.")
    }

    private static func debugInformation() -> DoctorReport.Check {
        let purpose = "names of functions in stripped libraries"
        if Files.isDirectory("/usr/lib/debug/.build-id") {
            return .init(
                "debug_files", purpose, .allowed, "Separate debug files are in /usr/lib/debug/.build-id.")
        }
        return .init(
            "debug_files", purpose, .limited,
            "There are no separate debug files in /usr/lib/debug/.build-id.",
            remedy: "Install those of the libraries in question, such as the package libc6-dbg.")
    }

    // MARK: - Settings

    private static func number(in path: String) -> Int? {
        do throws(Files.ReadError) {
            let bytes = try Files.read(path, limit: 64)
            return Int(String(decoding: bytes, as: UTF8.self).filter { $0 != "\n" })
        } catch {
            // A kernel without this setting.
            return nil
        }
    }

    /// Our effective capabilities as a set of bits; none where the kernel does not say.
    private static func capabilities() -> UInt64 {
        do throws(Files.ReadError) {
            let bytes = try Files.read("/proc/self/status", limit: 1 << 16)
            let line = String(decoding: bytes, as: UTF8.self).split(separator: "\n").first {
                $0.hasPrefix("CapEff:")
            }
            return line.flatMap { UInt64($0.dropFirst(7).filter { !$0.isWhitespace }, radix: 16) } ?? 0
        } catch {
            return 0
        }
    }
}
