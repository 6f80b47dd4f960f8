internal import LinuxProcess
internal import LinuxSystem
internal import Measurement

/// What was seen of the target and its descendants at one moment.
struct TargetSample {
    var monotonic: Int64
    /// CPU time of the whole tree since it was first seen, in nanoseconds.
    var cpu: Int64
    /// CPU time of single processes, own and of waited-for children, by process identifier.
    var cpuByProcess: [Int32: Int64]
    /// Resident memory of all processes together; nil when none has any to be read.
    var resident: ByteCount?
    /// The peak since the last reset of the marks; nil likewise.
    var peak: MemoryPeak?
    var processCount: Int
}

/// Reads the clocks and the memory of a process tree. Owns what has to be remembered between two readings.
struct TargetSampler {
    let target: ProcessIdentity
    private let excluded: Set<Int32>
    private var account = TreeAccount()
    private var members: [Int32: ProcessIdentity] = [:]
    /// High-water marks at the last reset, of processes that refuse one.
    private var refusedMarks: [ProcessIdentity: ByteCount] = [:]
    /// The largest sum of resident memory since the last reset.
    private var largestSum = ByteCount.zero
    /// Why the kernel's mark could not be reset, once that has happened.
    private(set) var resetProblem: String?
    /// CPU time the target had used before it was first seen.
    private var cpuBefore: Int64?
    /// The command line of a copy of our parent that has not called exec yet: its memory is our parent's, not the run's.
    private var commandLineBeforeExec: [UInt8]?
    /// What the parent had resident at its most: its copy cannot have had more.
    private var copyMark: ByteCount?

    /// A sampler of a process that exists; nil when there is none.
    init?(pid: Int32, excluding excluded: Set<Int32>) {
        guard let stat = ProcessStat.ofProcess(pid) else { return nil }
        target = stat.identity
        self.excluded = excluded
        if pid != CurrentProcess.parentPID {
            let commandLine = Self.commandLine(of: pid)
            if commandLine == Self.commandLine(of: CurrentProcess.parentPID) {
                commandLineBeforeExec = commandLine
                copyMark = ProcessMemory.ofProcess(CurrentProcess.parentPID)?.highWaterMark
            }
        }
    }

    /// Reads the tree; nil when nothing of it is left.
    mutating func sample() -> TargetSample? {
        let readings = readTree()
        guard !readings.isEmpty else { return nil }
        account.update(readings)
        members = Dictionary(
            readings.map { ($0.identity.pid, $0.identity) }, uniquingKeysWith: { first, _ in first })
        let before = cpuBefore ?? account.total
        cpuBefore = before
        let memories = readings.compactMap(\.memory)
        let resident = memories.isEmpty ? nil : memories.reduce(ByteCount.zero) { $0 + $1.resident }
        if let resident { largestSum = max(largestSum, resident) }
        return TargetSample(
            monotonic: SystemClock.monotonicNanoseconds, cpu: account.total - before,
            cpuByProcess: Dictionary(
                readings.map { ($0.identity.pid, $0.allCPU) }, uniquingKeysWith: { first, _ in first }),
            resident: resident, peak: resident == nil ? nil : peak(of: readings), processCount: readings.count
        )
    }

    /// The CPU time that `wait4` told of the target and its waited-for children, on the scale of a sample.
    func cpuSinceFirstSeen(waited: Duration) -> Int64? {
        cpuBefore.map { max(0, waited.inNanoseconds - $0) }
    }

    /// The peak that `wait4` told, where it is the run's: it also holds the copy of the parent before exec, and what is
    /// larger than the parent ever was is the command's or a descendant's.
    func peak(waited: ByteCount) -> MemoryPeak? {
        guard let copyMark, waited > copyMark + .mebibytes(1) else { return nil }
        return MemoryPeak(size: waited, isHighWaterMark: true)
    }

    /// Whether the target has yet to call exec.
    var awaitsExec: Bool { commandLineBeforeExec != nil }

    /// Sets the marks of all processes back, so that the next peak is of what comes now.
    mutating func resetMarks() {
        largestSum = .zero
        refusedMarks.removeAll()
        for (pid, identity) in members where ProcessStat.ofProcess(pid)?.identity == identity {
            do throws(SystemError) {
                try ProcessMemory.resetHighWaterMark(of: pid)
            } catch {
                // One that is gone or has ended has no memory left to speak of.
                guard !error.isNotFound, let memory = ProcessMemory.ofProcess(pid) else { continue }
                resetProblem = error.description
                refusedMarks[identity] = memory.highWaterMark
            }
        }
    }

    /// The larger of what all processes were seen to have together and what any single one had at its most.
    ///
    /// A mark that could not be reset still tells the peak when it has risen since.
    private func peak(of readings: [ProcessReading]) -> MemoryPeak {
        var best = MemoryPeak(size: largestSum, isHighWaterMark: false)
        for reading in readings {
            guard let memory = reading.memory else { continue }
            if let old = refusedMarks[reading.identity], memory.highWaterMark <= old { continue }
            best = .larger(best, MemoryPeak(size: memory.highWaterMark, isHighWaterMark: true))
        }
        return best
    }

    private static func commandLine(of pid: Int32) -> [UInt8]? {
        do throws(Files.ReadError) {
            return try Files.read("/proc/\(pid)/cmdline", limit: 1 << 21)
        } catch {
            return nil
        }
    }

    private mutating func hasMemory(_ stat: ProcessStat) -> Bool {
        if let before = commandLineBeforeExec, stat.identity == target {
            if Self.commandLine(of: target.pid) == before { return false }
            commandLineBeforeExec = nil
        }
        return !stat.hasEnded
    }

    /// Reads the tree, again when a process went away meanwhile.
    ///
    /// Parents are read before children. A child that can still be read after its parent was, is not yet in that
    /// parent's children time; of one that cannot, nobody knows, and counting it in both places would count it twice.
    private mutating func readTree() -> [ProcessReading] {
        var readings: [ProcessReading] = []
        for _ in 0..<4 {
            let listed = ProcessTree.processes(from: target.pid, excluding: excluded)
            readings = read(listed)
            let found = Set(readings.map(\.identity.pid))
            if listed.allSatisfy({ found.contains($0) }) { break }
        }
        return readings
    }

    private mutating func read(_ listed: [Int32]) -> [ProcessReading] {
        var pids = listed
        // A descendant whose parent has ended belongs to init now, and still to the pipeline.
        let known = Set(pids)
        pids += members.keys.filter { !known.contains($0) }
        var readings: [ProcessReading] = []
        for pid in pids {
            guard let stat = ProcessStat.ofProcess(pid), let own = ProcessClock.cpu(of: pid) else { continue }
            // The number may have come to mean another process.
            if pid == target.pid, stat.identity != target { continue }
            if !known.contains(pid), members[pid] != stat.identity { continue }
            readings.append(
                ProcessReading(
                    identity: stat.identity, parent: stat.parent, ownCPU: own.inNanoseconds,
                    childrenCPU: stat.waitedChildrenCPU.inNanoseconds,
                    memory: hasMemory(stat) ? ProcessMemory.ofProcess(pid) : nil))
        }
        return readings
    }
}
