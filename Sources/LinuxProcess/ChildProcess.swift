internal import CLinux
internal import Glibc
public import LinuxSystem
public import Measurement

/// How a process is started.
public struct ChildRequest: Sendable {
    /// Where one of the child's standard streams leads.
    public enum Stream: Sendable {
        /// The same as ours.
        case inherited
        /// `/dev/null`.
        case null
        /// A descriptor that the caller keeps open until the child has started.
        case descriptor(Int32)
    }

    /// The program and its arguments. A program without a slash is looked up in PATH.
    public var arguments: [String]
    /// Variables added to our environment, or replaced in it.
    public var environment: [String: String] = [:]
    /// The child's working directory, ours when nil.
    public var workingDirectory: String?
    public var standardInput: Stream = .inherited
    public var standardOutput: Stream = .inherited
    public var standardError: Stream = .inherited
    /// Further descriptors that the child gets under the same numbers.
    public var inheritedDescriptors: [Int32] = []
    /// Whether the child leads a process group of its own, out of reach of the terminal's Ctrl-C.
    public var leadsProcessGroup = false
    /// Whether the kernel kills the child when the thread that started it ends, SIGKILL of us included.
    public var diesWithParent = false

    /// A request to run a program with arguments.
    public init(_ arguments: [String]) {
        self.arguments = arguments
    }
}

/// Why a process could not be started.
public enum SpawnError: Error, Equatable, CustomStringConvertible {
    /// No program of that name is in PATH, or nothing is at that path.
    case notFound(program: String)
    /// It is there, but the kernel refused to run it.
    case refused(program: String, reason: String)
    /// The command is empty.
    case emptyCommand
    /// Something before exec failed.
    case system(SystemError)

    /// One sentence with a remedy where there is one.
    public var description: String {
        switch self {
        case .notFound(let program):
            "Cannot run '\(PlainText.sanitized(program))': there is no such program. "
                + (program.contains(where: \.isWhitespace)
                    ? "It is one word with spaces in it. Give the command and its arguments as words of their own, or to "
                        + "a shell: \(ShellWords.line(["sh", "-c", program]))"
                    : "Check the spelling, or give its path.")
        case .refused(let program, let reason): "Cannot run '\(PlainText.sanitized(program))': \(reason)."
        case .emptyCommand: "There is no command to run."
        case .system(let error): error.description
        }
    }
}

/// A child that exists but has not yet called exec: a caller that wants to watch it from its first instruction
/// attaches now.
///
/// Dropping it unreleased ends the child before it has run anything.
public struct SuspendedChild: ~Copyable {
    /// The child's process identifier.
    public var pid: Int32 { child.pid }

    private let program: String
    private let gate: FileDescriptor
    private let failures: FileDescriptor
    // Ends and reaps the process when dropped, and so when this is dropped unreleased.
    private let child: ChildProcess

    /// Forks a child that waits before exec.
    public static func prepare(_ request: ChildRequest) throws(SpawnError) -> SuspendedChild {
        guard let program = request.arguments.first, !program.isEmpty else { throw .emptyCommand }
        guard let path = Programs.path(of: program) else { throw .notFound(program: program) }
        do throws(SystemError) {
            let gate = try FileDescriptor.pipe()
            let failures = try FileDescriptor.pipe()
            let null = try FileDescriptor.nullDevice()
            let pid = try OwnChildren.starting { () throws(SystemError) in
                try spawn(
                    request, path: path, gate: (gate.readEnd.rawValue, gate.writeEnd.rawValue),
                    failures: failures.writeEnd.rawValue,
                    null: (read: null.rawValue, write: null.rawValue))
            }
            var pidfd = clinux_pidfd_open(pid)
            if pidfd == -ENOSYS { pidfd = clinux_child_exit_descriptor(pid) }
            guard pidfd >= 0 else {
                kill(pid, SIGKILL)
                waitpid(pid, nil, 0)
                OwnChildren.forget(pid)
                throw SystemError(action: "watch process \(pid)", code: -pidfd)
            }
            return SuspendedChild(
                program: program, gate: gate.takeWriteEnd(), failures: failures.takeReadEnd(),
                child: ChildProcess(pid: pid, pidfd: FileDescriptor(owning: pidfd)))
        } catch {
            throw .system(error)
        }
    }

    /// Lets the child call exec, and hands it over. The child is gone when this throws.
    public consuming func release() throws(SpawnError) -> ChildProcess {
        let report: [UInt8]
        do throws(SystemError) {
            try gate.write([1])
            report = try failures.read(upTo: MemoryLayout<Int32>.size)
        } catch {
            throw .system(error)
        }
        if report.count == MemoryLayout<Int32>.size {
            let code = report.withUnsafeBytes { $0.loadUnaligned(as: Int32.self) }
            throw .refused(program: program, reason: SystemError(action: "", code: code).reason)
        }
        return child
    }

