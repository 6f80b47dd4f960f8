package import FrozenProfile
internal import LinuxProcess
internal import LinuxSystem
package import Measurement
package import StackProfile
internal import StackSampler
internal import Stages

/// The stacks of one profiled run, from any sampler.
package struct TakenStacks {
    /// Nil when none were taken; `account.reason` says why.
    package var profile: StackProfile?
    package var account: CaptureQuality.Sampler
    /// The sampled CPU time beside the kernel's clocks; nil where nothing was compared.
    var clocks: ClockComparison?
    /// CPU time that the sampler used.
    package var samplerCPU: Reading<Duration>
    package var notes: [String] = []
    /// What py-spy saw beside our own sampler; nil where it was not there, or gave nothing.
    package var pySpy: StackProfile?
}

extension TakenStacks {
    /// The stacks our own sampler took, named and labelled.
    init(
        _ raw: RawProfile, timeline: StageTimeline?, reason: String?, rateHertz: Int,
        trust: JustInTimeNames.Trust, labelsStates: Bool = false, naming: (Double) -> Void
    ) throws(StackRecordingError) {
        let labelled = try LabelledStacks(
            raw, timeline: timeline, trust: trust, labelsStates: labelsStates, naming: naming)
        let health = raw.health
        profile = labelled.profile
        // One sample of the wall clock stands for all the moments at which its thread had not moved.
        let moments = Int(clamping: labelled.profile.totalWeight)
        account = CaptureQuality.Sampler(
            name: health.rung, reason: reason, rateHz: .value(Double(rateHertz)),
            attempted: .value(health.stops == nil ? health.attempted : moments + health.lost),
            recorded: .value(health.stops == nil ? health.recorded : moments),
            lost: .value(health.lost + health.beyondLimit),
            truncated: .value(health.truncated),
            unwindFailed: .value(health.unwindFailed),
            unknownFramesPercent: labelled.profile.unknownFrameShare.map { $0 * 100 },
            python: health.python.flatMap(CaptureQuality.Sampler.PythonStacks.init))
        clocks = health.clocks
        samplerCPU = .value(health.samplerCPU)
        notes = health.problems + labelled.notes + health.advice + (health.stops.map { [$0.sentence] } ?? [])
    }

    /// The stacks py-spy wrote.
    init(pySpy outcome: Reading<FoldedStacks.Outcome>, rateHertz: Int = PySpy.rateHertz) {
        let unknown = "py-spy does not say"
        switch outcome {
        case .unavailable(let reason):
            self = TakenStacks(none: reason)
        case .value(let outcome):
            profile = outcome.profile
            account = CaptureQuality.Sampler(
                name: "py-spy", reason: nil, rateHz: .value(Double(rateHertz)),
                attempted: .unavailable(reason: unknown), recorded: .value(Int(outcome.profile.totalWeight)),
                lost: .unavailable(reason: unknown), truncated: .unavailable(reason: unknown),
                unwindFailed: .unavailable(reason: unknown),
                unknownFramesPercent: outcome.profile.unknownFrameShare.map { $0 * 100 })
            samplerCPU = .unavailable(reason: unknown)
            notes = ["py-spy's stacks carry no time, so the flamegraph is not cut by stage."]
            if outcome.report.badLines > 0 {
                notes.append("\(outcome.report.badLines) lines of py-spy's output could not be read.")
            }
        }
    }

    /// No stacks, and why.
    package init(none reason: String) {
        profile = nil
        account = .none(reason: reason)
        samplerCPU = .unavailable(reason: reason)
    }
}

extension CaptureQuality.Sampler.PythonStacks {
    /// What a sampler counted; nil where no thread ran Python.
    fileprivate init?(_ account: PythonAccount) {
        guard account.all > 0 else { return nil }
        self.init(proven: account.proven, unproven: account.unproven, failed: account.failed)
    }
}

extension StopAccount {
    /// What being stopped came to for the target.
    var sentence: String {
        guard count > 0 else { return "No thread had to be stopped." }
        var parts = [
            "Threads were stopped \(count) times, for \(total.readable) in all and \(longest.readable) at the longest"
        ]
        if deferredByBudget > 0 {
            parts.append("\(deferredByBudget) times less often than asked, to keep the budget")
        }
        if interruptedCalls > 0 { parts.append("\(interruptedCalls) system calls ended early because of it") }
        if refused > 0 { parts.append("\(refused) stops were refused") }
        return parts.joined(separator: "; ") + "."
    }
}
