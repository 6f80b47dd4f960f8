internal import CLibunwind
internal import CPtrace
internal import LinuxSystem
internal import Measurement

/// Samples of threads that wait, without a stop.
extension PtraceLoop {
    /// Samples a thread that cannot or must not be stopped by what `/proc` reports: its stack pointer and program
    /// counter, and the arguments of its system call. It stands still, so its stack can be read all the same; callers
    /// whose frame lies in another register are not found (P8, P9).
    func sampleFromOutside(
        _ thread: WatchedThread, of member: WatchedFamily.Member, _ look: cptrace_look,
        _ schedule: cptrace_schedule
    ) {
        var moment = cptrace_moment()
        let capacity = min(member.stackBytes, buffer.count)
        guard let bytes = buffer.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return }
        let count = cptrace_read_memory(thread.processID, look.stack_pointer, bytes, capacity)
        let read = python.read(thread)
        var after = cptrace_schedule()
        let result = cptrace_read_schedule(thread.processID, thread.threadID, &after)
        // It has moved on meanwhile: it will have another turn.
        guard result != 0 || after.turns == schedule.turns else { return }
        thread.glimpse = nil
        account.fromOutside += 1
        if configuration.samplesRunningOnly {
            if result == 0 { thread.rest(at: after) }
            return skip(thread)
        }
        moment.setRegisters(look)
        let wantsMore = moment.withRegisters { registers, _, _ in
            record(
                SampleRecorder.Moment(
                    threadID: thread.threadID, monotonicNanoseconds: SystemClock.monotonicNanoseconds,
                    registers: registers,
                    known: look.system_call >= 0
                        ? cunwind_known_position_and_arguments : cunwind_known_position,
                    stack: UnsafeRawBufferPointer(rebasing: buffer[..<(look.is_blocked != 0 ? count : 0)]),
                    isStackCut: count == capacity),
                thread, of: member, state: Self.state(look, of: thread),
                // Without an account of turns nothing shows that it has stood still.
                python: result == 0 ? read : python.unproven(thread))
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
            // In no system call, but in a page fault, for instance: the kernel's own function shows what.
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
}
