internal import LinuxProcess
internal import LinuxSystem
internal import Measurement
internal import PythonFrames
internal import StackProfile

/// py-spy sampling the Python processes of a run, kept alive beside the run.
///
/// py-spy refuses a process whose interpreter is not set up yet, so it is started again until it has taken hold. It is
/// a program of another project: it may fail, hang, be too old for the interpreter, or be a shim of nothing. None of that
/// throws, because the caller has a command running. What went wrong is the reason in ``finish()``.
package struct PySpy: ~Copyable {
    /// Samples per second: py-spy stops the target for each, so ten times fewer than our own sampler takes.
    static let rateHertz = 100

    private static let attemptLimit = 20
    /// The time between two attempts: a program that fails at once must not use up all of them before the interpreter
    /// is there, nor keep a CPU busy.
    private static let attemptInterval = Duration.milliseconds(100)
    /// How long py-spy may take to write what it has.
    private static let farewell = Duration.seconds(10)
    /// How long the target may stand still in a stop of py-spy: its stops last less than a millisecond.
    private static let longestStop = Duration.seconds(2)

    private let program: String
    private let rateHertz: Int
    private let includesWaiting: Bool
    /// A directory of its own: what py-spy writes must not wake the monitor, which watches the status file's directory.
    private let directory: String
    private var output: String { "\(directory)/py-spy.folded" }
    private var errors: String { "\(directory)/py-spy.log" }
    private let locator = PythonLocator()
    private var child: ChildProcess?
    private var attempts = 0
    private var lastAttempt: Int64 = 0
    private var failure: String?
    /// A stop in which the target was found, and when first.
    private var stop: (seen: PythonTargets.TracerStop, since: Int64)?

    /// Where py-spy is on PATH, nil when it is not.
    package static var program: String? { Programs.installed("py-spy") }

    /// A py-spy that writes its files into a directory inside another.
    ///
    /// - Parameter includesWaiting: Whether threads that wait are sampled too.
    init(
        program: String, directory: String, rateHertz: Int = PySpy.rateHertz, includesWaiting: Bool = false
    ) {
        self.program = program
        self.rateHertz = rateHertz
        self.includesWaiting = includesWaiting
        self.directory = "\(directory)/py-spy"
    }

    /// Whether it will give nothing any more.
    var hasGivenUp: Bool { failure != nil }

    /// Starts py-spy on a process that runs Python, unless it is running already.
    mutating func lookAfter(_ pid: Int32) {
        guard failure == nil else { return }
        do throws(SystemError) {
            if try child?.wait(timeout: .zero) != nil { child = nil }
        } catch {
            return giveUp(error.description)
        }
        if child != nil { return endIfHolding(pid) }
        let now = SystemClock.monotonicNanoseconds
        guard now - lastAttempt >= Self.attemptInterval.inNanoseconds,
            PythonTargets.isAny(inFamilyOf: pid, locator)
        else { return }
        guard attempts < Self.attemptLimit else { return giveUp(lastWords()) }
        attempts += 1
        lastAttempt = now
        start(on: pid)
    }

    /// Asks py-spy to stop and write what it has, waits for that, and reads it.
    ///
    /// - Returns: The stacks, or why there are none; nil where it had nothing to do, because nothing ran Python.
    mutating func finish() -> Reading<FoldedStacks.Outcome>? {
        if let failure { return .unavailable(reason: failure) }
        guard attempts > 0 else { return nil }
        child?.send(SignalInbox.interrupt)
        do throws(SystemError) {
            if child != nil, try child?.wait(timeout: Self.farewell) == nil {
                // Dropped, it is ended.
                child = nil
                return .unavailable(
                    reason: "py-spy did not end within \(Self.farewell.readable) of its target, and was ended"
                )
            }
        } catch {
            return .unavailable(reason: error.description)
        }
        guard Files.exists(output) else { return .unavailable(reason: lastWords()) }
        do {
            let bytes = try Files.read(output, limit: 1 << 29)
            let stacks = try FoldedStacks.read(
                Self.withoutProcesses(bytes), unit: .samples, period: Duration.seconds(1) / rateHertz)
            guard stacks.profile.totalWeight > 0 else { return .unavailable(reason: lastWords()) }
            return .value(stacks)
        } catch {
            return .unavailable(reason: "what py-spy wrote could not be read: \(error)")
        }
    }

    /// py-spy's text without the outermost frames `process 4711:"the whole command line"`: they make every run another
    /// tree, and a command line may hold newlines and semicolons.
    package static func withoutProcesses(_ text: [UInt8]) -> [UInt8] {
        var kept: [UInt8] = []
        kept.reserveCapacity(text.count)
        var rest = text[...]
        while !rest.isEmpty {
            if let body = afterProcess(rest) {
                rest = body
                // A sample of a process that has no Python frame, while it starts for instance, has nothing but the process.
                if rest.first == UInt8(ascii: " ") { kept += Array("[unknown]".utf8) }
            }
            let end = rest.firstIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? rest.endIndex
            kept += rest[..<end]
            rest = rest[end...]
        }
        return kept
    }

    /// Whether a space, a number and the end of the line come next.
    private static func isWeight(_ text: ArraySlice<UInt8>) -> Bool {
        guard text.first == UInt8(ascii: " ") else { return false }
        let digits = text.dropFirst().prefix { (0x30...0x39).contains($0) }
        return !digits.isEmpty
            && (digits.endIndex == text.endIndex || text[digits.endIndex] == UInt8(ascii: "\n"))
    }

    /// What follows the frame of a process at the beginning of some text; nil where none stands there.
    private static func afterProcess(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        guard text.starts(with: "process ".utf8) else { return nil }
        let digits = text.dropFirst("process ".utf8.count).prefix { (0x30...0x39).contains($0) }
        let quoted = text[digits.endIndex...]
        guard !digits.isEmpty, quoted.starts(with: ":\"".utf8) else { return nil }
        var index = quoted.startIndex + 2
        while index + 1 < quoted.endIndex {
            if quoted[index] == UInt8(ascii: "\"") {
                if quoted[index + 1] == UInt8(ascii: ";") { return text[(index + 2)...] }
                let rest = text[(index + 1)...]
                if isWeight(rest) { return rest }
            }
            index += 1
        }
        return nil
    }

    // MARK: - Its process

    private mutating func start(on pid: Int32) {
        var request = ChildRequest(
            [
                program, "record", "--pid", "\(pid)", "--format", "raw", "--rate", "\(rateHertz)",
                "--subprocesses", "--output", output,
            ] + (includesWaiting ? ["--idle"] : []))
        request.standardInput = .null
        request.standardOutput = .null
        request.diesWithParent = true
        do throws(SystemError) {
            try Files.createDirectories(directory)
            let log = try FileDescriptor.open(errors, .append)
            request.standardError = .descriptor(log.rawValue)
            do throws(SpawnError) {
                child = try ChildProcess.start(request)
            } catch {
                giveUp("py-spy could not be started: \(error)")
            }
        } catch {
            giveUp("py-spy could not be started: \(error)")
        }
    }

    private mutating func giveUp(_ reason: String) {
        failure = reason
        child = nil
    }

    /// Ends a py-spy that hangs while it keeps the target stopped: with the tracer gone the target goes on.
    private mutating func endIfHolding(_ pid: Int32) {
        let now = SystemClock.monotonicNanoseconds
        let seen = Self.firstStop(ProcessTree.processes(from: pid), PythonTargets.tracerStop)
        guard let seen, seen == stop?.seen else {
            stop = seen.map { ($0, now) }
            return
        }
        guard let since = stop?.since, now - since > Self.longestStop.inNanoseconds else { return }
        giveUp("py-spy kept its target stopped for \(Self.longestStop.readable), and was ended")
        PythonTargets.letGoOn(seen.pid)
    }

    /// The first stop found. Each process is asked once: a stop may be over when one asks again, which a lazy `compactMap` does
    /// for its first element and does not survive.
    static func firstStop<Stop>(_ processes: [Int32], _ stop: (Int32) -> Stop?) -> Stop? {
        for process in processes {
            if let found = stop(process) { return found }
        }
        return nil
    }

    private func lastWords() -> String {
        let lines = LastLines.read(errors, count: 1)
        return "py-spy wrote no stacks" + (lines.first.map { ": \(PlainText.sanitized($0))" } ?? "")
    }
}
