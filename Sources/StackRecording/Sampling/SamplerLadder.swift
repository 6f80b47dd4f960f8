internal import LinuxProcess
internal import StackSampler

/// What time is sampled.
public enum SamplingMode: String, Sendable, CaseIterable {
    /// The CPU time that threads use: where the work is done.
    case cpu
    /// The time that passes for each thread: also what it waits for.
    case wall
}

/// Who may take the stacks of a recording.
public enum RecordingSampler: String, Sendable, CaseIterable {
    /// py-spy where the target is Python and py-spy is there, else our own.
    case automatic = "auto"
    /// Our own, whatever the target is.
    case native
    /// py-spy or nothing.
    case pySpy = "py-spy"
    /// Perf events or nothing.
    case perf
    /// ptrace or nothing.
    case ptrace
}

/// The ways of sampling that a recording tries, one after the other.
struct SamplerLadder: Equatable {
    enum Rung: Equatable {
        case pySpy(program: String)
        case perf, ptrace

        /// The name for a progress line.
        var name: String {
            switch self {
            case .pySpy: "py-spy"
            case .perf: "perf events and libunwind"
            case .ptrace: "ptrace and libunwind"
            }
        }

        /// Samples per second unless told otherwise.
        var defaultRateHertz: Int {
            switch self {
            case .pySpy: PySpy.rateHertz
            case .perf: SamplerConfiguration().rateHertz
            case .ptrace: WallClockConfiguration().rateHertz
            }
        }
    }

    /// Never empty.
    let rungs: [Rung]
    /// Why the first is not py-spy where that would have been the first choice.
    let reason: String?

    /// Decides by what was asked for and by the program that will be sampled.
    init(
        _ sampler: RecordingSampler, mode: SamplingMode, executable: String?, pySpy: String?
    ) throws(StackRecordingError) {
        let isPython = executable.map(Programs.isPython) ?? false
        // Perf events know CPU time only. ptrace knows both: CPU time as the moments at which a thread could run.
        let native: [Rung] = mode == .cpu ? [.perf, .ptrace] : [.ptrace]
        switch (sampler, pySpy) {
        case (.pySpy, nil):
            throw .refused(
                "Cannot sample with py-spy: py-spy is not on PATH. Install it with `pip install py-spy`, or say "
                    + "--sampler native.")
        case (.pySpy, let program?): (rungs, reason) = ([.pySpy(program: program)], nil)
        case (.automatic, let program?) where isPython:
            (rungs, reason) = ([.pySpy(program: program)], nil)
        case (.automatic, nil) where isPython:
            rungs = native
            reason = "the target is Python, but py-spy is not on PATH; Python's own frames are not named"
        case (.automatic, _), (.native, _): (rungs, reason) = (native, nil)
        case (.perf, _):
            guard mode == .cpu else { throw .refused(Self.perfKnowsNoWaiting) }
            (rungs, reason) = ([.perf], nil)
        case (.ptrace, _): (rungs, reason) = ([.ptrace], nil)
        }
    }

    /// What is wrong with `--sampler perf --mode wall`.
    static let perfKnowsNoWaiting =
        "Perf events sample CPU time only, not what threads wait for. Say --sampler ptrace, or --mode cpu."
}
