import Foundation
import FrozenProfile
import LinuxProcess
import LinuxSystem
import Measurement
import ProfileStore
import TestSupport
import Testing

private enum DuckDB {
    static var isInstalled: Bool {
        do {
            return try runCommand(["python3", "-c", "import duckdb"]).status == .code(0)
        } catch {
            return false
        }
    }
}

/// The recipe in the documentation, as it stands there.
@Suite(
    "Questions in SQL",
    .enabled(if: DuckDB.isInstalled, "DuckDB is not installed: scripts/bootstrap --oracles"))
struct DuckDBTests {
    /// The blocks of a kind in the page about exports.
    private func blocks(_ kind: String) throws -> [String] {
        let page = String(
            decoding: try Files.read(
                "\(BuiltProduct.packageDirectory)/docs/formats/export.md", limit: 1 << 20),
            as: UTF8.self)
        return page.components(separatedBy: "```\(kind)\n").dropFirst()
            .compactMap { $0.components(separatedBy: "\n```").first }
    }

    @Test("The documented commands answer by the values that the profiles hold")
    func recipe() throws {
        let shelf = try Shelf()
        try shelf.add("v1.0.0")
        try shelf.add("v1.1.0", date: "2026-03-10T14:20:00Z") { profile in
            for index in profile.sessions.indices {
                profile.sessions[index].place = SessionPlace(
                    scheduler: "slurm", node: "n1", host: "h", nodeClass: "c", job: "1_1", partition: nil)
            }
        }
        let work = try TemporaryDirectory()
        try Files.createDirectories("\(work.path)/data")
        let link = try runCommand(["ln", "-s", shelf.directory.path, "\(work.path)/data/profiles"])
        #expect(link.status == .code(0))
        let directory = Files.directory(of: BuiltProduct.path("freeze-profile"))
        let path = "\(directory):\(CurrentProcess.environmentVariable("PATH") ?? "")"
        let commands = try #require(try blocks("sh").first)
        let asked = try runCommand(
            ["sh", "-ec", commands], environment: ["PATH": path], in: work.path)
        #expect(asked.status == .code(0), "\(asked.standardError)")
        let profile = try ProfileStore.load(path: "\(shelf.directory.path)/v1.0.0.yaml")
        for stage in profile.stages {
            #expect(asked.standardOutput.contains(stage.stage.text), "\(asked.standardOutput)")
        }
        #expect(asked.standardOutput.contains("v1.0.0") && asked.standardOutput.contains("v1.1.0"))

        let query = try #require(try blocks("sql").first)
        let nodes = try runCommand(
            ["python3", "-c", "import duckdb, sys; print(duckdb.sql(sys.argv[1]).fetchall())", query],
            in: work.path)
        #expect(nodes.standardOutput.hasPrefix("[('n1', "), "\(nodes.standardOutput)\(nodes.standardError)")

        // What SQL sums up is what the profile says.
        let sum = try runCommand(
            [
                "python3", "-c",
                "import duckdb; print(duckdb.sql(\"SELECT median(value) FROM read_json_auto('sessions.jsonl', format = 'newline_delimited') WHERE release = 'v1.0.0' AND metric = 'wall_time_s' AND stage IS NULL\").fetchall()[0][0])",
            ], in: work.path)
        let medians = profile.sessions.compactMap { session in
            FrozenProfile.median(session.runs.filter(\.counts).compactMap(\.use.wallSeconds.value))
        }
        let expected = try #require(FrozenProfile.median(medians))
        let found = try #require(
            Double(sum.standardOutput.trimmingCharacters(in: .whitespacesAndNewlines)), "\(sum.standardError)"
        )
        #expect(abs(found - expected) < 1e-6)
    }
}
