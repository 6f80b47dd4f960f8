import LinuxProcess
import LiveMonitor
import Measurement
import Metrics
import Testing

@testable import JobRuns

@Suite("One run of what its tasks left")
struct MergingTests {
    private let second: Int64 = 1_000_000_000

    /// The account of a task that was in one stage, in milliseconds of its node's clock.
    private func report(
        _ spans: [(stage: String, begin: Int64, end: Int64)], wall: Int64, cpu: Int64, peak: Int64
    ) throws -> MonitorReport {
        let transitions = spans.flatMap { span in
            [
                #"{"stage": "\#(span.stage)", "monotonic_ns": \#(span.begin * 1_000_000), "kind": "begin"}"#,
                #"{"stage": "\#(span.stage)", "monotonic_ns": \#(span.end * 1_000_000), "kind": "end"}"#,
            ]
        }
        let stages = spans.map { span in
            let wall = Double(span.end - span.begin) / 1000
            return
                #"{"stage": "\#(span.stage)", "entered": 1, "wall_s": \#(wall), "work_s": \#(wall), "cpu_s": \#(Double(cpu) / 1000), "#
                + #""peak_rss_bytes": \#(peak), "peak_method": "high-water mark", "avg_cpu_pct": 1, "shared": false, "#
                + #""source": "event trace", "major_faults": 3}"#
        }
        let text =
            #"{"schema_version": 1, "name": "step", "target_pid": 7, "stages": [\#(stages.joined(separator: ","))], "#
            + #""totals": {"wall_s": \#(Double(wall) / 1000), "cpu_s": \#(Double(cpu) / 1000), "peak_rss_bytes": \#(peak), "#
            + #""peak_method": "high-water mark", "avg_cpu_pct": 1, "major_faults": 3}, "unattributed_s": 0, "ticks": 1, "#
            + #""log": null, "status_file": null, "exit": {"exit_code": 0}, "highest_episode": null, "last_stages": [], "#
            + #""monitor_cpu_s": 0.01, "monitor_peak_rss_bytes": 1, "notes": [], "stage_notes": [], "#
            + #""dropped_transitions": 0, "transitions": [\#(transitions.joined(separator: ","))]}"#
        return try #require(MonitorReport.parse(Array(text.utf8)))
    }

    private func task(
        _ rank: Int, on node: String, clock: String, began: Int64, _ report: Reading<MonitorReport>
    )
        -> TaskRecord
    {
        TaskRecord(
            header: TaskHeader(
                job: "12", allocation: 12, step: "0", rank: rank, node: node, host: "h",
                began: NodeMoment(
                    clock: clock, monotonicNanoseconds: began * 1_000_000, epochNanoseconds: began * 1_000_000
                ),
                program: "step"), report: report)
    }

    /// A clock that is so many milliseconds ahead of ours.
    private func clock(ahead: Int64, bound: Int64 = 0) -> NodeClock {
        var clock = NodeClock()
        clock.add(
            [
                ClockExchange(
                    asked: 5 * second - bound, answered: 5 * second + bound,
                    moment: NodeMoment(
                        clock: "c", monotonicNanoseconds: 5 * second + ahead * 1_000_000, epochNanoseconds: 0)
                )
            ], wallClock: 0)
        return clock
    }

