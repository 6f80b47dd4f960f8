import LinuxProcess
import LinuxSystem
import Measurement
import TestSupport
import Testing

@testable import FrozenProfile

@Suite("What goes on around a run")
struct RunEnvironmentTests {
    private func snapshot(_ counters: [EnvironmentCounter: Double]) -> EnvironmentSnapshot {
        EnvironmentSnapshot(
            monotonicNanoseconds: 0, observed: ObservedEnvironment(),
            counters: counters.mapValues { .value($0) })
    }

    @Test("Counters give what happened in the run")
    func differences() {
        let before = snapshot([
            .busyCPU: 100, .ownCPU: 1, .allCPU: 1000, .stolenCPU: 3, .stalledCPU: 7, .thermalThrottles: 9,
        ])
        let after = snapshot([
            .busyCPU: 112, .ownCPU: 10, .allCPU: 1020, .stolenCPU: 4, .stalledCPU: 7.5, .thermalThrottles: 9,
        ])
        let run = RunEnvironment(before: before, after: after)
        #expect(run[.steal] == .value(5))
        #expect(run[.othersCPU] == .value(3))
        #expect(run[.othersShare] == .value(15))
        #expect(run[.stalledCPU] == .value(0.5))
        #expect(run[.thermalThrottles] == .value(0))
        #expect(run[.stalledIO] == .unavailable(reason: "not recorded"))
    }

    @Test("A counter that fell says nothing, and a run within one tick has no shares")
    func unusable() {
        let before = snapshot([.busyCPU: 100, .ownCPU: 1, .allCPU: 200, .stolenCPU: 5])
        let after = snapshot([.busyCPU: 90, .ownCPU: 2, .allCPU: 200, .stolenCPU: 5])
        let run = RunEnvironment(before: before, after: after)
        #expect(run[.othersCPU] == .unavailable(reason: "the counter was reset during the run"))
        #expect(run[.steal] == .unavailable(reason: "the run was shorter than the kernel's tick"))
    }

