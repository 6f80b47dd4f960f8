internal import LinuxSystem
internal import Measurement
internal import SlurmEngine

extension SlurmCapture {
    /// How long a second Ctrl-C has time.
    private static let secondThought = Duration.seconds(3)
    /// How long cancelled jobs are watched until they are gone.
    private static let farewell = Duration.seconds(60)

    /// Waits for a time. A request to end leaves the jobs alone and ends the capture; a second Ctrl-C cancels them.
    ///
    /// - Parameter board: The sessions as last seen; nil while Slurm does not answer.
    func heed(
        _ signals: borrowing SignalInbox, for pause: Duration, _ board: SessionBoard?, _ jobs: SlurmJobs,
        _ directory: borrowing SlurmDirectory
    ) throws(CaptureError) {
        guard let signal = try next(signals, within: pause) else { return }
        let numbers = board.map(jobs.openJobs) ?? jobs.book.jobs.compactMap(\.number)
        let name = SlurmWords.jobs(numbers)
        if signal == SignalInbox.interrupt {
            report(.note("leaving \(name) to Slurm; Ctrl-C again within 3 s cancels"))
            if try next(signals, within: Self.secondThought) == SignalInbox.interrupt {
                throw try cancelled(numbers, jobs, directory)
            }
        }
        throw .incomplete(
            cause: .measurementFailed(
                numbers.isEmpty
                    ? "Interrupted. No job of this capture is left."
                    : "Left: \(name) of this capture goes on in Slurm."),
            kept:
                "The same command again attaches to it, and cancels it with Ctrl-C twice:\n  \(request.continuation)"
        )
    }

    /// The next signal within a time, nil for none.
    private func next(_ signals: borrowing SignalInbox, within time: Duration) throws(CaptureError) -> Int32?
    {
        do throws(SystemError) {
            let deadline = SystemClock.monotonicNanoseconds + time.inNanoseconds
            while true {
                if let signal = signals.next() { return signal }
                let left = Duration(nanosecondCount: deadline - SystemClock.monotonicNanoseconds)
                guard left > .zero else { return nil }
                _ = try FileDescriptor.waitUntilReadable([signals.descriptor], timeout: left)
            }
        } catch {
            throw .measurementFailed(error.description)
        }
    }

    private func cancelled(
        _ numbers: [Int], _ jobs: SlurmJobs, _ directory: borrowing SlurmDirectory
    ) throws(CaptureError) -> CaptureError {
        let name = SlurmWords.jobs(numbers)
        do throws(SlurmError) {
            try jobs.tools.cancel(jobs: numbers)
        } catch {
            return .measurementFailed(
                "\(name) could not be cancelled and may go on. \(error) Cancel by hand: scancel "
                    + numbers.map { "\($0)" }.joined(separator: " "))
        }
        var jobs = jobs
        let deadline = SystemClock.monotonicNanoseconds + Self.farewell.inNanoseconds
        var board: SessionBoard?
        repeat {
            SystemClock.sleep(for: .milliseconds(500))
            do throws(SlurmFailure) {
                board = try jobs.look(directory)
            } catch {
                if case .capture(let cause) = error { throw cause }
                board = nil
            }
        } while (board.map { !$0.slots { $0.isAtWork }.isEmpty } ?? true)
            && SystemClock.monotonicNanoseconds < deadline
        let still = board.map { $0.slots { $0.isAtWork } } ?? []
        let ending =
            board != nil && still.isEmpty
            ? "Cancelled: \(name)."
            : "\(name) was cancelled, but Slurm has not ended all of its tasks yet: see 'squeue --me'."
        return .incomplete(
            cause: .measurementFailed(ending),
            kept:
                "Sessions that were made are kept in '\(PlainText.sanitized(directory.path))'. The same command again makes the "
                + "others:\n  \(request.continuation)")
    }

    /// How long tasks whose sessions are made have time to end by themselves.
    private static let patience = Duration.seconds(15)

    /// Cancels tasks that Slurm still has although their sessions are made: nothing is left behind.
    func endNeedless(_ jobs: inout SlurmJobs, _ directory: borrowing SlurmDirectory) throws(CaptureError) {
        let deadline = SystemClock.monotonicNanoseconds + Self.patience.inNanoseconds
        do throws(SlurmFailure) {
            while true {
                _ = try jobs.look(directory)
                let tasks = jobs.needless
                guard !tasks.isEmpty else { return }
                if tasks.values.allSatisfy({ $0.state == .waiting })
                    || SystemClock.monotonicNanoseconds > deadline
                {
                    let ids = tasks.keys.sorted { ($0.job, $0.task) < ($1.job, $1.task) }
                    let tools = jobs.tools
                    try SlurmFailure.slurm { () throws(SlurmError) in try tools.cancel(tasks: ids) }
                    let names = ids.map(\.description).joined(separator: ", ")
                    report(
                        .note(
                            "cancelled tasks whose sessions are made, and that Slurm was still to run: \(names)"
                        ))
                    return
                }
                SystemClock.sleep(for: .milliseconds(500))
            }
        } catch {
            switch error {
            case .capture(let cause): throw cause
            case .slurm(let cause):
                let name = SlurmWords.jobs(jobs.book.jobs.compactMap(\.number))
                report(.note("whether tasks of \(name) are left is unknown: see 'squeue --me'. \(cause)"))
            }
        }
    }

    /// Why there is no profile, session by session.
    func incomplete(
        _ board: SessionBoard, _ missing: [Int], _ directory: borrowing SlurmDirectory
    ) -> CaptureError {
        var lines: [String] = []
        var shown = false
        for slot in missing.prefix(20) {
            switch board.statuses[slot] {
            case .failed(let attempt, let result):
                lines.append(
                    "Session \(attempt.session) on \(result.node) (task \(result.job)) failed: freeze-profile exited with code "
                        + "\(result.exit). Its log: '\(PlainText.sanitized("\(directory.logs)/\(result.job).log"))'"
                )
                if !shown {
                    lines += directory.lastLines(of: result.job, count: 12).map { "  | \($0)" }
                    shown = true
                }
            case .endedBySlurm(let task, let node, let loss):
                lines.append(
                    "Task \(task)\(node.map { " on \($0)" } ?? "") \(loss.phrase), so session \(slot) is not made."
                )
                if loss == .silent || loss == .ended(.failed) {
                    lines.append(
                        "  Is '\(PlainText.sanitized(directory.path))' on a file system that the node has too, with freeze-profile?"
                    )
                }
            default: lines.append("Session \(slot) is not made.")
            }
        }
        if missing.count > 20 { lines.append("And \(missing.count - 20) more.") }
        let made = board.statuses.count - missing.count
        return .incomplete(
            cause: .measurementFailed(lines.joined(separator: "\n")),
            kept:
                "No profile was written. Kept in '\(PlainText.sanitized(directory.path))': \(SlurmWords.sessions(made)) of "
                + "\(board.statuses.count). The same command again makes only the missing ones:\n  \(request.continuation)"
        )
    }
}

extension SessionStatus {
    /// Whether a task may still do something.
    fileprivate var isAtWork: Bool {
        switch self {
        case .waiting, .running: true
        default: false
        }
    }
}