    @Test(
        "Spans on nodes whose clocks differ are joined on ours; CPU time is summed, memory that of the largest node"
    )
    func union() throws {
        // Node b's clock is 1 h ahead: its span 3,601,500 to 3,602,500 is 1,500 to 2,500 here.
        let a = try report([("crunch", 1000, 2000)], wall: 1500, cpu: 900, peak: 100)
        let b = try report([("crunch", 3_601_500, 3_602_500)], wall: 1250, cpu: 800, peak: 150)
        let run = try #require(
            JobRun(
                name: "job 12", own: nil,
                tasks: [
                    task(0, on: "a", clock: "here", began: 900, .value(a)),
                    task(1, on: "b", clock: "c", began: 3_601_400, .value(b)),
                ], clocks: ["here": .ours, "c": clock(ahead: 3_600_000, bound: 1000)], wallClock: 0))
        let stage = try #require(run.report.stages.first)
        #expect(run.report.stages.count == 1 && stage.entered == 2)
        #expect(stage.wall == .value(.milliseconds(1500)) && stage.work == .value(.milliseconds(2000)))
        #expect(stage.cpu == .value(.milliseconds(1700)))
        #expect(stage.peakResident == .value(ByteCount(bytes: 150)) && stage.peakMethod == .highWaterMark)
        #expect(stage.usage[.majorFaults] == .value(6))
        // From 900 to 2,650 here.
        #expect(run.report.totals.wall == .value(.milliseconds(1750)))
        #expect(run.report.totals.cpu == .value(.milliseconds(1700)))
        #expect(run.report.unattributed == .value(.milliseconds(250)))
        #expect(run.report.transitions.map(\.node) == ["a", "b", "a", "b"])
        #expect(
            run.report.transitions.map(\.monotonicNanoseconds)
                == [1000, 1500, 2000, 2500].map { $0 * 1_000_000 })
        // 1 µs of round trip, and 100 millionths of the 4.1 s to the question.
        let bound = try #require(run.clockBound)
        #expect(bound > .microseconds(1) && bound < .microseconds(420))
    }

    @Test(
        "Tasks that are at work on one node at once have at most the sum of their peaks, one after the other the larger"
    )
    func memory() throws {
        func peak(secondBegins: Int64) throws -> MonitorReport.Stage {
            let a = try report([("crunch", 1000, 2000)], wall: 1000, cpu: 1, peak: 100)
            let b = try report(
                [("crunch", secondBegins, secondBegins + 500)], wall: 500, cpu: 1, peak: 150)
            let run = try #require(
                JobRun(
                    name: "j", own: nil,
                    tasks: [
                        task(0, on: "a", clock: "here", began: 1000, .value(a)),
                        task(1, on: "a", clock: "here", began: secondBegins, .value(b)),
                    ], clocks: ["here": .ours], wallClock: 0))
            #expect(run.nodes.count == 1 && run.nodes[0].tasks == 2)
            #expect(run.nodes[0].peakResident == run.report.stages[0].peakResident)
            return run.report.stages[0]
        }
        let together = try peak(secondBegins: 1500)
        #expect(together.peakResident == .value(ByteCount(bytes: 250)) && together.peakMethod == .atMost)
        let apart = try peak(secondBegins: 2000)
        #expect(apart.peakResident == .value(ByteCount(bytes: 150)) && apart.peakMethod == .highWaterMark)
    }

    @Test("What a lost task had a part in is unavailable with its name; other stages stay")
    func lost() throws {
        let a = try report([("crunch", 1000, 2000), ("fold", 2000, 2500)], wall: 1500, cpu: 900, peak: 100)
        var missing = task(
            1, on: "b", clock: "here", began: 1000, .unavailable(reason: "it has left no account"))
        missing.namedStages = [try #require(StageName("crunch"))]
        let run = try #require(
            JobRun(
                name: "j", own: nil,
                tasks: [task(0, on: "a", clock: "here", began: 1000, .value(a)), missing],
                clocks: ["here": .ours], wallClock: 0))
        let stages = run.report.stages
        #expect(stages[0].cpu.unavailableReason?.contains("12.0.1 on b") ?? false)
        #expect(stages[0].wall.value == nil && stages[1].wall == .value(.milliseconds(500)))
        #expect(run.report.totals.cpu.value == nil && run.report.totals.peakResident.value == nil)
        #expect(run.taskCPU.value == nil)
        #expect(run.nodes.map(\.name) == ["a", "b"] && run.nodes[1].cpu.value == nil)
        #expect(run.notes.contains { $0.contains("not wholly known") })
    }

    @Test("A node that could not be asked is placed by its wall clock, and said to be of unknown accuracy")
    func unasked() throws {
        let a = try report([("crunch", 7_000, 8_000)], wall: 1000, cpu: 900, peak: 100)
        var one = task(0, on: "a", clock: "c", began: 7000, .value(a))
        // Its wall clock says 500 s when its monotonic one says 7 s; ours is 490 s ahead of our monotonic one.
        one.header.began.epochNanoseconds = 500 * second
        let run = try #require(
            JobRun(name: "j", own: nil, tasks: [one], clocks: [:], wallClock: 490 * second))
        #expect(run.report.transitions.map(\.monotonicNanoseconds) == [10 * second, 11 * second])
        #expect(run.clockBound == nil && run.nodes[0].clockBound == nil)
        #expect(run.notes.contains { $0.contains("node a could not be asked") })
    }

    @Test("A wall clock that is an hour off is said, and changes nothing")
    func hourOff() throws {
        var clock = NodeClock()
        clock.add(
            [
                ClockExchange(
                    asked: 0, answered: 2000,
                    moment: NodeMoment(
                        clock: "c", monotonicNanoseconds: 1000,
                        epochNanoseconds: 1000 + 3600 * second + 77 * second))
            ], wallClock: 77 * second)
        let a = try report([("crunch", 0, 1000)], wall: 1000, cpu: 900, peak: 100)
        let run = try #require(
            JobRun(
                name: "j", own: nil, tasks: [task(0, on: "a", clock: "c", began: 0, .value(a))],
                clocks: ["c": clock], wallClock: 77 * second))
        #expect(run.notes.contains { $0.contains("wall clock of node a is 1:00:00 ahead of this machine's") })
        #expect(run.report.transitions[0].monotonicNanoseconds == 0)
    }
}

