import InstructionCounting
import LinuxProcess
import LinuxSystem
import Measurement
import StackProfile
import TestSupport
import Testing

/// Counts of the emulator's plugin beside those of valgrind's callgrind, which is older than it and shares no code with it.
@Suite(.serialized)
struct CallgrindAgreementTests {
    /// Ten functions of clearly different cost, in the form `NAME(iterations)`.
    private static let costs = (0..<10).map { (name: "work\($0)", iterations: 900_000 - 80_000 * $0) }

    /// Marks a stage in C and C++: starting a program takes other ways on the CPU that each of both shows it.
    private static let mark = """
        #include <cstdio_or_stdio>
        static void mark(const char *stage) {
            FILE *file = fopen(".pipeline_status.json.tmp", "w");
            fprintf(file, "{\\"stage\\": \\"%s\\"}\\n", stage);
            fclose(file);
            rename(".pipeline_status.json.tmp", ".pipeline_status.json");
        }
        """.replacing("cstdio_or_stdio", with: "stdio.h")

    private static let c = """
        \(mark)
        #define WORK(name, k) __attribute__((noinline)) unsigned name(unsigned n) { \\
            unsigned s = k; for (unsigned i = 0; i < n; i++) s = (s << 5) ^ (s >> 3) ^ i; return s; }
        \(costs.map { "WORK(\($0.name), \($0.iterations))" }.joined(separator: "\n"))
        int main(void) {
            mark("work");
            printf("%u\\n", \(costs.map { "\($0.name)(\($0.iterations))" }.joined(separator: " + ")));
            mark("done");
            return 0;
        }
        """

    private static let cxx = """
        #include <algorithm>
        #include <map>
        #include <string>
        #include <vector>
        \(mark)
        template <int N> __attribute__((noinline)) unsigned work(unsigned n) {
            unsigned s = N; for (unsigned i = 0; i < n; i++) s = (s << 5) ^ (s >> 3) ^ i; return s; }
        int main() {
            mark("work");
            std::map<std::string, int> names;
            for (int i = 0; i < 3000; i++) names["name" + std::to_string(i * 7919 % 1000)] += i;
            std::vector<int> values;
            for (int i = 0; i < 100000; i++) values.push_back(int(i * 2654435761u >> 8));
            std::sort(values.begin(), values.end());
            printf("%u %zu %d\\n", \(costs.indices.map { "work<\($0)>(\(costs[$0].iterations))" }.joined(separator: " + ")),
                   names.size(), values[50000]);
            mark("done");
        }
        """

    private static let swift = """
        import Glibc
        func mark(_ stage: String) {
            guard let file = fopen(".pipeline_status.json.tmp", "w") else { return }
            fputs("{\\"stage\\": \\"\\(stage)\\"}\\n", file)
            fclose(file)
            rename(".pipeline_status.json.tmp", ".pipeline_status.json")
        }
        \(costs.map { "@inline(never) func \($0.name)(_ n: Int) -> Int { var s = \($0.iterations); for i in 0..<n { s = (s << 1 ^ i &+ \($0.iterations)) & 0xFFFF }; return s }" }.joined(separator: "\n"))
        @inline(never) func names(_ n: Int) -> Int {
            var all: [String: Int] = [:]
            for i in 0..<n { all["name\\(i % 500)", default: 0] += i }
            return all.count
        }
        mark("work")
        print(\(costs.map { "\($0.name)(\($0.iterations))" }.joined(separator: " &+ ")), names(1000))
        mark("done")
        """

    private static let rust = """
        use std::collections::BTreeMap;
        fn mark(stage: &str) {
            std::fs::write(".pipeline_status.json.tmp", format!("{{\\"stage\\": \\"{}\\"}}\\n", stage)).unwrap();
            std::fs::rename(".pipeline_status.json.tmp", ".pipeline_status.json").unwrap();
        }
        \(costs.map { "#[inline(never)] fn \($0.name)(n: u32) -> u32 { let mut s = \($0.iterations)u32; for i in 0..n { s = (s << 5) ^ (s >> 3) ^ i; } s }" }.joined(separator: "\n"))
        fn main() {
            mark("work");
            let mut names = BTreeMap::new();
            for i in 0..3000u32 { *names.entry(format!("name{}", i * 7919 % 1000)).or_insert(0) += i; }
            let sum = [\(costs.map { "\($0.name)(\($0.iterations))" }.joined(separator: ", "))].iter().fold(0u32, |a, b| a.wrapping_add(*b));
            println!("{} {}", sum, names.len());
            mark("done");
        }
        """

    private static let python = """
        import json, os, re, zlib
        def mark(stage):
            with open(".pipeline_status.json.tmp", "w") as file: file.write('{"stage": "%s"}' % stage)
            os.rename(".pipeline_status.json.tmp", ".pipeline_status.json")
        def loop(n):
            t = 7
            for i in range(n): t = (t << 1 ^ i) & 0xFFFF
            return t
        mark("work")
        values = sorted(i * 2654435761 % 1000003 for i in range(10000))
        text = json.dumps({"k%d" % i: values[i] for i in range(1000)})
        packed = zlib.compress(text.encode() * 4)
        words = {}
        for word in re.findall("[0-9]+", text): words[word] = words.get(word, 0) + 1
        print(loop(100000), len(json.loads(text)), len(packed), len(words))
        mark("done")
        """

