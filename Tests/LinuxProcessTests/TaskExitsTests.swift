import Glibc
import LinuxProcess
import LinuxSystem
import Measurement
import TestSupport
import Testing

@Suite("Ends of processes")
struct TaskExitsTests {
    @Test(
        "the peak of a grandchild that lived for a moment is that of its own account",
        .enabled(if: getuid() == 0, "the kernel reports ends to root only"))
    func peak() throws {
        var exits = try TaskExits()
        // The grandchild prints its own account as its last act: what the kernel then reports is at least that.
        let script = "x=bytearray(80<<20); print(__import__('resource').getrusage(0).ru_maxrss)"
        let result = try runCommand(["sh", "-c", "python3 -c \"\(script)\"; :"])
        let own = try #require(Int64(result.standardOutput.filter(\.isNumber)))
        var tree = TreeExits()
        let ends = exits.read()
        let largest = try #require(tree.largestPeak(of: ends) { $0 == getpid() })
        let hasLost = exits.hasLost
        #expect(!hasLost)
        let ratio = Double(largest.bytes) / (Double(own) * 1024)
        #expect(ratio > 0.99 && ratio < 1.02)
    }

    @Test("ends of other trees do not count, and parents may end before they are known")
    func tree() {
        func end(_ pid: Int32, _ parent: Int32, _ mib: Double) -> TaskExit {
            TaskExit(pid: pid, parent: parent, peakResident: .mebibytes(mib))
        }
        var tree = TreeExits()
        // 30 is a child of 20, which was never seen. 20 is a child of 10, which is known.
        #expect(
            tree.largestPeak(of: [end(99, 98, 500), end(30, 20, 7), end(20, 10, 3)]) { $0 == 10 }
                == .mebibytes(7))
        // 40 ended before its parent was found, which lives.
        #expect(tree.largestPeak(of: [end(40, 15, 9)]) { $0 == 10 } == nil)
        #expect(tree.largestPeak(of: []) { $0 == 10 || $0 == 15 } == .mebibytes(9))
        // Known by now, or forgotten.
        #expect(tree.largestPeak(of: []) { _ in true } == nil)
    }
}
