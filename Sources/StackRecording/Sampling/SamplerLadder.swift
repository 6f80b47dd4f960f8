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
    /// Our own, and py-spy beside where the target is Python and py-spy is there: its stacks are shown.
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

/// The ways of sampling that a recording tries, one after the other, and whether py-spy goes along.
///
/// Our own sampler runs from the first instruction on, whatever py-spy does: that way a py-spy that fails, hangs or is
/// too old costs nothing but its picture.
struct SamplerLadder: Equatable {
    enum Rung: Equatable {
        case perf, ptrace

        /// The name for a progress line.
        var name: String {
            switch self {
            case .perf: "perf events and libunwind"
            case .ptrace: "ptrace and libunwind"
            }
        }

        /// Samples per second by default.
        var defaultRateHertz: Int {
            switch self {
            case .perf: SamplerConfiguration().rateHertz
            case .ptrace: WallClockConfiguration().rateHertz
            }
        }
    }

    /// Our own ways, the first choice first; none where only py-spy is wanted.
    let rungs: [Rung]
    /// The py-spy that goes along with a Python target, nil for none.
    let pySpy: String?

    /// Decides by what was asked for.
    ///
    /// - Parameter pySpy: Where py-spy is, nil where it is not.
    init(
        _ sampler: RecordingSampler, mode: SamplingMode, pySpy: String?
    ) throws(StackRecordingError) {
        // Perf events know CPU time only. ptrace knows both: CPU time as the moments at which a thread could run.
        let native: [Rung] = mode == .cpu ? [.perf, .ptrace] : [.ptrace]
        switch sampler {
        case .automatic: (rungs, self.pySpy) = (native, pySpy)
        case .native: (rungs, self.pySpy) = (native, nil)
        case .pySpy:
            guard let pySpy else {
                throw .refused(
                    "Cannot sample with py-spy: py-spy is not on PATH. Install it with `pip install py-spy`, or "
                        + "say --sampler native.")
            }
            (rungs, self.pySpy) = ([], pySpy)
        case .perf:
            guard mode == .cpu else { throw .refused(Self.perfKnowsNoWaiting) }
            (rungs, self.pySpy) = ([.perf], nil)
        case .ptrace: (rungs, self.pySpy) = ([.ptrace], nil)
        }
    }

    /// What is wrong with `--sampler perf --mode wall`.
    static let perfKnowsNoWaiting =
        "Perf events sample CPU time only, not what threads wait for. Say --sampler ptrace, or --mode cpu."
}