    private static func spawn(
        _ request: ChildRequest, path: String, gate: (read: Int32, write: Int32), failures: Int32,
        null: (read: Int32, write: Int32)
    ) throws(SystemError) -> Int32 {
        let merged = CurrentProcess.variables(of: CurrentProcess.environment).merging(request.environment) {
            $1
        }
        let environment = merged.map { "\($0.key)=\($0.value)" }.sorted()
        let result = withCStrings(request.arguments) { arguments in
            withCStrings(environment) { environment in
                path.withNativeCString { path in
                    withOptionalCString(request.workingDirectory) { directory in
                        request.inheritedDescriptors.withUnsafeBufferPointer { inherited in
                            var raw = clinux_spawn_request(
                                path: path, arguments: arguments, environment: environment,
                                working_directory: directory,
                                standard_input: request.standardInput.descriptor(null: null.read),
                                standard_output: request.standardOutput.descriptor(null: null.write),
                                standard_error: request.standardError.descriptor(null: null.write),
                                gate: gate.read, gate_writer: gate.write, failure_report: failures,
                                inherited: inherited.baseAddress, inherited_count: inherited.count,
                                new_process_group: request.leadsProcessGroup ? 1 : 0,
                                parent_death_signal: request.diesWithParent ? SIGKILL : 0)
                            return clinux_spawn(&raw)
                        }
                    }
                }
            }
        }
        guard result > 0 else { throw SystemError(action: "start a process", code: -result) }
        return result
    }
}

extension ChildRequest.Stream {
    fileprivate func descriptor(null: Int32) -> Int32 {
        switch self {
        case .inherited: -1
        case .null: null
        case .descriptor(let descriptor): descriptor
        }
    }
}

/// How a process ended.
public enum ExitStatus: Hashable, Sendable {
    /// It returned from main or called exit, with this code.
    case code(Int32)
    /// A signal ended it.
    case signal(Int32)

    /// The meaning of a status as wait(2) encodes it.
    public init(waitStatus: Int32) {
        let signal = waitStatus & 0x7F
        self = signal == 0 ? .code((waitStatus >> 8) & 0xFF) : .signal(signal)
    }

    /// The exit code a shell would report: 128 and the signal's number for a killed process.
    public var shellCode: Int32 {
        switch self {
        case .code(let code): code
        case .signal(let signal): 128 + signal
        }
    }
}

extension ExitStatus: CustomStringConvertible {
    /// `exited with code 3` or `was ended by signal 9 (Killed)`.
    public var description: String {
        switch self {
        case .code(let code): "exited with code \(code)"
        case .signal(let signal): "was ended by \(Self.words(ofSignal: signal))"
        }
    }

    /// `signal 9 (Killed)`.
    public static func words(ofSignal signal: Int32) -> String {
        "signal \(signal) (\(String(cString: strsignal(signal))))"
    }
}

/// A child that runs. It is ours to wait for: when dropped unwaited it is killed and reaped.
public struct ChildProcess: ~Copyable {
    /// How a waited-for child ended and what the kernel says it used.
    public struct Outcome: Hashable, Sendable {
        public var status: ExitStatus
        /// User and system time of the child and of all its waited-for descendants.
        public var cpu: Duration
        /// The largest resident set of the child or of any one waited-for descendant.
        public var peakResident: ByteCount
        /// What else they used.
        public var usage: Usage
    }

    /// What a child and all its waited-for descendants used from start to end, those of their threads and children that
    /// ended long before included.
    public struct Usage: Hashable, Sendable {
        /// Read from storage, in whole units of 512 bytes.
        public var diskRead: ByteCount
        /// Written to the page cache for storage, in whole units of 512 bytes.
        public var diskWritten: ByteCount
        /// Page faults that needed reading from storage.
        public var majorFaults: Int
        /// Page faults that memory alone could serve.
        public var minorFaults: Int
        /// How often they gave the processor away to wait.
        public var voluntarySwitches: Int
        /// How often it was taken from them.
        public var involuntarySwitches: Int

        /// A usage of its parts.
        public init(
            diskRead: ByteCount, diskWritten: ByteCount, majorFaults: Int, minorFaults: Int,
            voluntarySwitches: Int,
            involuntarySwitches: Int
        ) {
            self.diskRead = diskRead
            self.diskWritten = diskWritten
            self.majorFaults = majorFaults
            self.minorFaults = minorFaults
            self.voluntarySwitches = voluntarySwitches
            self.involuntarySwitches = involuntarySwitches
        }

        init(_ raw: clinux_usage) {
            self.init(
                diskRead: ByteCount(bytes: raw.blocks_read * 512),
                diskWritten: ByteCount(bytes: raw.blocks_written * 512), majorFaults: Int(raw.major_faults),
                minorFaults: Int(raw.minor_faults),
                voluntarySwitches: Int(raw.voluntary_switches),
                involuntarySwitches: Int(raw.involuntary_switches))
        }
    }

    /// The child's process identifier.
    public let pid: Int32
    /// Readable once the child has ended.
    public var pidfd: Int32 { handle.rawValue }

