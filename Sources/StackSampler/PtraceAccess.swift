internal import CPtrace
internal import LinuxProcess
internal import LinuxSystem

/// Whether the threads of a process can be stopped, and if not, why.
enum PtraceAccess {
    /// Throws what stands in the way. Stops nothing.
    static func check(_ processID: Int32) throws(SamplerError) {
        guard processID > 0, let stat = ProcessStat.ofProcess(processID), let status = Status(processID)
        else {
            throw .noSuchProcess(pid: processID)
        }
        if stat.hasEnded { throw .zombie(pid: processID) }
        // Neither has the first thread of a process any memory when it has ended before the others.
        if status.isKernelThread, stat.state != "Z" { throw .kernelThread(pid: processID) }
        if status.tracer != 0 {
            throw .alreadyTraced(
                pid: processID, by: status.tracer,
                name: ProcessStat.ofProcess(status.tracer)?.name ?? "unknown")
        }
        var filtered: Int32 = 0
        let result = cptrace_check(processID, &filtered)
        guard result < 0 else { return }
        let failure = SystemError(action: "stop threads of process \(processID)", code: -result)
        if filtered != 0 { throw .ptraceFiltered(reason: failure.reason) }
        if failure.isNotFound { throw .noSuchProcess(pid: processID) }
        guard failure.isPermissionDenied else { throw .system(failure) }
        if let owner = status.user, owner != Status(CurrentProcess.pid)?.user {
            throw .otherUser(pid: processID, owner: owner)
        }
        if let scope = yamaScope, scope > 0 { throw .yama(pid: processID, scope: scope) }
        throw .accessDenied(pid: processID)
    }

    /// The setting of the Yama security module, nil where the kernel has none.
    static var yamaScope: Int? {
        do throws(Files.ReadError) {
            let bytes = try Files.read("/proc/sys/kernel/yama/ptrace_scope", limit: 64)
            return Int(String(decoding: bytes, as: UTF8.self).filter { $0 != "\n" })
        } catch {
            return nil
        }
    }

    /// What `/proc/PID/status` says about tracing.
    struct Status: Equatable {
        var tracer: Int32 = 0
        var user: UInt32?
        /// A kernel thread has no memory of its own, and neither has a process that has ended.
        var isKernelThread = true

        init?(_ processID: Int32) {
            do throws(Files.ReadError) {
                self.init(try Files.read("/proc/\(processID)/status", limit: 1 << 14))
            } catch {
                return nil
            }
        }

        init(_ bytes: [UInt8]) {
            for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
                let fields = line.split(whereSeparator: { $0 == "\t" || $0 == " " })
                guard fields.count >= 2 else { continue }
                switch fields[0] {
                case "TracerPid:": tracer = Int32(fields[1]) ?? 0
                // Real, effective, saved, file system.
                case "Uid:": user = fields.count > 2 ? UInt32(fields[2]) : nil
                case "VmSize:": isKernelThread = false
                default: continue
                }
            }
        }
    }
}
