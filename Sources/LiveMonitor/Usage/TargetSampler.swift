internal import LinuxProcess
internal import LinuxSystem
internal import Measurement

/// Reads the clocks, the memory and the counters of a process tree. Owns what has to be remembered between two
/// readings.
///
/// A process whose CPU clock stands where it stood has done nothing: nothing else of it is read again.
final class TargetSampler {
    let target: ProcessIdentity
    var processes: TreeProcesses
    /// The most processes of the tree at once that are not followed.
    var processesBeyondLimit: Int { processes.mostBeyondLimit }
    var members: [Int32: TreeMember] = [:]
    var account = TreeAccount()
    private var estimate = CPUEstimate()
    private var clock: TreeCounter?
    private var instructions: TreeCounter?
    /// Why instructions are not counted; nil while they are.
    private(set) var instructionsProblem: String?
    /// The least share of the time for which the counter of instructions was at work.
    private(set) var instructionsCoverage = 1.0
    /// Why there is no clock that reports children's time to less than a tick; nil while there is one.
    private(set) var clockProblem: String?
    var threadCounts = UsageCounts()
    var unreadable: UsageKinds = []
    /// The effective users of the processes that were read, the first few.
    var users: Set<UInt32> = []
    static let mostUsers = 16
    var looks = 0
    private var lastBusiest: Int64 = 0
    private var ends = TreeEndWatch()
    /// Processes that only marked stages and may not have ended yet.
    var markers: Set<Int32> = []
    /// The largest sum of resident memory since the last reset.
    private var largestSum = ByteCount.zero
    /// Why the kernel's mark could not be reset, once that has happened.
    private(set) var resetProblem: String?
    /// CPU time and usage of the target before it was first seen.
    private var cpuBefore: Int64?
    private var usageBefore = UsageCounts()
    /// The command line of a copy of our parent that has not called exec yet: its memory is our parent's, not the run's.
    var commandLineBeforeExec: [UInt8]?
    /// What the parent had resident at its most: its copy cannot have had more.
    private var copyMark: ByteCount?

    /// More processes than these are not given a clock of their own each when the watching begins among them.
    private static let mostClocked = 64
    /// How long a forked process is taken for one that is about to call exec.
    static let freshness: Int64 = 200_000_000

    /// A sampler of a process that exists; nil when there is none.
    ///
    /// - Parameter counted: What stands for instructions; another event where a test needs one that every machine has.
    init?(pid: Int32, excluding excluded: Set<Int32>, counted: TreeCounter.Event = .instructions) {
        guard let stat = ProcessStat.ofProcess(pid) else { return nil }
        target = stat.identity
        processes = TreeProcesses(target: pid, excluding: excluded)
        clock = nil
        instructions = nil
        if pid != CurrentProcess.parentPID {
            let commandLine = Self.commandLine(of: pid)
            if commandLine == Self.commandLine(of: CurrentProcess.parentPID) {
                commandLineBeforeExec = commandLine
                copyMark = ProcessMemory.ofProcess(CurrentProcess.parentPID)?.highWaterMark
            }
        }
        processes.refresh()
        openCounters(counted)
        // The kernel was built without these accounts, if it keeps none of ourselves.
        let own = ThreadSchedule.ofThread(CurrentProcess.pid, in: CurrentProcess.pid)
        if own?.runNanoseconds ?? 0 == 0 { unreadable.formUnion(UsageKinds([.runQueueWait])) }
    }

    private func openCounters(_ counted: TreeCounter.Event) {
        guard processes.order.count <= Self.mostClocked else {
            let problem = "there were more than \(Self.mostClocked) processes when the watching began"
            clockProblem = problem
            missInstructions(problem)
            return
        }
        do throws(SystemError) {
            clock = try TreeCounter(.taskClock, processes: processes.order)
        } catch {
            clockProblem = "the kernel refuses a counter of it: \(error.reason)"
        }
        do throws(SystemError) {
            instructions = try TreeCounter(counted, processes: processes.order)
        } catch {
            missInstructions("the kernel refuses a counter of them: \(error.reason)")
        }
    }

    private func missInstructions(_ problem: String) {
        instructions = nil
        instructionsProblem = problem
        unreadable.formUnion(UsageKinds([.instructions]))
    }

