import Measurement
import Testing

@testable import SlurmEngine

@Suite("How far sessions are")
struct BoardTests {
    private func book(_ jobs: CaptureBook.Job..., sessions: Int) -> CaptureBook {
        var book = CaptureBook(request: "d", sessions: sessions)
        book.jobs = jobs
        return book
    }

    private func result(_ exit: Int, seconds: Int = 60) -> TaskResult {
        TaskResult(exit: exit, node: "n1", job: "1_1", duration: .seconds(seconds))
    }

    private func id(_ job: Int, _ task: Int) -> TaskID { TaskID(job: job, task: task) }

    @Test("A session is made when its task says so, whatever Slurm says or has forgotten")
    func made() {
        let book = book(.init(name: "a", round: 1, node: nil, slots: [1, 2], number: 5), sessions: 2)
        let board = SessionBoard(
            book, tasks: [id(5, 1): TaskLine(.ended(.nodeFailed))],
            results: ["s1": result(0), "s2": result(0)])
        #expect(board.statuses.values.count { $0.isMade } == 2)
    }

    @Test("Of two attempts that were made one counts: the first")
    func twice() {
        let book = book(
            .init(name: "a", round: 1, node: nil, slots: [1], number: 5),
            .init(name: "b", round: 2, node: nil, slots: [1], number: 6), sessions: 1)
        let board = SessionBoard(
            book, tasks: [:], results: ["s1.2": result(0), "s1r1": result(0), "s1": result(4)])
        #expect(board.statuses[1] == .made(SessionAttempt(slot: 1, round: 1, restart: 1), result(0)))
    }

    @Test("What Slurm ended is no failure of the pipeline, even when freeze-profile had time to say so")
    func endedBySlurm() {
        let book = book(.init(name: "a", round: 1, node: nil, slots: [1, 2, 3], number: 5), sessions: 3)
        let board = SessionBoard(
            book,
            tasks: [
                id(5, 1): TaskLine(.ended(.timedOut), node: "n1"), id(5, 2): TaskLine(.ended(.failed)),
                id(5, 3): TaskLine(.waiting, reason: "BeginTime"),
            ], results: ["s1": result(4), "s2": result(4), "s3": result(4)])
        #expect(board.statuses[1] == .endedBySlurm(id(5, 1), node: "n1", .ended(.timedOut)))
        #expect(board.statuses[2] == .failed(SessionAttempt(slot: 2, round: 1), result(4)))
        // Slurm starts it again: what the first start left says nothing now.
        #expect(board.statuses[3] == .waiting(id(5, 3), reason: "BeginTime"))
    }

    @Test("A task that ended without a word is waited for, and then given up")
    func silent() {
        let book = book(.init(name: "a", round: 1, node: nil, slots: [1, 2], number: 5), sessions: 2)
        let tasks = [id(5, 1): TaskLine(.ended(.completed), node: "n1")]
        #expect(SessionBoard(book, tasks: tasks, results: [:]).statuses[1] == .unsettled(id(5, 1)))
        let settled = SessionBoard(book, tasks: tasks, results: [:], settled: [1, 2])
        #expect(settled.statuses[1] == .endedBySlurm(id(5, 1), node: "n1", .silent))
        #expect(settled.statuses[2] == .endedBySlurm(id(5, 2), node: nil, .forgotten))
    }

    @Test("Tasks that wait or run although their sessions are made are found; those that make one are not")
    func needless() {
        let book = book(
            .init(name: "a", round: 1, node: nil, slots: [1, 2, 3], number: 5),
            .init(name: "b", round: 2, node: nil, slots: [3], number: 6), sessions: 3)
        let tasks = [
            id(5, 1): TaskLine(.waiting), id(5, 2): TaskLine(.running), id(5, 3): TaskLine(.running),
            id(6, 3): TaskLine(.running), id(6, 2): TaskLine(.ended(.completed)),
        ]
        let board = SessionBoard(book, tasks: tasks, results: ["s1": result(0)])
        #expect(Set(board.needless(among: tasks, book).keys) == [id(5, 1), id(5, 3)])
    }

    @Test("A job that Slurm has not confirmed makes no session yet")
    func unconfirmed() {
        let book = book(.init(name: "a", round: 1, node: nil, slots: [1], number: nil), sessions: 1)
        #expect(SessionBoard(book, tasks: [:], results: [:]).statuses[1] == .missing)
    }

    @Test("What is said of it, with the time that is left")
    func sentence() {
        let book = book(.init(name: "a", round: 1, node: nil, slots: Array(1...8), number: 5), sessions: 8)
        var tasks: [TaskID: TaskLine] = [:]
        for slot in 2...3 {
            tasks[id(5, slot)] = TaskLine(.running, node: "n\(slot)", elapsed: .seconds(10 * slot))
        }
        for slot in 4...8 { tasks[id(5, slot)] = TaskLine(.waiting, reason: "Resources") }
        let board = SessionBoard(book, tasks: tasks, results: ["s1": result(0, seconds: 50)])
        // 30 s for the one that runs since 20 s, then five sessions two at a time: three turns.
        #expect(board.left == .seconds(30 + 3 * 50))
        #expect(board.sentence == "1 of 8 sessions made, 2 run (n2, n3), 5 wait (Resources), about 3:00 left")
        let begun = SessionBoard(book, tasks: tasks, results: [:])
        #expect(begun.left == nil)
    }
}
