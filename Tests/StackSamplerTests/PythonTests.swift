import LinuxProcess
import LinuxSystem
import TestSupport
import Testing

@testable import StackSampler

/// Python programs under the sampler, whose function names show whether a stack is possible.
@Suite(.serialized, .enabled(if: PythonRun.program != nil, "there is no CPython to sample"))
struct PythonTests {
    @Test("Stacks of quick nested calls are all possible")
    func nested() throws {
        let run = try PythonRun(PythonRun.nested, ["3"])
        let account = try #require(run.profile.health.python)
        // Nearly all where there is a CPU to spare; half of them on a busy machine.
        #expect(account.proven * 3 > account.all, "\(account)")
        let stacks = run.pythonStacks.filter { $0.contains("loop_a") || $0.contains("loop_b") }
        try #require(stacks.count > 300)
        let impossible = stacks.filter { !PythonRun.isPossible($0) }
        #expect(impossible.isEmpty, "\(impossible.first ?? [])")
        // Both loops do the same: their shares differ by chance, 3.3 standard deviations once in a thousand runs.
        let first = Double(stacks.count { $0.contains("loop_a") }) / Double(stacks.count)
        #expect(abs(first - 0.5) < 3.3 * 0.5 / Double(stacks.count).squareRoot() + 0.02, "\(first)")
    }

    @Test("The native function that was caught is one that the Python function above it calls")
    func truth() throws {
        let run = try PythonRun(PythonRun.libraries, ["3"])
        let (right, wrong) = run.callersOfLibraries
        #expect(right > 300)
        // Without the proof it is one in thirty, on a busy machine one in ten. A thread may have left a function within the
        // two microseconds that a sample takes longer than another.
        #expect(wrong * 1000 <= right, "\(wrong) wrong, \(right) right")
    }

    @Test("What is read late is taken for unproven; believed all the same, it names the wrong function")
    func late() throws {
        var configuration = SamplerConfiguration()
        configuration.pythonReadingDelay = .microseconds(300)
        let proven = try PythonRun(PythonRun.libraries, ["2"], configuration)
        let account = try #require(proven.profile.health.python)
        #expect(account.proven * 5 < account.all, "\(account)")
        #expect(proven.callersOfLibraries.wrong <= 1)
        configuration.provesPython = false
        let (right, wrong) = try PythonRun(PythonRun.libraries, ["2"], configuration).callersOfLibraries
        // Either function takes half of the time: what is read at another moment is wrong about every second time.
        #expect(wrong * 5 > right, "\(wrong) wrong, \(right) right")
    }

    @Test("Code that is made, run and freed all the time keeps to its own names")
    func freed() throws {
        // Each call runs a new code object; the memory of the last one is free, and the next one of the other kind gets it.
        let run = try PythonRun(
            """
            import sys, time
            def source(name):
                return f"def {name}():\\n    x = 1\\n    for _ in range(3000): x = (x * 31) & 0xffff\\n    return x\\n"
            sources = [source("made_by_odd"), source("made_by_even")]
            def make(i):
                names = {}
                exec(compile(sources[i], "made", "exec"), names)
                return next(f for n, f in names.items() if n.startswith("made"))
            def odd(): make(0)()
            def even(): make(1)()
            end = time.process_time() + float(sys.argv[1])
            while time.process_time() < end:
                odd(); even()
            """, ["3"])
        let stacks = run.pythonStacks.filter { $0.last?.hasPrefix("made_by_") == true }
        try #require(stacks.count > 100, "\(stacks.count)")
        let wrong = stacks.filter { stack in
            stack.contains("odd") != (stack.last == "made_by_odd")
                || stack.contains("even") != (stack.last == "made_by_even")
        }
        #expect(wrong.isEmpty, "\(wrong.count) of \(stacks.count): \(wrong.first ?? [])")
    }