@Suite("Clocks of nodes")
struct NodeClockTests {
    private func exchange(_ asked: Int64, _ answered: Int64, _ node: Int64) -> ClockExchange {
        ClockExchange(
            asked: asked, answered: answered,
            moment: NodeMoment(clock: "c", monotonicNanoseconds: node, epochNanoseconds: 0))
    }

    @Test("Of several calls the lead and its bound are of the same one, whichever came last")
    func sameCall() {
        var clock = NodeClock()
        // The node is 1,000,000 ahead. The first call can be off by 100, the second is, by 400 of the 500 that it may.
        clock.add([exchange(10_000, 10_200, 1_010_150)], wallClock: 0)
        clock.add([exchange(50_000, 51_000, 1_050_900)], wallClock: 0)
        #expect(clock.ahead == .nanoseconds(1_000_050) && clock.bound == .nanoseconds(100))
    }

    @Test("Of many exchanges the shortest round trip counts, and half of it bounds the error")
    func shortest() {
        var clock = NodeClock()
        clock.add(
            [exchange(0, 9000, 1_000_100), exchange(10_000, 10_200, 1_010_090), exchange(3, 1, 5)],
            wallClock: 0)
        #expect(clock.ahead == .nanoseconds(999_990) && clock.bound == .nanoseconds(100))
        #expect(clock.here(1_010_090).moment == 10_100)
    }

    @Test(
        "Between two calls the drift is interpolated and bounded; beyond them 100 millionths of the time are allowed for"
    )
    func drift() throws {
        var clock = NodeClock()
        let hour: Int64 = 3_600_000_000_000
        clock.add([exchange(0, 200, 1000 + 100)], wallClock: 0)
        clock.add([exchange(hour, hour + 200, hour + 100 + 5000)], wallClock: 0)
        let middle = clock.here(hour / 2 + 3000)
        #expect(abs(middle.moment - hour / 2) < 10)
        let drifted = try #require(middle.bound)
        #expect(drifted == 2100)
        let before = clock.here(1000 - hour)
        let bound = try #require(before.bound)
        #expect(before.moment == -hour && abs(bound - hour / 10_000) < 1000)
    }

    @Test("An answer is read as it was printed; anything else is none")
    func answers() {
        let moment = NodeMoment(clock: "boot/time:[1]", monotonicNanoseconds: 12, epochNanoseconds: 34)
        #expect(NodeMoment(line: moment.line) == moment)
        for text in ["", "a 1", "a 1 x", "a -1 2", "a 1 2 3"] { #expect(NodeMoment(line: text) == nil) }
    }

    @Test("A header is read as it was written; Slurm's variables say whose it is")
    func header() {
        let variables = [
            "SLURM_JOB_ID": "17", "SLURM_ARRAY_JOB_ID": "12", "SLURM_ARRAY_TASK_ID": "5",
            "SLURM_STEP_ID": "0",
            "SLURM_PROCID": "3", "SLURMD_NODENAME": "n1",
        ]
        let began = NodeMoment(clock: "b/t", monotonicNanoseconds: 5, epochNanoseconds: 1 << 40)
        let header = TaskHeader.here(program: "p", began: began, host: "h") { variables[$0] }
        #expect(header.name == "12_5.0.3" && header.allocation == 17 && header.node == "n1")
        #expect(TaskHeader(header.encode()) == header)
        #expect(TaskHeader(Array(header.encode().dropLast(9))) == nil)
        let batch = TaskHeader.here(program: "p", began: began, host: "h") { ["SLURM_JOB_ID": "9"][$0] }
        #expect(batch.name == "9" && batch.rank == nil && batch.node == "h")
    }
}