    private let handle: FileDescriptor
    private var outcome: Outcome?

    fileprivate init(pid: Int32, pidfd: consuming FileDescriptor) {
        self.pid = pid
        handle = pidfd
    }

    deinit {
        guard outcome == nil else { return }
        send(SIGKILL)
        waitpid(pid, nil, 0)
        OwnChildren.forget(pid)
    }

    /// Starts a child at once.
    public static func start(_ request: ChildRequest) throws(SpawnError) -> ChildProcess {
        try SuspendedChild.prepare(request).release()
    }

    /// Waits for the child's end, or for a time; nil when the time was over first.
    ///
    /// The corresponding C functions are `poll` and `wait4`.
    public mutating func wait(timeout: Duration? = nil) throws(SystemError) -> Outcome? {
        if let outcome { return outcome }
        let deadline = timeout.map { SystemClock.monotonicNanoseconds + $0.inNanoseconds }
        while true {
            let left = deadline.map {
                Duration(nanosecondCount: max(0, $0 - SystemClock.monotonicNanoseconds))
            }
            if try FileDescriptor.waitUntilReadable([pidfd], timeout: left)[0] { break }
            if let deadline, SystemClock.monotonicNanoseconds >= deadline { return nil }
        }
        var status: Int32 = 0
        var raw = clinux_usage()
        let waited = clinux_wait(pid, &status, &raw)
        guard waited > 0 else { throw SystemError(action: "wait for process \(pid)", code: -waited) }
        OwnChildren.forget(pid)
        let result = Outcome(
            status: ExitStatus(waitStatus: status), cpu: Duration(nanosecondCount: raw.cpu_nanoseconds),
            peakResident: .kibibytes(raw.peak_resident_kibibytes), usage: Usage(raw))
        outcome = result
        return result
    }

    /// Sends the child a signal. One that has ended already is fine.
    public func send(_ signal: Int32) {
        // A child that has not been waited for keeps its number, so that the signal cannot hit another process.
        if clinux_pidfd_send_signal(pidfd, signal) != 0, outcome == nil { kill(pid, signal) }
    }

    /// Sends a signal to the process group that the child leads. A group that has ended already is fine.
    public func sendToGroup(_ signal: Int32) {
        kill(-pid, signal)
    }

    /// Ends the child: a request first, then SIGKILL when it has not heeded it within a time.
    public mutating func terminate(grace: Duration) throws(SystemError) -> Outcome {
        send(SIGTERM)
        if let outcome = try wait(timeout: grace) { return outcome }
        send(SIGKILL)
        while true {
            if let outcome = try wait() { return outcome }
        }
    }
}

/// Programs by name.
public enum Programs {
    /// The path of a program: itself when it has a slash and can be executed, else the first hit in PATH.
    public static func path(of program: String) -> String? {
        if program.contains("/") { return Files.exists(program) ? program : nil }
        let searched = CurrentProcess.environmentVariable("PATH") ?? "/usr/local/bin:/usr/bin:/bin"
        for directory in searched.split(separator: ":", omittingEmptySubsequences: false) {
            let candidate = "\(directory.isEmpty ? "." : directory)/\(program)"
            if Files.isExecutable(candidate) { return candidate }
        }
        return nil
    }

    /// The absolute path of a program of ours to call, such as git: the first hit in those directories of PATH that are
    /// absolute. What lies in the working directory, a stranger's repository maybe, is none of it.
    public static func installed(_ program: String) -> String? {
        for directory in searchedDirectories.split(separator: ":") {
            let candidate = "\(directory)/\(program)"
            if Files.isExecutable(candidate) { return candidate }
        }
        return nil
    }

    /// PATH without its empty and relative entries, which stand for places below the working directory.
    public static var searchedDirectories: String {
        let searched = CurrentProcess.environmentVariable("PATH") ?? "/usr/local/bin:/usr/bin:/bin"
        return searched.split(separator: ":").filter { $0.hasPrefix("/") }.joined(separator: ":")
    }

    /// Whether a program is a Python interpreter, by its file name: `python`, `python3`, `python3.11`.
    public static func isPython(_ program: String) -> Bool {
        let name = Files.name(of: program)
        return name.hasPrefix("python") && name.dropFirst(6).allSatisfy { $0.isNumber || $0 == "." }
    }
}

private func withCStrings<Result>(
    _ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
) -> Result {
    var pointers: [UnsafeMutablePointer<CChar>?] = strings.map { $0.withNativeCString { strdup($0) } } + [nil]
    defer { for pointer in pointers { free(pointer) } }
    return pointers.withUnsafeMutableBufferPointer { buffer in
        // The array ends with its nil, so it is never empty.
        guard let base = buffer.baseAddress else {
            preconditionFailure("an array with one element has a base")
        }
        return body(UnsafePointer(base))
    }
}

private func withOptionalCString<Result>(_ text: String?, _ body: (UnsafePointer<CChar>?) -> Result) -> Result
{
    guard let text else { return body(nil) }
    return text.withNativeCString { body($0) }
}
