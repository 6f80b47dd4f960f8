internal import LinuxSystem

/// Samples of running threads without a stop.
extension PtraceLoop {
    /// Looks at a thread that runs, by a perf event: what is seen is taken in as soon as it has run on.
    ///
    /// - Parameter period: The CPU time after which it is looked at, in nanoseconds.
    func begin(
        _ thread: WatchedThread, of member: WatchedFamily.Member,
        after period: UInt64 = RunningGlimpse.soonest
    ) {
        guard thread.glimpse == nil else { return }
        do throws(SystemError) {
            thread.glimpse = try RunningGlimpse(
                threadID: thread.threadID, stackBytes: member.stackBytes, includesKernel: perfIncludesKernel,
                period: period)
            glimpsed.append(thread)
        } catch {
            if error.isNotFound || error.code == SystemErrorCode.noSuchProcess { return noteEnd(thread) }
            // Too many at once: the next moment is as good.
            guard glimpsed.isEmpty else { return }
            if error.isPermissionDenied, perfIncludesKernel {
                perfIncludesKernel = false
                return begin(thread, of: member, after: period)
            }
            usesPerfEvents = false
            recorder.health.note(
                "Running threads are stopped for their samples, which may interrupt a system call that they are about to "
                    + "make: perf events cannot be used (\(error.reason)).")
        }
    }

    /// Takes in what has been seen of running threads.
    func collectGlimpses() {
        guard !glimpsed.isEmpty else { return }
        glimpsed = glimpsed.filter { thread in
            guard let glimpse = thread.glimpse, let member = family.processes[thread.processID],
                member.threads[thread.threadID] === thread
            else {
                thread.glimpse = nil
                return false
            }
            guard let sample = glimpse.sample() else { return true }
            take(sample, thread, of: member)
            thread.glimpse = nil
            return false
        }
    }

    private func take(_ sample: PerfSample, _ thread: WatchedThread, of member: WatchedFamily.Member) {
        account.glimpses += 1
        guard thread.due > 0 else { return }
        guard let registers = sample.registers else {
            recorder.health.received += 1
            recorder.health.withoutStack += 1
            if sample.is32Bit { recorder.health.in32BitMode += 1 }
            guard recorder.hasRoom() else { return }
            recorder.record(
                sample.is32Bit ? .in32BitMode : .inKernel, threadID: thread.threadID,
                of: recorder.processes.process(member.processID), at: Int64(clamping: sample.time),
                weight: thread.due)
            settle(thread)
            return
        }
        // More of its stack at the next moment, where this was not enough.
        _ = record(
            SampleRecorder.Moment(
                threadID: thread.threadID, monotonicNanoseconds: Int64(clamping: sample.time),
                registers: registers, stack: sample.stack, isStackCut: sample.isStackCut),
            thread, of: member, state: RawProfile.runningState, python: thread.python)
    }
}
