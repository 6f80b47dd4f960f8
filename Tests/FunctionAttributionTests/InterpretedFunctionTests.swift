import FunctionAttribution
import Measurement
import StackProfile
import Testing

@Suite("Interpreted functions and the native code that runs for them")
struct InterpretedFunctionTests {
    private static let unread = Frame.unreadPython.function

    private let base: StackSamples = {
        var samples = StackSamples(seconds: [
            ["<module>", "load", "parse"]: 0.5,
            ["<module>", "load", "parse", "_PyUnicode_Join"]: 0.4,
            ["<module>", "score", "digest"]: 0.05,
            ["<module>", "score", "digest", "sha256_block"]: 1.5,
            ["<module>", "score", "key-score"]: 0.3,
            ["<module>", "load", "key-load"]: 0.3,
            ["_start", "Py_RunMain", "_PyEval_EvalFrameDefault"]: 0.2,
        ])
        samples.files = [
            "<module>": "pipeline.py", "load": "pipeline.py", "parse": "text/parse.py",
            "score": "pipeline.py",
            "digest": "pages.py", "key-score": "score.py", "key-load": "load.py",
        ]
        samples.modules = [
            "sha256_block": "libcrypto.so.3", "_PyUnicode_Join": "python3.11", "Py_RunMain": "python3.11",
            "_PyEval_EvalFrameDefault": "python3.11",
        ]
        return samples
    }()

    private func changed(_ change: (inout [[String]: Double]) -> Void) -> StackSamples {
        var other = base
        other.seed = 2
        other.release = "v2"
        change(&other.seconds)
        return other
    }

    @Test(
        "A Python function whose time is spent in C beneath it stands first, with its file and that C function"
    )
    func nativeBeneath() throws {
        let result = try base.attribution(
            to: changed { $0[["<module>", "score", "digest", "sha256_block"]] = 2.025 })
        let first = try #require(result.functions.first)
        #expect(first.function == "digest" && first.file == "pages.py" && first.label == .changed)
        #expect((0.4...0.65).contains(first.chargedChange))
        #expect(first.selfChange.magnitude < 0.05)
        #expect(first.parts.map(\.function) == ["sha256_block"])
        #expect(result.leaders.map(\.function) == ["digest"])
        #expect(result.explanation().hasPrefix("digest (pages.py) accounts for "))
        // The C function is charged nothing, and every sample once.
        let block = try #require(result.functions.first { $0.function == "sha256_block" })
        #expect(block.chargedChange == 0 && block.selfChange > 0.4)
        let sum = result.functions.reduce(0) { $0 + $1.chargedChange }
        #expect((sum + result.residual - result.change).magnitude < 1e-12)
    }

    @Test("The interpreter's loop explains nothing, however much it grew")
    func interpreter() throws {
        let result = try base.attribution(
            to: changed { $0[["_start", "Py_RunMain", "_PyEval_EvalFrameDefault"]] = 3 })
        #expect(result.leaders.isEmpty)
        let place = try #require(
            result.functions.firstIndex { $0.function == "_PyEval_EvalFrameDefault" })
        #expect(result.functions[place].label == nil)
        #expect(result.functions[..<place].contains { $0.function == "parse" })
    }

    /// Takes a part of every Python function's time for not read; native code that was called last is seen all the same.
    private func unread(_ part: Double, of samples: StackSamples) -> StackSamples {
        var other = samples
        for (path, seconds) in samples.seconds where path[0] == "<module>" {
            other.seconds[path] = seconds * (1 - part)
            let leaf = path[path.count - 1]
            other.seconds[[Self.unread] + (samples.files[leaf] == nil ? [leaf] : []), default: 0] +=
                seconds * part
        }
        return other
    }

    @Test("A function that grew is no shift within its caller, of which less was read")
    func unreadCaller() throws {
        let newer = changed { $0[["<module>", "score", "digest", "sha256_block"]] = 2.025 }
        // As much of 'score' was read as before: 0.9 of 1.85 s, and 0.7 of 2.375 s.
        let result = try unread(0.1, of: base).attribution(to: unread(0.3, of: newer))
        let digest = try #require(result.functions.first { $0.function == "digest" })
        #expect(digest.shiftedWithin == nil && digest.label == .changed)
        #expect(result.leaders.map(\.function) == ["digest"])
    }

    @Test("Readings that fail more often on one side are no change of any function")
    func unreadMoreOften() throws {
        for seed in 3..<9 as Range<UInt64> {
            var newer = unread(0.4, of: changed { _ in })
            newer.seed = seed
            let same = try unread(0.05, of: base).attribution(to: newer)
            // Of 6 comparisons with nothing changed a false discovery in one is chance; all functions would be without.
            #expect(same.functions.count { $0.label == .changed } <= 1, "\(same.functions.map(\.label))")
            #expect(same.functions.allSatisfy { $0.chargedChange.magnitude < 0.1 })
        }
        let slower = changed { $0[["<module>", "load", "parse"]] = 0.8 }
        let result = try unread(0.05, of: base).attribution(to: unread(0.4, of: slower))
        #expect(result.leaders.map(\.function) == ["parse"])
        #expect((0.2...0.4).contains(try #require(result.functions.first).chargedChange))
        #expect(result.notes.contains { $0.hasPrefix("The Python functions of ") })
    }

    @Test("Two functions of one name in two files are two")
    func sameName() throws {
        let result = try base.attribution(to: changed { $0[["<module>", "score", "key-score"]] = 0.6 })
        let first = try #require(result.functions.first)
        #expect(first.function == "key" && first.file == "score.py" && first.label == .changed)
        #expect(result.functions.first { $0.function == "key" && $0.file == "load.py" }?.label == nil)
    }
}
