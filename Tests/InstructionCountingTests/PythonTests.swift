import InstructionCounting
import LinuxProcess
import LinuxSystem
import Measurement
import StackProfile
import TestSupport
import Testing

/// Counts by function of Python. What is known is how often each function's loop runs.
struct PythonTests {
    /// Debian's, and what a version manager has.
    static let interpreters: [String] = {
        let home = CurrentProcess.environmentVariable("HOME") ?? "/root"
        let versions = (try? Files.names(inDirectory: "\(home)/.pyenv/versions")) ?? []
        let managed = versions.sorted().compactMap { version -> String? in
            let parts = version.split(separator: ".").compactMap { Int($0) }
            guard parts.count >= 2, parts[0] == 3, (8...15).contains(parts[1]) else { return nil }
            return "\(home)/.pyenv/versions/\(version)/bin/python3.\(parts[1])"
        }
        return (["/usr/bin/python3"] + managed).filter { Files.isExecutable($0) }
    }()

    /// `one`, `two` and `four` are the same loop; `shuffled` sorts in C after it has called `key` for each element.
    private static let program = """
        import os, random, sys, threading, zlib
        def one(n):
            t = 7
            for i in range(n): t = (t << 1 ^ i) & 0xFFFF
            return t
        def two(n):
            t = 7
            for i in range(n): t = (t << 1 ^ i) & 0xFFFF
            return t
        class Place:
            def four(self, n):
                t = 7
                for i in range(n): t = (t << 1 ^ i) & 0xFFFF
                return t
        def key(x): return -x
        def sort(values): return sorted(values, key=key)
        def squeeze(): return len(zlib.compress(bytes(range(256)) * 400))
        def piece(n): return n + 1
        def pieces(n):
            for i in range(n): yield piece(i)
        def in_thread(n):
            t = 7
            for i in range(n): t = (t << 1 ^ i) & 0xFFFF
        def in_child(n):
            t = 7
            for i in range(n): t = (t << 1 ^ i) & 0xFFFF
        one(2000); two(4000); Place().four(8000); squeeze(); sum(pieces(500))
        values = list(range(4000))
        if "shuffled" in sys.argv: random.Random(1).shuffle(values)
        else: random.Random(1).shuffle(list(values))
        sort(values)
        if "alone" in sys.argv: sys.exit()
        thread = threading.Thread(target=in_thread, args=(6000,))
        thread.start(); thread.join()
        if os.fork() == 0:
            in_child(10000)
            os._exit(0)
        if os.wait()[1] != 0: sys.exit("the child failed")
        """

    @Test(arguments: interpreters)
    func functionsHaveWhatTheirLoopsTake(python: String) throws {
        let directory = try TemporaryDirectory()
        let file = "\(directory.path)/program.py"
        try Files.replace(file, with: Self.program)
        let counts = try Counting.counts([python, file], in: directory, environment: ["PYTHONHASHSEED": "0"])
        let functions = counts.instructionsByPythonFunction
        let one = try #require(functions["one"], "functions: \(functions.keys.sorted())")
        let two = try #require(functions["two"])
        // To 3.10 a code object does not know its class.
        let four = try #require(functions["Place.four"] ?? functions["four"])
        let thread = try #require(functions["in_thread"])
        let child = try #require(functions["in_child"])
        // What 2,000 iterations take, whatever beginning and ending cost.
        let step = Double(two - one)
        // A thread is asked for the interpreter's lock now and then, and a child finds other free memory: their iterations
        // do a little more or less.
        for (count, iterations, apart) in [(four, 3.0, 0.01), (thread, 2, 0.15), (child, 4, 0.15)] {
            let found = Double(count - one) / step
            #expect((found - iterations).magnitude < apart * iterations, "\(found) instead of \(iterations)")
        }
        #expect(step > 2000 * 20)
        #expect(counts.notes.isEmpty)
        // Native code beneath is that of the function which called it.
        #expect(
            counts.modules(beneath: "squeeze").contains { $0.hasPrefix("libz.") || $0.hasPrefix("libpython") }
        )
        #expect(!counts.modules(beneath: "one").contains { $0.hasPrefix("libz.") })
        // Where the file is, as it was given.
        let frames = try #require(counts.functions).frames.filter { $0.function == "one" }
        #expect(frames.map(\.file) == [file])
        #expect(frames.map(\.line) == [2])
    }

    @Test(arguments: interpreters.filter { $0.hasPrefix("/usr/") || $0.hasSuffix("3.13") })
    func whatCDoesAfterACallIsOfTheCaller(python: String) throws {
        let directory = try TemporaryDirectory()
        let file = "\(directory.path)/program.py"
        try Files.replace(file, with: Self.program)
        func functions(_ arguments: [String]) throws -> [String: Int64] {
            try Counting.counts(
                [python, file] + arguments, in: directory, environment: ["PYTHONHASHSEED": "0"]
            )
            .instructionsByPythonFunction
        }
        let (sorted, shuffled) = (try functions([]), try functions(["shuffled"]))
        let (before, after) = (try #require(sorted["key"]), try #require(shuffled["key"]))
        // The key is asked for as often; only C compares more, after the last call of `key`.
        #expect((after - before).magnitude < UInt64(before / 20))
        let growth = try #require(shuffled["sort"]) - (try #require(sorted["sort"]))
        // 4,000 elements in no order take more than 40,000 comparisons, in order 3,999.
        #expect(growth > 36_000 * 10)
    }

    @Test func aFewMoreIterationsAreOfTheirFunction() throws {
        let python = try #require(Self.interpreters.first)
        let directory = try TemporaryDirectory()
        let file = "\(directory.path)/program.py"
        func functions(_ iterations: Int) throws -> [String: Int64] {
            let text = Self.program.replacing("two(4000)", with: "two(\(iterations))")
            try Files.replace(file, with: text)
            // Alone: how threads wait for one another differs from run to run.
            return try Counting.counts(
                [python, file, "alone"], in: directory, environment: ["PYTHONHASHSEED": "0"]
            )
            .instructionsByPythonFunction
        }
        let (older, newer) = (try functions(4000), try functions(4004))
        let names = Set(older.keys).union(newer.keys)
        let changes = names.map { ($0, (newer[$0] ?? 0) - (older[$0] ?? 0)) }
        let largest = try #require(changes.max { $0.1.magnitude < $1.1.magnitude })
        #expect(largest.0 == "two")
        let perIteration = Double(try #require(older["two"]) - (try #require(older["one"]))) / 2000
        #expect((Double(largest.1) / 4 - perIteration).magnitude < 0.1 * perIteration)
    }
}

extension InstructionCounts {
    /// Instructions executed for each function of Python, native code beneath included.
    var instructionsByPythonFunction: [String: Int64] {
        guard let functions else { return [:] }
        var sums: [String: Int64] = [:]
        for sample in functions.samples {
            guard let frame = functions.frames(of: sample).first, frame.file != nil else { continue }
            sums[frame.function, default: 0] += sample.weight
        }
        return sums
    }

    /// The files of the native code that was executed for a function of Python.
    func modules(beneath function: String) -> Set<String> {
        guard let functions else { return [] }
        var modules: Set<String> = []
        for sample in functions.samples {
            let frames = functions.frames(of: sample)
            guard frames.count > 1, frames[0].function == function, let module = frames.last?.module else {
                continue
            }
            modules.insert(module)
        }
        return modules
    }
}
