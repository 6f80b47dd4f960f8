internal import FrozenProfile
internal import LinuxSystem

/// The canaries of one session: timed before its first run, before the one in its middle, and after its last.
struct SessionCanaries {
    private let kernels: CanaryKernels?
    private let middle: Int

    /// - Parameters:
    ///   - directory: Where files are written for a moment.
    ///   - runs: How many runs are to be made.
    init(_ request: CaptureRequest, directory: String, runs: Int) {
        kernels =
            request.canaryRepetitions > 0
            ? CanaryKernels(repetitions: request.canaryRepetitions, directory: directory) : nil
        middle = runs / 2
    }

    /// What is timed before a run; nothing before most.
    ///
    /// - Parameter made: How many runs have been made.
    func beforeRun(_ made: Int) -> [Canary] {
        if made == 0 { return time(.start) }
        return made == middle ? time(.middle) : []
    }

    /// Times once more, and puts that into the record of the run that was the last.
    func afterLastRun(_ run: MadeRun) throws(CaptureError) {
        let timed = time(.end)
        guard !timed.isEmpty else { return }
        var record = run.record
        record.canaries.add(timed)
        do throws(SystemError) {
            try Files.replace(run.path, with: record.encode(), durably: true)
        } catch {
            throw .cannotWrite(error.description)
        }
    }

    private func time(_ moment: Canary.Moment) -> [Canary] {
        var canaries: [Canary] = []
        kernels?.time(at: moment, into: &canaries)
        return canaries
    }
}
