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
        if throttled > 0 {
            advice.append("The kernel throttled the sampler \(throttled) times; samples are missing then.")
        }
        return advice
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
