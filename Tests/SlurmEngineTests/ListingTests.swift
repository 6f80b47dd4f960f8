import Measurement
import Testing

@testable import SlurmEngine

@Suite("What Slurm prints")
struct ListingTests {
    /// As squeue 22.05.8 printed it, with the format that is asked for.
    private static let queue = """
        1|5|PENDING||0:00|freeze-profile.v1.a|Resources
        1|1|RUNNING|n1|0:01|freeze-profile.v1.a|None
        1|4|COMPLETED|n4|0:04|freeze-profile.v1.a|None
        10|2|COMPLETING|n2|1-02:03:04|freeze-profile.v1.b|None
        10|1|CANCELLED|n1|0:01|freeze-profile.v1.b|a reason | with a bar
        """

    @Test("The queue, task by task")
    func queue() throws {
        let tasks = try TaskListing.queue(Self.queue)
        #expect(tasks.count == 5)
        let waiting = try #require(tasks[TaskID(job: 1, task: 5)])
        #expect(waiting.state == .waiting && waiting.node == nil && waiting.reason == "Resources")
        let running = try #require(tasks[TaskID(job: 1, task: 1)])
        #expect(running.state == .running && running.node == "n1" && running.reason == nil)
        #expect(running.elapsed == .seconds(1) && running.name == "freeze-profile.v1.a")
        #expect(tasks[TaskID(job: 1, task: 4)]?.state == .ended(.completed))
        #expect(tasks[TaskID(job: 10, task: 2)]?.elapsed == .seconds(86_400 + 7384))
        #expect(tasks[TaskID(job: 10, task: 1)]?.reason == "a reason | with a bar")
    }

    @Test(
        "A line that is none is an error, not a task that is missing",
        arguments: ["1|x|RUNNING|n|0:01|j|None", "slurm_load_jobs error", "1|2|RUNNING", "0|1|R|n|0|j|"])
    func damagedQueue(_ line: String) {
        #expect(throws: ListingError.self) { try TaskListing.queue(line) }
    }

    @Test("The accounting, as sacct prints it with --parsable2; tasks that wait together are none yet")
    func accounting() throws {
        let tasks = try TaskListing.accounting(
            "12_1|COMPLETED|n1\n12_2|CANCELLED by 1000|n2\n12_3|TIMEOUT|n3\n12_[4-8]|PENDING|None assigned\n"
                + "12_9|NODE_FAIL|n1\n12_9|RUNNING|n2\n")
        #expect(tasks[TaskID(job: 12, task: 2)]?.state == .ended(.cancelled))
        #expect(tasks[TaskID(job: 12, task: 3)] == TaskLine(.ended(.timedOut), node: "n3"))
        #expect(tasks[TaskID(job: 12, task: 9)]?.state == .running)
        #expect(tasks.count == 4)
        #expect(throws: ListingError.self) { try TaskListing.accounting("12_1|COMPLETED") }
    }

    @Test("Every ending that squeue documents is known; a new word is kept, and no ending")
    func states() {
        for ending in JobState.Ending.allCases { #expect(JobState(ending.rawValue) == .ended(ending)) }
        #expect(JobState("OUT_OF_MEMORY+") == .ended(.outOfMemory))
        #expect(JobState("REQUEUE_HOLD") == .waiting && JobState("SUSPENDED") == .running)
        #expect(JobState("POWER\u{1B}[31m") == .unknown("POWER\u{FFFD}[31m"))
    }

    @Test("Times as Slurm writes them")
    func times() {
        #expect(TaskListing.elapsed("05:06") == .seconds(306))
        #expect(TaskListing.elapsed("1:02:03") == .seconds(3723))
        #expect(TaskListing.elapsed("365-00:00:00") == .seconds(365 * 86_400))
        for text in ["INVALID", "", "5", "1-2-3:04", "99999999999999999999:00"] {
            #expect(TaskListing.elapsed(text) == nil, "\(text)")
        }
    }

    @Test("What a task wrote about its end; a part of it is none")
    func results() {
        let text = "exit 0\nnode n1\njob 12_3\nstarted 1700000000\nended 1700000060\n"
        #expect(
            TaskResult(Array(text.utf8))
                == TaskResult(exit: 0, node: "n1", job: "12_3", duration: .seconds(60)))
        #expect(TaskResult(Array("exit 0\nnode n1\n".utf8)) == nil)
        #expect(TaskResult(Array("exit 999\nnode n1\njob 1_1\n".utf8)) == nil)
        #expect(TaskResult([]) == nil && TaskResult([0xFF, 0x0A]) == nil)
        let back = "exit 4\nnode n1\njob 1_1\nstarted 1700000060\nended 1700000000\n"
        #expect(TaskResult(Array(back.utf8))?.duration == nil)
    }

    @Test("A book is read as it was written; a damaged one is none")
    func book() {
        var book = CaptureBook(request: "d", sessions: 8)
        book.jobs = [
            .init(name: "a", round: 1, node: "n1", slots: [1, 5], number: 12),
            .init(name: "b\"\\", round: 2, node: nil, slots: [2]),
        ]
        book.isFrozen = true
        #expect(CaptureBook(book.encode()) == book)
        #expect(CaptureBook(Array(book.encode().dropLast(9))) == nil)
        let text = String(decoding: book.encode(), as: UTF8.self)
        for (good, bad) in [
            ("[1, 5]", "[0]"), ("[1, 5]", "[]"), ("\"1.0\"", "\"2.0\""),
            ("\"sessions\": 8", "\"sessions\": -1"),
        ] {
            #expect(CaptureBook(Array(text.replacing(good, with: bad).utf8)) == nil, "\(bad)")
        }
    }
}
