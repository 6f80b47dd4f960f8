import JSONDocument
import LinuxProcess
import LinuxSystem
import TestSupport
import Testing

/// The built tool on repositories made for the test.
@Suite(
    "Blame: repositories", .serialized,
    .enabled(
        if: Programs.installed("git") != nil && Programs.installed("cc") != nil,
        "git or a C compiler is not installed"))
struct BlameCommandTests {
    private static let canCount = Programs.installed("qemu-\(CurrentProcess.kernel.machine)") != nil

    @Test(
        "One planted cost among 16 commits: its commit and function, in at most log2(16) + 2 builds, and nothing is left",
        .enabled(if: canCount, "qemu-user is not installed"))
    func onePlanted() throws {
        var repository = try Repository()
        for place in 1...16 {
            if place == 11 { try repository.add("crunch", percent: 5) } else { try repository.addIdle() }
        }
        let ends = (repository.commits[0], "main")
        let result = try repository.blame(ends.0, ends.1, ["--json"])
        #expect(result.status == .code(1), "\(result.standardError)")
        let invoice = try Invoice(result)
        #expect(invoice.culprits == [[repository.commits[11]]])
        #expect(invoice.functions == ["do_crunch"])
        #expect(invoice.builds <= 6, "\(invoice.builds) builds")
        for stage in [nil, "fetch", "crunch", "store"] {
            let line = try invoice.line(stage)
            #expect(abs(line.shares.reduce(0, +) + line.residual - line.change) < 0.5)
        }
        let crunch = try invoice.line("crunch")
        // 10,000 rounds of a loop of a few instructions, and nothing but rounding beside them.
        #expect(crunch.shares[0] > 10_000 && crunch.shares[0] < 200_000)
        #expect(abs(crunch.residual) < 100)
        #expect(try repository.leftovers() == [])
        #expect(try repository.git("status", "--porcelain").isEmpty)

        // Everything is known by now.
        let again = try repository.blame(ends.0, ends.1)
        #expect(again.status == .code(1), "\(again.standardError)")
        #expect(
            again.standardOutput.contains("16 commits, 0 builds, 6 measured before"),
            "\(again.standardOutput)")
        #expect(again.standardOutput.contains("More work in crunch"))
        #expect(again.standardOutput.contains("do_crunch"))
        #expect(again.standardOutput.contains("residual: 15 other commits"))
    }

    @Test(
        "Two planted costs, one of them a merge's, and commits that do not build",
        .enabled(if: canCount, "qemu-user is not installed"))
    func several() throws {
        var repository = try Repository()
        try repository.add("crunch", percent: 20)
        try repository.addIdle()
        try repository.addBroken()
        try repository.addBroken()
        try repository.addIdle()
        try repository.merge("fetch", percent: 30)
        try repository.addIdle()
        let result = try repository.blame(repository.commits[0], "HEAD", ["--json", "--count-runs", "1"])
        #expect(result.status == .code(1), "\(result.standardError)")
        let invoice = try Invoice(result)
        #expect(invoice.culprits == [[repository.commits[1]], [repository.commits[6]]])
        #expect(invoice.functions == ["do_crunch", "do_fetch"])
        let text = try repository.blame(repository.commits[0], "HEAD", ["--count-runs", "1"]).standardOutput
        #expect(text.contains("is a merge. Its branch: freeze-profile blame"), "\(text)")

        // Where a change hides behind commits that do not build, it is one of them.
        var hidden = try Repository()
        try hidden.addIdle()
        try hidden.addBroken()
        try hidden.add("crunch", percent: 20)
        let one = try hidden.blame(hidden.commits[1], "HEAD", ["--json", "--count-runs", "1"])
        #expect(try Invoice(one).culprits == [Array(hidden.commits[2...3])])
        #expect(
            one.standardOutput.contains("does not build: the command exited with code 1"),
            "\(one.standardOutput)")
        #expect(one.standardError.contains("its output is in"))
        #expect(try hidden.leftovers() == [])
    }

    @Test(
        "A stage alone is searched, and what improved is no regression",
        .enabled(if: canCount, "qemu-user is not installed"))
    func stage() throws {
        var repository = try Repository()
        try repository.add("crunch", percent: 20)
        try repository.add("fetch", percent: -20)
        let result = try repository.blame(
            repository.commits[0], "HEAD", ["--json", "--stage", "fetch", "--count-runs", "1"])
        #expect(result.status == .code(0), "\(result.standardError)")
        #expect(try Invoice(result).culprits == [[repository.commits[2]]])
        let none = try repository.blame(
            repository.commits[0], "HEAD", ["--stage", "crush", "--count-runs", "1"])
        #expect(none.status == .code(64))
        #expect(
            none.standardError.contains("Neither end has a stage 'crush'. There are crunch, fetch, store."))
    }

    @Test(
        "What is interrupted leaves no work tree, keeps what was measured, and continues",
        .enabled(if: canCount, "qemu-user is not installed"))
    func interruption() throws {
        var repository = try Repository()
        for place in 1...8 {
            if place == 3 { try repository.add("store", percent: 20) } else { try repository.addIdle() }
        }
        // The third build asks the tool, its parent, to end. It sleeps in pieces: a shell that gets Ctrl-C while it starts a
        // program heeds it only when that has ended.
        let log = "\(repository.directory.path)/builds"
        let build =
            "echo >> \(log); if [ \"$(wc -l < \(log))\" = 3 ]; then kill -INT $PPID; while :; do sleep 0.5; done; fi; "
            + Repository.build
        let ends = (repository.commits[0], "HEAD")
        let options = ["--json", "--count-runs", "1"]
        let interrupted = try repository.blame(ends.0, ends.1, options, build: build)
        #expect(interrupted.status == .code(4), "\(interrupted.standardOutput)")
        #expect(interrupted.standardError.contains("Interrupted."), "\(interrupted.standardError)")
        #expect(try repository.leftovers() == [])
        let continued = try Invoice(try repository.blame(ends.0, ends.1, options, build: build))
        #expect(continued.culprits == [[repository.commits[3]]])
        // Both ends were counted before.
        #expect(continued.builds == 3, "\(continued.builds)")
    }

    @Test("A cost that only time shows is found by time")
    func time() throws {
        var repository = try Repository()
        for place in 1...6 {
            let pause = place < 4 ? "0.03" : "0.4"
            try Files.replace("\(repository.path)/slow.sh", with: "#!/bin/sh\n# \(place)\nsleep \(pause)\n")
            try repository.commit("Pause \(place)")
        }
        let result = try repository.blame(
            repository.commits[1], "HEAD", ["--json", "--by", "time", "--pairs", "8"], build: "true",
            command: ["sh", "slow.sh"])
        #expect(result.status == .code(1), "\(result.standardOutput)\(result.standardError)")
        let invoice = try Invoice(result)
        #expect(invoice.culprits == [[repository.commits[4]]], "\(result.standardOutput)")
        let line = try invoice.line(nil)
        #expect(line.shares[0] > 0.2)
        #expect(abs(line.shares[0] + line.residual - line.change) < 1e-5)
        // It waits, which no stack of CPU time shows.
        #expect(invoice.functions == [])
        #expect(
            result.standardOutput.contains(
                "The functions of \(repository.commits[4].prefix(12)) are not known: "))
        #expect(try repository.leftovers() == [])
    }

    @Test(
        "Where time decides, the commit's functions are those that spend more CPU time",
        .timeLimit(.minutes(5)))
    func timedFunctions() throws {
        var repository = try Repository()
        for place in 1...4 {
            // Volatile counters, so that no compiler leaves a loop out. The change has to be more than the 10 ms that count, and
            // more than a shared machine's speed moves from run to run, which is up to a half.
            let source = """
                volatile unsigned long sink;
                __attribute__((noinline)) void steady(unsigned long n) { while (n--) sink += n; }
                __attribute__((noinline)) void grown(unsigned long n) { while (n--) sink ^= n; }
                int main(void) { steady(80000000); grown(\(place < 3 ? 40_000_000 : 320_000_000)); return 0; }
                /* \(place) */

                """
            try Files.replace("\(repository.path)/timed.c", with: source)
            try repository.commit("Timed \(place)")
        }
        let options = ["--by", "time", "--pairs", "8"]
        func blame(_ more: [String]) throws -> CommandResult {
            try repository.blame(
                repository.commits[1], "HEAD", options + more, build: "cc -O1 -g -o timed timed.c",
                command: ["./timed"])
        }
        let result = try blame(["--json"])
        #expect(result.status == .code(1), "\(result.standardOutput)\(result.standardError)")
        let invoice = try Invoice(result)
        #expect(invoice.culprits == [[repository.commits[3]]], "\(result.standardOutput)")
        let list = try #require(invoice.root["culprits"]?.array?.first?.object?["functions"]?.array)
        let functions = list.compactMap(\.object)
        let first = try #require(functions.first, "\(result.standardOutput)\(result.standardError)")
        #expect(first["name"]?.string == "grown")
        let (from, to) = (try #require(first["from"]?.number), try #require(first["to"]?.number))
        #expect((2.5...16).contains(to / from), "\(from) \(to)")
        // Where the machine's speed moves, what did not change may seem to, by far less.
        for other in functions.dropFirst() {
            let change = try #require(other["to"]?.number) - (try #require(other["from"]?.number))
            #expect(change.magnitude < (to - from) / 2, "\(functions)")
        }
        // The runs are kept, stacks and all.
        let again = try blame([])
        #expect(again.standardOutput.contains(" s "), "\(again.standardOutput)")
        #expect(
            again.standardOutput.split(separator: "\n").contains { $0.contains("grown [timed]") },
            "\(again.standardOutput)")
        #expect(try repository.leftovers() == [])
    }

    @Test("What cannot be searched is refused in a sentence")
    func refusals() throws {
        var repository = try Repository()
        try repository.addIdle()
        try repository.git("checkout", "--quiet", "-b", "other", repository.commits[0])
        try Files.replace("\(repository.path)/other", with: "other\n")
        try repository.commit("Elsewhere")
        let cases: [(from: String, to: String, build: String, status: Int32, sentence: String)] = [
            ("main", "main", "true", 64, "no commit lies between them"),
            ("main", "other", "true", 64, "Their lines part at \(repository.commits[0].prefix(12))"),
            ("nowhere", "main", "true", 66, "'nowhere' is neither a frozen version nor a commit"),
            ("--output=x", "main", "true", 64, "TO is missing"),
            (repository.commits[0], "main", "echo no compiler; exit 3", 4, "  | no compiler"),
        ]
        for one in cases {
            let result = try repository.blame(one.from, one.to, build: one.build)
            #expect(result.status == .code(one.status), "\(one): \(result.standardError)")
            #expect(result.standardError.contains(one.sentence), "\(one): \(result.standardError)")
        }
        #expect(try repository.leftovers() == [])
    }
}
