import Glibc
import LinuxProcess
import LinuxSystem
import Measurement
import TestSupport
import Testing

@Suite("Children")
struct ChildProcessTests {
    @Test("A program that is not there is reported before anything is started")
    func notFound() {
        let error = #expect(throws: SpawnError.self) {
            _ = try ChildProcess.start(ChildRequest(["no-such-program-\u{1B}x"]))
        }
        #expect(
            error?.description
                == "Cannot run 'no-such-program-\u{FFFD}x': there is no such program. "
                + "Check the spelling, or give its path.")
        #expect(throws: SpawnError.emptyCommand) { _ = try ChildProcess.start(ChildRequest([])) }
    }

    @Test("A file that cannot be run is reported with the kernel's reason")
    func refused() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/text"
        try Files.replace(path, with: "not a program")
        let error = #expect(throws: SpawnError.self) { _ = try ChildProcess.start(ChildRequest([path])) }
        #expect(error == .refused(program: path, reason: "Permission denied"))
    }

    @Test("Where we have raised our limit of open files, a child gets the former one")
    func limitOfOpenFiles() throws {
        func limits() -> rlimit {
            var limit = rlimit()
            getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
            return limit
        }
        // One less than the most, so that there is something to raise, and hardly less for the tests that follow.
        var low = limits()
        low.rlim_cur = low.rlim_max - 1
        try #require(setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &low) == 0)
        OpenFileLimit.raise()
        #expect(limits().rlim_cur == low.rlim_max)
        let result = try runCommand(["sh", "-c", "ulimit -S -n"])
        #expect(result.standardOutput == "\(low.rlim_cur)\n")
    }

    @Test("A suspended child runs nothing until it is released")
    func gate() throws {
        let directory = try TemporaryDirectory()
        let mark = directory.path + "/mark"
        let suspended = try SuspendedChild.prepare(ChildRequest(["touch", mark]))
        SystemClock.sleep(for: .milliseconds(100))
        #expect(!Files.exists(mark))
        var child = try suspended.release()
        let outcome = try #require(try child.wait(timeout: .seconds(20)))
        #expect(outcome.status == .code(0))
        #expect(Files.exists(mark))
    }

    @Test("A suspended child that is dropped has run nothing and is gone")
    func droppedBeforeRelease() throws {
        let directory = try TemporaryDirectory()
        let mark = directory.path + "/mark"
        var pid: Int32 = 0
        func prepareAndDrop() throws {
            let suspended = try SuspendedChild.prepare(ChildRequest(["touch", mark]))
            pid = suspended.pid
            #expect(ProcessStat.ofProcess(pid) != nil)
        }
        try prepareAndDrop()
        #expect(ProcessStat.ofProcess(pid) == nil)
        #expect(!Files.exists(mark))
    }

    @Test("A running child that is dropped is killed and reaped")
    func dropped() throws {
        var pid: Int32 = 0
        func startAndDrop() throws {
            let child = try ChildProcess.start(ChildRequest(["sleep", "100"]))
            pid = child.pid
        }
        try startAndDrop()
        #expect(ProcessStat.ofProcess(pid) == nil)
    }

    @Test("Exit codes and signals are distinguished, and waiting has a limit")
    func outcome() throws {
        var failing = try ChildProcess.start(ChildRequest(["sh", "-c", "exit 7"]))
        #expect(try failing.wait(timeout: .seconds(20))?.status == .code(7))
        var sleeping = try ChildProcess.start(ChildRequest(["sleep", "100"]))
        #expect(try sleeping.wait(timeout: .milliseconds(20)) == nil)
        sleeping.send(9)
        let status = try #require(try sleeping.wait(timeout: .seconds(20))).status
        #expect(status == .signal(9))
        #expect(status.shellCode == 137)
        #expect("\(status)" == "was ended by signal 9 (Killed)")
    }

    @Test("A child that ignores the request to end is killed")
    func terminate() throws {
        let pipe = try FileDescriptor.pipe()
        var request = ChildRequest(["sh", "-c", "trap '' TERM; echo; while :; do sleep 1; done"])
        request.standardOutput = .descriptor(pipe.writeEnd.rawValue)
        request.standardError = .null
        var child = try ChildProcess.start(request)
        _ = try pipe.readEnd.read(upTo: 1)
        #expect(try child.terminate(grace: .milliseconds(50)).status == .signal(9))
    }

    @Test("Variables are added, and the CPU time of a child that spins is reported")
    func environmentAndUsage() throws {
        var request = ChildRequest([
            "/usr/bin/python3", "-S", "-c",
            "import os,sys,time\nwhile time.process_time() < 0.2: pass\nsys.exit(int(os.environ['X']))",
        ])
        request.environment = ["X": "5"]
        var child = try ChildProcess.start(request)
        let outcome = try #require(try child.wait(timeout: .seconds(60)))
        #expect(outcome.status == .code(5))
        #expect(outcome.cpu >= .milliseconds(200) && outcome.cpu < .seconds(2))
        #expect(outcome.peakResident > .mebibytes(2))
    }
}
