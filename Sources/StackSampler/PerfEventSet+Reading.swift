internal import CPerfEvents
internal import LinuxSystem

/// Events for the readers of Python frames.
extension PerfEventSet {
    /// From now on the samples of a process make their ring readable at once, and records say when its threads get a CPU and
    /// lose it.
    ///
    /// A reader that wakes takes the CPU from the thread, and another may have it after: what runs when depends on when was
    /// sampled, and a clock of the CPU would count wrongly. So the threads of such a process are sampled by clocks of their
    /// own.
    func wakeReaders(
        for processID: Int32, family root: Int32, and others: [Int32]
    ) throws(SamplerError) {
        let isFirst = !wakesReaders
        wakesReaders = true
        do throws(SamplerError) {
            if scope == .cpus {
                try read(processID)
            } else if isFirst {
                try change(to: extent, family: root, and: others)
            }
        } catch {
            if isFirst { wakesReaders = false }
            throw error
        }
    }

    /// Whether a process has clocks of its own beside those of the CPUs.
    func isRead(_ processID: Int32) -> Bool { readProcesses.contains(processID) }

    /// A child has its parent's events.
    func fork(_ child: Int32, from parent: Int32) {
        if readProcesses.contains(parent) { readProcesses.insert(child) } else { readProcesses.remove(child) }
    }

    func exit(_ processID: Int32) { readProcesses.remove(processID) }

    private func read(_ processID: Int32) throws(SamplerError) {
        guard !readProcesses.contains(processID) else { return }
        OpenFileLimit.raise()
        let before = readingEvents.count
        try addReading(processID)
        try start(Array(readingEvents[before...]))
        readProcesses.insert(processID)
    }

    private func addReading(_ processID: Int32) throws(SamplerError) {
        var seen: Set<Int32> = []
        var isComplete = false
        while !isComplete {
            isComplete = true
            for threadID in ProcessListing.threads(of: processID) where seen.insert(threadID).inserted {
                isComplete = false
                do throws(SamplerError) {
                    for (index, cpu) in cpus.enumerated() {
                        try redirect(
                            try open(threadID: threadID, cpu: cpu, processID: processID, kind: .reading),
                            to: index)
                    }
                } catch .noSuchProcess {
                    // It ended between the list and now (P12).
                }
            }
        }
    }

    /// Opens the events of all such processes anew, as ``change(to:family:and:)`` does those of the CPUs.
    func changeReading() throws(SamplerError) {
        guard scope == .cpus, !readProcesses.isEmpty else { return }
        let earlier = readingEvents
        readingEvents = []
        readingOwnership.beginGeneration()
        do throws(SamplerError) {
            for processID in readProcesses { try addReading(processID) }
            try start(readingEvents)
        } catch {
            readingEvents = earlier
            readingOwnership.dropGeneration()
            throw error
        }
        readingOwnership.endEarlierGenerations(at: UInt64(clamping: SystemClock.monotonicNanoseconds))
        for event in earlier { _ = cperf_disable(event.file.rawValue) }
    }
}