    /// Instructions counted so far; nil where they are not.
    private func countedInstructions() -> Int64? {
        var reading: CounterReading?
        switch instructions {
        case .some(let counter): reading = counter.count()
        case .none: return nil
        }
        guard let reading else {
            missInstructions("their counter was never at work, because others used it")
            return nil
        }
        if reading.enabled > 0 { instructionsCoverage = min(instructionsCoverage, reading.coverage) }
        return reading.value
    }

    /// Reads the tree; nil when nothing of it is left.
    ///
    /// - Parameter atEdge: Whether the threads of processes that have many are looked at too.
    func sample(atEdge: Bool) -> TargetSample? {
        let before = Set(members.keys)
        let isThere = readTree()
        ends.look(waitedFaults: account.waitedFaults, markers: &markers) { pid in
            pid == target.pid || members[pid] != nil || before.contains(pid)
        }
        guard isThere else { return nil }
        readThreads(atEdge: atEdge)
        let clocked = clockedNanoseconds()
        let sum = account.total
        let cpuBefore = cpuBefore ?? sum
        var usage = account.usage + threadCounts
        usage[.instructions] = countedInstructions() ?? 0
        if self.cpuBefore == nil { usageBefore = usage }
        self.cpuBefore = cpuBefore
        looks += 1
        if account.hidden > 0 { hasHadChildren = true }
        var resident: ByteCount?
        for member in members.values {
            guard let memory = member.reading.memory, !member.isFreshCopy, !member.isMarker else { continue }
            resident = (resident ?? .zero) + memory.resident
        }
        if let resident { largestSum = max(largestSum, resident) }
        return TargetSample(
            monotonic: SystemClock.monotonicNanoseconds,
            cpu: estimate.update(sum: sum, hidden: account.hidden, clock: clocked) - cpuBefore,
            reportedCPU: sum - cpuBefore, livingCPU: account.living,
            usage: UsagePoint(
                counts: usage - usageBefore, readable: .all.subtracting(unreadable), look: looks,
                inheritedLook: looks),
            resident: resident, peak: resident == nil ? nil : peak,
            processCount: members.values.reduce(0) { $0 + ($1.isMarker ? 0 : 1) })
    }

    /// Takes in a process of the run that has lost its parent, with its descendants.
    func adopt(pid: Int32) {
        processes.adopt(ProcessTree.processes(from: pid))
        account.adopt(pid, by: CurrentProcess.parentPID)
    }

    /// Takes in what a process of the run has used in all that has lost its parent and has ended: also what it did after the
    /// last look, or all of it if it was never seen.
    func orphanHasEnded(pid: Int32, cpu: Duration) { account.settle(orphan: pid, cpu: cpu.inNanoseconds) }

    private func clockedNanoseconds() -> Int64? {
        switch clock {
        case .some(let clock): clock.count()?.value
        case .none: nil
        }
    }

    /// CPU time of one process and the children it has waited for, nil when it is not in the tree.
    func cpu(of pid: Int32) -> Int64? { account.cpu(of: pid) }

    /// The CPU time that `wait4` reported of the target and its waited-for children, on the scale of a sample.
    func cpuSinceFirstSeen(waited: Duration) -> Int64? {
        cpuBefore.map { max(0, waited.inNanoseconds - $0) }
    }

    /// What `wait4` reported of the target and its waited-for children, on the scale of a sample.
    func usageSinceFirstSeen(waited: ChildProcess.Usage) -> UsageCounts {
        var counts = UsageCounts()
        counts[.diskRead] = waited.diskRead.bytes
        counts[.diskWritten] = waited.diskWritten.bytes
        counts[.majorFaults] = Int64(waited.majorFaults)
        counts[.minorFaults] = Int64(waited.minorFaults)
        counts[.voluntarySwitches] = Int64(waited.voluntarySwitches)
        counts[.involuntarySwitches] = Int64(waited.involuntarySwitches)
        // The counter exists until it is closed, even if all processes have ended.
        counts[.instructions] = countedInstructions() ?? 0
        return .larger(counts - usageBefore, UsageCounts())
    }

    /// What the processes that have ended since the last call had resident at most, one by one, and whether there may
    /// have been more than that.
    func takeEnds() -> TreeEndWatch.Found { ends.take() }
    /// Why ends of processes are not heard of; nil while they are.
    var endsProblem: String? { ends.problem }

