import LinuxProcess
import Measurement
import Stages
import TestSupport
import Testing

@testable import LiveMonitor

@Suite("What the stages of a run used")
struct StageLedgerTests {
    private var ledger = StageLedger()
    private let a: StageName
    private let b: StageName

    init() throws {
        a = try #require(StageName("a"))
        b = try #require(StageName("b"))
    }

    private mutating func begin(_ stage: StageName, _ edge: EdgePoint) {
        ledger.apply(StageEvent(.begin, stage, at: edge.monotonic), at: edge)
    }

    private mutating func end(_ stage: StageName, _ edge: EdgePoint) {
        ledger.apply(StageEvent(.end, stage, at: edge.monotonic), at: edge)
    }

    private func edge(_ monotonic: Int64, cpu: Int64 = 0) -> EdgePoint {
        EdgePoint(monotonic: monotonic, cpu: .value(cpu))
    }

    @Test("CPU time is the difference at the edges of the union of a stage's spans")
    mutating func union() {
        begin(a, edge(0, cpu: 10))
        begin(a, edge(10, cpu: 15))
        end(a, edge(30, cpu: 20))
        end(a, edge(40, cpu: 35))
        #expect(ledger.clock.stages[0].wall == 40)
        #expect(ledger.meters[0].cpu == .value(25))
        #expect(ledger.transitions.map(\.isBegin) == [true, true, false, false])
    }

    @Test("CPU time that was unknown at one edge makes the stage's unknown, not zero")
    mutating func unknownCPU() {
        begin(a, EdgePoint(monotonic: 0, cpu: .unavailable(reason: "r")))
        end(a, edge(5, cpu: 5))
        #expect(ledger.meters[0].cpu == .unavailable(reason: "r"))
        begin(a, edge(6, cpu: 6))
        end(a, edge(7, cpu: 7))
        #expect(ledger.meters[0].cpu == .unavailable(reason: "r"))
    }

    @Test("What is open can be closed at once, and the time in no stage is known")
    mutating func endAll() {
        begin(a, edge(2))
        begin(b, edge(4))
        ledger.endAll(at: edge(10, cpu: 5))
        #expect(ledger.active.isEmpty)
        #expect(ledger.meters.map(\.cpu) == [.value(5), .value(5)])
        #expect(ledger.clock.unattributed(from: 0, to: 20) == 12)
    }

    @Test("No stage has CPU time beyond what the whole run used: only what lies behind it is taken back")
    mutating func bounded() {
        begin(a, edge(0, cpu: 0))
        end(a, edge(1, cpu: 40))
        begin(b, edge(1, cpu: 40))
        end(b, edge(2, cpu: 60))
        begin(a, edge(2, cpu: 60))
        end(a, edge(3, cpu: 75))
        ledger.bound(cpuTo: 50)
        #expect(ledger.meters.map(\.cpu) == [.value(40), .value(10)])
        ledger.bound(cpuTo: 50)
        #expect(ledger.meters.map(\.cpu) == [.value(40), .value(10)])
        ledger.bound(cpuTo: 100)
        #expect(ledger.meters.map(\.cpu) == [.value(40), .value(10)])
    }

    @Test("A peak is credited to named stages only; a mark of the kernel beats an equal sample")
    mutating func peaks() {
        begin(a, edge(0))
        begin(b, edge(1))
        ledger.credit(MemoryPeak(size: .kibibytes(5), isHighWaterMark: false), to: [a])
        ledger.credit(MemoryPeak(size: .kibibytes(5), isHighWaterMark: true), to: [a])
        ledger.credit(MemoryPeak(size: .kibibytes(4), isHighWaterMark: true), to: [a])
        #expect(ledger.meters[0].peak == MemoryPeak(size: .kibibytes(5), isHighWaterMark: true))
        #expect(ledger.meters[1].peak == nil)
    }

    @Test("Stages and transitions are bounded, and the stages' numbers go on beyond the list")
    mutating func bounds() {
        for index in 0..<60_000 {
            begin(a, edge(Int64(index) * 2))
            end(a, edge(Int64(index) * 2 + 1))
        }
        #expect(ledger.transitions.count == StageLedger.maximumTransitions)
        #expect(ledger.droppedTransitions == 20_000)
        #expect(ledger.clock.stages[0].entered == 60_000 && ledger.clock.stages[0].wall == 60_000)
        for index in 0..<5000 { begin(StageName("s\(index)")!, edge(1)) }
        // Stages beyond the limit are one together, and nothing of them is lost.
        let others = ledger.clock.stages.count - 1
        #expect(others == StageClock.maximumStages)
        #expect(ledger.clock.stages[others].name == StageClock.others)
        #expect(ledger.clock.beginsOfOthers == 5001 - StageClock.maximumStages)
        #expect(ledger.clock.stages[others].entered == ledger.clock.beginsOfOthers)
        #expect(ledger.clock.droppedEvents == 0)
        end(StageName("s4999")!, edge(7))
        end(StageName("s4998")!, edge(11))
        #expect(ledger.clock.stages[others].finished == 2 && ledger.clock.stages[others].work == 16)
        #expect(ledger.clock.stages.reduce(0) { $0 + $1.entered } == 65_000)
    }
}

@Suite("Limits of what the monitor follows")
struct MonitorLimitTests {
    @Test("More open spans than are kept are counted")
    func spans() {
        var clock = StageClock()
        for index in 0..<(StageClock.maximumSpans + 3) {
            _ = clock.apply(StageEvent(.begin, StageName("a")!, at: Int64(index)))
        }
        #expect(clock.droppedEvents == 3)
        #expect(clock.stages[0].entered == StageClock.maximumSpans)
    }

