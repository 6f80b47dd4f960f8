import LinuxProcess
import LinuxSystem
import Measurement
import ProfileSamples
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

    @Test("States are given at either end and at their extremes, of all that was seen")
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

    @Test("Files of schema 2.1 have states before, during and after a run, and are read into the same model")
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
