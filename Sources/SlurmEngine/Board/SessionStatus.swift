/// How far one session of a capture is.
public enum SessionStatus: Equatable, Sendable {
    /// No job is to make it.
    case missing
    /// Its task waits for its turn.
    case waiting(TaskID, reason: String?)
    case running(TaskID, node: String?, elapsed: Duration?)
    /// Its task has ended, or is gone, and has left no word yet: a shared directory may show it late.
    case unsettled(TaskID)
    /// It is made.
    case made(SessionAttempt, TaskResult)
    /// freeze-profile ended with an error on the node: the pipeline failed, or the measurement.
    case failed(SessionAttempt, TaskResult)
    /// Slurm ended the task, or lost it: that says nothing of the pipeline.
    case endedBySlurm(TaskID, node: String?, Loss)

    /// What became of a task that made no session and is not to blame for it.
    public enum Loss: Equatable, Sendable {
        case ended(JobState.Ending)
        /// Slurm knows nothing of it any more, and it has left no word.
        case forgotten
        /// Slurm says that it completed, and it has left no word.
        case silent

        /// What happened, as a phrase after the task's name.
        public var phrase: String {
            switch self {
            case .ended(let ending): ending.phrase
            case .forgotten: "is not known to Slurm any more, and left no result"
            case .silent: "ended without a result"
            }
        }
    }

    /// Whether something is still to be expected of Slurm.
    public var isOpen: Bool {
        switch self {
        case .waiting, .running, .unsettled: true
        case .missing, .made, .failed, .endedBySlurm: false
        }
    }

    /// Whether the session is made.
    public var isMade: Bool { if case .made = self { true } else { false } }
}

/// The state of all sessions of a capture, from what Slurm says and what the tasks left. Pure.
public struct SessionBoard: Equatable, Sendable {
    /// By place, the first session's being 1.
    public var statuses: [Int: SessionStatus] = [:]

    /// - Parameters:
    ///   - book: The capture's jobs.
    ///   - tasks: What Slurm says of their tasks.
    ///   - results: What tasks wrote, by the session's name.
    ///   - settled: Sessions whose tasks were without a word for so long that none will come.
    public init(
        _ book: CaptureBook, tasks: [TaskID: TaskLine], results: [String: TaskResult], settled: Set<Int> = []
    ) {
        var attempts: [Int: [SessionAttempt]] = [:]
        for attempt in results.keys.compactMap({ SessionAttempt(session: $0) }) {
            attempts[attempt.slot, default: []].append(attempt)
        }
        for slot in 1...book.sessions {
            let own = (attempts[slot] ?? []).sorted { ($0.round, $0.restart) < ($1.round, $1.restart) }
            statuses[slot] = SessionBoard.status(
                of: slot, book, tasks, own.compactMap { one in results[one.session].map { (one, $0) } },
                isSettled: settled.contains(slot))
        }
    }

    private static func status(
        of slot: Int, _ book: CaptureBook, _ tasks: [TaskID: TaskLine],
        _ results: [(attempt: SessionAttempt, result: TaskResult)], isSettled: Bool
    ) -> SessionStatus {
        // The first that was made counts: a node that was given up for lost may have gone on, and then there are two.
        if let made = results.first(where: { $0.result.exit == 0 }) {
            return .made(made.attempt, made.result)
        }
        guard let job = book.lastJob(of: slot), let number = job.number else { return .missing }
        let id = TaskID(job: number, task: slot)
        let last = results.last { $0.attempt.round == job.round }
        guard let line = tasks[id] else {
            if let last { return .failed(last.attempt, last.result) }
            return isSettled ? .endedBySlurm(id, node: nil, .forgotten) : .unsettled(id)
        }
        switch line.state {
        case .waiting: return .waiting(id, reason: line.reason)
        case .running, .unknown: return .running(id, node: line.node, elapsed: line.elapsed)
        case .ended(.completed), .ended(.failed):
            if let last { return .failed(last.attempt, last.result) }
            guard isSettled else { return .unsettled(id) }
            let loss = line.state == .ended(.completed) ? SessionStatus.Loss.silent : .ended(.failed)
            return .endedBySlurm(id, node: line.node, loss)
        case .ended(let ending): return .endedBySlurm(id, node: line.node, .ended(ending))
        }
    }

    /// Tasks that Slurm is still to run, or runs, although they are not waited for: their sessions are made, or another job makes
    /// them. A controller that lost its memory starts tasks again that have ended.
    public func needless(among tasks: [TaskID: TaskLine], _ book: CaptureBook) -> [TaskID: TaskLine] {
        tasks.filter { id, line in
            switch line.state {
            case .ended: false
            case .waiting, .running, .unknown:
                statuses[id.task]?.isMade ?? true || book.lastJob(of: id.task)?.number != id.job
            }
        }
    }

    /// The sessions in a state, in order.
    public func slots(where matches: (SessionStatus) -> Bool) -> [Int] {
        statuses.keys.sorted().filter { statuses[$0].map(matches) ?? false }
    }
}