    @Test("Processes beyond the limit are counted, those that are known already only once")
    func processes() {
        var processes = TreeProcesses(target: 1, excluding: [])
        let some = (2...Int32(ProcessTree.maximumProcesses)).map { $0 }
        processes.adopt(some)
        #expect(processes.order.count == ProcessTree.maximumProcesses && processes.mostBeyondLimit == 0)
        processes.adopt(some + [1_000_001, 1_000_002])
        #expect(processes.order.count == ProcessTree.maximumProcesses && processes.mostBeyondLimit == 2)
    }
}

@Suite("CPU time at an edge")
struct EdgeClocksTests {
    @Test("What the pipeline reports of itself replaces what was read of it later; descendants stay as read")
    func newer() {
        let clocks = EdgeClocks(tree: 700, teller: 510, processes: 700, reported: 500)
        #expect(clocks.cpuFromNewerSample == 690)
        #expect(EdgeClocks(tree: 700, teller: 510, processes: 700, reported: nil).cpuFromNewerSample == 700)
        #expect(EdgeClocks(tree: 700, teller: nil, processes: 700, reported: 500).cpuFromNewerSample == 700)
    }

    @Test("A child in an older sample is in the pipeline's own clock by now, and counted once")
    func older() {
        // The pipeline had used 100, its child 280; then the child was waited for at 310.
        let during = EdgeClocks(tree: 380, teller: 100, processes: 380, reported: 410)
        #expect(during.cpuFromOlderSample(total: 412) == 410)
        #expect(during.cpuFromOlderSample(total: nil) == 410)
        // The same, last looked at before the child had begun.
        let before = EdgeClocks(tree: 100, teller: 100, processes: 100, reported: 410)
        #expect(before.cpuFromOlderSample(total: 412) == 410)
        // Never more than the run used, nor less than was seen; without a clock of its own the run's is the best.
        #expect(before.cpuFromOlderSample(total: 405) == 405)
        #expect(
            EdgeClocks(tree: 380, teller: 50, processes: 380, reported: 60).cpuFromOlderSample(total: nil)
                == 380)
        #expect(
            EdgeClocks(tree: 380, teller: 50, processes: 380, reported: nil).cpuFromOlderSample(total: 400)
                == 400
        )
    }
}

@Suite("CPU time of a tree")
struct TreeAccountTests {
    private func process(
        _ pid: Int32, parent: Int32 = 1, own: Int64, children: Int64 = 0, start: UInt64 = 1
    ) -> ProcessReading {
        ProcessReading(
            identity: ProcessIdentity(pid: pid, startTicks: start), parent: parent,
            ownCPU: own * 1_000_000, childrenCPU: children * 1_000_000, memory: nil)
    }

    private var account = TreeAccount()
    private var total: Int64 { account.total / 1_000_000 }

    @Test(
        "An orphan's end adds what was not seen of it: before and after it is missing, of its children, and of all of it"
    )
    mutating func orphans() {
        func reading(_ pid: Int32, parent: Int32, _ cpu: Int64) -> ProcessReading {
            ProcessReading(
                identity: ProcessIdentity(pid: pid, startTicks: 1), parent: parent, ownCPU: cpu,
                childrenCPU: 0)
        }
        var account = TreeAccount()
        account.update([reading(1, parent: 0, 10), reading(5, parent: 1, 100), reading(6, parent: 5, 50)])
        account.adopt(5, by: 99)
        // Reported while it is still known: its child was waited for by it.
        account.settle(orphan: 5, cpu: 180)
        #expect(account.total == 190)
        account.update([reading(1, parent: 0, 10)])
        #expect(account.total == 190)
        // Reported after it is missing.
        account.update([reading(1, parent: 0, 10), reading(7, parent: 99, 20)])
        account.update([reading(1, parent: 0, 10)])
        #expect(account.total == 210)
        account.settle(orphan: 7, cpu: 25)
        #expect(account.total == 215)
        // Never seen.
        account.settle(orphan: 8, cpu: 40)
        #expect(account.total == 255)
    }

    @Test("A child that was waited for is counted once")
    mutating func waited() {
        account.update([process(10, own: 100), process(11, parent: 10, own: 500)])
        #expect(total == 600)
        account.update([process(10, own: 110, children: 520)])
        #expect(total == 630)
    }

    @Test("A child that no process waited for is not forgotten")
    mutating func autoReaped() {
        account.update([process(10, own: 100), process(11, parent: 10, own: 500)])
        account.update([process(10, own: 110)])
        #expect(total == 610)
        account.update([process(10, own: 120)])
        #expect(total == 620)
    }

    @Test("A grandchild is inherited through a parent that is gone as well")
    mutating func grandchild() {
        account.update([
            process(10, own: 1), process(11, parent: 10, own: 50), process(12, parent: 11, own: 300),
        ])
        account.update([process(10, own: 1, children: 350)])
        #expect(total == 351)
    }

    @Test("A number given to another process is another process")
    mutating func reuse() {
        account.update([process(10, own: 1), process(11, parent: 10, own: 500)])
        account.update([process(10, own: 1), process(11, parent: 10, own: 3, start: 9)])
        #expect(total == 504)
    }

    @Test("The sum never steps back, though children's time is cut to ticks")
    mutating func monotone() {
        account.update([process(10, own: 100), process(11, parent: 10, own: 509)])
        account.update([process(10, own: 100, children: 500)])
        #expect(total == 609)
    }

    @Test("Everything gone keeps its last number, and parents in a circle end")
    mutating func gone() {
        account.update([process(10, parent: 11, own: 5), process(11, parent: 10, own: 5)])
        account.update([])
        #expect(total == 10)
    }
}
