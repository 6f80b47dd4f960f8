internal import FrozenProfile
internal import LinuxSystem
internal import Measurement
internal import ProfileStore
internal import SlurmEngine

/// A capture of many sessions on a cluster: each is a task of an array job and keeps its records in a directory that all nodes
/// see; when all are made they are frozen as one profile.
///
/// Whatever ends it, the jobs run on, and the same command attaches to them or submits what is missing. Ctrl-C leaves the jobs
/// alone; a second one cancels them.
public struct SlurmCapture {
    let request: SlurmRequest
    let report: (Capture.Event) -> Void
    /// How often sessions have been given to Slurm again by this capture.
    private var retries: [Int: Int] = [:]

    /// A capture by Slurm.
    ///
    /// - Parameters:
    ///   - request: What to do.
    ///   - report: Called with what is being done.
    public init(_ request: SlurmRequest, report: @escaping (Capture.Event) -> Void) {
        self.request = request
        self.report = report
    }

    /// Has the sessions made and freezes what they cost.
    public mutating func run() throws(CaptureError) -> Capture.Frozen {
        let place = try FreezingPlace(
            version: request.version, output: request.output, overwrites: request.overwrites)
        if request.recordsDirectory == nil { try keepFromGit(place) }
        let directory = try SlurmDirectory(request.recordsDirectory ?? RecordsDirectory.standard(place))
        // A profile of these sessions is to be replaced: that wants new ones.
        let isReplaced = !place.isStream && place.store.contains(place.stem)
        let (request, report) = (request, report)
        return try make(in: directory, startsAnew: isReplaced) {
            (collection, directory) throws(CaptureError) in
            try collection.freeze(request, at: place, directory) { report(.note($0)) }
        }
    }

    /// Has the sessions made and reads their records, which are not frozen: for pairs of commands.
    ///
    /// The records directory has to be named.
    public mutating func makeSessions() throws(CaptureError) -> [MadeSession] {
        guard let path = request.recordsDirectory else {
            throw .measurementFailed("No directory for the records of sessions is named.")
        }
        let report = report
        return try make(in: try SlurmDirectory(path), startsAnew: true) {
            (collection, directory) throws(CaptureError) in
            try collection.read(directory) { report(.note($0)) }
        }
    }

    private mutating func make<Result>(
        in directory: borrowing SlurmDirectory, startsAnew: Bool,
        _ use: (SessionCollection, borrowing SlurmDirectory) throws(CaptureError) -> Result
    ) throws(CaptureError) -> Result {
        let tools = try slurm { () throws(SlurmError) in try SlurmTools() }
        var jobs = SlurmJobs(request, tools, try book(in: directory, startsAnew: startsAnew))
        let signals = try receiveSignals()
        let board = try watch(&jobs, directory, signals)
        let missing = board.slots { !$0.isMade }
        guard missing.isEmpty else { throw incomplete(board, missing, directory) }
        try endNeedless(&jobs, directory)
        let result = try use(SessionCollection(directory.path, board), directory)
        try jobs.close(directory)
        return result
    }

    /// A failure of Slurm as one of the capture.
    private func slurm<Value>(_ action: () throws(SlurmError) -> Value) throws(CaptureError) -> Value {
        do throws(SlurmError) {
            return try action()
        } catch {
            throw .measurementFailed(error.description)
        }
    }

    private func keepFromGit(_ place: borrowing FreezingPlace) throws(CaptureError) {
        do throws(SystemError) {
            try RecordsDirectory.keepFromGit("\(place.store.directory)/.records")
        } catch {
            throw .cannotWrite(error.description)
        }
    }

    private func receiveSignals() throws(CaptureError) -> SignalInbox {
        do throws(SystemError) {
            return try SignalInbox(for: [SignalInbox.interrupt, SignalInbox.terminate, SignalInbox.hangUp])
        } catch {
            throw .measurementFailed(error.description)
        }
    }

    // MARK: - What is there already

    /// The book of the capture that this one continues, or a new one.
    private func book(
        in directory: borrowing SlurmDirectory, startsAnew: Bool
    ) throws(CaptureError) -> CaptureBook {
        let fresh = CaptureBook(request: request.digest, sessions: request.sessions)
        guard var book = try directory.book() else {
            guard try directory.attempts().isEmpty else {
                throw .wouldOverwrite(
                    "In '\(PlainText.sanitized(directory.path))' are sessions that were not made by Slurm. Name another directory: "
                        + "--records DIR.")
            }
            return fresh
        }
        if book.isFrozen, startsAnew {
            try directory.discard()
            return fresh
        }
        guard book.request == request.digest else {
            throw .wouldOverwrite(
                "The sessions in '\(PlainText.sanitized(directory.path))' are of another command, or of other runs. Repeat the "
                    + "command they were made with, name another directory with --records DIR, or remove this one."
            )
        }
        guard request.sessions >= book.sessions else {
            throw .wouldOverwrite(
                "In '\(PlainText.sanitized(directory.path))' is a capture of \(book.sessions) sessions, and \(request.sessions) are "
                    + "asked for. Ask for as many or more, or name another directory with --records DIR.")
        }
        book.sessions = request.sessions
        return book
    }

