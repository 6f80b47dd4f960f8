internal import CPtrace
internal import LinuxProcess
internal import LinuxSystem
internal import Measurement

/// Samples by the wall clock until asked to stop. Used by one thread at a time, and run by one thread only: ptrace
/// knows tracers by thread.
final class PtraceLoop: SamplingLoop {
    /// CPU time used so far.
    var cpu = Duration.zero

    let configuration: WallClockConfiguration
    let recorder: SampleRecorder
    let python = PythonAtRest()
    let buffer: UnsafeMutableRawBufferPointer
    var family: WatchedFamily
    /// CPU time by the kernel's clocks, where samples stand for CPU time.
    var clocks: FamilyClocks?
    var pending: [WatchedThread] = []
    var sweep: ThreadSweep
    /// Threads of which a glimpse is due.
    var glimpsed: [WatchedThread] = []
    var usesPerfEvents: Bool
    var perfIncludesKernel = true
    var account = StopAccount()
    /// Threads that were waited for in this turn, to read their Python frames.
    var urgentLooks = 0

    /// What a thread may be stopped for before its budget counts: its first samples.
    private static let freeNanoseconds = 500_000.0
    /// How often mappings and names of a process are read anew.
    static let refreshInterval: Int64 = 500_000_000
    /// Mappings are read again after so many times what reading them took at least: thousands of threads have thousands.
    static let refreshShare: Int64 = 20
    private static let longestNap: Int64 = 50_000_000
    static let pendingNap: Int64 = 200_000
    /// How often it is looked whether a running thread has been seen.
    private static let glimpseNap: Int64 = 1_000_000
    static let longestFinish: Int64 = 1_000_000_000

    /// - Parameter isRunning: Whether the root's program runs already.
    init(
        root: Int32, isRunning: Bool, _ configuration: WallClockConfiguration, _ health: SamplerHealth
    ) {
        self.configuration = configuration
        usesPerfEvents = configuration.usesPerfEvents
        recorder = SampleRecorder(configuration.limits, health: health)
        family = WatchedFamily(root: root)
        clocks =
            configuration.samplesRunningOnly
            ? FamilyClocks(
                root: root, periodNanoseconds: configuration.periodNanoseconds, isRunning: isRunning) : nil
        sweep = ThreadSweep(periodNanoseconds: configuration.periodNanoseconds)
        buffer = .allocate(byteCount: configuration.clampedMaximumStackBytes, alignment: 16)
        if isRunning { for processID in ProcessListing.family(of: root) { python.seed(processID) } }
    }

    deinit { buffer.deallocate() }

    func run(until stopDescriptor: Int32) {
        let before = SystemClock.threadCPU
        cptrace_prefer_latency()
        var next = SystemClock.monotonicNanoseconds
        while !isReadable(stopDescriptor) {
            resumePending()
            collectGlimpses()
            let now = SystemClock.monotonicNanoseconds
            guard now >= next else {
                let calm = glimpsed.isEmpty ? Self.longestNap : Self.glimpseNap
                let nap = pending.isEmpty ? calm : Self.pendingNap
                SystemClock.sleep(untilMonotonicNanoseconds: min(next, now + nap))
                continue
            }
            // An absolute schedule: a sampler that is late does not sample less, it samples for more.
            var moments: Int32 = 0
            while next <= now {
                next += gap()
                moments &+= 1
            }
            account.late += Int(moments) - 1
            takeTurn(moments, now)
        }
        finish()
        closeAccount()
        recorder.health.lost += family.processes.values.reduce(0) { $0 + $1.dueMoments }
        recorder.health.stops = account
        cpu += SystemClock.threadCPU - before
    }

    func profile() -> RawProfile {
        for sentence in python.refusals { recorder.health.note(sentence) }
        return recorder.profile(periodNanoseconds: configuration.periodNanoseconds, samplerCPU: cpu)
    }

    /// Exponentially distributed, so that the moments are a Poisson process and beat with nothing (aliasing).
    private func gap() -> Int64 {
        let mean = Double(configuration.periodNanoseconds)
        return Int64(min(-Logarithm.natural(Double.random(in: 1e-9..<1)) * mean, 20 * mean)) + 1
    }

    private func isReadable(_ descriptor: Int32) -> Bool {
        do throws(SystemError) {
            return try FileDescriptor.waitUntilReadable([descriptor], timeout: .zero)[0]
        } catch {
            recorder.health.note(error.description)
            return true
        }
    }

