import FrozenProfile
import Glibc
import LinuxProcess
import LinuxSystem
import Measurement
import ProfileStore
import TestSupport
import Testing

@Suite("Processes that outlive the command", .serialized)
struct LeftBehindTests {
    private static let tool = BuiltProduct.path("freeze-profile")

    /// A stage whose worker goes on after its script; it leaves its number.
    private static func worker(_ toolkit: Toolkit, in session: String) -> [String] {
        [
            "sh", "-c",
            """
            "\(tool)" stage work
            \(session) sh -c 'echo $$ >> "\(toolkit.directory.path)/pids"; while :; do :; done' &
            sleep 0.5
            "\(tool)" stage --done
            """,
        ]
    }

    private static func pids(_ toolkit: Toolkit) throws -> [Int32] {
        try toolkit.text("\(toolkit.directory.path)/pids").split(separator: "\n").compactMap { Int32($0) }
    }

    @Test(
        "A worker is named, counted and ended after each run, in the group and out of it",
        arguments: ["", "setsid"])
    func ended(session: String) throws {
        let toolkit = try Toolkit()
        let result = try toolkit.capture(
            "v1", ["--runs", "2", "--stack-runs", "0", "--sampler", "none"], Self.worker(toolkit, in: session)
        )
        try #require(result.status == .code(0), "\(result.standardError)")
        let pids = try Self.pids(toolkit)
        #expect(pids.count == 3)
        for pid in pids { #expect(kill(pid, 0) != 0 && errno == ESRCH, "worker \(pid) still runs") }
        #expect(result.standardError.contains("capture: A process outlived its run (sh), used 0."))
        let profile = try ProfileStore.load(path: toolkit.yaml("v1"))
        let total = try #require(profile.totals.use.cpuSeconds.value)
        let stage = try #require(profile.stages.first?.use.cpuSeconds.value)
        let rest = try #require(profile.totals.unattributedCPUSeconds.value)
        // The worker is busy for all of the stage: what the machine gave it is in both.
        #expect(rest >= 0 && stage <= total && stage > 0.05, "\(stage) of \(total)")
        #expect(profile.captureQuality?.notes.contains { $0.contains("outlived its run (sh)") } == true)
        let verified = try runCommand([Self.tool, "verify", toolkit.yaml("v1")])
        #expect(verified.status == .code(0), "\(verified.standardOutput)")
    }

    @Test("With --leave-running it stays, is not counted in the next run, and that is said")
    func left() throws {
        let toolkit = try Toolkit()
        let result = try toolkit.capture(
            "v1",
            ["--leave-running", "--skip-warmup", "--runs", "1", "--stack-runs", "0", "--sampler", "none"],
            Self.worker(toolkit, in: "setsid"))
        let pids = (try? Self.pids(toolkit)) ?? []
        defer { for pid in pids { kill(pid, SIGKILL) } }
        try #require(result.status == .code(0), "\(result.standardError)")
        #expect(pids.count == 1 && pids.allSatisfy { kill($0, 0) == 0 })
        #expect(result.standardError.contains("still runs (--leave-running): later runs may be disturbed."))
    }

    @Test("A daemon that forks twice and ends is in the run's CPU time, as its own clock shows it")
    func daemon() throws {
        let toolkit = try Toolkit()
        let script = """
            import os, time
            if os.fork() == 0:
                os.setsid()
                if os.fork() == 0:
                    while time.process_time() < 0.6: pass
                    open('\(toolkit.directory.path)/done', 'w').close()
                    os._exit(0)
                os._exit(0)
            os.wait()
            while not os.path.exists('\(toolkit.directory.path)/done'): time.sleep(0.02)
            os.remove('\(toolkit.directory.path)/done')
            time.sleep(0.4)
            """
        let result = try toolkit.capture(
            "v1", ["--skip-warmup", "--stack-runs", "0", "--sampler", "none"],
            ["sh", "-c", "'\(Self.tool)' stage work; python3 -c \"$0\"; '\(Self.tool)' stage --done", script])
        try #require(result.status == .code(0), "\(result.standardError)")
        let profile = try ProfileStore.load(path: toolkit.yaml("v1"))
        let total = try #require(profile.totals.use.cpuSeconds.value)
        let stage = try #require(profile.stages.first?.use.cpuSeconds.value)
        #expect(total >= 0.6 && stage >= 0.55 && stage <= total, "\(stage) of \(total)")
        #expect(!result.standardError.contains("outlived"))
    }

    @Test("Under monitor it stays, for the pipeline may want it so; it is named and counted")
    func monitored() throws {
        let toolkit = try Toolkit()
        let result = try runCommand(
            [Self.tool, "monitor", "--output-dir", "\(toolkit.directory.path)/out", "--"]
                + Self.worker(toolkit, in: "setsid"))
        let pids = (try? Self.pids(toolkit)) ?? []
        defer { for pid in pids { kill(pid, SIGKILL) } }
        #expect(result.status == .code(0))
        #expect(pids.count == 1 && pids.allSatisfy { kill($0, 0) == 0 })
        #expect(
            result.standardError.contains("The command has ended, but left 1 process running: sh ("),
            "\(result.standardError)")
        let log = try toolkit.text("\(toolkit.directory.path)/out/.monitor.log")
        func cpu(_ prefix: String) throws -> Double {
            let line = try #require(log.split(separator: "\n").last { $0.hasPrefix(prefix) }, "\(log)")
            let word = try #require(line.split(separator: " ").first { $0.hasPrefix("cpu_s=") })
            return try #require(Double(word.dropFirst("cpu_s=".count)))
        }
        #expect(try cpu("  stage=work") <= cpu("total_wall_s"))
    }
}
