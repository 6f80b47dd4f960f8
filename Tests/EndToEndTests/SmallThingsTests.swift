import FrozenProfile
import LinuxProcess
import LinuxSystem
import Measurement
import TestSupport
import Testing

/// Small things that a person meets in files, tables and refusals.
@Suite("What a person reads")
struct SmallThingsTests {
    private static let tool = BuiltProduct.path("freeze-profile")

    @Test("Line ends that git has turned are named as the cause, by verify and by diff")
    func lineEnds() throws {
        let shelf = try Shelf()
        try shelf.add("v1")
        try shelf.add("v2", date: "2026-03-10T14:20:00Z")
        try Files.replace(
            "\(shelf.directory.path)/v2.yaml", with: try shelf.text("v2.yaml").replacing("\n", with: "\r\n"))
        let verified = try shelf.run("verify", "v2")
        #expect(verified.status == .code(4))
        #expect(
            verified.standardOutput.contains("note: Only its line ends differ"), "\(verified.standardOutput)")
        let compared = try shelf.run("diff", "v1", "v2")
        #expect(compared.status == .code(3))
        let words = compared.standardOutput.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        #expect(words.contains("was changed after it was frozen. Only its line ends differ"), "\(words)")
    }

    @Test("A table in a pipe is not cut, and wide characters take their two cells")
    func tables() throws {
        let shelf = try Shelf()
        let long = "a-version-with-a-name-that-is-much-longer-than-any-column-of-a-table-should-be"
        try shelf.add(long)
        try shelf.add("v1")
        let lines = try shelf.run("list").standardOutput.split(separator: "\n").map(String.init)
        #expect(lines.contains { $0.hasPrefix(long + "  ") })
        #expect(!lines.contains { $0.hasSuffix("…") }, "\(lines)")

        let directory = try TemporaryDirectory()
        let made = try runCommand(
            [
                Self.tool, "capture", "--version", "v1", "--output", "v1.yaml", "--canaries", "0",
                "--skip-warmup",
                "--sampler", "none", "--", "sh", "-c",
                "'\(Self.tool)' stage 日本語の段階; '\(Self.tool)' stage plain; '\(Self.tool)' stage --done",
            ], in: directory.path)
        try #require(made.status == .code(0), "\(made.standardError)")
        // Six wide characters are as wide as twelve narrow ones: the numbers end in one column.
        let rows = made.standardError.split(separator: "\n").filter {
            $0.hasSuffix(" MB") && $0.hasPrefix("  ")
        }
        try #require(rows.count == 2)
        #expect(rows[0].count + 6 == rows[1].count, "\(rows)")
    }

    @Test("A sentence at a run's end is there whole where no terminal is")
    func wholeSentence() throws {
        let directory = try TemporaryDirectory()
        let made = try runCommand(
            [
                Self.tool, "monitor", "--output-dir", "out", "--", "sh", "-c",
                #"sleep 0.2; mv "$PIPELINE_OUTPUT_DIR" elsewhere; sleep 0.1"#,
            ], in: directory.path)
        let words = made.standardError.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        #expect(words.contains("because it was moved while it was written: it is '"), "\(words)")
    }

    @Test("The variable that forces a log may have spaces around its word")
    func variable() throws {
        let directory = try TemporaryDirectory()
        _ = try runCommand(
            [Self.tool, "monitor", "--output-dir", "out", "--", "true"],
            environment: ["PODCAST_SCRAPER_MONITOR_FILE_LOG": " 1 "], in: directory.path)
        let log = String(
            decoding: try Files.read("\(directory.path)/out/.monitor.log", limit: 1 << 20), as: UTF8.self)
        #expect(log.contains("(forced by PODCAST_SCRAPER_MONITOR_FILE_LOG; append log)"))
    }

    @Test("A read-only place is called that", .enabled(if: CurrentProcess.userID == 0))
    func readOnly() throws {
        let directory = try TemporaryDirectory()
        let refused = try runCommand(
            [
                "unshare", "-m", "sh", "-c",
                "mkdir ro && mount -t tmpfs -o ro t ro && exec '\(Self.tool)' capture --version v1 --output ro/v1.yaml -- true",
            ], in: directory.path)
        #expect(refused.status == .code(73), "\(refused)")
        #expect(refused.standardError.contains("Read-only file system"), "\(refused.standardError)")
    }
}