    private func takeTurn(_ moments: Int32, _ now: Int64) {
        let change = family.update(now: now, stackBytes: configuration.clampedStackBytes)
        for processID in change.processes {
            recorder.processes.remove(processID)
            python.forget(processID)
        }
        for processID in python.look(at: now) {
            // The samples of threads that rest have no Python functions yet, and would be counted on and on.
            for thread in family.processes[processID]?.threads.values ?? [:].values { thread.forgetRest() }
        }
        if change.isSearched { clocks?.look(family.processes.keys, at: now) }
        urgentLooks = 0
        recorder.health.lost += change.moments
        if change.areThreadsChanged { sweep.update(family.threads) }
        sweep.add(moments, toResting: !configuration.samplesRunningOnly)
        for thread in sweep.working { visit(thread) }
        let end = SystemClock.monotonicNanoseconds + sweep.budget
        var start: Int?
        while let thread = sweep.nextResting(since: &start) {
            visit(thread)
            if SystemClock.monotonicNanoseconds >= end { break }
        }
    }

    func visit(_ thread: WatchedThread) {
        if !thread.isPending, let member = family.processes[thread.processID] { sample(thread, of: member) }
        // Not after the turn: with many threads that would be long for one that stands still.
        resumePending()
    }

    /// Samples one thread, stopping it only when it has run (P16).
    private func sample(_ thread: WatchedThread, of member: WatchedFamily.Member) {
        var schedule = cptrace_schedule()
        // A kernel without scheduling statistics reports nothing, and then every sample is a stop.
        let isKnown = cptrace_read_schedule(thread.processID, thread.threadID, &schedule) == 0
        if isKnown, thread.rests(schedule) {
            thread.restedLooks &+= 1
            return configuration.samplesRunningOnly ? skip(thread) : count(thread, of: member)
        }
        // Whether it waited or worked at the moments before is not known.
        if configuration.samplesRunningOnly, thread.isResting { thread.due = max(thread.due, 1) }
        thread.restedLooks = 0
        var look = cptrace_look()
        // It ended between the list and now (P12).
        guard cptrace_read_look(thread.processID, thread.threadID, &look) == 0 else { return }
        followExec(look, member)
        switch look.state {
        case Self.letter("Z"), Self.letter("X"):
            noteEnd(thread)
        case Self.letter("D"), Self.letter("T"), Self.letter("t"):
            sampleFromOutside(thread, of: member, look, schedule)
        case _ where look.is_blocked != 0:
            // A stop would interrupt its system call, which not every program takes well.
            sampleFromOutside(thread, of: member, look, schedule)
        case Self.letter("S"), Self.letter("I"):
            // Between two states: its turn comes at the next moment.
            return
        default:
            // A stack that no perf record can hold takes a stop.
            if usesPerfEvents, member.stackBytes <= RunningGlimpse.mostStackBytes {
                return glance(at: thread, of: member)
            }
            if isKnown, thread.hasReturned(look, schedule) { return count(thread, of: member) }
            let elapsed = SystemClock.monotonicNanoseconds - thread.firstSeen
            let allowed = Double(elapsed) * configuration.clampedBudget + Self.freeNanoseconds
            guard Double(thread.stopped) < allowed else {
                account.deferredByBudget += 1
                return
            }
            copy(thread, of: member)
        }
    }

    /// Counts nothing for a thread that waits, where only those that run are sampled.
    func skip(_ thread: WatchedThread) { thread.due = 0 }

    /// Counts the last sample of a thread that has not moved since.
    private func count(_ thread: WatchedThread, of member: WatchedFamily.Member) {
        guard let last = thread.lastSample else { return }
        let process = recorder.processes.process(member.processID)
        // It may have been caught before it was given its name, and stand still ever since.
        refreshName(of: thread, in: process)
        refresh(process, member, interval: Self.refreshInterval)
        account.spared += 1
        recorder.health.received += 1
        thread.lastSample = recorder.repeatSample(
            last, ofThread: thread.threadID, of: process, at: SystemClock.monotonicNanoseconds,
            weight: thread.due)
        settle(thread)
    }

    /// Counts what no sample will stand for of a thread that has ended, once: its entry may stay for long.
    func noteEnd(_ thread: WatchedThread) {
        if !thread.hasEnded { recorder.health.lost += Int(thread.due) }
        thread.hasEnded = true
        thread.due = 0
    }

    static func letter(_ scalar: Unicode.Scalar) -> CChar { CChar(truncatingIfNeeded: scalar.value) }

    /// Forgets the old program's memory when another one runs in the process. Returns whether it does.
    @discardableResult
    private func followExec(_ look: cptrace_look, _ member: WatchedFamily.Member) -> Bool {
        guard look.start_code != 0, look.start_stack != 0 else { return false }
        defer { member.program = (look.start_code, look.start_stack) }
        guard let program = member.program, program != (look.start_code, look.start_stack) else {
            return false
        }
        recorder.processes.remove(member.processID)
        python.forget(member.processID)
        member.lastRefresh = 0
        return true
    }

    /// Whether an exec came between the last look and the stop.
    func hasOtherProgram(_ thread: WatchedThread, _ member: WatchedFamily.Member) -> Bool {
        var look = cptrace_look()
        return cptrace_read_look(thread.processID, thread.threadID, &look) == 0 && followExec(look, member)
    }
}
