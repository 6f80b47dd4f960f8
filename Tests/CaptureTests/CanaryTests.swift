import FrozenProfile
import Glibc
import LinuxProcess
import LinuxSystem
import Measurement
import TestSupport
import Testing

@testable import Capture

@Suite("Canaries", .serialized)
struct CanaryTests {
    @Test("Every kernel is timed at each moment, and leaves nothing behind")
    func moments() throws {
        let directory = try TemporaryDirectory()
        let kernels = CanaryKernels(repetitions: 2, directory: directory.path)
        var canaries: [Canary] = []
        kernels.time(at: .start, into: &canaries)
        kernels.time(at: .end, into: &canaries)
        #expect(canaries.map(\.name) == ["files-2000-2", "memmove-1GiB-2", "sha256-24MiB-1"])
        for canary in canaries {
            for moment in [Canary.Moment.start, .end] {
                let seconds = try #require(canary.repetitions[moment]?.value, "\(canary)")
                #expect(seconds.count == 2 && seconds.allSatisfy { (0.001...20).contains($0) }, "\(canary)")
            }
            #expect(canary.repetitions[.middle] == nil)
            #expect(canary.drift.value != nil)
        }
        #expect(try Files.names(inDirectory: directory.path).isEmpty)
    }

    /// Whether a memory group of the first version can be made here.
    private static let canMakeGroup =
        Files.exists("/sys/fs/cgroup/memory/memory.limit_in_bytes") && geteuid() == 0

    @Test(
        "In a memory group of 128 MiB a capture is made, and the canary that takes as much is left out with the reason",
        .enabled(if: canMakeGroup, "it takes root and a memory controller of cgroup v1"))
    func smallGroup() throws {
        let directory = try TemporaryDirectory()
        let group = "/sys/fs/cgroup/memory/freeze-test-\(CurrentProcess.pid)"
        let script = """
            mkdir \(group) && echo 134217728 > \(group)/memory.limit_in_bytes && echo $$ > \(group)/cgroup.procs &&
            exec '\(BuiltProduct.path("freeze-profile"))' capture --version v1 --output '\(directory.path)/v1.yaml' \
              --skip-warmup --stack-runs 0 --sampler none -- true
            """
        let result = try runCommand(["sh", "-c", script])
        _ = try runCommand(["rmdir", group])
        #expect(result.status == .code(0), "\(result.status) \(result.standardError)")
        let yaml = String(
            decoding: try Files.read("\(directory.path)/v1.yaml", limit: 1 << 20), as: UTF8.self)
        #expect(yaml.contains("it takes 128 MiB of memory, and "), "\(yaml)")
        #expect(yaml.contains("sha256-24MiB-1"))
    }

    @Test(
        "A run that the kernel kills for its memory is named so, and not by its signal alone",
        .enabled(if: canMakeGroup, "it takes root and a memory controller of cgroup v1"))
    func memoryKill() throws {
        let directory = try TemporaryDirectory()
        let group = "/sys/fs/cgroup/memory/freeze-test-kill-\(CurrentProcess.pid)"
        let script = """
            mkdir \(group) && echo 134217728 > \(group)/memory.limit_in_bytes && echo $$ > \(group)/cgroup.procs &&
            exec '\(BuiltProduct.path("freeze-profile"))' capture --version v1 --output '\(directory.path)/v1.yaml' \
              --canaries 0 --skip-warmup --stack-runs 0 --sampler none -- python3 -c 'x = b"x" * (400 << 20)'
            """
        let result = try runCommand(["sh", "-c", script])
        _ = try runCommand(["rmdir", group])
        #expect(result.status == .code(4), "\(result.status) \(result.standardError)")
        #expect(
            result.standardError.contains(
                "was ended by signal 9 (Killed); the kernel killed a process meanwhile because memory was used up"
            ),
            "\(result.standardError)")
    }

    @Test("A kernel that cannot do its work is unavailable with the reason, and the others are not")
    func noDirectory() {
        var canaries: [Canary] = []
        CanaryKernels(repetitions: 1, directory: "/nowhere").time(at: .start, into: &canaries)
        #expect(canaries[2].seconds(at: .start).value != nil)
        #expect(
            canaries[0].seconds(at: .start).unavailableReason?.hasSuffix("No such file or directory.") == true
        )
    }

    @Test("A machine that is slowed down is seen: half of a CPU makes the arithmetic slower")
    func detection() throws {
        let kernels = CanaryKernels(repetitions: 3, directory: "/tmp")
        func seconds() throws -> Double {
            var canaries: [Canary] = []
            kernels.time(at: .start, into: &canaries)
            return try #require(canaries.last?.seconds(at: .start).value)
        }
        let alone = try seconds()
        // As many busy processes as CPUs twice over: each gets a third of one at most.
        let count = try Machine.allowedCPUs() * 2
        let spinners = [
            "sh", "-c", "i=0; while [ $i -lt \(count) ]; do (while :; do :; done) & i=$((i+1)); done; wait",
        ]
        var request = ChildRequest(spinners)
        request.leadsProcessGroup = true
        var child = try ChildProcess.start(request)
        defer {
            child.sendToGroup(SignalInbox.kill)
            _ = Result { try child.wait(timeout: .seconds(5)) }
        }
        SystemClock.sleep(for: .milliseconds(200))
        #expect(try seconds() > 1.3 * alone)
    }

    @Test("How often is decided by how long the runs take: about a tenth of their time, never once")
    func scaled() {
        #expect(SessionCanaries.repetitions(beside: nil) == CanaryKernels.defaultRepetitions)
        #expect(SessionCanaries.repetitions(beside: .milliseconds(300)) == 2)
        #expect(SessionCanaries.repetitions(beside: .seconds(27)) == 3)
        #expect(SessionCanaries.repetitions(beside: .seconds(100_000)) == CanaryKernels.defaultRepetitions)
    }

    @Test("They begin after the warm-up, which says how long the runs take, and are stated before")
    func places() throws {
        let directory = try TemporaryDirectory()
        var canaries = SessionCanaries(repetitions: nil, directory: directory.path, runs: 5)
        #expect(canaries.plan?.contains("2 to 5 times each") == true)
        let before = [
            canaries.beforeRun(.warmUp, made: 0, left: nil),
            canaries.beforeRun(.measured, made: 1, left: .milliseconds(400)),
            canaries.beforeRun(.measured, made: 2, left: .milliseconds(300)),
            canaries.beforeRun(.measured, made: 3, left: nil),
            canaries.beforeRun(.profiled, made: 4, left: nil),
        ]
        #expect(before.map(\.count) == [0, 3, 0, 3, 0])
        #expect(before[1].map { $0.repetitions[.start]?.value?.count } == [2, 2, 2])
        #expect(before[3].map { $0.repetitions[.middle]?.value?.count } == [2, 2, 2])
        var none = SessionCanaries(repetitions: 0, directory: directory.path, runs: 5)
        let nothing = none.beforeRun(.measured, made: 0, left: nil)
        #expect(none.plan == nil && nothing.isEmpty)
    }
}
