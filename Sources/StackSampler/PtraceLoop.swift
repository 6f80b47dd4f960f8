internal import CPtrace
internal import LinuxProcess
internal import LinuxSystem
internal import Measurement

/// Samples by the wall clock until told to stop. Used by one thread at a time, and run by one thread only: ptrace
/// knows tracers by thread.
final class PtraceLoop: SamplingLoop {
    /// CPU time used so far.
    var cpu = Duration.zero

    private let configuration: WallClockConfiguration
    let recorder: SampleRecorder
    private let buffer: UnsafeMutableRawBufferPointer
    var family: WatchedFamily
    private var pending: [WatchedThread] = []
    /// Threads of which a glimpse is due.
    var glimpsed: [WatchedThread] = []
    var usesPerfEvents: Bool
    var perfIncludesKernel = true
    var account = StopAccount()

    /// What a thread may be stopped for before its budget counts: its first samples.
    private static let freeNanoseconds = 500_000.0
    /// How often mappings and names of a process are read anew.
    private static let refreshInterval: Int64 = 500_000_000
    private static let longestNap: Int64 = 50_000_000
    private static let pendingNap: Int64 = 200_000
    /// How often it is looked whether a running thread has been seen.
    private static let glimpseNap: Int64 = 1_000_000
    private static let farewell: Int64 = 1_000_000_000

    init(root: Int32, _ configuration: WallClockConfiguration, _ health: SamplerHealth) {
        self.configuration = configuration
        usesPerfEvents = configuration.usesPerfEvents
        recorder = SampleRecorder(configuration.limits, health: health)
        family = WatchedFamily(root: root)
        buffer = .allocate(byteCount: configuration.clampedMaximumStackBytes, alignment: 16)
    }

    deinit { buffer.deallocate() }

