internal import LinuxProcess
internal import LinuxSystem
internal import PythonFrames

/// Which processes run Python, by what they have mapped: the name of a program says little behind `env`, a shell or a
/// version manager's shim.
enum PythonTargets {
    /// Whether a process or one of its descendants runs Python.
    static func isAny(inFamilyOf pid: Int32, _ locator: PythonLocator = PythonLocator()) -> Bool {
        ProcessTree.processes(from: pid).contains { locator.hasInterpreter($0) }
    }

    /// A process whose first thread stands still in a stop of its tracer.
    struct TracerStop: Equatable {
        var pid: Int32
        /// What the kernel reports of its time on the CPU: the same text as long as it has not run.
        var schedule: [UInt8]
    }

    /// The stop that a process is in; nil where it is in none.
    static func tracerStop(of pid: Int32) -> TracerStop? {
        guard ProcessStat.ofProcess(pid)?.state == "t" else { return nil }
        do throws(Files.ReadError) {
            return TracerStop(pid: pid, schedule: try Files.read("/proc/\(pid)/schedstat", limit: 4096))
        } catch {
            // It has ended.
            return nil
        }
    }

    /// Continues a process whose tracer has just been ended: the SIGSTOP by which it was attached to may have been left
    /// behind. One that goes on by itself is left alone.
    static func letGoOn(_ pid: Int32) {
        do throws(SystemError) {
            let process = try ProcessHandle(pid: pid)
            // Between the two stops the kernel shows it as running for a moment, so one look at it is not enough.
            var looksRunning = 0
            for _ in 0..<100 where looksRunning < 10 {
                guard let state = ProcessStat.ofProcess(pid)?.state else { return }
                if state == "T" { return process.send(SignalInbox.goOn) }
                looksRunning = state == "t" ? 0 : looksRunning + 1
                SystemClock.sleep(for: .milliseconds(10))
            }
        } catch {
            // It has ended.
        }
    }
}
