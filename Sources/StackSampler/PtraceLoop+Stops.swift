internal import CPtrace
internal import LinuxSystem
internal import Measurement

/// Stops of running threads.
extension PtraceLoop {
    private func target(_ thread: WatchedThread, stackBytes: Int) -> cptrace_target? {
        guard let base = buffer.baseAddress else { return nil }
        let isFirst = thread.threadID == thread.processID
        return cptrace_target(
            pid: thread.processID, tid: thread.threadID,
            is_own_child: isFirst && family.processes[thread.processID]?.isOwnChild ?? false ? 1 : 0,
            patience_nanoseconds: UInt64(max(0, configuration.patience.inNanoseconds)),
            last_seen_running: thread.pendingSince ?? 0,
            buffer: base.assumingMemoryBound(to: UInt8.self), buffer_bytes: min(stackBytes, buffer.count),
            while_stopped: nil, context: nil)
    }

    /// Stops and copies a thread, again with a larger window while its stack turns out to be deeper.
    func copy(_ thread: WatchedThread, of member: WatchedFamily.Member) {
        while true {
            guard var target = target(thread, stackBytes: member.stackBytes) else { return }
            var moment = cptrace_moment()
            readingPython(of: thread, &target) { cptrace_copy(&$0, &moment) }
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
        return moment.withRegisters { registers, stackPointer, programCounter in
            let found = thread.note(moment, stackPointer: stackPointer, programCounter: programCounter)
            return record(
                SampleRecorder.Moment(
                    threadID: thread.threadID, monotonicNanoseconds: moment.time, registers: registers,
                    stack: UnsafeRawBufferPointer(rebasing: buffer[..<moment.stack_bytes]),
                    redZoneBytes: moment.red_zone_bytes, isStackCut: isFullWindow),
                thread, of: member, state: moment.is_group_stop != 0 ? "stopped" : found,
                python: thread.python)
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
            noteEnd(thread)
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
    func resumePending(patience: Int64 = 0) {
        guard !pending.isEmpty else { return }
        pending = pending.filter { thread in
            let member = family.processes[thread.processID]
            guard var target = target(thread, stackBytes: member?.stackBytes ?? 0) else { return false }
            target.patience_nanoseconds = UInt64(patience)
            var moment = cptrace_moment()
            readingPython(of: thread, &target) { cptrace_resume_attempt(&$0, &moment) }
            if moment.outcome == cptrace_pending {
                thread.pendingSince = moment.time
                // The end of a child of ours is for others to collect, so the kernel does not report it to us.
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

    /// Sees to it that nothing is left seized (P6), and counts the moments that no look has counted yet. What does not stop in
    /// time is let go by the kernel when this thread ends.
    func finish() {
        let begin = SystemClock.monotonicNanoseconds
        let deadline = begin + Self.longestFinish
        // They may stand still, so they go first.
        resumeAllPending(until: deadline)
        var start: Int?
        while SystemClock.monotonicNanoseconds < begin + Self.longestFinish / 2,
            let thread = sweep.nextResting(since: &start)
        {
            if thread.due > 0 { visit(thread) }
        }
        resumeAllPending(until: deadline)
    }

    private func resumeAllPending(until deadline: Int64) {
        while !pending.isEmpty, SystemClock.monotonicNanoseconds < deadline {
            resumePending(patience: Self.pendingNap)
        }
    }
}
