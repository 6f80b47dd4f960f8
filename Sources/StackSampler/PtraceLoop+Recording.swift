internal import LinuxProcess
internal import LinuxSystem

/// What is made of a moment of a thread: unwound, and kept.
extension PtraceLoop {
    /// Unwinds and keeps a moment. Returns whether it was cut short by the window, which is then larger.
    func record(
        _ moment: SampleRecorder.Moment, _ thread: WatchedThread, of member: WatchedFamily.Member,
        state: String, python: PythonFinding
    ) -> Bool {
        recorder.health.received += 1
        guard recorder.hasRoom() else { return false }
        var process = recorder.processes.process(member.processID)
        refreshName(of: thread, in: process)
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
        thread.lastSample = recorder.record(
            walk, moment, of: process, state: state, weight: thread.due, python: python)
        settle(thread)
        return false
    }

    /// The moments that were due of a thread have their sample.
    func settle(_ thread: WatchedThread) {
        clocks?.sample(thread.processID, weight: thread.due)
        thread.due = 0
    }

    /// Holds CPU time by samples against the kernel's clocks, and shows what is missing.
    func closeAccount() {
        guard let outcome = clocks?.close(at: SystemClock.monotonicNanoseconds) else { return }
        recorder.take(outcome, periodNanoseconds: configuration.periodNanoseconds)
    }

    /// Reads mappings anew because a stack could not be unwound: at once while that helps, as when a program is being
    /// loaded, ever more rarely while it does not.
    private func refreshHurriedly(_ process: TargetProcess, _ member: WatchedFamily.Member) -> Bool {
        let before = member.lastRefresh
        let hasChanged = refresh(process, member, interval: member.hurry)
        if member.lastRefresh != before { member.noteHurry(hasHelped: hasChanged) }
        return hasChanged
    }

    /// Reads mappings anew when they are older than an interval. Returns whether they have changed.
    @discardableResult
    func refresh(_ process: TargetProcess, _ member: WatchedFamily.Member, interval: Int64) -> Bool {
        let begin = SystemClock.monotonicNanoseconds
        guard begin - member.lastRefresh >= max(interval, member.refreshCost * Self.refreshShare) else {
            return false
        }
        defer {
            member.lastRefresh = SystemClock.monotonicNanoseconds
            member.refreshCost = member.lastRefresh - begin
        }
        let hasChanged = recorder.processes.refreshModules(of: process)
        if !python.isPython(process.processID) {
            for module in process.modules.modules {
                guard let index = module.imageIndex else { continue }
                python.mapped(recorder.processes.images.images[index].path, by: process.processID)
            }
        }
        return hasChanged
    }

    /// Reads anew what a thread is called, when that was read a while ago.
    func refreshName(of thread: WatchedThread, in process: TargetProcess) {
        let now = SystemClock.monotonicNanoseconds
        guard now - thread.lastNamed >= Self.refreshInterval else { return }
        thread.lastNamed = now
        recorder.processes.refreshName(ofThread: thread.threadID, of: process)
    }
}
