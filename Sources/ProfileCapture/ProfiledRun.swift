internal import LinuxProcess
internal import LinuxSystem
internal import Measurement
internal import StackProfile
internal import StackSampler

/// The run whose stacks are sampled. Its times are kept, but not counted.
struct ProfiledRun {
    let observation: RunObservation
    let choice: SamplerChoice
    let rateHertz: Int

    /// Runs the command once more with the chosen sampler beside it.
    func perform(
        signals: borrowing SignalInbox, whileRunning: (_ pid: Int32) -> Void
    ) throws(CaptureError) -> (observed: RunObservation.Observed, stacks: TakenStacks) {
        switch choice {
        case .none(let reason):
            throw .measurementFailed("There is no sampler for a profiled run: \(reason).")
        case .native(let reason):
            return try performNatively(reason: reason, signals: signals, whileRunning: whileRunning)
        case .pySpy(let program):
            return try performWithPySpy(program, signals: signals, whileRunning: whileRunning)
        }
    }

    private func performNatively(
        reason: String?, signals: borrowing SignalInbox, whileRunning: (_ pid: Int32) -> Void
    ) throws(CaptureError) -> (observed: RunObservation.Observed, stacks: TakenStacks) {
        var configuration = SamplerConfiguration()
        configuration.rateHertz = rateHertz
        // A stage's CPU time includes the kernel's work for it, so its samples should. Where that is not allowed the
        // sampler falls back to user time and says so.
        configuration.includesKernelTime = true
        var sampler: PerfSampler?
        var refusal: SamplerError?
        let observed = try observation.perform(signals: signals) { (child) throws(CaptureError) in
            do throws(SamplerError) {
                sampler = try PerfSampler.attach(to: child, configuration)
            } catch {
                refusal = error
            }
        } whileRunning: { (pid, _) throws(CaptureError) in
            whileRunning(pid)
        }
        guard let raw = sampler.take()?.finish() else {
            return (observed, TakenStacks(none: refusal?.description ?? "the sampler did not start"))
        }
        let stacks = try TakenStacks(
            raw, timeline: StageTimeline(observed), reason: reason, rateHertz: rateHertz,
            trust: JustInTimeNames.Trust(
                userID: CurrentProcess.userID, notBefore: observed.run.startedAt))
        return (observed, stacks)
    }

    private func performWithPySpy(
        _ program: String, signals: borrowing SignalInbox, whileRunning: (_ pid: Int32) -> Void
    ) throws(CaptureError) -> (observed: RunObservation.Observed, stacks: TakenStacks) {
        var pySpy = PySpy(
            program: program, directory: Files.directory(of: observation.run.directory.standardError))
        let observed = try observation.perform(
            signals: signals,
            whileRunning: { (pid, executable) throws(CaptureError) in
                whileRunning(pid)
                // Before the wrappers have exec'd the interpreter there is nothing for py-spy to read.
                if let executable, Programs.isPython(executable) { try pySpy.takeHold(of: pid) }
            })
        return (observed, TakenStacks(pySpy: try pySpy.finish()))
    }
}

extension SamplerChoice {
    /// The sampler's name for a progress line.
    var name: String {
        switch self {
        case .pySpy: "py-spy"
        case .native: "perf events and libunwind"
        case .none: "nobody"
        }
    }
}
