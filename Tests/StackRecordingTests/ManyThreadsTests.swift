import LinuxProcess
import LinuxSystem
import TestSupport
import Testing

/// Processes with more threads than a sampler may have files open.
@Suite("Sampling many threads from the command line")
struct ManyThreadsTests {
    private static let program = BuiltProduct.path("freeze-profile")

    @Test(
        "more threads are watched than the soft limit of open files has room for; over the hard one the CPUs are, or ptrace takes over"
    )
    func manyThreads() throws {
        let directory = try TemporaryDirectory()
        let crowd = "\(directory.path)/crowd"
        let compiled = try runCommand([
            "gcc", "-O1", "-pthread", "-o", crowd, BuiltProduct.fixture("native/crowd.c"),
        ])
        try #require(compiled.status == .code(0))
        var request = ChildRequest([crowd, "20000"])
        (request.standardInput, request.standardOutput) = (.null, .null)
        var child = try ChildProcess.start(request)
        let sample =
            "exec '\(Self.program)' sample --pid \(child.pid) --duration 0.5 -o '\(directory.path)/a.folded'"
        let soft = try runCommand(["sh", "-c", "ulimit -S -n 64; \(sample)"])
        #expect(soft.status == .code(0))
        #expect(soft.standardError.contains("perf cpu-clock at 997 Hz"), "\(soft.standardError)")
        let hard = try runCommand(["sh", "-c", "ulimit -n 64; \(sample)"])
        #expect(hard.standardError.contains("the limit of open files is lower. Raise it with `ulimit -n`"))
        // Events of whole CPUs need no more descriptors than there are CPUs, and privilege.
        let rung = CurrentProcess.userID == 0 ? "perf cpu-clock" : "ptrace wall-clock"
        #expect(hard.standardError.contains(rung), "\(hard.standardError)")
        #expect(try child.wait(timeout: .zero) == nil)
    }
}
