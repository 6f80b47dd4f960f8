import FrozenProfile
import LinuxProcess
import LinuxSystem
import Measurement
import MessageDigest
import ProfileStore
import TestSupport
import Testing

/// What measured commands read from their standard input.
@Suite("Standard input of measured runs")
struct StandardInputTests {
    private static let tool = BuiltProduct.path("freeze-profile")
    private static let quick = "--canaries 0 --sampler native"

    private func shell(_ line: String, in directory: TemporaryDirectory) throws -> CommandResult {
        try runCommand(["sh", "-c", line], in: directory.path)
    }

    private func text(_ name: String, in directory: TemporaryDirectory) throws -> String {
        String(decoding: try Files.read("\(directory.path)/\(name)", limit: 1 << 20), as: UTF8.self)
    }

    @Test("capture gives --input from its beginning to each run, and its digest is in the recipe")
    func capture() throws {
        let directory = try TemporaryDirectory()
        let counted = "sh -c 'wc -c >>\(directory.path)/counts; true'"
        let made = try shell(
            """
            seq 10000 > in.txt
            '\(Self.tool)' capture --version v1 --output v1.yaml \(Self.quick) --runs 2 --input in.txt -- \(counted) < in.txt
            """, in: directory)
        try #require(made.status == .code(0), "\(made.standardError)")
        #expect(!made.standardError.contains("standard input is a"), "\(made.standardError)")
        // One warm-up, two measured, one profiled run, each of 48,894 bytes: what `seq 10000 | wc -c` says.
        #expect(try text("counts", in: directory) == String(repeating: "48894\n", count: 4))
        let profile = try ProfileStore.load(path: "\(directory.path)/v1.yaml")
        let digest = try runCommand(["sha256sum", "\(directory.path)/in.txt"]).standardOutput.prefix(64)
        #expect(profile.recipe?.standardInput == .init(path: "in.txt", sha256: .value(String(digest))))
        #expect(profile.environment.identity[.inputDigest] == .value(.text("sha256:\(digest)")))
        #expect(try runCommand([Self.tool, "verify", "\(directory.path)/v1.yaml"]).status == .code(0))

        // Runs that read something else are no runs of the same session.
        let other = try shell(
            """
            echo more >> in.txt
            '\(Self.tool)' capture --version v1 --output v1.yaml \(Self.quick) --append --input in.txt -- \(counted)
            """, in: directory)
        #expect(other.status != .code(0))
        #expect(other.standardError.contains("the standard input of run s1/"), "\(other.standardError)")
    }

    @Test(
        "Data that the runs do not get is noted: from a pipe, from a file; nothing waiting is no note",
        arguments: [
            ("seq 10000 |", "", "standard input is a pipe with data"),
            ("", "< in.txt", "standard input is a file with data"),
            ("true |", "", ""), ("", "< /dev/null", ""),
        ])
    func unread(before: String, after: String, note: String) throws {
        let directory = try TemporaryDirectory()
        let made = try shell(
            """
            seq 10000 > in.txt
            \(before) '\(Self.tool)' capture --version v1 --output v1.yaml --canaries 0 --runs 1 --sampler none --skip-warmup \
            -- sh -c 'wc -c >> counts' \(after)
            """, in: directory)
        try #require(made.status == .code(0), "\(made.standardError)")
        #expect(try text("counts", in: directory) == "0\n")
        if note.isEmpty {
            #expect(!made.standardError.contains("standard input is"), "\(made.standardError)")
        } else {
            #expect(made.standardError.components(of: note) == 1, "\(made.standardError)")
            #expect(made.standardError.contains("--input FILE"), "\(made.standardError)")
        }
    }

    @Test("ab gives --input to both sides; what only a shell acts on is noted with the form for a shell")
    func ab() throws {
        let directory = try TemporaryDirectory()
        let made = try shell(
            """
            seq 10000 > in.txt
            '\(Self.tool)' ab --pairs 1 --input in.txt --a "sh -c 'wc -c >>a'" --b "sh -c 'wc -c >>b'"
            '\(Self.tool)' ab --pairs 1 --a 'true < in.txt' --b "sh -c 'true | cat'"
            """, in: directory)
        for side in ["a", "b"] { #expect(try text(side, in: directory) == "48894\n48894\n") }
        #expect(
            made.standardError.contains(
                "--a has '<' outside quotes, which only a shell acts on. There is none here, so the program gets this "
                    + "as an argument. For a shell: --a 'sh -c '\\''true < in.txt'\\'''"),
            "\(made.standardError)")
        #expect(!made.standardError.contains("--b has"), "\(made.standardError)")
        let pipe = try shell("'\(Self.tool)' ab --input /dev/stdin --a true --b true < in.txt", in: directory)
        #expect(pipe.status == .code(0) || pipe.status == .code(2), "\(pipe.standardError)")
        let missing = try shell("'\(Self.tool)' ab --input no --a true --b true", in: directory)
        #expect(missing.status == .code(66), "\(missing.standardError)")
    }

    @Test(
        "A whole command line as one word is refused with the form for a shell",
        arguments: ["capture", "sample"])
    func oneWord(command: String) throws {
        let directory = try TemporaryDirectory()
        let options =
            command == "capture"
            ? "--version v1 --output v1.yaml --canaries 0" : "-o x.folded --format folded"
        let refused = try shell("'\(Self.tool)' \(command) \(options) -- 'wc -c < in.txt'", in: directory)
        #expect(refused.status != .code(0))
        #expect(refused.standardError.contains("sh -c 'wc -c < in.txt'"), "\(refused.standardError)")
    }
}

extension String {
    /// How often a text is in this one.
    fileprivate func components(of text: String) -> Int {
        var rest = self[...]
        var count = 0
        while let found = rest.firstRange(of: text) {
            count += 1
            rest = rest[found.upperBound...]
        }
        return count
    }
}