    /// - Parameter names: How many of the ten largest functions have to have one cost by both. Of a program without a symbol
    ///   table, callgrind takes code without a name for a part of the function that jumped there.
    private static func agree(
        _ command: [String], in directory: TemporaryDirectory, names namesNeeded: Int = 10
    ) throws {
        // Both offer the program another CPU, and the C library chooses its functions by that.
        let environment = [
            "PYTHONHASHSEED": "0",
            "GLIBC_TUNABLES":
                "glibc.cpu.hwcaps=-AVX2,-AVX_Fast_Unaligned_Load,-ERMS,-FSRM,-BMI2,-RTM,-SSE4_2,-SSSE3"
                + ":glibc.cpu.x86_rep_movsb_threshold=1000000000:glibc.cpu.x86_rep_stosb_threshold=1000000000",
        ]
        let own = try work(Counting.counts(command, in: directory, environment: environment))
        let theirs = try work(
            Counting.counts(command, in: directory, environment: environment, by: Counting.callgrind))
        let apart = 100 * Double(own.total - theirs.total) / Double(theirs.total)
        let names = Set(own.functions.keys).union(theirs.functions.keys)
        let differences = names.map { ($0, (own.functions[$0] ?? 0) - (theirs.functions[$0] ?? 0)) }
            .sorted { $0.1.magnitude > $1.1.magnitude }.prefix(8)
        #expect(
            apart.magnitude <= 0.1, "\(own.total), callgrind \(theirs.total): \(apart) %; \(differences)")
        func isAlike(_ name: String) -> Bool {
            let (one, other) = (own.functions[name] ?? 0, theirs.functions[name] ?? 0)
            return namesNeeded == 10 || 50 * (one - other).magnitude < UInt64(max(one, other))
        }
        func sorted(_ functions: [String: Int64]) -> [String] {
            functions.sorted { $0.value > $1.value }.map(\.key).filter { !$0.hasPrefix("[") }
        }
        let alike = sorted(own.functions).filter(isAlike).prefix(namesNeeded)
        #expect(Array(alike) == Array(sorted(theirs.functions).filter(isAlike).prefix(namesNeeded)))
        let named = sorted(own.functions).prefix(10).filter(isAlike)
        #expect(named.count >= namesNeeded, "\(named)")
    }

    /// What is executed in the stage `work`, and in each of its functions.
    private static func work(_ counts: InstructionCounts) throws -> (total: Int64, functions: [String: Int64])
    {
        let functions = try #require(counts.functions)
        var sums: [String: Int64] = [:]
        for sample in functions.samples where functions.labels(of: sample).stage == StageName("work") {
            sums[functions.frames(of: sample).last?.function ?? "", default: 0] += sample.weight
        }
        return (try #require(counts.instructions(in: "work")), sums)
    }

    @Test func ofC() throws {
        let directory = try TemporaryDirectory()
        try Files.replace("\(directory.path)/work.c", with: Self.c)
        try Counting.build(["gcc", "-O1", "work.c", "-o", "work"], in: directory)
        try Self.agree(["\(directory.path)/work"], in: directory)
    }

    @Test func ofCXX() throws {
        let directory = try TemporaryDirectory()
        try Files.replace("\(directory.path)/work.cc", with: Self.cxx)
        try Counting.build(["g++", "-O2", "-fno-ipa-icf", "work.cc", "-o", "work"], in: directory)
        try Self.agree(["\(directory.path)/work"], in: directory)
    }

    // Without debug information: valgrind 3.19 cannot read that of Swift.
    @Test func ofSwift() throws {
        let directory = try TemporaryDirectory()
        try Files.replace("\(directory.path)/work.swift", with: Self.swift)
        try Counting.build(["swiftc", "-O", "-static-stdlib", "work.swift", "-o", "work"], in: directory)
        try Self.agree(["\(directory.path)/work"], in: directory)
    }

    @Test(.enabled(if: Programs.path(of: "rustc") != nil, "rustc is not on PATH"))
    func ofRust() throws {
        let directory = try TemporaryDirectory()
        try Files.replace("\(directory.path)/work.rs", with: Self.rust)
        try Counting.build(["rustc", "-O", "work.rs", "-o", "work"], in: directory)
        try Self.agree(["\(directory.path)/work"], in: directory)
    }

    // CPython's own allocator executes other code for addresses beyond the last whole MiB of an arena, and where arenas lie
    // differs between the two: with the C library's allocator the counts do not depend on it.
    @Test func ofPython() throws {
        let directory = try TemporaryDirectory()
        try Files.replace("\(directory.path)/work.py", with: Self.python)
        try Self.agree(
            ["env", "PYTHONMALLOC=malloc", "/usr/bin/python3", "\(directory.path)/work.py"], in: directory,
            names: 5)
    }
}
