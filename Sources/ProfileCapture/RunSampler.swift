internal import LinuxProcess
internal import LinuxSystem
internal import Measurement
internal import StackSampler

/// The sampler of one recording, whichever it is.
struct RunSampler: ~Copyable {
    /// The sampler's name for a progress line.
    let name: String

    private let choice: SamplerChoice
    private let rateHertz: Int
    private var native: PerfSampler?
    private var pySpy: PySpy?

    /// A sampler that is not attached yet.
    ///
    /// - Parameters:
    ///   - request: Which sampler, and at what rate.
    ///   - executable: The program that will be sampled, as far as that is known.
    ///   - directory: Where a helper's files may go.
    init(
        _ request: StackRecording.Request, executable: String?, directory: String
    ) throws(StackRecordingError) {
        choice = SamplerChoice(request.sampler, executable: executable, pySpy: PySpy.program)
        name = choice.name
        switch choice {
        case .none(let reason):
            throw .refused(
                "Cannot sample with \(request.sampler.rawValue): \(reason). Install it with `pip install py-spy`, or "
                    + "say --sampler native.")
        case .native: rateHertz = request.rateHertz ?? SamplerConfiguration().rateHertz
        case .pySpy(let program):
            rateHertz = request.rateHertz ?? PySpy.rateHertz
            pySpy = PySpy(program: program, directory: directory, rateHertz: rateHertz)
        }
    }

    /// Attaches to a command that has not run anything yet.
    mutating func attach(to child: borrowing SuspendedChild) throws(StackRecordingError) {
        guard case .native = choice else { return }
        do throws(SamplerError) {
            native = try PerfSampler.attach(to: child, configuration)
        } catch {
            throw .refused(error.description)
        }
    }

    /// Attaches to a process that runs.
    mutating func attach(toRunning pid: Int32) throws(StackRecordingError) {
        guard case .native = choice else { return }
        do throws(SamplerError) {
            native = try PerfSampler.attach(toRunning: pid, configuration)
        } catch .noSuchProcess(let pid) {
            throw .noSuchProcess(pid: pid)
        } catch {
            throw .refused(error.description)
        }
    }

    /// Keeps a helper running beside the process.
    mutating func lookAfter(_ pid: Int32) throws(StackRecordingError) {
        do throws(CaptureError) {
            try pySpy?.takeHold(of: pid)
        } catch {
            throw StackRecordingError(error)
        }
    }

    /// Whether a helper cannot take hold of the process.
    mutating func hasGivenUp() throws(StackRecordingError) -> Bool {
        do throws(CaptureError) {
            return try pySpy?.hasGivenUp() ?? false
        } catch {
            throw StackRecordingError(error)
        }
    }

    /// Ends the sampling and names what was seen.
    ///
    /// - Parameters:
    ///   - timeline: The stages of the time that was sampled.
    ///   - trust: Whose maps of just-in-time code are believed.
    ///   - excluded: Processes whose samples are left out: ours, where the target is among our ancestors.
    consuming func finish(
        timeline: StageTimeline?, trust: JustInTimeNames.Trust, excluding excluded: Set<Int32> = []
    ) throws(StackRecordingError) -> TakenStacks {
        do throws(CaptureError) {
            if pySpy != nil {
                pySpy?.stop()
                let outcome = try pySpy?.finish() ?? .unavailable(reason: "py-spy was not started")
                return TakenStacks(pySpy: outcome, rateHertz: rateHertz)
            }
            guard var raw = native.take()?.finish(), case .native(let reason) = choice else {
                return TakenStacks(none: "the sampler was not attached")
            }
            raw.samples.removeAll { excluded.contains(raw.threads[Int($0.threadIndex)].processID) }
            return try TakenStacks(
                raw, timeline: timeline, reason: reason, rateHertz: rateHertz, trust: trust)
        } catch {
            throw StackRecordingError(error)
        }
    }

    private var configuration: SamplerConfiguration {
        var configuration = SamplerConfiguration()
        configuration.rateHertz = rateHertz
        // What the kernel does for a function is part of what the function costs. Where that may not be seen, the
        // sampler falls back to user time and says so.
        configuration.includesKernelTime = true
        return configuration
    }
}
