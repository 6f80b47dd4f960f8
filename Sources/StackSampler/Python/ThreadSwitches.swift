/// When threads got a CPU and lost it, by the kernel's records: how long each has run in a short time past. Pure.
struct ThreadSwitches {
    private struct Moment {
        var time: UInt64
        var isOut: Bool
    }

    private var moments: [Int32: [Moment]] = [:]
    private var unsorted: Set<Int32> = []
    /// Times in which records were lost.
    private var losses: [ClosedRange<UInt64>] = []
    private var pruned: UInt64 = 0

    /// Takes in a record. Those of one CPU come in order, those of several do not.
    mutating func note(_ record: PerfSwitch) {
        let moment = Moment(time: record.time, isOut: record.isOut)
        var known = moments[record.threadID] ?? []
        if let last = known.last, last.time > moment.time { unsorted.insert(record.threadID) }
        known.append(moment)
        moments[record.threadID] = known
    }

    /// Takes note that records of some time were lost.
    mutating func noteLoss(_ time: ClosedRange<UInt64>) { losses.append(time) }

    /// How long a thread that ran at `start` has run from then to `end`, in nanoseconds; nil where records are missing.
    mutating func timeRun(by threadID: Int32, from start: UInt64, to end: UInt64) -> UInt64? {
        guard start <= end, start >= pruned, !losses.contains(where: { $0.overlaps(start...end) }) else {
            return nil
        }
        if unsorted.remove(threadID) != nil {
            // By time, and as they came where that is equal.
            moments[threadID] = moments[threadID]?.enumerated().sorted {
                ($0.element.time, $0.offset) < ($1.element.time, $1.offset)
            }.map(\.element)
        }
        var (isRunning, since, total) = (true, start, UInt64(0))
        for moment in moments[threadID] ?? [] where moment.time > start && moment.time <= end {
            if isRunning && moment.isOut { total += moment.time - since }
            isRunning = !moment.isOut
            since = moment.time
        }
        return isRunning ? total + (end - since) : total
    }

    /// When a thread that ran at a moment lost the CPU after it; nil where it did not.
    func switchedOut(_ threadID: Int32, after start: UInt64) -> UInt64? {
        moments[threadID]?.first { $0.time > start && $0.isOut }?.time
    }

    /// Forgets what lies before a time.
    mutating func forget(before time: UInt64) {
        guard time > pruned else { return }
        pruned = time
        for (threadID, known) in moments {
            let kept = known.filter { $0.time >= time }
            moments[threadID] = kept.isEmpty ? nil : kept
        }
        losses.removeAll { $0.upperBound < time }
    }
}