    @Test("Callbacks from C, generators, recursion, lambdas, names beyond ASCII and threads are in place")
    func kinds() throws {
        let run = try PythonRun(
            """
            import sys, threading, time
            def spin(n=60):
                x = 1
                for _ in range(n): x = (x * 31) & 0xffff
                return x
            def key(x): return spin()
            def gen(n):
                for i in range(n): yield spin()
            def rec(n): return spin() if n == 0 else rec(n - 1)
            def größe(): return spin()
            def wrapped(f):
                def inner(*a): return f(*a)
                return inner
            @wrapped
            def decorated(): return spin()
            short = lambda: spin()
            def thread_work():
                end = time.process_time() + 0.4
                while time.process_time() < end: spin()
            def main():
                end = time.process_time() + float(sys.argv[1])
                while time.process_time() < end:
                    sorted(range(20), key=key)
                    sum(gen(20))
                    for _ in range(20): rec(5)
                    for _ in range(20): größe()
                    for _ in range(20): decorated()
                    for _ in range(20): short()
            main()
            t = threading.Thread(target=thread_work); t.start(); t.join()
            """, ["3"])
        let stacks = run.pythonStacks
        let expected = [
            ["<module>", "main", "key", "spin"], ["<module>", "main", "gen", "spin"],
            ["<module>", "main", "rec", "rec", "rec", "rec", "rec", "rec", "spin"],
            ["<module>", "main", "größe", "spin"],
            ["<module>", "main", "wrapped.<locals>.inner", "decorated", "spin"],
            ["<module>", "main", "<lambda>", "spin"],
        ]
        for stack in expected {
            #expect(stacks.count { $0 == stack } > 20, "\(stack): \(stacks.count { $0 == stack })")
        }
        #expect(stacks.contains { $0.suffix(3) == ["Thread.run", "thread_work", "spin"] })
        #expect(Set(run.profile.pythonFunctions.filter { $0.name == "key" }.map(\.file)) == ["program.py"])
        // spin is called by six in turn, 20 times each.
        let inner = stacks.filter { $0.last == "spin" && $0.contains("main") }
        for caller in ["key", "gen", "größe", "<lambda>"] {
            let share = Double(inner.count { $0.contains(caller) }) / Double(inner.count)
            let deviation = (1.0 / 6 * 5 / 6 / Double(inner.count)).squareRoot()
            #expect(abs(share - 1.0 / 6) < 3.3 * deviation + 0.01, "\(caller): \(share)")
        }
    }
}

/// A Python program that ran under the sampler.
struct PythonRun {
    let profile: RawProfile

    static let program: String? = ["/usr/bin/python3.11", "/usr/bin/python3"].first { Files.isExecutable($0) }

    /// Two loops that do the same by functions of other names: a function of one below the other is impossible.
    static let nested = """
        import time, sys
        def leaf(x): return x + 1
        def mid(x): return leaf(x) + leaf(x)
        def a(n): return mid(n) if n == 0 else a(n - 1) + 1
        def b(n): return mid(n) if n == 0 else b(n - 1) + 1
        def loop_a():
            for _ in range(50): a(12)
        def loop_b():
            for _ in range(50): b(12)
        end = time.process_time() + float(sys.argv[1])
        while time.process_time() < end:
            loop_a(); loop_b()
        """

    /// Two functions that spend their time in two libraries, a few microseconds at a time, at the same depth.
    static let libraries = """
        import hashlib, sys, time, zlib
        block = b"x" * 8000
        crc32, sha256 = zlib.crc32, hashlib.sha256
        def f_crc(): return crc32(block)
        def f_sha():
            digest = sha256(block)
            del digest
        end = time.process_time() + float(sys.argv[1])
        while time.process_time() < end:
            for _ in range(50):
                f_crc(); f_sha()
        """

