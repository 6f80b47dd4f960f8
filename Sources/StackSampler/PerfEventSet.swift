internal import CPerfEvents
internal import LinuxSystem
internal import Measurement

/// The events that watch a process, with one ring for each CPU. Used by one thread at a time.
///
/// Where the kernel allows it, each CPU has one event that samples whatever runs there (``Scope/cpus``), and
/// `FamilyMembership` decides what of it is the target's. Such an event owes nothing to the beginning of a thread: threads
/// and processes of any length have their share of the samples.
///
/// Elsewhere there is an event for each thread known at the start and each CPU (``Scope/threads``). What the threads start
/// later is watched by events that the kernel inherits to it; such events may only write to a ring of their own CPU, hence
/// one for each. The kernel starts a whole period anew with each thread, so one that ends sooner has no sample.
///
/// In both cases inherited events count the CPU time of each thread, and leave it in a ring when the thread ends: what the
/// samples are held against.
final class PerfEventSet {
    /// What the sampling events watch.
    enum Scope {
        case cpus, threads
    }

    private(set) var scope: Scope
    private(set) var rings: [PerfRing] = []
    private(set) var ringBytes = 0
    /// Why threads are sampled one by one, where the privilege was there and the memory was not.
    private(set) var refusalOfCPUs: SamplerError?
    private(set) var includesKernelTime: Bool
    /// What of each stack comes with a sample.
    private(set) var extent: StackWindow.Extent
    /// Whether cycles are counted, and not the CPU clock; and why not, where they were asked for.
    private(set) var countsCycles = false
    private(set) var refusalOfCycles: String?
    /// Whether each sample makes its ring readable, and switches of threads are recorded.
    var wakesReaders = false
    let ownership = EventOwnership()
    /// The events that sample the threads of some processes by their own clocks, beside those of the CPUs, and wake
    /// readers; which process they began with.
    let readingOwnership = EventOwnership()
    var readingEvents: [Event] = []
    var readProcesses: Set<Int32> = []
    /// CPUs that can run something.
    let cpus: [Int32]

    private var events: [Event] = []
    /// What counts the CPU time of threads where the sampling events do not.
    private var counters: [Event] = []
    /// Why the CPU time of threads is not counted, if it is not.
    private(set) var refusalOfCounters: SamplerError?
    /// What events have counted that are closed.
    private var countOfClosed: UInt64 = 0
    /// The events whose rings are read: they stay open, stopped, when others take their place.
    private var ringOwners: [Event] = []
    private var hasBuildIDs = true
    private var startsOnExec: Bool
    private var period: UInt64

    enum Kind {
        case sampling, counter, reading
    }

    final class Event {
        let file: FileDescriptor
        init(_ descriptor: Int32) { file = FileDescriptor(owning: descriptor) }
    }

    /// The smallest ring tried: room for a few samples.
    private static let smallestRing = 128 << 10
    /// With more CPUs than this a thread's time is counted as a whole and not by CPU: an event for each CPU would make
    /// starting a thread dear. Then it is known in all, but not of each thread that has ended.
    private static let mostCPUsCounted = 16

    /// Opens the events of a process, stopped. `startsOnExec`: they start when it calls exec.
    init(
        processID: Int32, _ configuration: SamplerConfiguration, startsOnExec: Bool
    ) throws(SamplerError) {
        self.startsOnExec = startsOnExec
        includesKernelTime = configuration.includesKernelTime
        extent = StackWindow.Extent(bytes: configuration.clampedStackBytes, hasChain: false)
        period = UInt64(configuration.periodNanoseconds)
        cpus = OnlineCPUs.list()
        scope = configuration.watchesCPUs ? .cpus : .threads
        if configuration.event == .cycles { countCycles() }
        do throws(SamplerError) {
            try openWithLargestRings(processID: processID, configuration)
        } catch {
            guard scope == .cpus else { throw error }
            // Not allowed, or not possible: then by thread, which needs no privilege.
            if case .ringRefused = error { refusalOfCPUs = error }
            (scope, rings, events, counters) = (.threads, [], [], [])
            try openWithLargestRings(processID: processID, configuration)
        }
    }

    private func openWithLargestRings(
        processID: Int32, _ configuration: SamplerConfiguration
    ) throws(SamplerError) {
        let share = configuration.sharedRingBytes / max(1, cpus.count)
        ringBytes = Self.powerOfTwo(max(configuration.ringBytes, share)) * 2
        repeat {
            ringBytes /= 2
        } while try !openWithRings(processID: processID)
    }

