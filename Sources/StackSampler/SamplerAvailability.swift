internal import CPerfEvents
internal import LinuxSystem

/// Whether this machine lets us sample at all.
public enum SamplerAvailability {
    /// Opens an event on this very thread and closes it again: the kernel's own answer, not a guess from settings.
    public static func check(_ configuration: SamplerConfiguration = SamplerConfiguration()) -> Result<
        Void, SamplerError
    > {
        var request = cperf_request(
            pid: 0, cpu: -1, is_counter: 0, is_glimpse: 0, period: UInt64(configuration.periodNanoseconds),
            counts_cycles: 0,
            stack_bytes: UInt32(configuration.clampedStackBytes), has_chain: 0, wakeup_bytes: 1 << 16,
            wakes_readers: 0, samples_only: 0, enable_on_exec: 0,
            includes_kernel: 0, build_ids: 0)
        let result = cperf_open(&request)
        guard result >= 0 else {
            let failure = SystemError(action: "open a perf event", code: -result)
            return .failure(.opening(failure, processID: CurrentProcess.pid, needed: 1))
        }
        _ = FileDescriptor(owning: result)
        return .success(())
    }

    /// Whether the kernel lets us use ptrace at all: on our own children, if nothing else.
    public static func checkTracing() -> Result<Void, SamplerError> {
        do throws(SamplerError) {
            try PtraceAccess.check(CurrentProcess.pid)
            return .success(())
        } catch {
            return .failure(error)
        }
    }

    /// Why the hardware's cycles cannot be counted; nil where they can.
    public static func refusalOfCycles() -> String? {
        switch CycleCounter.measure() {
        case .success: nil
        case .failure(let refusal): refusal.reason
        }
    }

    /// The kernel's setting, nil where it cannot be read.
    public static var paranoidLevel: Int? {
        do throws(Files.ReadError) {
            let bytes = try Files.read("/proc/sys/kernel/perf_event_paranoid", limit: 64)
            return Int(String(decoding: bytes, as: UTF8.self).filter { $0 != "\n" })
        } catch {
            return nil
        }
    }
}

/// The hardware's counter of cycles.
enum CycleCounter {
    /// Why there is none.
    struct Refusal: Error { var reason: String }

    /// Cycles in a nanosecond of this thread's own computing.
    static func measure() -> Result<Double, Refusal> {
        var cycles: UInt64 = 0
        var took: UInt64 = 0
        let result = cperf_measure_cycles(2_000_000, &cycles, &took)
        if result != 0 {
            return .failure(Refusal(reason: SystemError(action: "count cycles", code: -result).reason))
        }
        // In a guest the counter may be there and stand still.
        guard cycles > 0, took > 0 else { return .failure(Refusal(reason: "the counter stands still")) }
        return .success(Double(cycles) / Double(took))
    }
}

/// Linux's numbers of the errors that are distinguished here.
enum SystemErrorCode {
    static let notPermitted: Int32 = 1
    static let noSuchProcess: Int32 = 3
    static let outOfMemory: Int32 = 12
    static let invalid: Int32 = 22
    static let tooManyFiles: Int32 = 24
    static let tooManyFilesInSystem: Int32 = 23
    static let notImplemented: Int32 = 38
}

extension SamplerError {
    /// What a refusal of perf_event_open means.
    static func opening(_ failure: SystemError, processID: Int32, needed: Int) -> SamplerError {
        switch failure.code {
        case SystemErrorCode.noSuchProcess: return .noSuchProcess(pid: processID)
        case SystemErrorCode.tooManyFiles, SystemErrorCode.tooManyFilesInSystem:
            return .tooManyDescriptors(needed: needed)
        case SystemErrorCode.notImplemented: return .notAvailable(reason: failure.reason)
        default: break
        }
        guard failure.isPermissionDenied else { return .system(failure) }
        if let level = SamplerAvailability.paranoidLevel, level > 2 { return .paranoid(level: level) }
        // Settings refuse with EACCES; a filter that knows nothing of perf events refuses with EPERM.
        return failure.code == SystemErrorCode.notPermitted
            ? .notAvailable(reason: failure.reason) : .accessDenied(pid: processID)
    }
}
