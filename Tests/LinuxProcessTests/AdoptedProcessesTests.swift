import Glibc
import LinuxProcess
import LinuxSystem
import Measurement
import TestSupport
import Testing

@Suite("Processes that a command leaves behind", .serialized)
struct AdoptedProcessesTests {
    private static func run(_ script: String) throws {
        var child = try ChildProcess.start(ChildRequest(["python3", "-c", script]))
        let outcome = try #require(try child.wait(timeout: .seconds(20)))
        try #require(outcome.status == .code(0))
    }

    @Test("A daemon that ended before it was looked at is counted, by its own clock")
    func endedDaemon() throws {
        let directory = try TemporaryDirectory()
        let file = directory.path + "/used"
        let orphans = try AdoptedProcesses()
        let script = """
            import os, time
            if os.fork() == 0:
                os.setsid()
                if os.fork() == 0:
                    while time.process_time() < 0.3: pass
                    with open('\(file).part', 'w') as f: f.write(str(time.process_time()))
                    os.rename('\(file).part', '\(file)')
                    os._exit(0)
                os._exit(0)
            os.wait()
            """
        try Self.run(script)
        var left = 400
        while !Files.exists(file), left > 0 {
            SystemClock.sleep(for: .milliseconds(25))
            left -= 1
        }
        let used = try #require(Double(String(decoding: try Files.read(file, limit: 100), as: UTF8.self)))
        while !orphans.living().isEmpty, left > 0 {
            SystemClock.sleep(for: .milliseconds(5))
            left -= 1
        }
        let account = orphans.account()
        // What it used after it had read its clock is its own way out.
        #expect(
            account.cpu.inSeconds >= used - 0.001 && account.cpu.inSeconds < used + 0.1,
            "\(account.cpu) of \(used)")
        #expect(account.peakResident > .mebibytes(1))
        #expect(orphans.living().isEmpty)
    }

    @Test(
        "Those that live are named, counted, and ended, also one that ignores the request and one that is stopped"
    )
    func ended() throws {
        let directory = try TemporaryDirectory()
        let ready = directory.path + "/ready"
        let orphans = try AdoptedProcesses()
        let script = """
            import os, signal, time
            for kind in ('deaf', 'stopped', 'heeding'):
                if os.fork() == 0:
                    os.setsid()
                    if kind == 'deaf': signal.signal(signal.SIGTERM, signal.SIG_IGN)
                    if os.fork() == 0:
                        open('\(ready).' + kind, 'w').close()
                    if kind == 'stopped': os.kill(os.getpid(), signal.SIGSTOP)
                    time.sleep(60)
                    os._exit(0)
            while len([n for n in os.listdir('\(directory.path)') if n.startswith('ready')]) < 3: time.sleep(0.01)
            """
        try Self.run(script)
        #expect(orphans.look().count == 3)
        let living = orphans.living()
        #expect(living.count == 6 && living.allSatisfy { $0.program.hasPrefix("python") }, "\(living)")
        #expect(orphans.account().cpu > .zero)
        #expect(orphans.end(grace: .milliseconds(300)).isEmpty)
        // No process is left, nor an entry that waits to be read.
        for process in living { #expect(kill(process.pid, 0) != 0 && errno == ESRCH, "\(process)") }
        #expect(orphans.living().isEmpty)
    }

    @Test(
        "Children that we have started ourselves are no orphans, and those of another command are not counted"
    )
    func ownChildren() throws {
        let other = try AdoptedProcesses()
        try Self.run("import subprocess; subprocess.Popen(['sleep', '60'])")
        #expect(other.look().count == 1)
        let orphans = try AdoptedProcesses()
        var own = try ChildProcess.start(ChildRequest(["sleep", "60"]))
        #expect(orphans.look().isEmpty && orphans.living().isEmpty && orphans.account().cpu == .zero)
        #expect(orphans.end(grace: .zero).isEmpty)
        #expect(other.living().map(\.program) == ["sleep"])
        #expect(try own.wait(timeout: .zero) == nil)
        _ = try own.terminate(grace: .zero)
        #expect(other.end(grace: .seconds(2)).isEmpty)
    }
}
