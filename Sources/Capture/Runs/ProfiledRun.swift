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
    /// Whether secrets of the command are left out of the names of processes.
    let redactsSecrets: Bool
    /// Called with how much of the functions have their names, from 0 to 1.
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
        } whileRunning: { (pid, _) throws(CaptureError) in
            whileRunning(pid)
            sampler?.lookAfter(pid)
        }
        if let refusal { return (observed, TakenStacks(none: refusal.description)) }
        guard let taken = sampler.take() else {
            preconditionFailure("the sampler of a run is taken once")
        }
        if let failure = observed.run.failure {
            // A user who interrupts the run does not want to wait for names.
            if failure.isInterruption { return (observed, TakenStacks(none: "the run was interrupted")) }
        }
        return (observed, finish(taken, observed))
    }

    private func startSampler() throws(CaptureError) -> RunSampler {
        var request = StackRecording.Request(.command(observation.run.command))
        request.sampler = sampler
        request.rateHertz = rateHertz
        // Those of py-spy know no stage, so nothing could be explained from them.
        request.keepsOwnStacks = true
        do throws(StackRecordingError) {
            return try RunSampler(
                request, directory: Files.directory(of: observation.run.directory.standardError))
        } catch {
            throw .measurementFailed(error.description)
        }
    }

    private func finish(
        _ sampler: consuming RunSampler, _ observed: RunObservation.Observed
    ) -> TakenStacks {
        let refusals = sampler.refusals
        do throws(StackRecordingError) {
            var stacks = try sampler.finish(
                timeline: observed.timeline,
                trust: JustInTimeNames.Trust(
                    userID: CurrentProcess.userID, notBefore: observed.run.startedAt),
                redaction: redactsSecrets ? SecretRedaction(observation.run.command) : nil,
                markers: observed.markers, naming: naming)
            stacks.notes = refusals + stacks.notes
            return stacks
        } catch {
            // The run was made, and is kept.
            return TakenStacks(none: error.description)
        }
    }
}