    func run(until stopDescriptor: Int32) {
        let before = SystemClock.threadCPU
        cptrace_prefer_latency()
        var next = SystemClock.monotonicNanoseconds
        while !isReadable(stopDescriptor) {
            attendPending()
            attendGlimpses()
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
        takeLeave()
        recorder.health.lost += family.processes.values.reduce(0) { $0 + $1.dueMoments }
        recorder.health.stops = account
        cpu += SystemClock.threadCPU - before
    }

    func profile() -> RawProfile {
        recorder.profile(periodNanoseconds: configuration.periodNanoseconds, samplerCPU: cpu)
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
        let ended = family.update(now: now, stackBytes: configuration.clampedStackBytes)
        for processID in ended.processes { recorder.processes.remove(processID) }
        recorder.health.lost += ended.moments
        for member in family.processes.values {
            for thread in member.threads.values {
                thread.due = Int32(clamping: Int64(thread.due) + Int64(moments))
                if !thread.isPending { sample(thread, of: member) }
                // Not after the turn: with many threads that would be long for one that stands still.
                attendPending()
            }
        }
    }

    /// Samples one thread, stopping it only when it has run (P16).
    private func sample(_ thread: WatchedThread, of member: WatchedFamily.Member) {
        var schedule = cptrace_schedule()
        // A kernel without scheduling statistics tells nothing, and then every sample is a stop.
        let isKnown = cptrace_read_schedule(thread.processID, thread.threadID, &schedule) == 0
        if isKnown, thread.rests(schedule) { return count(thread, of: member) }
        var look = cptrace_look()
        // It ended between the list and now (P12).
        guard cptrace_read_look(thread.processID, thread.threadID, &look) == 0 else { return }
        followExec(look, member)
        switch look.state {
        case Self.letter("Z"), Self.letter("X"):
            bury(thread)
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

    /// Counts the last sample of a thread that has not moved since.
    private func count(_ thread: WatchedThread, of member: WatchedFamily.Member) {
        guard let last = thread.lastSample else { return }
        let process = recorder.processes.process(member.processID)
        // It may have been caught before it was given its name, and stand still ever since.
        refresh(process, member, interval: Self.refreshInterval)
        account.spared += 1
        recorder.health.received += 1
        thread.lastSample = recorder.repeatSample(
            last, ofThread: thread.threadID, of: process, at: SystemClock.monotonicNanoseconds,
            weight: thread.due)
        thread.due = 0
    }

    /// Counts what no sample will stand for of a thread that has ended, once: its entry may stay for long.
    func bury(_ thread: WatchedThread) {
        if !thread.hasEnded { recorder.health.lost += Int(thread.due) }
        thread.hasEnded = true
        thread.due = 0
    }

    private static func letter(_ scalar: Unicode.Scalar) -> CChar { CChar(truncatingIfNeeded: scalar.value) }

    /// Forgets the old program's memory when another one runs in the process. Returns whether it does.
    @discardableResult
    private func followExec(_ look: cptrace_look, _ member: WatchedFamily.Member) -> Bool {
        guard look.start_code != 0, look.start_stack != 0 else { return false }
        defer { member.program = (look.start_code, look.start_stack) }
        guard let program = member.program, program != (look.start_code, look.start_stack) else {
            return false
        }
        recorder.processes.remove(member.processID)
        return true
    }

    /// Whether an exec came between the last look and the stop.
    private func hasOtherProgram(_ thread: WatchedThread, _ member: WatchedFamily.Member) -> Bool {
        var look = cptrace_look()
        return cptrace_read_look(thread.processID, thread.threadID, &look) == 0 && followExec(look, member)
    }
}

// MARK: - Stops

extension PtraceLoop {
    private func target(_ thread: WatchedThread, stackBytes: Int) -> cptrace_target? {
        guard let base = buffer.baseAddress else { return nil }
        let isFirst = thread.threadID == thread.processID
        return cptrace_target(
            pid: thread.processID, tid: thread.threadID,
            is_own_child: isFirst && family.processes[thread.processID]?.isOwnChild ?? false ? 1 : 0,
            patience_nanoseconds: UInt64(max(0, configuration.patience.inNanoseconds)),
            last_seen_running: thread.pendingSince ?? 0,
            buffer: base.assumingMemoryBound(to: UInt8.self), buffer_bytes: min(stackBytes, buffer.count))
    }

    /// Stops and copies a thread, again with a larger window while its stack turns out to be deeper.
    private func copy(_ thread: WatchedThread, of member: WatchedFamily.Member) {
        while true {
            guard var target = target(thread, stackBytes: member.stackBytes) else { return }
            var moment = cptrace_moment()
            cptrace_copy(&target, &moment)
            guard moment.outcome == cptrace_copied else { return noteFailure(moment, thread) }
            guard take(moment, thread, of: member) else { return }
        }
    }

    /// Takes in a copied moment. Returns whether it is worth copying again, with a larger window.
    private func take(
        _ moment: cptrace_moment, _ thread: WatchedThread, of member: WatchedFamily.Member
    ) -> Bool {
        let stopped = Int64(clamping: moment.stopped_nanoseconds)
        thread.stopped += stopped
        account.count += 1
        account.total += Duration(nanosecondCount: stopped)
        account.longest = max(account.longest, Duration(nanosecondCount: stopped))
        if moment.signal != 0 { account.signalsPassedOn += 1 }
        if moment.system_call >= 0, moment.system_call_result == -4 { account.interruptedCalls += 1 }
        let isFullWindow = moment.stack_bytes >= min(member.stackBytes, buffer.count)
        return withRegisters(moment) { registers, stackPointer, programCounter in
            let found = thread.note(moment, stackPointer: stackPointer, programCounter: programCounter)
            return record(
                SampleRecorder.Moment(
                    threadID: thread.threadID, monotonicNanoseconds: moment.time, registers: registers,
                    stack: UnsafeRawBufferPointer(rebasing: buffer[..<moment.stack_bytes]),
                    redZoneBytes: moment.red_zone_bytes, isStackCut: isFullWindow),
                thread, of: member, state: moment.is_group_stop != 0 ? "stopped" : found)
        }
    }

    /// Unwinds and keeps a moment. Returns whether it was cut short by the window, which is then larger.
    func record(
        _ moment: SampleRecorder.Moment, _ thread: WatchedThread, of member: WatchedFamily.Member,
        state: String
    ) -> Bool {
        recorder.health.received += 1
        guard recorder.hasRoom() else { return false }
        var process = recorder.processes.process(member.processID)
        refresh(process, member, interval: Self.refreshInterval)
        guard var walk = recorder.walk(moment, of: process) else { return false }
        if walk.isFailed, hasOtherProgram(thread, member) {
            process = recorder.processes.process(member.processID)
            walk = recorder.walk(moment, of: process) ?? walk
        } else if walk.isFailed, refreshHurriedly(process, member) {
            // Code that was mapped since the mappings were read.
            walk = recorder.walk(moment, of: process) ?? walk
        }
        if walk.wantsMoreStack, member.stackBytes < buffer.count {
            let most = RunningGlimpse.mostStackBytes
            let next = usesPerfEvents && member.stackBytes < most ? most : member.stackBytes * 4
            member.stackBytes = min(next, buffer.count)
            recorder.health.stackBytes = max(recorder.health.stackBytes, member.stackBytes)
            recorder.health.received -= 1
            return true
        }
        thread.lastSample = recorder.record(walk, moment, of: process, state: state, weight: thread.due)
        thread.due = 0
        return false
    }

    /// Reads mappings anew because a stack could not be unwound: at once while that helps, as when a program is being
    /// loaded, ever more rarely while it does not.
    private func refreshHurriedly(_ process: TargetProcess, _ member: WatchedFamily.Member) -> Bool {
        let before = member.lastRefresh
        let hasChanged = refresh(process, member, interval: member.hurry)
        if member.lastRefresh != before { member.noteHurry(hasHelped: hasChanged) }
        return hasChanged
    }

    /// Reads mappings and names anew when they are older than an interval. Returns whether the mappings have changed.
    @discardableResult
    private func refresh(_ process: TargetProcess, _ member: WatchedFamily.Member, interval: Int64) -> Bool {
        let now = SystemClock.monotonicNanoseconds
        guard now - member.lastRefresh >= interval else { return false }
        member.lastRefresh = now
        recorder.processes.refreshNames(of: process)
        return recorder.processes.refreshModules(of: process)
    }

    /// Samples a thread that cannot or must not be stopped by what `/proc` tells: its stack pointer and program
    /// counter. It stands still, so its stack can be read all the same; callers whose frame lies in another register
    /// are not found (P8, P9).
    private func sampleFromOutside(
        _ thread: WatchedThread, of member: WatchedFamily.Member, _ look: cptrace_look,
        _ schedule: cptrace_schedule
    ) {
        var moment = cptrace_moment()
        let capacity = min(member.stackBytes, buffer.count)
        guard let bytes = buffer.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return }
        let count = cptrace_read_memory(thread.processID, look.stack_pointer, bytes, capacity)
        var after = cptrace_schedule()
        let result = cptrace_read_schedule(thread.processID, thread.threadID, &after)
        // It has moved on meanwhile: it will have another turn.
        guard result != 0 || after.turns == schedule.turns else { return }
        thread.glimpse = nil
        account.fromOutside += 1
        if configuration.samplesRunningOnly {
            thread.due = 0
            return
        }
        setRegisters(&moment, stackPointer: look.stack_pointer, programCounter: look.program_counter)
        let wantsMore = withRegisters(moment) { registers, _, _ in
            record(
                SampleRecorder.Moment(
                    threadID: thread.threadID, monotonicNanoseconds: SystemClock.monotonicNanoseconds,
                    registers: registers, knowsPositionOnly: true,
                    stack: UnsafeRawBufferPointer(rebasing: buffer[..<(look.is_blocked != 0 ? count : 0)]),
                    isStackCut: count == capacity),
                thread, of: member, state: Self.state(look, of: thread))
        }
        // It stands still: the next moment copies more of it.
        if result == 0, !wantsMore { thread.rest(at: after) }
    }

    private static func state(_ look: cptrace_look, of thread: WatchedThread) -> String {
        switch look.state {
        case letter("T"): return "stopped"
        case letter("t"): return "traced by another process"
        case letter("S"), letter("I"), letter("R"):
            return look.system_call >= 0
                ? "blocked: " + WatchedThread.name(ofCall: look.system_call) : "blocked"
        default:
            if look.system_call >= 0 {
                return "uninterruptible: " + WatchedThread.name(ofCall: look.system_call)
            }
            // In no system call, but in a page fault, for instance: the kernel's own function tells.
            let channel = waitChannel(of: thread)
            return channel.isEmpty ? "uninterruptible" : "uninterruptible: in " + channel
        }
    }

    private static func waitChannel(of thread: WatchedThread) -> String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { buffer in
            guard let base = buffer.baseAddress else { return "" }
            cptrace_read_wait_channel(thread.processID, thread.threadID, base, buffer.count)
            return PlainText.sanitized(String(cString: base))
        }
    }

    private func noteFailure(_ moment: cptrace_moment, _ thread: WatchedThread) {
        switch moment.outcome {
        case cptrace_pending:
            account.slow += 1
            thread.pendingSince = moment.time
            pending.append(thread)
        case cptrace_refused:
            account.refused += 1
            let failure = SystemError(
                action: "stop threads of process \(thread.processID)", code: moment.error)
            recorder.health.note(refusal(failure, thread))
        default:
            bury(thread)
        }
    }

    private func refusal(_ failure: SystemError, _ thread: WatchedThread) -> String {
        do throws(SamplerError) {
            try PtraceAccess.check(thread.processID)
            return failure.description
        } catch {
            return error.description
        }
    }

    /// Looks after threads that were slow to stop. Between two looks they may stand still: so they go first.
    private func attendPending(patience: Int64 = 0) {
        guard !pending.isEmpty else { return }
        pending = pending.filter { thread in
            let member = family.processes[thread.processID]
            guard var target = target(thread, stackBytes: member?.stackBytes ?? 0) else { return false }
            target.patience_nanoseconds = UInt64(patience)
            var moment = cptrace_moment()
            cptrace_resume_attempt(&target, &moment)
            if moment.outcome == cptrace_pending {
                thread.pendingSince = moment.time
                // The end of a child of ours is for others to collect, so the kernel does not tell us of it.
                return target.is_own_child == 0 || !hasEnded(thread)
            }
            thread.pendingSince = nil
            if moment.outcome == cptrace_copied, let member {
                _ = take(moment, thread, of: member)
            } else if moment.outcome == cptrace_refused {
                noteFailure(moment, thread)
            }
            return false
        }
    }

    private func hasEnded(_ thread: WatchedThread) -> Bool {
        var look = cptrace_look()
        guard cptrace_read_look(thread.processID, thread.threadID, &look) == 0 else { return true }
        return look.state == Self.letter("Z") || look.state == Self.letter("X")
    }

    /// Sees to it that nothing is left seized (P6). What does not stop in time is let go by the kernel when this
    /// thread ends.
    private func takeLeave() {
        let deadline = SystemClock.monotonicNanoseconds + Self.farewell
        while !pending.isEmpty, SystemClock.monotonicNanoseconds < deadline {
            attendPending(patience: Self.pendingNap)
        }
    }
}

/// Lends a moment's registers in the kernel's order, with its stack pointer and program counter.
private func withRegisters<Result>(
    _ moment: cptrace_moment, _ body: (UnsafeRawPointer, UInt64, UInt64) -> Result
) -> Result {
    withUnsafeBytes(of: moment.registers) { bytes in
        // A tuple of seventeen or more words is never empty.
        guard let base = bytes.baseAddress else { preconditionFailure("registers without memory") }
        let words = bytes.assumingMemoryBound(to: UInt64.self)
        return body(base, words[registerPlaces.stackPointer], words[registerPlaces.programCounter])
    }
}

private func setRegisters(_ moment: inout cptrace_moment, stackPointer: UInt64, programCounter: UInt64) {
    withUnsafeMutableBytes(of: &moment.registers) { bytes in
        let words = bytes.assumingMemoryBound(to: UInt64.self)
        words[registerPlaces.stackPointer] = stackPointer
        words[registerPlaces.programCounter] = programCounter
    }
}

#if arch(arm64)
    private let registerPlaces = (stackPointer: 31, programCounter: 32)
#else
    private let registerPlaces = (stackPointer: 7, programCounter: 8)
#endif
