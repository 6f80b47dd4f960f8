internal import LinuxProcess
internal import LinuxSystem
internal import Measurement
internal import StackProfile

/// py-spy sampling a Python process, kept alive next to the run.
///
/// py-spy refuses a process whose interpreter is not set up yet, and our target is only just starting: so it is
/// started again until it has taken hold, and every attempt is counted.
package struct PySpy: ~Copyable {
    /// Samples per second: py-spy stops the target for each, so ten times fewer than our own sampler takes.
    static let rateHertz = 100

    private static let attemptLimit = 20

    private let program: String
    private let rateHertz: Int
    private let includesWaiting: Bool
    private let output: String
    private let errors: String
    private var child: ChildProcess?
    private var attempts = 0

    /// Where py-spy is on PATH, nil when it is not.
    package static var program: String? { Programs.path(of: "py-spy") }

    /// A py-spy that writes its files into a directory.
    ///
    /// - Parameter includesWaiting: Whether threads that wait are sampled too.
    init(
        program: String, directory: String, rateHertz: Int = PySpy.rateHertz, includesWaiting: Bool = false
    ) {
        self.program = program
        self.rateHertz = rateHertz
        self.includesWaiting = includesWaiting
        output = "\(directory)/py-spy.folded"
        errors = "\(directory)/py-spy.log"
    }

    /// Starts py-spy on a process unless it is running already.
    mutating func takeHold(of pid: Int32) throws(StackRecordingError) {
        do throws(SystemError) {
            if try child?.wait(timeout: .zero) != nil { child = nil }
        } catch {
            throw .refused(error.description)
        }
        guard child == nil, attempts < Self.attemptLimit else { return }
        attempts += 1
        var request = ChildRequest(
            [
                program, "record", "--pid", "\(pid)", "--format", "raw", "--rate", "\(rateHertz)",
                "--subprocesses",
                "--output", output,
            ] + (includesWaiting ? ["--idle"] : []))
        request.standardInput = .null
        request.standardOutput = .null
        request.diesWithParent = true
        do throws(SystemError) {
            let log = try FileDescriptor.open(errors, .append)
            request.standardError = .descriptor(log.rawValue)
            child = try start(request)
        } catch {
            throw .cannotWrite(error.description)
        }
    }

    /// Whether it has been started as often as is sensible, and has never stayed.
    mutating func hasGivenUp() throws(StackRecordingError) -> Bool {
        guard attempts >= Self.attemptLimit else { return false }
        do throws(SystemError) {
            return try child?.wait(timeout: .zero) != nil
        } catch {
            throw .refused(error.description)
        }
    }

    /// Asks py-spy to stop and write what it has, while its target runs on.
    func stop() { child?.send(SignalInbox.interrupt) }

    /// Waits for py-spy to write what it has once its target is gone, and reads it.
    ///
    /// - Returns: The stacks, or why there are none.
    mutating func finish() throws(StackRecordingError) -> Reading<FoldedStacks.Outcome> {
        do throws(SystemError) {
            guard try child?.wait(timeout: .seconds(30)) != nil else {
                return .unavailable(reason: "py-spy did not end within 30 s of its target")
            }
        } catch {
            throw .refused(error.description)
        }
        guard Files.exists(output) else { return .unavailable(reason: lastWords()) }
        do {
            let bytes = try Files.read(output, limit: 1 << 29)
            let period = Duration.seconds(1) / rateHertz
            return .value(try FoldedStacks.read(bytes, unit: .samples, period: period))
        } catch {
            return .unavailable(reason: "\(error)")
        }
    }

    private func start(_ request: ChildRequest) throws(SystemError) -> ChildProcess? {
        do throws(SpawnError) {
            return try ChildProcess.start(request)
        } catch {
            if case .system(let cause) = error { throw cause }
            return nil
        }
    }

    private func lastWords() -> String {
        let lines = LastLines.read(errors, count: 1)
        return "py-spy wrote no stacks" + (lines.first.map { ": \(PlainText.sanitized($0))" } ?? "")
    }
}
