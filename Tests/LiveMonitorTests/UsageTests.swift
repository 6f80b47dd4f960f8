import LinuxProcess
import LinuxSystem
import Measurement
import Metrics
import Stages
import TestSupport
import Testing

@testable import LiveMonitor

@Suite("What is used besides time and memory", .serialized)
struct UsageTests {
    @Test("Bytes written and context switches of a stage are those that the pipeline counts itself")
    func againstRusage() throws {
        let run = try ProbeRun.python(
            // The last is long enough for proportional memory to be read at one of its edges, however busy the machine is.
            ["calm:sleep=100", "disk:write=24", "pool:threads=8", "after:sleep=1500"], options: ["--quiet"])
        let report = try run.report()
        let own = try run.oracleFields()
        let disk = try report.stage("disk").usage
        let written = try #require(disk[.diskWritten].value)
        let expected = try #require(own["disk"]?["written_bytes"])
        #expect(expected >= Double(24 << 20), "the oracle")
        // The counters are read when the edge has been heard of: on a busy machine a part falls to the stage before.
        let before = try #require(try report.stage("calm").usage[.diskWritten].value)
        let sum = before + written
        // The status file is a block or two.
        #expect(isNear(sum, expected, share: 0, amount: 131_072), "\(before) \(written) \(expected)")
        #expect(written > before)
        let pool = try report.stage("pool").usage
        let seen = try #require(pool[.voluntarySwitches].value) + #require(pool[.involuntarySwitches].value)
        // The threads have ended by the end of the stage: what they did in their last moments is not known.
        let all = try #require(own["pool"]?["switches"])
        #expect(all >= 160, "the oracle")
        #expect(seen <= all + 20, "\(seen) of \(all)")
        let total = report.totals.usage
        #expect(try #require(total[.diskWritten].value) >= written)
        let switches =
            try #require(total[.voluntarySwitches].value) + #require(total[.involuntarySwitches].value)
        #expect(switches >= own.values.reduce(0) { $0 + ($1["switches"] ?? 0) })
        // Where the stages do not hold them, a note says so.
        #expect(
            seen >= 150 || report.notes.contains { $0.contains("% of the run's switches") }, "\(report.notes)"
        )
        #expect(total[.runQueueWait].value != nil)
        let shares = try #require(try report.stage("after").usage[.proportionalResident].value)
        let peak = try #require(try report.stage("after").peakResident.value)
        #expect(shares > 2 && shares <= peak.mebibytes)
    }

    /// Watches a Python program to its end, with an event in place of instructions, and reports.
    private func watched(_ script: String, counting event: TreeCounter.Event) throws -> MonitorReport {
        let directory = try TemporaryDirectory()
        let status = "\(directory.path)/.pipeline_status.json"
        let configuration = MonitorConfiguration(name: "p", statusFile: status)
        let suspended = try SuspendedChild.prepare(
            ChildRequest(["/usr/bin/python3", "-S", "-c", script, status]))
        var observation = try #require(
            Observation(pid: suspended.pid, excluding: [], configuration: configuration, counted: event))
        var child = try suspended.release()
        while try !FileDescriptor.waitUntilReadable([child.pidfd], timeout: .milliseconds(5))[0] {
            _ = observation.readTransitions()
        }
        observation.targetHasEnded(at: SystemClock.monotonicNanoseconds)
        let outcome = try #require(try child.wait(timeout: .seconds(20)))
        #expect(outcome.status == .code(0))
        observation.conclude(
            WaitedUsage(cpu: outcome.cpu, peak: outcome.peakResident, usage: outcome.usage))
        return observation.report(name: "p", exit: .value(outcome.status), log: nil)
    }

    /// Touches pages in its stages, in the second one in a child.
    private static let touching = """
        import mmap, os, sys, time
        def stage(name):
            with open(sys.argv[1] + ".t", "w") as f: f.write('{"pid": %d, "stage": "%s"}' % (os.getpid(), name))
            os.rename(sys.argv[1] + ".t", sys.argv[1]); time.sleep(0.15)
        def touch(pages):
            m = mmap.mmap(-1, pages * 4096)
            for page in range(pages): m[page * 4096] = 1
        stage("few"); touch(500)
        stage("many")
        if os.fork() == 0:
            touch(6000); os._exit(0)
        os.wait()
        stage("none")
        """

    @Test("What a counter counts is reported by stage, children included; page faults stand for instructions")
    func counter() throws {
        let report = try watched(Self.touching, counting: .pageFaults)
        func count(_ name: String) throws -> Double {
            try #require(try report.stage(name).usage[.instructions].value)
        }
        #expect((500..<1500).contains(try count("few")))
        #expect((6000..<8000).contains(try count("many")))
        // What was shared with the child is written to for the first time since.
        #expect(try count("none") < 3000)
        let total = try #require(report.totals.usage[.instructions].value)
        #expect(total >= (try count("few") + count("many") + count("none")))
        let back = try #require(MonitorReport.parse(Array(report.json.utf8)))
        #expect(back.totals.usage[.instructions].value == total)
    }

    @Test("Minor faults are those of each stage, of children that were waited for too")
    func minorFaults() throws {
        let report = try watched(Self.touching, counting: .pageFaults)
        func count(_ name: String) throws -> Double {
            try #require(try report.stage(name).usage[.minorFaults].value)
        }
        // A page is touched for the first time 500 and 6000 times; the interpreter and the fork add a few hundred.
        #expect((500..<1500).contains(try count("few")))
        #expect((6000..<8000).contains(try count("many")))
        let total = try #require(report.totals.usage[.minorFaults].value)
        #expect(total >= (try count("few") + count("many") + count("none")))
    }

    @Test("Instructions are counted by stage, or the kernel's reason is reported where it has no counter")
    func instructions() throws {
        let report = try watched(Self.touching, counting: .instructions)
        switch report.totals.usage[.instructions] {
        case .value(let all): #expect(all > 1_000_000)
        case .unavailable(let reason):
            #expect(
                [
                    "the kernel refuses a counter of them: No such file or directory",
                    "the kernel refuses a counter of them: Operation not supported",
                ].contains(reason))
            #expect(try report.stage("many").usage[.instructions] == .unavailable(reason: reason))
        }
    }

    @Test("A stage too short to be looked at has no counters, and says why")
    func tooShort() throws {
        let run = try ProbeRun.pipeline(["burst:many=200", "slow:sleep=200"], options: ["--quiet"])
        let report = try run.report()
        let slow = try report.stage("slow").usage
        #expect(slow[.voluntarySwitches].value != nil)
        let burst = try report.stage("burst").usage
        // A few of them may have been looked at.
        #expect(
            burst[.diskRead].value != nil
                || burst[.diskRead].unavailableReason
                    == "the stage was over before its counters could be read"
        )
    }

    private func point(_ bytes: Int64, _ switches: Int64, look: Int, readable: UsageKinds = .all)
        -> UsagePoint
    {
        var counts = UsageCounts()
        counts[.diskRead] = bytes
        counts[.voluntarySwitches] = switches
        return UsagePoint(counts: counts, readable: readable, look: look, inheritedLook: look)
    }

    @Test("A span counts what lies between two looks, and nothing when there was one only")
    func spans() {
        var usage = StageUsage()
        usage.add(from: point(10, 1, look: 1), to: point(10, 1, look: 1))
        #expect(usage.seen.isEmpty && usage.unreadable.isEmpty)
        usage.add(from: point(10, 1, look: 1), to: point(30, 5, look: 2))
        #expect(usage.counts[.diskRead] == 20 && usage.counts[.voluntarySwitches] == 4)
        #expect(usage.seen == .all)
        usage.add(
            from: point(30, 5, look: 2), to: point(31, 6, look: 3, readable: .init([.voluntarySwitches])))
        #expect(usage.unreadable.contains(.diskRead) && !usage.unreadable.contains(.voluntarySwitches))
    }

    @Test("The account from `wait4` adds what is inherited after the last look, and nothing else")
    func afterLastLook() {
        var last = point(30, 5, look: 2)
        var told = UsageCounts()
        told[.diskRead] = 50
        told[.voluntarySwitches] = 90
        last.raiseInherited(to: told)
        var usage = StageUsage()
        usage.add(from: point(30, 5, look: 2), to: last)
        #expect(usage.counts[.diskRead] == 20 && usage.seen == .inherited)
        #expect(usage.counts[.voluntarySwitches] == 0)
    }

    @Test("What a child has written moves to its parent with it, or is kept when no process waited for it")
    func departed() {
        func process(_ pid: Int32, parent: Int32, faults: Int64, children: Int64 = 0, written: Int64)
            -> ProcessReading
        {
            var reading = ProcessReading(
                identity: ProcessIdentity(pid: pid, startTicks: 1), parent: parent, ownCPU: 1, childrenCPU: 0,
                memory: nil)
            (reading.ownFaults, reading.childrenFaults) = (faults, children)
            reading.usage[.diskWritten] = written
            return reading
        }
        let both = [
            process(10, parent: 1, faults: 100, written: 5),
            process(11, parent: 10, faults: 300, written: 70),
        ]
        var waited = TreeAccount()
        waited.update(both)
        #expect(waited.usage[.diskWritten] == 75)
        waited.update([process(10, parent: 1, faults: 110, children: 320, written: 78)])
        #expect(waited.usage[.diskWritten] == 78)
        var unwaited = TreeAccount()
        unwaited.update(both)
        unwaited.update([process(10, parent: 1, faults: 110, written: 6)])
        #expect(unwaited.usage[.diskWritten] == 76)
    }

    @Test("A thread's counts are added once; a number given to another thread begins anew")
    func threads() {
        var threads = ThreadCounts()
        func look(_ run: Int64, _ wait: Int64, _ switches: Int64) -> UsageCounts {
            threads.update([7]) { _ in
                ThreadSchedule(runNanoseconds: run, waitNanoseconds: wait)
            } switches: { _ in
                ContextSwitches(voluntary: switches, involuntary: 1)
            }
        }
        let first = look(100, 5, 3)
        #expect(
            first[.runQueueWait] == 5 && first[.voluntarySwitches] == 3 && first[.involuntarySwitches] == 1)
        let idle = look(100, 9, 9)
        #expect(idle == UsageCounts())
        let more = look(200, 9, 4)
        #expect(more[.runQueueWait] == 4 && more[.voluntarySwitches] == 1)
        let other = look(50, 2, 2)
        #expect(other[.runQueueWait] == 2 && other[.voluntarySwitches] == 2)
    }

    @Test("The estimate stays between what was reported and what the ticks may hide, and never steps back")
    func estimate() {
        var estimate = CPUEstimate()
        #expect(estimate.update(sum: 100, hidden: 0, clock: 7) == 100)
        // A child has used 15 that the ticks do not show yet.
        #expect(estimate.update(sum: 100, hidden: 20, clock: 22) == 115)
        #expect(estimate.update(sum: 110, hidden: 20, clock: 22) == 115)
        // The clock has gone too fast, then too slowly: the bounds hold, and it goes on a quarter within them.
        #expect(estimate.update(sum: 110, hidden: 20, clock: 90) == 125)
        #expect(estimate.update(sum: 150, hidden: 20, clock: 91) == 155)
        #expect(estimate.update(sum: 150, hidden: 20, clock: 96) == 160)
        #expect(estimate.update(sum: 150, hidden: 20, clock: nil) == 160)
    }
}
