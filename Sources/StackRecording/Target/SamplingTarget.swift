internal import LinuxProcess
internal import LinuxSystem
internal import Measurement
internal import Stages

/// What is sampled.
public enum SamplingTarget: Hashable, Sendable {
    /// A process that runs already, with its threads and what it starts.
    case process(pid: Int32)
    /// A command, from its first instruction on.
    case command([String])
}

/// A running process looked at before anything is attached to it.
struct RunningTarget: Sendable {
    var pid: Int32
    /// At most 15 bytes, safe to show.
    var name: String
    var userID: UInt32
    var startedAt: Timestamp
    /// The program it runs; nil where we may not see it.
    var executable: String?
    /// Where it writes its status, by its environment; nil where that says nothing or we may not see it.
    var statusFile: String?

    /// Looks at a process.
    init(pid: Int32) throws(StackRecordingError) {
        guard let status = ProcessStat.ofProcess(pid) else { throw .noSuchProcess(pid: pid) }
        name = PlainText.sanitized(status.name, maximumCharacters: 32)
        self.pid = pid
        if pid == CurrentProcess.pid { throw .ourselves(pid: pid) }
        if status.hasEnded { throw .hasEnded(pid: pid, name: name) }
        let identity = ProcessFacts.read(pid: pid)
        if let leader = identity.leader, leader != pid {
            throw .isThread(threadID: pid, name: name, processID: leader)
        }
        if identity.isKernelThread { throw .kernelThread(pid: pid, name: name) }
        userID = identity.userID ?? CurrentProcess.userID
        let age = SystemClock.monotonicNanoseconds - ProcessClock.monotonicStart(of: status.identity)
        // To a clock tick, rounded away from us: a file written at once must not count as older than its process.
        startedAt = Timestamp(
            nanosecondsSinceEpoch: SystemClock.now.nanosecondsSinceEpoch - age - 20_000_000)
        executable = Self.executable(of: pid)
        statusFile = Self.statusFile(of: pid)
    }

    private static func executable(of pid: Int32) -> String? {
        do throws(SystemError) {
            return try Files.linkTarget("/proc/\(pid)/exe")
        } catch {
            // Not ours to see; whether it may be sampled, the sampler reports.
            return nil
        }
    }

    private static func statusFile(of pid: Int32) -> String? {
        do throws(Files.ReadError) {
            let environment = try Files.read("/proc/\(pid)/environ", limit: 4 << 20)
            let prefix = Array("\(StatusLocation.statusFileVariable)=".utf8)
            let entry = environment.split(separator: 0).first { $0.starts(with: prefix) }
            let path = entry.map { String(decoding: $0.dropFirst(prefix.count), as: UTF8.self) }
            // A relative path would be relative to a directory that the process may have left.
            return path.flatMap { $0.hasPrefix("/") ? $0 : nil }
        } catch {
            return nil
        }
    }
}

/// What `/proc/PID/status` and `/proc/PID/stat` say about the kind of a process.
struct ProcessFacts: Equatable {
    /// The process that a thread belongs to: its own number for a process.
    var leader: Int32?
    /// The effective user.
    var userID: UInt32?
    var isKernelThread = false

    /// `PF_KTHREAD` of the kernel's `sched.h`, in the ninth field of `stat`.
    private static let kernelThreadFlag: UInt64 = 0x0020_0000

    static func read(pid: Int32) -> ProcessFacts {
        do throws(Files.ReadError) {
            return ProcessFacts(
                status: try Files.read("/proc/\(pid)/status", limit: 1 << 16),
                stat: try Files.read("/proc/\(pid)/stat", limit: 4096))
        } catch {
            // It ended a moment ago. The sampler reports that when it attaches.
            return ProcessFacts()
        }
    }

    init() {}

    /// A process's number in its own namespace, nil where that is ours or the process has ended.
    static func innermostNumber(of pid: Int32) -> Int32? {
        do throws(Files.ReadError) {
            return innermostNumber(status: try Files.read("/proc/\(pid)/status", limit: 1 << 16))
        } catch {
            return nil
        }
    }

    /// The last of several numbers in the line `NSpid:`, from our namespace inwards.
    static func innermostNumber(status: [UInt8]) -> Int32? {
        let lines = status.split(separator: UInt8(ascii: "\n"))
        guard let line = lines.first(where: { $0.starts(with: "NSpid:".utf8) }) else { return nil }
        let numbers = line.dropFirst(6).split { $0 == 0x09 || $0 == 0x20 }
        guard numbers.count > 1, let last = numbers.last else { return nil }
        return Int32(String(decoding: last, as: UTF8.self))
    }

    /// The facts in the text of the two files.
    init(status: [UInt8], stat: [UInt8]) {
        for line in status.split(separator: UInt8(ascii: "\n")) {
            let fields = line.split { $0 == 0x09 || $0 == 0x20 }.map { String(decoding: $0, as: UTF8.self) }
            switch fields.first {
            case "Tgid:": leader = fields.count > 1 ? Int32(fields[1]) : nil
            case "Uid:": userID = fields.count > 2 ? UInt32(fields[2]) : nil
            default: break
            }
        }
        guard let close = stat.lastIndex(of: UInt8(ascii: ")")) else { return }
        // The first of these is the third field of proc(5), so the flags are the seventh.
        let fields = stat[(close + 1)...].split { $0 == 0x20 || $0 == 0x0A }
        guard fields.count > 6, let flags = UInt64(String(decoding: fields[6], as: UTF8.self)) else { return }
        isKernelThread = flags & Self.kernelThreadFlag != 0
    }
}

/// Which program a command will run, as far as that can be determined before it runs.
enum CommandProgram {
    /// The file that the kernel executes in the end: the interpreter of a script, else the program itself.
    static func executable(of command: [String]) -> String? {
        guard let program = command.first.flatMap({ Programs.path(of: $0) }) else { return nil }
        do throws(Files.ReadError) {
            let beginning = try Files.readBeginning(program, limit: 256)
            if let interpreter = interpreter(inFirstLineOf: beginning) { return interpreter }
        } catch {
            // A program that may be executed but not read.
            return program
        }
        do throws(SystemError) {
            return try Files.canonical(program)
        } catch {
            return program
        }
    }

    /// The interpreter that a script's first line names, `env` looked through.
    static func interpreter(inFirstLineOf bytes: [UInt8]) -> String? {
        guard bytes.starts(with: "#!".utf8) else { return nil }
        let line = bytes.dropFirst(2).prefix { $0 != 0x0A }
        let words = line.split { $0 == 0x20 || $0 == 0x09 }.map { String(decoding: $0, as: UTF8.self) }
        guard let first = words.first else { return nil }
        guard Files.name(of: first) == "env" else { return first }
        return words.dropFirst().first { !$0.hasPrefix("-") && !$0.contains("=") }
    }
}
