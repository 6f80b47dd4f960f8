import FrozenProfile
import LinuxProcess
import LinuxSystem
import ProfileStore
import TestSupport
import Testing

/// What `ab` leaves for later, and what it counts.
@Suite("ab: kept comparisons and counted pairs")
struct KeptComparisonTests {
    private static let canCount = Programs.installed("qemu-\(CurrentProcess.kernel.machine)") != nil
    private let directory: TemporaryDirectory
    private let program: String

    init() throws {
        directory = try TemporaryDirectory()
        program = "\(directory.path)/planted"
        let built = try runCommand(
            ["cc", "-O1", "-g", "-o", program, BuiltProduct.fixture("pipelines/planted.c")])
        try #require(built.status == .code(0), "\(built.standardError)")
    }

    private func ab(_ options: [String], slower: Int = 0) throws -> CommandResult {
        try runCommand(
            [
                BuiltProduct.path("freeze-profile"), "ab", "--seed", "1", "--profiles", directory.path, "--a",
                "\(program) {output_dir} --work 4", "--b",
                "\(program) {output_dir} --work 4 --slower \(slower)",
            ] + options)
    }

    @Test(
        "Counted pairs decide by instructions from one pair, and name stage and function",
        .enabled(if: canCount, "qemu-user is not installed"))
    func counted() throws {
        let result = try ab(["--count"], slower: 25)
        #expect(result.status == .code(1), "\(result.standardOutput)\(result.standardError)")
        #expect(result.standardOutput.hasPrefix("Regressed: transform executes "), "\(result.standardOutput)")
        #expect(result.standardOutput.contains("all of it in "))
        let same = try ab(["--count", "--json"])
        #expect(same.status == .code(0), "\(same.standardOutput)\(same.standardError)")
        #expect(same.standardOutput.contains("\"counted\": {\"verdict\": \"unchanged\""))
    }

    @Test("Records and a profile of each side are kept, which verify, and which diff and report read")
    func kept() throws {
        let kept = "\(directory.path)/kept"
        let page = "\(directory.path)/page.html"
        let result = try ab(["--pairs", "2", "--stack-runs", "1", "--keep", kept, "-o", page])
        #expect(result.status == .code(2), "\(result.standardError)")
        #expect(result.standardError.contains("run 2 of 8: warm-up, "))
        #expect(result.standardError.contains(" left"))
        #expect(Array(try Files.read(page, limit: 1 << 24).prefix(15)) == Array("<!DOCTYPE html>".utf8))
        for side in ["a", "b"] {
            let profile = try ProfileStore.load(path: "\(kept)/\(side).yaml")
            #expect(profile.sessions.map(\.runs.count) == [4])
            #expect(profile.companions.contains { $0.kind == CompanionKind.stacks.rawValue })
            let verified = try runCommand(
                [BuiltProduct.path("freeze-profile"), "verify", "\(kept)/\(side).yaml"])
            #expect(verified.status == .code(0), "\(verified.standardOutput)\(verified.standardError)")
            // The records make the same profile.
            let again = try runCommand([
                BuiltProduct.path("freeze-profile"), "freeze", "--version", side, "--output",
                "\(directory.path)/\(side).yaml", "\(kept)/records/\(side)",
            ])
            #expect(again.status == .code(0), "\(again.standardError)")
            #expect(
                try Files.read("\(directory.path)/\(side).yaml", limit: 1 << 20)
                    == Files.read("\(kept)/\(side).yaml", limit: 1 << 20))
        }
        let diff = try runCommand([
            BuiltProduct.path("freeze-profile"), "diff", "\(kept)/a.yaml", "\(kept)/b.yaml", "--allow",
            "git_dirty",
            "--allow", "invalid_session",
        ])
        #expect(
            [.code(0), .code(1), .code(2)].contains(diff.status),
            "\(diff.standardOutput)\(diff.standardError)")
        let report = try runCommand([
            BuiltProduct.path("freeze-profile"), "report", "\(kept)/a.yaml", "-o",
            "\(directory.path)/report.html",
        ])
        #expect(report.status == .code(0), "\(report.standardError)")
        let occupied = try ab(["--pairs", "1", "--keep", kept])
        #expect(occupied.status == .code(73))
        #expect(occupied.standardError.contains("is not empty. Name a new directory"))
    }

    @Test("Markdown goes where it is asked for, before the exit code")
    func markdown() throws {
        let file = "\(directory.path)/comment.md"
        let result = try ab(["--pairs", "1", "--output", file])
        #expect(result.status == .code(2), "\(result.standardError)")
        #expect(result.standardOutput.isEmpty)
        #expect(String(decoding: try Files.read(file, limit: 1 << 20), as: UTF8.self).hasPrefix("### "))
    }
}