    // MARK: - The wait

    /// Submits what is missing, and waits until nothing more is to be expected of Slurm.
    private mutating func watch(
        _ jobs: inout SlurmJobs, _ directory: borrowing SlurmDirectory, _ signals: borrowing SignalInbox
    ) throws(CaptureError) -> SessionBoard {
        var pause = Duration.seconds(1)
        var reported = ""
        var silence: String?
        var isFirstLook = true
        while true {
            do throws(SlurmFailure) {
                try jobs.confirm(directory)
                let board = try jobs.look(directory)
                if silence != nil { report(.note("Slurm answers again")) }
                silence = nil
                let again = toSubmit(board, isFirstLook: isFirstLook)
                if !again.isEmpty {
                    try submit(again, board, &jobs, directory)
                    isFirstLook = false
                    pause = .seconds(1)
                    continue
                }
                isFirstLook = false
                if board.counts != reported { report(.note(board.sentence)) }
                pause = board.counts == reported ? min(pause * 1.5, request.longestPause) : .seconds(1)
                reported = board.counts
                if !board.statuses.values.contains(where: \.isOpen) { return board }
                try SlurmFailure.capture { () throws(CaptureError) in
                    try heed(signals, for: pause, board, jobs, directory)
                }
            } catch {
                // What Slurm cannot say now it says later; the jobs run on meanwhile.
                let words = try words(of: error, jobs)
                if silence != words { report(.note("\(words) Asking on; the jobs are not affected.")) }
                silence = words
                try heed(signals, for: min(pause * 2, request.longestPause), nil, jobs, directory)
            }
        }
    }

    /// Slurm's words when it may answer later; anything else ends the capture.
    private func words(of failure: SlurmFailure, _ jobs: SlurmJobs) throws(CaptureError) -> String {
        switch failure {
        case .capture(let error): throw error
        case .slurm(let error):
            // With no job there is nothing to wait for.
            guard jobs.book.jobs.contains(where: { $0.number != nil }) else {
                throw .measurementFailed(error.description)
            }
            return error.description
        }
    }

    /// The sessions to give to Slurm now: at first all that are not made and that no task works on, later those that Slurm has
    /// ended, as often as is allowed. The user decides about cancelled and failed ones.
    private func toSubmit(_ board: SessionBoard, isFirstLook: Bool) -> [Int] {
        board.slots { status in
            switch status {
            case .missing: true
            case .failed: isFirstLook
            case .endedBySlurm(let task, _, let loss):
                isFirstLook || (loss.isWorthAnother && retries[task.task, default: 0] < request.retries)
            case .waiting, .running, .unsettled, .made: false
            }
        }
    }

    private mutating func submit(
        _ slots: [Int], _ board: SessionBoard, _ jobs: inout SlurmJobs, _ directory: borrowing SlurmDirectory
    ) throws(SlurmFailure) {
        for slot in slots {
            guard case .endedBySlurm(let task, let node, let loss)? = board.statuses[slot] else { continue }
            retries[slot, default: 0] += 1
            report(
                .note(
                    "task \(task)\(node.map { " on \($0)" } ?? "") \(loss.phrase); its session is made again")
            )
        }
        jobs.begin(slots)
        do throws(SlurmFailure) {
            let numbers = try jobs.submit(slots, directory, tool: request.sessionCommand)
            report(.note("submitted \(SlurmWords.jobs(numbers)) with \(SlurmWords.sessions(slots.count))"))
        } catch {
            guard case .slurm(let refusal) = error else { throw error }
            // Whether it took the job after all, and whether it answers at all, the queue says.
            try jobs.confirm(directory)
            _ = try jobs.look(directory)
            throw .capture(refused(refusal, jobs))
        }
    }

    private func refused(_ refusal: SlurmError, _ jobs: SlurmJobs) -> CaptureError {
        let running = jobs.book.jobs.compactMap(\.number)
        let others =
            running.isEmpty
            ? "No job was submitted." : "Submitted before, and not cancelled: \(SlurmWords.jobs(running))."
        return .measurementFailed(
            "Slurm does not take the sessions. \(refusal) \(others) Check --partition, --time, --nodes and --sbatch-arg; when it is "
                + "full, the same command later goes on:\n  \(request.continuation)")
    }
}

extension SessionStatus.Loss {
    /// Whether another attempt is made without asking: not against a person who cancelled.
    fileprivate var isWorthAnother: Bool {
        switch self {
        case .ended(.cancelled): false
        default: true
        }
    }
}

/// Words for jobs and sessions.
enum SlurmWords {
    static func sessions(_ count: Int) -> String { count == 1 ? "1 session" : "\(count) sessions" }

    static func jobs(_ numbers: [Int]) -> String {
        "\(numbers.count == 1 ? "job" : "jobs") \(numbers.map { "\($0)" }.joined(separator: ", "))"
    }
}
