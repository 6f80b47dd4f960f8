import FrozenProfile
import LinuxProcess
import LinuxSystem
import Measurement
import Testing

@testable import Capture

@Suite("The machine during a run")
struct MachineDuringRunTests {
    @Test("The CPU time of a process outside the run is others', that of a child is not")
    func realProcesses() throws {
        func spin(_ command: [String], untilWaitedFor: Bool) throws -> (others: Double, used: Double) {
            let before = EnvironmentProbe.snapshot()
            var child = try ChildProcess.start(ChildRequest(command))
            SystemClock.sleep(for: .milliseconds(700))
            #expect(
                EnvironmentProbe.allocator(ofProcess: child.pid)?.value?.description.hasPrefix("glibc malloc")
                    == true)
            // Until we wait for it, the kernel does not count its CPU time as ours: it counts as another process.
            let early = EnvironmentProbe.snapshot()
            let used = try child.terminate(grace: .milliseconds(10)).cpu.inSeconds
            #expect(EnvironmentProbe.allocator(ofProcess: child.pid) == nil)
            let after = untilWaitedFor ? EnvironmentProbe.snapshot() : early
            let run = RunEnvironment(before: before, after: after)
            #expect((0...100).contains(try #require(run[.othersShare].value)))
            return (try #require(run[.othersCPU].value), used)
        }
        let loop = ["sh", "-c", "while :; do :; done"]
        // The kernel counts in ticks of 10 ms.
        let foreign = try spin(loop, untilWaitedFor: false)
        #expect(foreign.used > 0.1 && foreign.others >= foreign.used - 0.1)
        let own = try spin(loop, untilWaitedFor: true)
        let most = Double(try Machine.allowedCPUs()) * 1.5
        #expect(own.used > 0.1 && own.others <= most - own.used)
    }

    @Test("The texts of the kernel's counters are read, and others refused")
    func texts() {
        let times = EnvironmentText.cpuTime(stat: "cpu  600 100 200 1000 50 20 30 5 7 0\n").value
        #expect(times?.busy == 9.5)
        #expect(times?.all == 20.05)
        #expect(times?.stolen == 0.05)
        #expect(EnvironmentText.cpuTime(stat: "cpu 1 2\n").value == nil)
        #expect(
            EnvironmentText.stalled("some avg10=0.00 avg60=0 total=2500000\nfull total=9\n") == .value(2.5))
        #expect(EnvironmentText.stalled("").value == nil)
        #expect(EnvironmentText.quotaThrottled(cpuStat: "nr_periods 3\nthrottled_usec 1500000\n") == 1.5)
        #expect(EnvironmentText.quotaThrottled(cpuStat: "nr_throttled 3\nthrottled_time 1500000000\n") == 1.5)
        #expect(EnvironmentText.quotaThrottled(cpuStat: "usage_usec 3\n") == nil)
    }

    @Test(
        "The allocator is recognised by the libraries that are mapped, with its settings",
        arguments: [
            (["/usr/lib/x86_64-linux-gnu/libc.so.6"], ["A=b"], "glibc malloc"),
            (
                ["/usr/lib/libc.so.6", "/opt/libjemalloc.so.2"], ["LD_PRELOAD=/opt/libjemalloc.so.2"],
                "jemalloc"
            ),
            (["/lib/libc.so.6", "/lib/libtcmalloc_minimal.so.4"], [], "tcmalloc"),
            (
                ["/lib/libc.so.6", "/lib/libmimalloc.so.2.1"], ["MIMALLOC_VERBOSE=0"],
                "mimalloc MIMALLOC_VERBOSE=0"
            ),
            (["/lib/ld-musl-x86_64.so.1"], [], "musl malloc"),
            (["/lib/libc.so.6"], ["MALLOC_ARENA_MAX=2"], "glibc malloc MALLOC_ARENA_MAX=2"),
        ])
    func allocators(files: [String], environment: [String], name: String) {
        #expect(Allocator.name(mappedFiles: files, environment: environment) == .value(.text(name)))
    }

    @Test("A program with everything in it has an unknown allocator")
    func staticProgram() {
        #expect(
            Allocator.name(mappedFiles: ["/opt/pipeline"], environment: []).unavailableReason
                == "the program is linked statically, so its allocator is not known")
    }
}
