internal import Measurement
internal import StackSampler

extension SamplerHealth {
    /// What is wrong with the samples and what helps, as sentences: nothing where they can be trusted.
    var advice: [String] {
        var advice: [String] = []
        // Samples of the wall clock are lost with their threads, which is no matter of speed.
        if stops == nil, let share = share(of: lost, in: attempted) {
            advice.append(
                "\(share) of the samples were lost, because the sampler got too little of the CPUs to keep up. "
                    + "A lower --rate helps.")
        }
        if let share = share(of: truncated - cutAtFrameLimit, in: recorded) {
            advice.append("\(share) of the stacks lack their outermost callers: " + remedyForCutStacks)
        }
        if cutAtFrameLimit > 0 {
            advice.append("\(cutAtFrameLimit) stacks had too many frames to keep, and were cut there.")
        }
        if withFramesLeftOut > 0 {
            advice.append(
                "\(withFramesLeftOut) stacks had more than \(SamplerConfiguration().maximumFrames) frames: their middle "
                    + "is left out.")
        }
        advice += limitsReached
        if throttled > 0 {
            advice.append("The kernel throttled the sampler \(throttled) times; samples are missing then.")
        }
        if let clocks { advice += clocks.missing.prefix(Self.commandsNamed).map { missing($0, clocks) } }
        if in32BitMode > 0 {
            advice.append(
                "\(in32BitMode) samples are of threads in 32-bit mode, whose stacks are not walked: `[32-bit code]`."
            )
        }
        return advice
    }

    /// What a limit of ours left out, and what of it is in the profile.
    private var limitsReached: [String] {
        var sentences: [String] = []
        if beyondLimit > 0 {
            sentences.append(
                "\(beyondLimit) samples came after the first \(SamplerConfiguration().maximumSamples) and were left out; "
                    + "they are counted as lost. A lower --rate keeps a longer recording whole.")
        }
        if stacksBeyondLimit > 0 {
            sentences.append(
                "\(stacksBeyondLimit) samples had a new stack when the \(SamplerConfiguration().maximumStackBytes >> 20) "
                    + "MiB for distinct stacks were full: they are shown as `\(RawFrame.Absence.notKept.name)`. A lower "
                    + "--rate or a shorter recording keeps them.")
        }
        if ringBytes > 0, ringBytes < ringBytesWanted {
            sentences.append(
                "The kernel gave \(ringBytes >> 10) KiB of buffer for each CPU instead of \(ringBytesWanted >> 10), so "
                    + "samples are lost sooner. Raise kernel.perf_event_mlock_kb, or ulimit -l.")
        }
        if furtherProblems > 0 { sentences.append("\(furtherProblems) further problems are not listed.") }
        return sentences
    }

    /// The most commands of which a sentence says that they were not sampled whole.
    private static let commandsNamed = 5

    private func missing(_ missing: ClockComparison.MissingTime, _ clocks: ClockComparison) -> String {
        let command = PlainText.sanitized(missing.command, maximumCharacters: 32)
        let share = Double(missing.time.inNanoseconds) / Double(max(1, clocks.kernel.inNanoseconds)) * 100
        let beginning =
            "\(missing.time.readable) of '\(command)', \(share.fixed(1)) % of all CPU time, was not sampled and is shown "
            + "as `[not sampled]`: "
        if stops != nil {
            return beginning
                + "processes and threads that end before they are found have no sample. Perf events miss none, where they "
                + "are allowed."
        }
        if lost > 0 { return beginning + "samples were lost." }
        if watchesCPUs { return beginning + "it ran between the moments at which samples are taken." }
        if lacksRingMemory { return beginning + "its threads end sooner than a period." }
        if !includesKernelTime {
            return beginning
                + "time in the kernel, and threads that end sooner than a period. Run as root, give "
                + "CAP_PERFMON, or set kernel.perf_event_paranoid to 0 or less."
        }
        return beginning + "its threads end sooner than a period. Run as root, give CAP_PERFMON, or set "
            + "kernel.perf_event_paranoid to 0 or less."
    }

    private var remedyForCutStacks: String {
        let size = "\(stackBytes >> 10) KiB"
        if stops != nil { return "they are larger than the \(size) that are copied of each." }
        if stackBytes < SamplerConfiguration().maximumStackBytesOfSample {
            return "only \(size) of each had been copied when it ended. A longer recording copies more."
        }
        return
            "they are larger than the \(size) that perf events can copy of each. --sampler ptrace copies up to 1 MiB."
    }

    /// From 1 % on, as a person reads it; nil for less.
    private func share(of part: Int, in whole: Int) -> String? {
        guard whole > 0, part * 100 >= whole else { return nil }
        return "\((Double(part) / Double(whole) * 100).fixed(0)) %"
    }
}

extension ClockComparison {
    /// How much of the kernel's time was sampled, for a line of health.
    var summary: String {
        guard let sampledShare else { return "no CPU time by the kernel's clocks" }
        return "\((sampledShare * 100).fixed(1)) % of \(kernel.readable) CPU time by the kernel's clocks"
    }
}
