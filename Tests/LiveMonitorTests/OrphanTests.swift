import LinuxProcess
import LinuxSystem
import Measurement
import TestSupport
import Testing

@testable import LiveMonitor

@Suite("What is left when the process that watches is killed", .serialized)
struct OrphanTests {
    /// Waits for something to become true.
    private func eventually(_ condition: () throws -> Bool) rethrows -> Bool {
        for _ in 0..<200 {
            if try condition() { return true }
            SystemClock.sleep(for: .milliseconds(50))
        }
        return false
    }

    @Test("A child that was forked and has not been let go ends with who forked it")
    func suspended() throws {
        let directory = try TemporaryDirectory()
        let file = "\(directory.path)/pid"
        var probe = try ChildProcess.start(
            ChildRequest([BuiltProduct.path("monitor-probe"), "suspend", file]))
        #expect(eventually { Files.exists(file) })
        let pid = try #require(Int32(String(decoding: try Files.read(file, limit: 20), as: UTF8.self)))
        #expect(ProcessStat.ofProcess(pid)?.hasEnded == false)
        probe.send(SignalInbox.kill)
        _ = try probe.wait()
        #expect(eventually { ProcessStat.ofProcess(pid)?.hasEnded ?? true })
    }

    @Test("A monitor whose tool was killed makes no directory for its log")
    func directory() throws {
        let directory = try TemporaryDirectory()
        let pid = "\(directory.path)/pid"
        var probe = try ChildProcess.start(
            ChildRequest([
                BuiltProduct.path("monitor-probe"), "run", "--interval-ms=20", "--quiet",
                "\(directory.path)/none/.pipeline_status.json", "--", "sh", "-c",
                "echo $$ >'\(pid)'; sleep 0.3; exec sleep 3",
            ]))
        #expect(eventually { Files.exists(pid) })
        SystemClock.sleep(for: .milliseconds(200))
        probe.send(SignalInbox.kill)
        _ = try probe.wait()
        // The monitor waits a second for the target's end.
        SystemClock.sleep(for: .milliseconds(2500))
        #expect(!Files.exists("\(directory.path)/none"))
    }
}
