import LinuxProcess
import LinuxSystem
import TestSupport
import Testing

@testable import StackSampler

/// A program that calls functions in every way that Python has, and measures by its thread's own clock what each took
/// (`Tests/Fixtures/python/oracle.py`). `Benchmarks/python/run.py` is the long form, for every CPython of a machine.
@Suite(.serialized, .enabled(if: PythonRun.program != nil, "there is no CPython to sample"))
struct PythonOracleTests {
    /// What a way of calling took, and which functions are on the stack below the one that drives them.
    private struct Way {
        var name: String
        var seconds: Double
        var stack: [String]
    }

    @Test("Every stack is one that the program can have, and the shares are those of its own clock")
    func shares() throws {
        let directory = try TemporaryDirectory()
        let truth = "\(directory.path)/truth"
        let run = try PythonRun(path: BuiltProduct.fixture("python/oracle.py"), ["4", truth])
        let ways = try Self.ways(truth)
        var counts: [String: Int] = [:]
        var impossible: [[String]] = []
        for stack in run.stacks(ofFile: "oracle.py") {
            guard let root = stack.lastIndex(where: { ["drive", "thread_work"].contains($0) }) else {
                continue
            }
            let below = Array(stack[(root + 1)...])
            let fitting = ways.filter {
                $0.stack.starts(with: below) && ($0.name == "thread") == (stack[root] == "thread_work")
            }
            if fitting.isEmpty { impossible.append(stack) }
            // What two ways share at their beginning is neither's.
            if fitting.count == 1, !below.isEmpty { counts[fitting[0].name, default: 0] += 1 }
        }
        #expect(impossible.isEmpty, "\(impossible.count), such as \(impossible.first ?? [])")
        // The thread runs at the end, when more or fewer stacks may be proven than before.
        let inTurn = ways.filter { $0.name != "thread" }
        let samples = Double(inTurn.reduce(0) { $0 + (counts[$1.name] ?? 0) })
        let seconds = inTurn.reduce(0) { $0 + $1.seconds }
        try #require(samples > 500, "\(String(describing: run.profile.health.python))")
        for way in inTurn {
            let (share, expected) = (Double(counts[way.name] ?? 0) / samples, way.seconds / seconds)
            // 99.9 % of counting samples: of ten ways one is outside of it once in a hundred runs, of that and a half percent never.
            let width = 3.3 * (expected * (1 - expected) / samples).squareRoot() + 0.005
            #expect((share - expected).magnitude < width, "\(way.name): \(share), not \(expected)")
        }
    }

    private static func ways(_ path: String) throws -> [Way] {
        // NAME NANOSECONDS FUNCTION..., tabs between them.
        try String(decoding: Files.read(path + ".tsv", limit: 1 << 16), as: UTF8.self).split(separator: "\n")
            .map {
                let fields = $0.split(separator: "\t").map(String.init)
                return Way(
                    name: fields[0], seconds: try #require(Double(fields[1])) / 1e9,
                    stack: Array(fields[2...]))
            }
    }
}
