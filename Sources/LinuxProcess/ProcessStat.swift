internal import Glibc
public import LinuxSystem
public import Measurement

/// Which process: a number alone may have been given to another one meanwhile, a number with its start may not.
public struct ProcessIdentity: Hashable, Sendable {
    /// The process identifier.
    public var pid: Int32
    /// When it started, in clock ticks (10 ms) since boot.
    public var startTicks: UInt64

    /// A process that started at a moment.
    public init(pid: Int32, startTicks: UInt64) {
        self.pid = pid
        self.startTicks = startTicks
    }
}

/// What `/proc/PID/stat` says about a process, as far as a profiler needs it.
public struct ProcessStat: Hashable, Sendable {
    public var identity: ProcessIdentity
    /// The program's name, at most 15 bytes: untrusted text.
    public var name: String
    /// `R`, `S`, `D`, `Z` for ended but not yet waited for, and so on.
    public var state: Character
    public var parent: Int32
    /// Whether it is a copy of its parent that has not called exec since: a worker, or one on its way to a program.
    public var isForkedCopy: Bool
    /// Page faults served from memory: of itself, and of the children that it has waited for and theirs.
    public var minorFaults: Int64
    public var waitedChildrenMinorFaults: Int64
    /// Page faults that needed reading from storage, likewise.
    public var majorFaults: Int64
    public var waitedChildrenMajorFaults: Int64
    /// User and system time of the children that it has waited for, and of theirs, in whole clock ticks.
    public var waitedChildrenCPU: Duration
    public var threadCount: Int
    public var resident: ByteCount
    /// How it ended, reported only of one that has and is not yet waited for, and only to who may trace it.
    public var exitStatus: ExitStatus?

    /// Whether the process has ended and only its entry is left. Not while its first thread alone has ended: the entry is
    /// that thread's, and counts the others.
    public var hasEnded: Bool { (state == "Z" || state == "X") && threadCount < 2 }

    /// The status of a process, nil when there is none of that number or its entry is garbage.
    public static func ofProcess(_ pid: Int32) -> ProcessStat? {
        // Gone, or not ours to see: to an observer that is the same.
        ProcFile.read("/proc/\(pid)/stat").flatMap { parse($0) }
    }

    /// The status in the text of `/proc/PID/stat`. The name may hold anything, parentheses and spaces included, so the
    /// fields are counted from the last parenthesis.
    public static func parse(_ bytes: [UInt8]) -> ProcessStat? {
        guard let open = bytes.firstIndex(of: UInt8(ascii: "(")),
            let close = bytes.lastIndex(of: UInt8(ascii: ")")), open < close,
            let pid = ProcFile.decimal(bytes[..<open].filter { $0 != 0x20 }).flatMap({ Int32(exactly: $0) })
        else { return nil }
        let fields = bytes[(close + 1)...].split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\n") }
        // fields[0] is the third field of proc(5), the state.
        func number(_ field: Int) -> Int64? {
            field - 3 < fields.count ? ProcFile.decimal(fields[field - 3]) : nil
        }
        guard let letter = fields.first?.first, letter < 0x80,
            let parent = number(4).flatMap({ Int32(exactly: $0) }),
            let childrenUser = number(16), let childrenSystem = number(17), let threads = number(20),
            let start = number(22), let pages = number(24), let minor = number(10),
            let childrenMinor = number(11), let major = number(12), let childrenMajor = number(13),
            let flags = number(9),
            [
                childrenUser, childrenSystem, threads, start, pages, minor, childrenMinor, major,
                childrenMajor,
            ].allSatisfy({ (0...1 << 50).contains($0) })
        else { return nil }
        let state = Character(Unicode.Scalar(letter))
        return ProcessStat(
            identity: ProcessIdentity(pid: pid, startTicks: UInt64(start)),
            name: String(decoding: bytes[(open + 1)..<close], as: UTF8.self), state: state, parent: parent,
            isForkedCopy: flags & forkedWithoutExec != 0, minorFaults: minor,
            waitedChildrenMinorFaults: childrenMinor, majorFaults: major,
            waitedChildrenMajorFaults: childrenMajor,
            waitedChildrenCPU: Duration(
                nanosecondCount: (childrenUser + childrenSystem) * nanosecondsPerTick),
            threadCount: Int(threads), resident: ByteCount(bytes: pages * pageSize),
            exitStatus: state == "Z"
                ? number(52).flatMap { Int32(exactly: $0) }.map { ExitStatus(waitStatus: $0) } : nil)
    }

    /// PF_FORKNOEXEC of the kernel's task flags.
    private static let forkedWithoutExec: Int64 = 0x40
    private static let nanosecondsPerTick = 1_000_000_000 / Int64(max(1, sysconf(Int32(_SC_CLK_TCK))))
    private static let pageSize = Int64(max(1, sysconf(Int32(_SC_PAGESIZE))))
}

/// The resident memory of a process.
public struct ProcessMemory: Hashable, Sendable {
    /// What is resident now (`VmRSS`).
    public var resident: ByteCount
    /// The most that has been since the start of the program, or since the mark was last reset (`VmHWM`).
    public var highWaterMark: ByteCount

    /// The memory of a process, nil when it is gone, has ended or is a kernel thread.
    public static func ofProcess(_ pid: Int32) -> ProcessMemory? {
        ProcessStatus.text(of: pid).flatMap { parse($0) }
    }

    /// The memory in the text of `/proc/PID/status`.
    public static func parse(_ bytes: [UInt8]) -> ProcessMemory? {
        // The mark comes before the present size.
        guard let mark = kibibytes("VmHWM:", in: bytes), let resident = kibibytes("VmRSS:", in: bytes) else {
            return nil
        }
        return ProcessMemory(resident: .kibibytes(resident), highWaterMark: .kibibytes(mark))
    }

    /// Sets a process's high-water mark back to what is resident now, by writing 5 to `/proc/PID/clear_refs`.
    ///
    /// The mark is also what the process itself reads as `ru_maxrss`. Only its owner may do this.
    public static func resetHighWaterMark(of pid: Int32) throws(SystemError) {
        do throws(SystemError) {
            try FileDescriptor.open("/proc/\(pid)/clear_refs", .writeExisting).write(Array("5".utf8))
        } catch {
            throw SystemError(
                action: "reset the memory high-water mark of process \(pid)", code: error.code)
        }
    }

    private static func kibibytes(_ key: StaticString, in bytes: [UInt8]) -> Int64? {
        ProcFile.number(key, in: bytes).flatMap { $0 < 1 << 50 ? $0 : nil }
    }
}
