import LinuxProcess
import Measurement
import TestSupport
import Testing

@testable import LiveMonitor

@Suite("The account of stages")
struct StageLedgerTests {
    private var ledger = StageLedger()
    private let a: StageName
    private let b: StageName

    init() throws {
        a = try #require(StageName("a"))
        b = try #require(StageName("b"))
    }

    private func edge(_ monotonic: Int64, cpu: Int64 = 0) -> EdgePoint {
        EdgePoint(monotonic: monotonic, cpu: .value(cpu))
    }

    @Test("Wall is the union of spans, work their sum, CPU the difference at the edges of the union")
    mutating func union() {
        ledger.begin(a, at: edge(0, cpu: 10))
        ledger.begin(a, at: edge(10, cpu: 15))
        ledger.end(a, at: edge(30, cpu: 20))
        ledger.end(a, at: edge(40, cpu: 35))
        let stage = ledger.stages[0]
        #expect(stage.wall == 40 && stage.work == 60 && stage.entered == 2)
        #expect(stage.cpu == .value(25))
        #expect(!stage.isShared)
        #expect(ledger.transitions.map(\.isBegin) == [true, true, false, false])
    }

    @Test("Overlapping stages are both shared; time in neither is unattributed")
    mutating func shared() {
        ledger.begin(a, at: edge(10))
        ledger.begin(b, at: edge(20))
        ledger.end(a, at: edge(30))
        ledger.end(b, at: edge(50))
        #expect(ledger.stages.map(\.isShared) == [true, true])
        #expect(ledger.unattributed(from: 0, to: 100) == 60)
        ledger.begin(a, at: edge(100))
        #expect(ledger.unattributed(from: 0, to: 120) == 60)
    }

    @Test("CPU time that was unknown at one edge makes the stage's unknown, not zero")
    mutating func unknownCPU() {
        ledger.begin(a, at: EdgePoint(monotonic: 0, cpu: .unavailable(reason: "r")))
        ledger.end(a, at: edge(5, cpu: 5))
        #expect(ledger.stages[0].cpu == .unavailable(reason: "r"))
        ledger.begin(a, at: edge(6, cpu: 6))
        ledger.end(a, at: edge(7, cpu: 7))
        #expect(ledger.stages[0].cpu == .unavailable(reason: "r"))
    }

    @Test("An end without a begin changes nothing, and what is open can be closed at once")
    mutating func unmatched() {
        let result1 = ledger.end(a, at: edge(1))
        #expect(!result1)
        ledger.begin(a, at: edge(2))
        ledger.begin(a, at: edge(3))
        ledger.begin(b, at: edge(4))
        ledger.endAll(at: edge(10))
        #expect(ledger.active.isEmpty)
        #expect(ledger.stages.map(\.wall) == [8, 6])
    }

    @Test("A peak is credited to named stages only; a mark of the kernel beats an equal sample")
    mutating func peaks() {
        ledger.begin(a, at: edge(0))
        ledger.begin(b, at: edge(1))
        ledger.credit(MemoryPeak(size: .kibibytes(5), isHighWaterMark: false), to: [a])
        ledger.credit(MemoryPeak(size: .kibibytes(5), isHighWaterMark: true), to: [a])
        ledger.credit(MemoryPeak(size: .kibibytes(4), isHighWaterMark: true), to: [a])
        #expect(ledger.stages[0].peak == MemoryPeak(size: .kibibytes(5), isHighWaterMark: true))
        #expect(ledger.stages[1].peak == nil)
    }

    @Test("Stages and transitions are bounded, and the stages' numbers go on beyond the list")
    mutating func bounds() {
        for index in 0..<60_000 {
            ledger.begin(a, at: edge(Int64(index) * 2))
            ledger.end(a, at: edge(Int64(index) * 2 + 1))
        }
        #expect(ledger.transitions.count == StageLedger.maximumTransitions)
        #expect(ledger.droppedTransitions == 20_000)
        #expect(ledger.stages[0].entered == 60_000 && ledger.stages[0].wall == 60_000)
        for index in 0..<2000 { ledger.begin(StageName("s\(index)")!, at: edge(1)) }
        #expect(ledger.stages.count == StageLedger.maximumStages)
    }
}

@Suite("CPU time at an edge")
struct EdgeClocksTests {
    @Test("What the pipeline tells of itself replaces what was read of it later; descendants stay as read")
    func newer() {
        let clocks = EdgeClocks(tree: 700, teller: 510, processes: 700, told: 500)
        #expect(clocks.cpuFromNewerSample == 690)
        #expect(EdgeClocks(tree: 700, teller: 510, processes: 700, told: nil).cpuFromNewerSample == 700)
        #expect(EdgeClocks(tree: 700, teller: nil, processes: 700, told: 500).cpuFromNewerSample == 700)
    }

    @Test("A child in an older sample is in the pipeline's own clock by now, and counted once")
    func older() {
        // The pipeline had used 100, its child 280; then the child was waited for at 310.
        let during = EdgeClocks(tree: 380, teller: 100, processes: 380, told: 410)
        #expect(during.cpuFromOlderSample(total: 412) == 410)
        #expect(during.cpuFromOlderSample(total: nil) == 410)
        // The same, last looked at before the child had begun.
        let before = EdgeClocks(tree: 100, teller: 100, processes: 100, told: 410)
        #expect(before.cpuFromOlderSample(total: 412) == 410)
        // Never more than the run used, nor less than was seen; without a clock of its own the run's is the best.
        #expect(before.cpuFromOlderSample(total: 405) == 405)
        #expect(
            EdgeClocks(tree: 380, teller: 50, processes: 380, told: 60).cpuFromOlderSample(total: nil) == 380)
        #expect(
            EdgeClocks(tree: 380, teller: 50, processes: 380, told: nil).cpuFromOlderSample(total: 400) == 400
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

    @Test("A child that was waited for is counted once")
    mutating func waited() {
        account.update([process(10, own: 100), process(11, parent: 10, own: 500)])
        #expect(total == 600)
        account.update([process(10, own: 110, children: 520)])
        #expect(total == 630)
    }

    @Test("A child that nobody waited for is not forgotten")
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
