internal import LinuxProcess
internal import LinuxSystem
internal import Measurement

/// Reading of the processes of the tree: only of those whose clock has moved.
extension TargetSampler {
    /// Reads the tree, again when a process went away meanwhile; false when nothing of it is left.
    ///
    /// Parents are read before children. A child that can still be read after its parent was, is not yet in that
    /// parent's children time; of one that cannot, it is not known, and counting it in both places would count it twice.
    func readTree() -> Bool {
        processes.refresh()
        var hasChanged = false
        for _ in 0..<4 {
            var gone: Set<Int32> = []
            for pid in processes.order {
                switch read(pid) {
                case .unchanged: break
                case .changed: hasChanged = true
                case .gone: gone.insert(pid)
                }
            }
            if gone.isEmpty { break }
            hasChanged = true
            processes.remove(gone)
            for pid in gone { members[pid] = nil }
        }
        if hasChanged { account.update(members.values.map(\.reading)) }
        return !members.isEmpty
    }

    private enum Outcome { case unchanged, changed, gone }

    private func read(_ pid: Int32) -> Outcome {
        guard let cpu = ProcessClock.cpu(of: pid)?.inNanoseconds else { return .gone }
        let known = members[pid]
        let mayHaveCalledExec = commandLineBeforeExec != nil && pid == target.pid
        if let known, known.reading.ownCPU == cpu, !mayHaveCalledExec, !known.isFreshCopy {
            return .unchanged
        }
        guard let stat = ProcessStat.ofProcess(pid) else { return .gone }
        // The number may have come to mean another process.
        guard stat.identity == (pid == target.pid ? target : known?.reading.identity ?? stat.identity) else {
            return .gone
        }
        // Asked first: what is read after exec is the command's.
        let hasMemory = hasMemory(stat)
        let text = ProcessStatus.text(of: pid)
        if users.count < Self.mostUsers, let user = text.flatMap({ ProcessOwner.effectiveUser(inStatus: $0) })
        {
            users.insert(user)
        }
        var reading = ProcessReading(
            identity: stat.identity, parent: stat.parent, ownCPU: cpu,
            childrenCPU: stat.waitedChildrenCPU.inNanoseconds,
            memory: hasMemory ? text.flatMap { ProcessMemory.parse($0) } : nil,
            ownFaults: stat.minorFaults + stat.majorFaults,
            childrenFaults: stat.waitedChildrenMinorFaults + stat.waitedChildrenMajorFaults)
        reading.hasEnded = stat.hasEnded
        reading.usage = known?.reading.usage ?? UsageCounts()
        reading.usage[.majorFaults] = stat.majorFaults + stat.waitedChildrenMajorFaults
        reading.usage[.minorFaults] = stat.minorFaults + stat.waitedChildrenMinorFaults
        if let moved = ProcessIO.ofProcess(pid) {
            reading.usage[.diskRead] = moved.read.bytes
            reading.usage[.diskWritten] = moved.written.bytes
        } else if !stat.hasEnded, ProcessClock.cpu(of: pid) != nil {
            unreadable.formUnion([.init([.diskRead, .diskWritten])])
        }
        let isMarker = pid != target.pid && isMarker(pid, status: text, known: known)
        let member = known ?? TreeMember(reading, name: stat.name, threadCount: stat.threadCount)
        member.reading = reading
        member.name = stat.name
        member.threadCount = stat.threadCount
        member.hasNewThreadCounts = true
        member.hasRunSinceReset = true
        member.isFreshCopy = pid != target.pid && stat.isForkedCopy && Self.isFresh(stat.identity)
        member.isMarker = isMarker
        members[pid] = member
        if stat.threadCount <= 1 { readOnlyThread(of: member, status: text) }
        return .changed
    }

    /// Whether a process, whose `status` has been read, only marks a stage.
    ///
    /// The name is the one that came with the memory: the process may have called exec since its `stat` was read. One of our
    /// name that ended before its words were read is a marker unless it was known not to be: few others of ours are so short.
    private func isMarker(_ pid: Int32, status: [UInt8]?, known: TreeMember?) -> Bool {
        guard let name = status.flatMap({ ProcessStatus.name(in: $0) }) else {
            return known?.isMarker ?? false
        }
        if let isOne = StageMarkerProcess.isOne(pid, named: name) { return isOne }
        guard let known, known.name == StageMarkerProcess.program else { return true }
        return known.isMarker
    }

    private static func isFresh(_ identity: ProcessIdentity) -> Bool {
        SystemClock.monotonicNanoseconds - ProcessClock.monotonicStart(of: identity) < freshness
    }

    /// The text of a process's `status` reports the switches of its first thread.
    private func readOnlyThread(of member: TreeMember, status: [UInt8]?) {
        let pid = member.pid
        threadCounts =
            threadCounts
            + member.threads.update(
                [pid], schedule: { ThreadSchedule.ofThread($0, in: pid) },
                switches: { _ in status.flatMap { ContextSwitches.parse($0) } })
        member.hasNewThreadCounts = false
    }

    /// Looks at the threads of processes that have several: at edges, and every so often in between, because what a
    /// thread has done since the last look is lost when it ends.
    func readThreads(atEdge: Bool) {
        guard atEdge || looks % 10 == 0 else { return }
        for member in members.values where member.hasNewThreadCounts && member.threadCount > 1 {
            let pid = member.pid
            threadCounts =
                threadCounts
                + member.threads.update(
                    ProcessThreads.identifiers(of: pid), schedule: { ThreadSchedule.ofThread($0, in: pid) },
                    switches: { ContextSwitches.ofThread($0, in: pid) })
            member.hasNewThreadCounts = false
        }
    }
}
