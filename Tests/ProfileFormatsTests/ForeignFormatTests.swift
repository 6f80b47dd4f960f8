import Compression
import StackProfile
import Testing

@testable import ProfileFormats

@Suite("Files of other tools")
struct ForeignFormatTests {
    private static func read(_ text: String, _ sampleType: String? = nil) throws -> StackInput {
        try Array(text.utf8).withUnsafeBytes { try StackInput($0, sampleType: sampleType) }
    }

    private static func folded(_ input: StackInput, by labels: [GroupingLabel] = []) -> String {
        String(decoding: FoldedStacks.write(input.profile.grouped(by: labels)), as: UTF8.self)
    }

    private static func problem(_ text: String, _ sampleType: String? = nil) -> String {
        do {
            let input = try read(text, sampleType)
            return "read as \(input.kind.rawValue)"
        } catch {
            return "\(error)"
        }
    }

    @Test("perf script: the first kind of event, weighted by its period")
    func perfScript() throws {
        let input = try Self.read(ForeignSamples.perfScript)
        #expect(input.kind == .perfScript)
        #expect(input.profile.unit == .nanoseconds)
        #expect(input.otherSampleTypes == ["cycles"])
        #expect(
            Self.folded(input, by: try #require(input.grouping)) == """
                my worker;start;[libx.so.1];outer;inner 1000000
                my worker;start;work<int, (anonymous namespace)::T>;do_syscall_64 1000000

                """)
        let frames = input.profile.frames
        #expect(frames.first { $0.function == "start" }?.module == "tool")
        #expect(frames.first { $0.function == "[libx.so.1]" }?.isUnknown == true)
        let cycles = try Self.read(ForeignSamples.perfScript, "cycles")
        #expect(cycles.profile.unit == .counts("cycles"))
        #expect(Self.folded(cycles, by: [.thread]) == "java 14;Lorg/a/Outer:::run;Lorg/a/Inner:::go 7\n")
        #expect(
            Self.problem(ForeignSamples.perfScript, "faults")
                == "It has no samples of type 'faults'; it has cpu-clock:uhH, cycles.")
    }

    @Test("perf script without times, periods, addresses or call graphs")
    func shortPerfScript() throws {
        let plain = try Self.read("tool 10 cpu-clock:\n\tadd (/bin/tool)\n\tmain (/bin/tool)\n\n")
        #expect(Self.folded(plain) == "main;add 1\n")
        let flat =
            "            tool  10/11  [000]  5.500000:     250000 cycles:  ffffffff8104 native ([kernel.kallsyms])\n"
        #expect(Self.folded(try Self.read(flat)) == "native 250000\n")
        let traced =
            "tool 10 [000] 5.5: sched:sched_switch: prev_comm=tool prev_pid=10\n\t1f schedule ([kernel])\n\n"
        #expect(Self.folded(try Self.read(traced)) == "schedule 1\n")
        let unnamed = "tool 10 [000] 5.5: 1 cycles:\n\t1f [unknown] ([unknown])\n\n"
        #expect(Self.folded(try Self.read(unnamed)) == "[unknown] 1\n")
    }

    @Test("speedscope: profiles of one unit, sampled and evented")
    func speedscope() throws {
        let input = try Self.read(ForeignSamples.speedscope)
        #expect(input.profile.unit == .nanoseconds)
        #expect(
            Self.folded(input, by: try #require(input.grouping))
                == "one;main 1500000\none;main;wörk é😀 2500000\ntwo;wörk é😀 1000000\n")
        #expect(try Self.read(ForeignSamples.speedscope, "bytes").profile.unit == .bytes)
        #expect(Self.folded(try Self.read(ForeignSamples.events)) == "a 3000000000\na;b 2000000000\n")
    }

    @Test("what this toolkit writes as speedscope comes back")
    func speedscopeRoundTrip() throws {
        var builder = StackProfileBuilder(unit: .bytes)
        try builder.add([Frame("main"), Frame("a \"b\" \\ \u{1F600}")], weight: 7)
        try builder.add([Frame("main")], weight: 2)
        let written = Speedscope.write(builder.build())
        let input = try written.withUnsafeBytes { try StackInput($0) }
        #expect(input.kind == .speedscope)
        #expect(FoldedStacks.write(input.profile) == FoldedStacks.write(builder.build()))
        #expect(input.profile.unit == .bytes)
    }

    @Test("Chrome's CPU profile: a sample lasts until the next one")
    func cpuProfile() throws {
        let input = try Self.read(ForeignSamples.cpuProfile)
        #expect(input.kind == .chromeProfile)
        // Samples at 1100, 1150, 1300, 1400; the end is at 1600.
        #expect(Self.folded(input) == "(idle) 200000\nmain 50000\nmain;(anonymous) 250000\n")
        #expect(input.profile.frames.first { $0.function == "main" }?.line == 5)
    }

    @Test("Chrome's trace: what passes in a span outside of those within it")
    func trace() throws {
        let input = try Self.read(ForeignSamples.trace)
        #expect(input.kind == .chromeTrace)
        #expect(
            Self.folded(input, by: try #require(input.grouping))
                == "8;b 5000\nio 7;outer 70000\nio 7;outer;inner 30000\n")
        // An array, and cut off as a program leaves it that was killed.
        let cut = "[{\"ph\":\"X\",\"name\":\"a\",\"pid\":1,\"tid\":1,\"ts\":0,\"dur\":1},\n"
        #expect(Self.folded(try Self.read(cut)) == "a 1000\n")
    }

    @Test("callgrind: costs shared among callers by their calls, totals kept")
    func callgrind() throws {
        let input = try Self.read(ForeignSamples.callgrind)
        #expect(input.profile.unit == .counts("Ir"))
        #expect(input.profile.totalWeight == 710)
        // work's calls of leaf cost 200 and other's 60: leaf's 260 are shared so.
        #expect(
            Self.folded(input)
                == "main 10\nmain;other 40\nmain;other;leaf 60\nmain;work 400\nmain;work;leaf 200\n")
        #expect(try Self.read(ForeignSamples.callgrind, "Dr").profile.totalWeight == 71)
        #expect(input.profile.frames.first { $0.function == "work" }?.module == "prog")
    }

    @Test("heaptrack: the peak, what leaked, and allocations")
    func heaptrack() throws {
        let peak = try Self.read(ForeignSamples.heaptrack)
        #expect(peak.profile.unit == .bytes)
        // 0x100 twice and 0x10 once are the most at one time.
        #expect(Self.folded(peak) == "main 16\nmain;make 512\n")
        #expect(Self.folded(try Self.read(ForeignSamples.heaptrack, "leaked")) == "main 32\nmain;make 256\n")
        #expect(
            Self.folded(try Self.read(ForeignSamples.heaptrack, "allocations")) == "main 2\nmain;make 2\n")
    }

    @Test("memray's exports")
    func memray() throws {
        let input = try Self.read(ForeignSamples.memray)
        #expect(Self.folded(input, by: [.thread]) == "main;top;leaf 300\nwor\"ker, 2;top 4096\n")
        #expect(Self.folded(input, by: [.other("allocator")]) == "MALLOC;top;leaf 300\nMMAP;top 4096\n")
        #expect(Self.folded(try Self.read(ForeignSamples.memray, "num_allocations")) == "top 1\ntop;leaf 2\n")
        #expect(Self.folded(try Self.read(ForeignSamples.chains)) == "top 7\ntop;leaf 300\n")
    }

    @Test("two weights a line are two profiles")
    func differential() throws {
        let input = try Self.read("a;b 5 3\na;c 2 2\n")
        #expect(input.kind == .differentialFolded)
        #expect(Self.folded(input) == "a;b 3\na;c 2\n")
        #expect(input.baseline?.totalWeight == 7)
        // A name that ends in a number is not a weight.
        #expect(try Self.read("a;worker 5 3\na;c 2\n").kind == .folded)
    }

    @Test("encodings, line ends and odd bytes")
    func encodings() throws {
        #expect(Self.folded(try Self.read("\u{FEFF}a;b 1\na;c 2\n")) == "a;b 1\na;c 2\n")
        #expect(Self.folded(try Self.read("a;b 1\ra;c 2\r")) == "a;b 1\na;c 2\n")
        #expect(Self.folded(try Self.read("a;b 1\r\r\na;c 2\r\n")) == "a;b 1\na;c 2\n")
        for (mark, swapped) in [([0xFF, 0xFE], false), ([0xFE, 0xFF], true), ([], false)] as [([UInt8], Bool)]
        {
            let bytes = "a;é 1\n".utf16.flatMap { unit in
                let pair = [UInt8(truncatingIfNeeded: unit), UInt8(unit >> 8)]
                return swapped ? pair.reversed() : pair
            }
            let input = try (mark + bytes).withUnsafeBytes { try StackInput($0) }
            #expect(Self.folded(input) == "a;é 1\n")
        }
        #expect(Self.problem("a;b 1\na;\u{0}c 2\n").hasPrefix("There is a NUL byte in line 2"))
        // One name in two code points, one in three: two functions, whichever comes first.
        let names = ["caf\u{E9} 1\ncafe\u{301} 2\n", "cafe\u{301} 2\ncaf\u{E9} 1\n"]
        for text in names {
            let profile = try Self.read(text).profile
            #expect(profile.frames.count == 2)
            let again = try Pprof.read(Pprof.write(profile))
            #expect(FoldedStacks.write(again) == FoldedStacks.write(profile))
            #expect(again.samples.count == 2)
        }
        #expect(Self.folded(try Self.read("a; ;b 1\n")) == "a;[unknown];b 1\n")
    }

    @Test(
        "fractions of weights count",
        arguments: [
            ("a 1.9\nb 1.1\n", "a 19\nb 11\n"), ("a 0.25\nb 0.5\n", "a 25\nb 50\n"),
            ("a 6.\nb 2.0\n", "a 6\nb 2\n"),
            ("a 0.0000004\nb 1\n", "b 1000000\n"),
        ])
    func fractions(_ text: String, _ expected: String) throws {
        #expect(Self.folded(try Self.read(text)) == expected)
    }

    @Test("all members of a gzip file")
    func gzipMembers() throws {
        let bytes = Gzip.compressed(Array("a;b 1\n".utf8)) + Gzip.compressed(Array("a;c 2\n".utf8))
        #expect(Self.folded(try bytes.withUnsafeBytes { try StackInput($0) }) == "a;b 1\na;c 2\n")
        #expect(
            Self.folded(try (bytes + [0, 0, 0]).withUnsafeBytes { try StackInput($0) }) == "a;b 1\na;c 2\n")
        #expect(throws: StackInput.ReadError.pprof(.damagedGzip)) {
            try (bytes + [1, 2]).withUnsafeBytes { try StackInput($0) }
        }
    }

    @Test(
        "kinds that are not read are refused by name, with the remedy",
        arguments: [
            (
                "--- threadz 1 ---\n\n--- Thread 7f (name: x/1) stack: ---\n    @ 0x1 2\n",
                "gperftools' dump of threads. Convert"
            ),
            (
                "heap profile:      3:   400 [  3: 400] @ heap_v2/1\n",
                "gperftools' heap profile in its old text format"
            ),
            ("goroutine profile: total 3\n1 @ 0x43 0x44\n", "Go's dump of goroutines"),
            ("PERFILE2........", "perf's own file. Convert it: 'perf script"),
            ("{\"mode\": \"cpu\", \"frames\": {}, \"raw\": []}", "a stackprof dump of Ruby. Fold it"),
            ("{\"range\": 5}", "JSON, but of no kind that is read"),
            ("{\"head\": {}, \"samples\": []}", "a heap profile of Chrome"),
            ("<!DOCTYPE html><p>", "an HTML page"),
            ("desc: --massif-out-file\ncmd: x\n", "what valgrind's massif writes"),
        ])
    func refusals(_ text: String, _ name: String) throws {
        #expect(Self.problem(text).hasPrefix("This is \(name)"), "\(Self.problem(text))")
    }

    @Test("damaged files say what is wrong")
    func damage() throws {
        #expect(
            Self.problem(String(ForeignSamples.speedscope.dropLast(40)))
                .hasPrefix("It looks like a speedscope file, but it breaks off or is malformed at byte"))
        let mixed = ForeignSamples.speedscope.replacing("[2.5, 1.5]", with: "[2.5]")
        #expect(
            Self.problem(mixed)
                == "It looks like a speedscope file, but a profile has 2 samples and 1 weights.")
        let negative = ForeignSamples.speedscope.replacing("2.5", with: "-2.5")
        #expect(
            Self.problem(negative)
                == "It looks like a speedscope file, but a weight is negative or too large.")
        let wild = ForeignSamples.cpuProfile.replacing("[2, 3, 3, 4]", with: "[2, 3, 3, 44]")
        #expect(
            Self.problem(wild)
                == "It looks like a Chrome CPU profile, but a sample names a node that is missing.")
        let circle = ForeignSamples.cpuProfile.replacing(
            "\"url\": \"app.js\", \"lineNumber\": 9}", with: "\"url\": \"\"}, \"children\": [2]")
        #expect(
            Self.problem(circle).hasPrefix("It looks like a Chrome CPU profile, but its nodes are nested"))
        let deep = "{\"nodes\": " + String(repeating: "[", count: 5000)
        #expect(!Self.problem(deep).isEmpty)
        #expect(
            Self.problem("v 1 3\nX ./a\nt 4 0\n")
                == "It looks like a heaptrack file, but line 3 is malformed or names what is missing.")
        #expect(
            Self.problem("events: Ir\n3 4\nfn=x\n").hasPrefix(
                "It looks like a callgrind file, but line 2 has costs before"))
        #expect(
            Self.problem("a 1\n", "bytes").hasPrefix("A file of this kind (folded) has one kind of weight"))
    }
}