    /// The peak that `wait4` reported, where it is the run's: it also holds the copy of the parent before exec, and what is
    /// larger than the parent ever was is the command's or a descendant's.
    func peak(waited: ByteCount) -> MemoryPeak? {
        // The ends of all processes are heard of: nothing is missing.
        guard ends.problem != nil, let copyMark, waited > copyMark + .mebibytes(1) else { return nil }
        return MemoryPeak(size: waited, isHighWaterMark: true)
    }

    /// Whether any process of the tree has waited for a child.
    private(set) var hasHadChildren = false

    /// Whether the target has yet to call exec.
    var awaitsExec: Bool { commandLineBeforeExec != nil }

    // MARK: Single processes

    /// The processes that used most CPU time of late. Call it once a tick.
    func busiest(_ count: Int) -> [BusyProcess] {
        let now = SystemClock.monotonicNanoseconds
        let stretch = Double(max(1, now - lastBusiest))
        lastBusiest = now
        for member in members.values {
            let cpu = member.reading.ownCPU
            let percent = member.shownCPU.map { Double(cpu - $0) / stretch * 100 } ?? 0
            // Smoothed, so that lines do not change places all the time.
            member.percent = member.shownCPU == nil ? 0 : member.percent * 0.5 + percent * 0.5
            member.shownCPU = cpu
        }
        let busy = members.values.filter { $0.percent > 0.05 && !$0.isMarker }
        // Of thousands that sleep none is worth the sorting.
        return (busy.count >= count ? busy : Array(members.values.prefix(64))).sorted {
            ($1.percent, $0.pid) < ($0.percent, $1.pid)
        }.prefix(count).map {
            BusyProcess(
                pid: $0.pid, name: $0.name, percent: $0.percent, resident: $0.reading.memory?.resident)
        }
    }

    // MARK: Memory

    /// Sets the marks of all processes back, so that the next peak is of what comes now.
    ///
    /// One that has not run since its mark was last reset has it where it would be set.
    func resetMarks() {
        largestSum = .zero
        for member in members.values where member.hasRunSinceReset {
            member.hasRunSinceReset = false
            member.refusedMark = nil
            guard !member.reading.hasEnded,
                ProcessStat.ofProcess(member.pid)?.identity == member.reading.identity
            else { continue }
            do throws(SystemError) {
                try ProcessMemory.resetHighWaterMark(of: member.pid)
            } catch {
                // One that is gone or has ended has no memory left to speak of.
                guard !error.isNotFound, let memory = ProcessMemory.ofProcess(member.pid) else { continue }
                resetProblem = error.description
                member.refusedMark = memory.highWaterMark
            }
            // What was read last is of before the reset.
            if let resident = member.reading.memory?.resident {
                member.reading.memory?.highWaterMark = resident
            }
        }
    }

    /// The larger of what all processes were seen to have together and what any single one had at its most.
    ///
    /// A mark that could not be reset still reports the peak when it has risen since.
    private var peak: MemoryPeak {
        var best = MemoryPeak(size: largestSum, isHighWaterMark: false)
        for member in members.values {
            guard let memory = member.reading.memory, !member.isMarker else { continue }
            if let old = member.refusedMark, memory.highWaterMark <= old { continue }
            best = .larger(best, MemoryPeak(size: memory.highWaterMark, isHighWaterMark: true))
        }
        return best
    }

    /// The sum of all processes' proportional memory; nil when that of one cannot be read.
    func proportionalResident() -> ByteCount? {
        guard members.count <= Self.mostClocked else { return nil }
        var sum = ByteCount.zero
        for member in members.values where member.reading.memory != nil && !member.isMarker {
            guard let size = ProportionalMemory.ofProcess(member.pid) else { return nil }
            sum = sum + size
        }
        return sum
    }

    private static func commandLine(of pid: Int32) -> [UInt8]? {
        do throws(Files.ReadError) {
            return try Files.read("/proc/\(pid)/cmdline", limit: 1 << 21)
        } catch {
            return nil
        }
    }

    func hasMemory(_ stat: ProcessStat) -> Bool {
        if let before = commandLineBeforeExec, stat.identity == target {
            if Self.commandLine(of: target.pid) == before { return false }
            commandLineBeforeExec = nil
        }
        return !stat.hasEnded
    }
}