    /// Whether the sampling events are inherited and count nanoseconds, so that they count a thread's time too.
    private var samplesCount: Bool { scope == .threads && !countsCycles }

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
        if scope == .threads {
            for (index, cpu) in cpus.enumerated() {
                let descriptor = try open(threadID: threadID, cpu: cpu, processID: processID)
                try redirect(descriptor, to: index)
            }
        }
        if !samplesCount { try addCounters(threadID: threadID, processID: processID) }
    }

    func redirect(_ descriptor: Int32, to ring: Int) throws(SamplerError) {
        let result = cperf_redirect(descriptor, rings[ring].descriptor)
        guard result == 0 else {
            throw .system(SystemError(action: "share a perf ring", code: -result))
        }
    }

    /// Counts the time of a thread and of what it starts. What cannot be counted is sampled all the same.
    private func addCounters(threadID: Int32, processID: Int32) throws(SamplerError) {
        guard refusalOfCounters == nil else { return }
        let isCountedByCPU = cpus.count <= Self.mostCPUsCounted
        do throws(SamplerError) {
            for (index, cpu) in cpus.enumerated() where isCountedByCPU || index == 0 {
                let descriptor = try open(
                    threadID: threadID, cpu: isCountedByCPU ? cpu : -1, processID: processID, kind: .counter)
                if isCountedByCPU { try redirect(descriptor, to: index) }
            }
        } catch {
            if case .noSuchProcess = error { throw error }
            refusalOfCounters = error
            counters = []
        }
    }

    /// Nanoseconds of CPU time that the target has used since the start, what has ended included; nil where that was not
    /// counted.
    func countedNanoseconds() -> Int64? {
        guard refusalOfCounters == nil else { return nil }
        return Int64(clamping: countOfClosed &+ Self.count(of: samplesCount ? events : counters))
    }

    private static func count(of events: [Event]) -> UInt64 {
        events.reduce(0) { sum, event in
            var count: UInt64 = 0
            return cperf_count(event.file.rawValue, &count) == 0 ? sum &+ count : sum
        }
    }

    /// Starts the events. Where they wait for an exec, only those of the CPUs: what does not belong to the target yet is
    /// left out by its record.
    func enable() throws(SamplerError) {
        try start(startsOnExec ? (scope == .cpus ? events : []) : events + counters)
    }

    func start(_ events: [Event]) throws(SamplerError) {
        for event in events {
            let result = cperf_enable(event.file.rawValue)
            guard result == 0 else {
                throw .system(SystemError(action: "start a perf event", code: -result))
            }
        }
    }

    /// Stops the events. One that cannot be stopped ends with its descriptor.
    func disable() {
        for event in events + counters + readingEvents { _ = cperf_disable(event.file.rawValue) }
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
            if scope == .cpus {
                for (index, cpu) in cpus.enumerated() {
                    try redirect(try open(threadID: -1, cpu: cpu, processID: root), to: index)
                }
            } else {
                try addFamily(of: root, and: others)
            }
            try start(events)
        } catch {
            (events, self.extent, startsOnExec) = (earlier, extentBefore, startedOnExec)
            ownership.dropGeneration()
            throw error
        }
        ownership.endEarlierGenerations(at: UInt64(clamping: SystemClock.monotonicNanoseconds))
        for event in earlier { _ = cperf_disable(event.file.rawValue) }
        // What is closed counts no longer; the ring's owners stay open. For a moment both have counted.
        if samplesCount { countOfClosed &+= Self.count(of: earlier) &- Self.count(of: events) }
        try changeReading()
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

    func open(
        threadID: Int32, cpu: Int32, processID: Int32, kind: Kind = .sampling
    ) throws(SamplerError) -> Int32 {
        let isCounter = kind == .counter
        while true {
            var request = cperf_request(
                pid: threadID, cpu: cpu, is_counter: isCounter ? 1 : 0, is_glimpse: 0, period: period,
                counts_cycles: countsCycles ? 1 : 0,
                stack_bytes: UInt32(extent.bytes), has_chain: extent.hasChain ? 1 : 0,
                wakeup_bytes: UInt32(min(ringBytes / 4, 512 << 10)),
                wakes_readers: wakesReaders && !isCounter && !(scope == .cpus && kind == .sampling) ? 1 : 0,
                samples_only: kind == .reading ? 1 : 0,
                enable_on_exec: startsOnExec && threadID >= 0 && kind != .reading ? 1 : 0,
                includes_kernel: includesKernelTime ? 1 : 0, build_ids: hasBuildIDs ? 1 : 0)
            let result = cperf_open(&request)
            if result >= 0 {
                let event = Event(result)
                switch kind {
                case .sampling:
                    events.append(event)
                    try remember(result, threadID: threadID, in: ownership)
                case .counter: counters.append(event)
                case .reading:
                    readingEvents.append(event)
                    try remember(result, threadID: threadID, in: readingOwnership)
                }
                return result
            }
            let failure = SystemError(action: "open a perf event", code: -result)
            if failure.isPermissionDenied && includesKernelTime && threadID >= 0 {
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

    private func remember(
        _ descriptor: Int32, threadID: Int32, in ownership: EventOwnership
    ) throws(SamplerError) {
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
        let firstThread = ProcessListing.firstRunnable(of: processID)
        for cpu in cpus {
            let descriptor = try open(
                threadID: scope == .cpus ? -1 : firstThread, cpu: cpu, processID: processID)
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
        if !samplesCount { try addCounters(threadID: firstThread, processID: processID) }
        return true
    }

    private static func powerOfTwo(_ bytes: Int) -> Int {
        let wanted = min(max(bytes, smallestRing), 1 << 30)
        return 1 << (Int.bitWidth - 1 - wanted.leadingZeroBitCount)
    }
}
