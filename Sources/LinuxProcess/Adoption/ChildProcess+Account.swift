internal import CLinux
public import Measurement

extension ChildProcess {
    /// What some processes have used that are not the command itself.
    public struct Account: Hashable, Sendable {
        /// User and system time.
        public var cpu = Duration.zero
        /// The largest of any one.
        public var peakResident = ByteCount.zero
        public var usage = Usage(
            diskRead: .zero, diskWritten: .zero, majorFaults: 0, minorFaults: 0, voluntarySwitches: 0,
            involuntarySwitches: 0)

        /// Nothing.
        public init() {}

        /// An account of its parts.
        init(cpu: Duration, peakResident: ByteCount, usage: Usage) {
            self.cpu = cpu
            self.peakResident = peakResident
            self.usage = usage
        }

        /// What the kernel reports of a child that was waited for.
        init(_ raw: clinux_usage) {
            cpu = Duration(nanosecondCount: raw.cpu_nanoseconds)
            peakResident = .kibibytes(raw.peak_resident_kibibytes)
            usage = Usage(raw)
        }

        /// What a process that lives has used so far, with the children that it has waited for.
        init(living stat: ProcessStat) {
            let pid = stat.identity.pid
            cpu = (ProcessClock.cpu(of: pid) ?? .zero) + stat.waitedChildrenCPU
            usage.majorFaults = Int(stat.majorFaults + stat.waitedChildrenMajorFaults)
            usage.minorFaults = Int(stat.minorFaults + stat.waitedChildrenMinorFaults)
            peakResident = ProcessMemory.ofProcess(pid)?.highWaterMark ?? .zero
            if let moved = ProcessIO.ofProcess(pid) {
                usage.diskRead = moved.read
                usage.diskWritten = moved.written
            }
            if let switches = ContextSwitches.ofThread(pid, in: pid) {
                usage.voluntarySwitches = Int(switches.voluntary)
                usage.involuntarySwitches = Int(switches.involuntary)
            }
        }

        /// Adds what others have used.
        public mutating func add(_ other: Account) {
            cpu += other.cpu
            peakResident = max(peakResident, other.peakResident)
            usage.diskRead = usage.diskRead + other.usage.diskRead
            usage.diskWritten = usage.diskWritten + other.usage.diskWritten
            usage.majorFaults += other.usage.majorFaults
            usage.minorFaults += other.usage.minorFaults
            usage.voluntarySwitches += other.usage.voluntarySwitches
            usage.involuntarySwitches += other.usage.involuntarySwitches
        }
    }
}

extension ChildProcess.Outcome {
    /// Counts what processes have used that the command has left behind.
    public mutating func add(_ account: ChildProcess.Account) {
        var all = account
        all.add(ChildProcess.Account(cpu: cpu, peakResident: peakResident, usage: usage))
        (cpu, peakResident, usage) = (all.cpu, all.peakResident, all.usage)
    }
}
