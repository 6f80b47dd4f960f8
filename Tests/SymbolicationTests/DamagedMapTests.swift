import LinuxProcess
import Symbolication
import TestSupport
import Testing

@Suite("Damaged maps of just-in-time compiled code")
struct DamagedMapTests {
    @Test("count every line once, and name nothing unsafely")
    func damaged() {
        let sample = Array(
            """
            7f0000001000 20 py::main:/srv/a b.py
            7f0000001010 40 again
            0x7f0000002000 0x10 LazyCompile:~x
            1000 ffffffffffffff wide
            ffffffffffffff00 ff top

            """.utf8)
        var random = SeededGenerator(seed: 0x3A9)
        for _ in 0..<Mutation.inputs {
            let bytes = Mutation.of([sample], using: &random)
            let map = PerfMap(bytes)
            let lines = bytes.split(separator: UInt8(ascii: "\n")).count
            guard map.acceptedLines + map.rejectedLines == lines else {
                Issue.record("lines got lost in \(bytes)")
                return
            }
            for address: UInt64 in [
                0, 0x1000, 0x7F00_0000_1018, 0x7F00_0000_2001, UInt64.max - 1, UInt64.max,
            ] {
                guard let function = map.function(at: RuntimeAddress(address)) else { continue }
                let isSafe = function.name.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F }
                guard isSafe, function.start.value <= address else {
                    Issue.record("\(function) at \(address) in \(bytes)")
                    return
                }
            }
        }
    }
}
