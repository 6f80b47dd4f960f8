internal import FrozenProfile
internal import LinuxProcess
internal import LinuxSystem
internal import Measurement
internal import StackRecording
internal import StackSampler

/// The run whose stacks are sampled. Its times are kept, but not counted.
struct ProfiledRun {
    let observation: RunObservation
    let sampler: RecordingSampler
    /// Nil for the sampler's own default.
    let rateHertz: Int?
    /// The file name of the program that an earlier run turned out to be, as far as that is known.
    let program: String?
    /// Told how much of the functions have their names, from 0 to 1.
    let naming: (Double) -> Void

    /// Runs the command once more with a sampler beside it. A sampler that is refused costs the stacks, not the run.
    func perform(
        signals: borrowing SignalInbox, whileRunning: (_ pid: Int32) -> Void
    ) throws(CaptureError) -> (observed: RunObservation.Observed, stacks: TakenStacks) {
        var sampler: RunSampler? = try startSampler()
        var refusal: StackRecordingError?
        let observed = try observation.perform(signals: signals) { (child) throws(CaptureError) in
            do throws(StackRecordingError) {
                try sampler?.attach(to: child)
            } catch {
                refusal = error
            }
        } whileRunning: { (pid, executable) throws(CaptureError) in
            whileRunning(pid)
            // Before the wrappers have exec'd the interpreter there is nothing for py-spy to read.
            guard let executable, Programs.isPython(executable) else { return }
            do throws(StackRecordingError) {
                try sampler?.lookAfter(pid)
            } catch {
                throw .measurementFailed(error.description)
            }
        }
        if let refusal { return (observed, TakenStacks(none: refusal.description)) }
        guard let taken = sampler.take() else {
            preconditionFailure("the sampler of a run is taken once")
        }
        if let failure = observed.run.failure {
            // Whoever interrupts does not wait for names, and a run that failed is told of all the same.
            if failure.isInterruption { return (observed, TakenStacks(none: "the run was interrupted")) }
            return (observed, stacksOfFailure(taken, observed))
        }
        return (observed, try finish(taken, observed))
    }

    private func stacksOfFailure(
        _ sampler: consuming RunSampler, _ observed: RunObservation.Observed
    ) -> TakenStacks {
        do throws(CaptureError) {
            return try finish(sampler, observed)
        } catch {
            return TakenStacks(none: error.description)
        }
    }

    private func startSampler() throws(CaptureError) -> RunSampler {
        var request = StackRecording.Request(.command(observation.run.command))
        request.sampler = sampler
        request.rateHertz = rateHertz
        do throws(StackRecordingError) {
            return try RunSampler(
                request, executable: program,
                directory: Files.directory(of: observation.run.directory.standardError))
        } catch {
            throw .measurementFailed(error.description)
        }
    }

    private func finish(
        _ sampler: consuming RunSampler, _ observed: RunObservation.Observed
    ) throws(CaptureError) -> TakenStacks {
        let refusals = sampler.refusals
        do throws(StackRecordingError) {
            var stacks = try sampler.finish(
                timeline: observed.timeline,
                trust: JustInTimeNames.Trust(
                    userID: CurrentProcess.userID, notBefore: observed.run.startedAt),
                markers: observed.markers, naming: naming)
            stacks.notes = refusals + stacks.notes
            return stacks
        } catch {
            throw .measurementFailed(error.description)
        }
    }
}