    @Test("The CPU time of a process outside the run is others', that of a child is not")
    func realProcesses() throws {
        func spin(_ command: [String], untilWaitedFor: Bool) throws -> (others: Double, used: Double) {
            let before = EnvironmentProbe.snapshot()
            var child = try ChildProcess.start(ChildRequest(command))
            SystemClock.sleep(for: .milliseconds(700))
            #expect(
                EnvironmentProbe.allocator(ofProcess: child.pid)?.value?.description.hasPrefix("glibc malloc")
                    == true)
            // Not waited for, its CPU time is nobody's yet: to the kernel's account it is another process.
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
        "The allocator is told by the libraries that are mapped, with its settings",
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
                == "the program is linked statically, so its allocator cannot be told")
    }

    @Test("What was observed around runs, and canaries, are read back as they were written")
    func roundTrip() throws {
        var profile = try Samples.profile()
        profile.sessions[0].runs[1].surroundings = RunEnvironment(
            [
                .steal: .value(0.25), .othersCPU: .value(0.123456), .stalledIO: .value(17),
                .thermalThrottles: .unavailable(reason: "the kernel has no throttle counters here"),
            ],
            ranges: [
                .load: .value(ObservedRange(before: 0.5, after: 0.75, lowest: 0.25, highest: 3)),
                .frequency: .unavailable(reason: "no frequency is told"),
            ])
        profile.sessions[0].runs[1].disturbance = "the hypervisor took 5.0 % of the CPU time"
        profile.sessions[0].observed.governor = .unavailable(reason: "the kernel chooses no frequencies here")
        profile.sessions[0].canaries = [
            Canary(
                name: "sha256-24MiB-1",
                repetitions: [
                    .start: .value([0.1, 0.11]), .middle: .unavailable(reason: "the disk was full"),
                    .end: .value([0.1021]),
                ])
        ]
        let bytes = profile.encode()
        let text = String(decoding: bytes, as: UTF8.self)
        #expect(text.contains("    disturbed: the hypervisor took 5.0 % of the CPU time\n"))
        #expect(text.contains("  canaries:\n    sha256-24MiB-1:\n      start_s:\n      - 0.1\n"))
        let back = try FrozenProfile.decode(bytes, name: "p")
        #expect(back == profile)
        #expect(back.encode() == bytes)
        let damaged = text.replacing("      - 0.1\n", with: "      - -0.1\n")
        #expect {
            try FrozenProfile.decode(Array(damaged.utf8), name: "p")
        } throws: { error in
            "\(error)".contains(
                "sessions[0].canaries.sha256-24MiB-1.start_s is a list, but should be a list of")
        }
    }

    @Test("States are told at either end and at their extremes, of all that was seen")
    func ranges() throws {
        func snapshot(_ values: [ObservedKey: Reading<Double>]) -> EnvironmentSnapshot {
            EnvironmentSnapshot(monotonicNanoseconds: 0, observed: ObservedEnvironment(values), counters: [:])
        }
        let missing = Reading<Double>.unavailable(reason: "no such file")
        let environment = RunEnvironment(
            before: snapshot([
                .load: .value(1), .swapUsed: .value(10), .frequency: missing, .steal: .value(3),
            ]),
            looks: [
                ObservedEnvironment([.load: .value(4), .swapUsed: .value(8)]),
                ObservedEnvironment([.load: .value(0.5), .swapUsed: missing]),
            ],
            after: snapshot([.load: .value(2), .swapUsed: .value(9), .frequency: .value(2000)]))
        #expect(
            environment.ranges == [
                .load: .value(ObservedRange(before: 1, after: 2, lowest: 0.5, highest: 4)),
                .swapUsed: .value(ObservedRange(before: 10, after: 9, lowest: 8, highest: 10)),
                .frequency: missing.map { _ in ObservedRange(before: 0, after: 0, lowest: 0, highest: 0) },
            ])
    }

    @Test("Files of schema 2.1 tell states before, during and after a run, and are read into the same model")
    func older() throws {
        var profile = try Samples.profile()
        profile.sessions[0].runs[1].surroundings = RunEnvironment([.steal: .value(0.25)])
        let text = String(decoding: profile.encode(), as: UTF8.self)
        let older = text.replacing(
            "    surroundings:\n      steal_pct: 0.25\n",
            with: """
                    observed:
                      before:
                        load_1m: 0.5
                        swap_used_mb: 1.0
                      during:
                        load_1m: 2.5
                        swap_used_mb: 3.0
                      after:
                        load_1m: 1.5
                        swap_used_mb: 2.0
                    surroundings:
                      steal_pct: 0.25

                """)
        #expect(older != text)
        let surroundings = try FrozenProfile.decode(Array(older.utf8), name: "p").sessions[0].runs[1]
            .surroundings
        #expect(surroundings?[.steal] == .value(0.25))
        #expect(
            surroundings?.ranges == [
                .load: .value(ObservedRange(before: 0.5, after: 1.5, lowest: 0.5, highest: 2.5)),
                .swapUsed: .value(ObservedRange(before: 1, after: 2, lowest: 1, highest: 3)),
            ])
    }

    @Test("Canaries of a session's records are those of the session, moment by moment")
    func canariesOfRecords() {
        var session = [Canary(name: "a", repetitions: [.start: .value([1, 2])])]
        session.add([
            Canary(name: "a", repetitions: [.start: .value([3]), .end: .unavailable(reason: "disk full")]),
            Canary(name: "b", repetitions: [.end: .value([9])]),
        ])
        session.add([Canary(name: "a", repetitions: [.end: .value([4])])])
        #expect(
            session == [
                Canary(name: "a", repetitions: [.start: .value([1, 2, 3]), .end: .value([4])]),
                Canary(name: "b", repetitions: [.end: .value([9])]),
            ])
    }

    @Test("A canary's drift is its slowest moment by its fastest")
    func drift() throws {
        var canary = Canary(name: "c", repetitions: [.start: .value([0.3, 0.1, 0.1])])
        #expect(canary.drift == .unavailable(reason: "not timed at the middle"))
        canary.repetitions[.end] = .value([0.125, 0.1, 0.125])
        #expect(canary.seconds(at: .start) == .value(0.1))
        #expect(abs(try #require(canary.drift.value) - 0.25) < 1e-9)
        #expect(canary.seconds == .value((0.1 + 0.125) / 2))
        #expect(Canary(name: "c").seconds == .unavailable(reason: "it was never timed"))
    }
}
