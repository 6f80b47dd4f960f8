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
    /// What of each stack comes with a sample.
    private(set) var extent: StackWindow.Extent
    /// Whether cycles are counted, and not the CPU clock; and why not, where they were asked for.
    private(set) var countsCycles = false
    private(set) var refusalOfCycles: String?
    let ownership = EventOwnership()
    /// CPUs that can run something.
    let cpus: [Int32]

    private var events: [Event] = []
    /// The events whose rings are read: they stay open, stopped, when others take their place.
    private var ringOwners: [Event] = []
    private var hasBuildIDs = true
    private var startsOnExec: Bool
    private var period: UInt64

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
        self.startsOnExec = startsOnExec
        includesKernelTime = configuration.includesKernelTime
        extent = StackWindow.Extent(bytes: configuration.clampedStackBytes, hasChain: false)
        period = UInt64(configuration.periodNanoseconds)
        cpus = OnlineCPUs.list()
        if configuration.event == .cycles { countCycles() }
        ringBytes = Self.powerOfTwo(configuration.ringBytes)
        while try !openWithRings(processID: processID) { ringBytes /= 2 }
    }

    /// Counts cycles where there is a counter: as many for a sample as a period has now.
    private func countCycles() {
        switch CycleCounter.measure() {
        case .success(let perNanosecond):
            countsCycles = true
            period = max(UInt64(perNanosecond * Double(period)), 10_000)
        case .failure(let refusal): refusalOfCycles = refusal.reason
        }
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

    /// Takes more of each stack from now on: opens events for all threads anew, and ends the earlier ones.
    ///
    /// No thread is unwatched meanwhile. On failure everything stays as it was.
    ///
    /// - Parameter others: Processes that are watched and may no longer be found among the descendants.
    func change(to extent: StackWindow.Extent, family root: Int32, and others: [Int32]) throws(SamplerError) {
        let (earlier, extentBefore, startedOnExec) = (events, self.extent, startsOnExec)
        (events, self.extent, startsOnExec) = ([], extent, false)
        ownership.beginGeneration()
        do throws(SamplerError) {
            try addFamily(of: root, and: others)
            try enable()
        } catch {
            (events, self.extent, startsOnExec) = (earlier, extentBefore, startedOnExec)
            ownership.dropGeneration()
            throw error
        }
        ownership.endEarlierGenerations(at: UInt64(clamping: SystemClock.monotonicNanoseconds))
        for event in earlier { _ = cperf_disable(event.file.rawValue) }
    }

    /// Watches all threads of a process and its descendants, looked for again until no further ones appear. Returns the
    /// processes.
    @discardableResult
    func addFamily(
        of root: Int32, and others: [Int32] = [], watchedAlready: Set<Int32> = []
    ) throws(SamplerError) -> [Int32] {
        // A descriptor for each thread and CPU is soon more than the thousand that are allowed at first.
        OpenFileLimit.raise()
        var seen = watchedAlready
        var processes: [Int32] = []
        var isComplete = false
        while !isComplete {
            isComplete = true
            for processID in ProcessListing.family(of: root) + others {
                if !processes.contains(processID) { processes.append(processID) }
                for threadID in ProcessListing.threads(of: processID) where seen.insert(threadID).inserted {
                    isComplete = false
                    do throws(SamplerError) {
                        try add(threadID: threadID, processID: processID)
                    } catch .noSuchProcess {
                        // It ended between the list and now (P12).
                    }
                }
            }
        }
        return processes
    }

    private func open(threadID: Int32, cpu: Int32, processID: Int32) throws(SamplerError) -> Int32 {
        while true {
            var request = cperf_request(
                pid: threadID, cpu: cpu, period: period, counts_cycles: countsCycles ? 1 : 0,
                stack_bytes: UInt32(extent.bytes), has_chain: extent.hasChain ? 1 : 0,
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
        ringOwners = events
        return true
    }

    private static func powerOfTwo(_ bytes: Int) -> Int {
        let wanted = min(max(bytes, smallestRing), 1 << 30)
        return 1 << (Int.bitWidth - 1 - wanted.leadingZeroBitCount)
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