    /// How often a library's code was caught under the function that calls it, and under the other one.
    var callersOfLibraries: (right: Int, wrong: Int) {
        var (right, wrong) = (0, 0)
        for sample in profile.samples {
            let frames = profile.stacks[Int(sample.stackIndex)].frames.map { profile.frames[Int($0)] }
            guard let image = frames.first?.imageIndex.map({ profile.images[$0].name }) else { continue }
            let function = frames.lazy.compactMap { frame -> String? in
                guard case .python(let function, _) = frame.address else { return nil }
                return profile.pythonFunctions[Int(function)].name
            }.first
            let caller = image.hasPrefix("libz") ? "f_crc" : image.hasPrefix("libcrypto") ? "f_sha" : nil
            guard let caller, let function else { continue }
            if function == caller { right += 1 } else { wrong += 1 }
        }
        return (right, wrong)
    }

    static func isPossible(_ stack: [String]) -> Bool {
        guard let loop = stack.firstIndex(where: { $0.hasPrefix("loop_") }) else { return true }
        let name = stack[loop] == "loop_a" ? "a" : "b"
        let below = stack[(loop + 1)...]
        let calls = below.prefix { $0 == name }
        let rest = Array(below.dropFirst(calls.count))
        guard stack[..<loop] == ["<module>"] else { return false }
        return calls.count < 13 && rest.isEmpty
            || calls.count == 13 && [[], ["mid"], ["mid", "leaf"]].contains(rest)
    }

    init(
        _ text: String, _ arguments: [String],
        _ configuration: SamplerConfiguration = SamplerConfiguration()
    ) throws {
        let directory = try TemporaryDirectory()
        let script = "\(directory.path)/program.py"
        try Files.replace(script, with: text)
        try self.init(path: script, arguments, configuration)
    }

    init(
        path script: String, _ arguments: [String],
        _ configuration: SamplerConfiguration = SamplerConfiguration()
    ) throws {
        var request = ChildRequest([try #require(Self.program), script] + arguments)
        request.standardInput = .null
        let suspended = try SuspendedChild.prepare(request)
        let sampler = try PerfSampler.attach(to: suspended, configuration)
        var child = try suspended.release()
        let outcome = try #require(try child.wait(timeout: .seconds(120)))
        #expect(outcome.status == .code(0))
        profile = sampler.finish()
    }

    /// A program under the sampler of wall-clock time.
    init(_ text: String, _ arguments: [String], byWallClock configuration: WallClockConfiguration) throws {
        let directory = try TemporaryDirectory()
        let script = "\(directory.path)/program.py"
        try Files.replace(script, with: text)
        var request = ChildRequest([try #require(Self.program), script] + arguments)
        request.standardInput = .null
        let suspended = try SuspendedChild.prepare(request)
        let sampler = try PtraceSampler.attach(to: suspended, configuration)
        var child = try suspended.release()
        let outcome = try #require(try child.wait(timeout: .seconds(120)))
        #expect(outcome.status == .code(0))
        profile = sampler.finish()
    }

    /// The Python functions of each sample that has some, outermost first.
    var pythonStacks: [[String]] {
        profile.samples.compactMap { sample in
            let names = pythonStack(of: sample)
            return names.isEmpty ? nil : names
        }
    }

    /// The last parts of the names of a file's functions in each sample, outermost first.
    func stacks(ofFile file: String) -> [[String]] {
        profile.samples.map { sample in
            profile.stacks[Int(sample.stackIndex)].frames.reversed().compactMap { index -> String? in
                guard case .python(let function, _) = profile.frames[Int(index)].address,
                    profile.pythonFunctions[Int(function)].file == file
                else { return nil }
                return profile.pythonFunctions[Int(function)].name.split(separator: ".").last.map(String.init)
            }
        }
    }

    func pythonStack(of sample: RawSample) -> [String] {
        profile.stacks[Int(sample.stackIndex)].frames.reversed().compactMap { index -> String? in
            guard case .python(let function, _) = profile.frames[Int(index)].address else { return nil }
            return profile.pythonFunctions[Int(function)].name
        }
    }
}
