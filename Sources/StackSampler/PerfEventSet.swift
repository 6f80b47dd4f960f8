internal import CPerfEvents
internal import LinuxSystem
internal import Measurement

/// The events that watch a process: one for each thread known at the start and each CPU, with one ring for each CPU.
///
/// What the threads start later is watched by events that the kernel inherits to it; such events may only write to a
/// ring of their own CPU, hence one for each. Used by one thread at a time.
final class PerfEventSet {
    private(set) var rings: [PerfRing] = []
    private(set) var ringBytes = 0
    private(set) var includesKernelTime: Bool
    let ownership = EventOwnership()
    /// CPUs that can run something.
    let cpus: [Int32]

    private var events: [Event] = []
    private var hasBuildIDs = true
    private let configuration: SamplerConfiguration
    private let startsOnExec: Bool

    private final class Event {
        let file: FileDescriptor
        init(_ descriptor: Int32) { file = FileDescriptor(owning: descriptor) }
    }

    /// The smallest ring tried: room for a few samples.
    private static let smallestRing = 128 << 10

    /// Opens the events of a process, stopped. `startsOnExec`: they start when it calls exec.
    init(
        processID: Int32, _ configuration: SamplerConfiguration, startsOnExec: Bool
    ) throws(SamplerError) {
        self.configuration = configuration
        self.startsOnExec = startsOnExec
        includesKernelTime = configuration.includesKernelTime
        cpus = OnlineCPUs.list()
        ringBytes = Self.powerOfTwo(configuration.ringBytes)
        while try !openWithRings(processID: processID) { ringBytes /= 2 }
    }

    /// Watches further threads or processes that exist already.
    func add(threadID: Int32, processID: Int32) throws(SamplerError) {
        for (index, cpu) in cpus.enumerated() {
            let descriptor = try open(threadID: threadID, cpu: cpu, processID: processID)
            let result = cperf_redirect(descriptor, rings[index].descriptor)
            guard result == 0 else {
                throw .system(SystemError(action: "share a perf ring", code: -result))
            }
        }
    }

    /// Starts the events.
    func enable() throws(SamplerError) {
        for event in events {
            let result = cperf_enable(event.file.rawValue)
            guard result == 0 else {
                throw .system(SystemError(action: "start a perf event", code: -result))
            }
        }
    }

    /// Stops the events. One that cannot be stopped ends with its descriptor.
    func disable() {
        for event in events { _ = cperf_disable(event.file.rawValue) }
    }

    private func open(threadID: Int32, cpu: Int32, processID: Int32) throws(SamplerError) -> Int32 {
        while true {
            var request = cperf_request(
                pid: threadID, cpu: cpu, period_nanoseconds: UInt64(configuration.periodNanoseconds),
                stack_bytes: UInt32(configuration.clampedStackBytes),
                wakeup_bytes: UInt32(min(ringBytes / 4, 512 << 10)), enable_on_exec: startsOnExec ? 1 : 0,
                includes_kernel: includesKernelTime ? 1 : 0, build_ids: hasBuildIDs ? 1 : 0)
            let result = cperf_open(&request)
            if result >= 0 {
                events.append(Event(result))
                try remember(result, threadID: threadID)
                return result
            }
            let failure = SystemError(action: "open a perf event", code: -result)
            if failure.isPermissionDenied && includesKernelTime {
                includesKernelTime = false
            } else if failure.code == SystemErrorCode.invalid && hasBuildIDs {
                // Before Linux 5.12.
                hasBuildIDs = false
            } else {
                let needed = cpus.count * max(ProcessListing.threads(of: processID).count, 1)
                throw .opening(failure, processID: processID, needed: needed)
            }
        }
    }

    private func remember(_ descriptor: Int32, threadID: Int32) throws(SamplerError) {
        var identifier: UInt64 = 0
        let result = cperf_identifier(descriptor, &identifier)
        guard result == 0 else {
            throw .system(SystemError(action: "identify a perf event", code: -result))
        }
        ownership.remember(identifier: identifier, threadID: threadID)
    }

    /// Opens an event and maps a ring for each CPU; false when the kernel refuses to lock so much memory.
    ///
    /// All or none: the rings share one allowance, so the first must not take what the others need, and an event
    /// has its wake-up mark, which depends on the ring's size, from the start.
    private func openWithRings(processID: Int32) throws(SamplerError) -> Bool {
        for cpu in cpus {
            let descriptor = try open(threadID: processID, cpu: cpu, processID: processID)
            do throws(SystemError) {
                rings.append(try PerfRing(event: descriptor, capacity: ringBytes))
            } catch {
                guard error.isPermissionDenied || error.code == SystemErrorCode.outOfMemory else {
                    throw .system(error)
                }
                guard ringBytes > Self.smallestRing else { throw .ringRefused(bytes: ringBytes) }
                rings = []
                events = []
                return false
            }
        }
        return true
    }

    private static func powerOfTwo(_ bytes: Int) -> Int {
        let wanted = min(max(bytes, smallestRing), 1 << 30)
        return 1 << (Int.bitWidth - 1 - wanted.leadingZeroBitCount)
    }
}

/// Which event may count for which thread.
///
/// While we attach, a thread may be created by one that is watched already: it then has an inherited event and, once
/// we see it in the list, one of its own. Only its own counts.
final class EventOwnership {
    private var threadOfEvent: [UInt64: Int32] = [:]
    private var watched: Set<Int32> = []

    func remember(identifier: UInt64, threadID: Int32) {
        threadOfEvent[identifier] = threadID
        watched.insert(threadID)
    }

    /// Ends a thread: its identifier may come again, with inherited events only.
    func forget(_ threadID: Int32) { watched.remove(threadID) }

    func counts(identifier: UInt64, threadID: Int32) -> Bool {
        // With a single watched thread, as after a start under the sampler, nothing can be watched twice.
        if watched.count <= 1 || !watched.contains(threadID) { return true }
        return threadOfEvent[identifier] == threadID
    }
}

/// The CPUs that can run something.
enum OnlineCPUs {
    /// Their numbers; one CPU where the kernel does not tell.
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
