internal import LinuxSystem
internal import Measurement
internal import SlurmEngine

/// The jobs of a capture: submitted, found again, looked at, cancelled. What is remembered of them is on disk before Slurm
/// hears of it.
struct SlurmJobs {
    let request: SlurmRequest
    let tools: SlurmTools
    private(set) var book: CaptureBook
    /// Tasks that Slurm has although they are not waited for, as of the last look.
    private(set) var needless: [TaskID: TaskLine] = [:]
    /// Since when sessions are without a word, by the monotonic clock.
    private var unsettledSince: [Int: Int64] = [:]
    /// How long a file that a node wrote may take until it is seen here: clients of NFS look anew after a minute at the latest.
    private static let longestDelay = Duration.seconds(70)

    init(_ request: SlurmRequest, _ tools: SlurmTools, _ book: CaptureBook) {
        self.request = request
        self.tools = tools
        self.book = book
    }

    /// Gives sessions to Slurm: one array job, or where they are bound to nodes one for each.
    ///
    /// - Returns: The jobs' numbers.
    mutating func submit(
        _ slots: [Int], _ directory: borrowing SlurmDirectory, tool: [String]
    ) throws(SlurmFailure) -> [Int] {
        var numbers: [Int] = []
        let rounds = Dictionary(grouping: slots) { book.nextRound(of: $0) }
        for (round, some) in rounds.sorted(by: { $0.key < $1.key }) {
            for (node, own) in Submission.grouped(slots: some, over: request.options.nodes) {
                let name = "freeze-profile.\(request.version).\(Self.token())"
                let submission = Submission(name: name, slots: own, node: node)
                let script = try SlurmFailure.capture { () throws(CaptureError) in
                    try directory.writeScript(
                        SessionScript.text(
                            command: tool + ["--records", directory.path, "--records-only"],
                            pipeline: request.pipeline, resultsDirectory: directory.results, round: round,
                            continuation: request.continuation),
                        job: name)
                }
                book.jobs.append(CaptureBook.Job(name: name, round: round, node: node, slots: own))
                try save(directory)
                let number = try SlurmFailure.slurm { () throws(SlurmError) in
                    try tools.submit(
                        submission, request.options, script: script, directory: Files.workingDirectory,
                        logsDirectory: directory.logs)
                }
                book.jobs[book.jobs.count - 1].number = number
                numbers.append(number)
                try save(directory)
            }
        }
        return numbers
    }

    /// Finds out whether Slurm has taken jobs of which only the name is known, and forgets those that it has not.
    mutating func confirm(_ directory: borrowing SlurmDirectory) throws(SlurmFailure) {
        let names = book.jobs.filter { $0.number == nil }.map(\.name)
        guard !names.isEmpty else { return }
        let tools = tools
        let tasks = try SlurmFailure.slurm { () throws(SlurmError) in try tools.queue(names: names) }
        for (id, line) in tasks {
            guard let index = book.jobs.firstIndex(where: { $0.number == nil && $0.name == line.name }) else {
                continue
            }
            book.jobs[index].number = id.job
        }
        book.jobs.removeAll { $0.number == nil }
        try save(directory)
    }

    /// How far the sessions are.
    mutating func look(_ directory: borrowing SlurmDirectory) throws(SlurmFailure) -> SessionBoard {
        // First the queue: a task that has ended has written its result before.
        let jobs = book.jobs
        let tools = tools
        var tasks: [TaskID: TaskLine] = [:]
        if !jobs.isEmpty {
            tasks = try SlurmFailure.slurm { () throws(SlurmError) in
                try tools.queue(names: jobs.map(\.name))
            }
        }
        let results = try SlurmFailure.capture { () throws(CaptureError) in try directory.taskResults() }
        var board = board(tasks, results)
        let unsettled = board.slots { if case .unsettled = $0 { true } else { false } }
        if !unsettled.isEmpty {
            let numbers = Set(unsettled.compactMap { book.lastJob(of: $0)?.number }).sorted()
            let known = try SlurmFailure.slurm { () throws(SlurmError) in
                try tools.accounting(jobs: numbers)
            }
            if let known {
                tasks.merge(known) { queued, _ in queued }
                board = self.board(tasks, results)
            }
        }
        noteUnsettled(board)
        needless = board.needless(among: tasks, book)
        return board
    }

    private func board(_ tasks: [TaskID: TaskLine], _ results: [String: TaskResult]) -> SessionBoard {
        let now = SystemClock.monotonicNanoseconds
        let settled = unsettledSince.filter { now - $0.value > Self.longestDelay.inNanoseconds }
        return SessionBoard(book, tasks: tasks, results: results, settled: Set(settled.keys))
    }

    private mutating func noteUnsettled(_ board: SessionBoard) {
        for (slot, status) in board.statuses {
            guard case .unsettled = status else {
                if case .endedBySlurm = status { continue }
                unsettledSince[slot] = nil
                continue
            }
            if unsettledSince[slot] == nil { unsettledSince[slot] = SystemClock.monotonicNanoseconds }
        }
    }

    /// Forgets since when a session was without a word: another job makes it now.
    mutating func begin(_ slots: [Int]) { for slot in slots { unsettledSince[slot] = nil } }

    /// The numbers of jobs with tasks that wait or run.
    func openJobs(_ board: SessionBoard) -> [Int] {
        let open = board.slots { $0.isOpen }
        return Set(open.compactMap { book.lastJob(of: $0)?.number }).sorted()
    }

    /// Remembers that the profile is frozen.
    mutating func close(_ directory: borrowing SlurmDirectory) throws(CaptureError) {
        book.isFrozen = true
        try directory.write(book)
    }

    private func save(_ directory: borrowing SlurmDirectory) throws(SlurmFailure) {
        do throws(CaptureError) {
            try directory.write(book)
        } catch {
            throw .capture(error)
        }
    }

    /// Eight letters and digits that no other job's name has.
    private static func token() -> String {
        let letters = Array("abcdefghijklmnopqrstuvwxyz0123456789")
        return String((0..<8).map { _ in letters[Int.random(in: 0..<letters.count)] })
    }
}

/// Why a step of a capture by Slurm failed: Slurm may answer later, everything else ends the capture.
enum SlurmFailure: Error {
    case slurm(SlurmError)
    case capture(CaptureError)

    static func slurm<Value>(_ action: () throws(SlurmError) -> Value) throws(SlurmFailure) -> Value {
        do throws(SlurmError) {
            return try action()
        } catch {
            throw .slurm(error)
        }
    }

    static func capture<Value>(_ action: () throws(CaptureError) -> Value) throws(SlurmFailure) -> Value {
        do throws(CaptureError) {
            return try action()
        } catch {
            throw .capture(error)
        }
    }
}
