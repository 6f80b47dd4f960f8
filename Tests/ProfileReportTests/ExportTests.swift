import FrozenProfile
import LinuxProcess
import LinuxSystem
import Measurement
import ProfileStore
import TestSupport
import Testing

@Suite("Profiles as rows")
struct ExportTests {
    /// Python's own readers of JSON and CSV see the same rows, and the summary's values in them.
    private static let check = """
        import csv, json, sys
        lines = [json.loads(line) for line in open(sys.argv[1])]
        rows = list(csv.DictReader(open(sys.argv[2], newline="")))
        assert len(lines) == len(rows) == int(sys.argv[3]), (len(lines), len(rows))
        for one, other in zip(lines, rows):
            assert list(one) == list(other)
            for key, value in one.items():
                if value is None: assert other[key] == "", (key, other[key])
                elif isinstance(value, str): assert other[key] == value, (key, value, other[key])
                else: assert float(other[key]) == value
        for row in lines:
            assert (row["value"] is None) == (row["unavailable"] is not None), row
            assert row["value"] != 0 or row["runs"] > 0, row
        wall = [r for r in lines if r["metric"] == "wall_time_s" and r["stage"] is None]
        print(*[r["value"] for r in wall])
        """

    @Test(
        "Both formats have the same rows, a value or why there is none in each",
        arguments: ["version", "session", "run"])
    func formats(_ grain: String) throws {
        let directory = try TemporaryDirectory()
        let profiles = "\(directory.path)/profiles"
        let store = ProfileStore(directory: profiles)
        try Files.createDirectories(profiles)
        let profile = try ProfileStore.load(path: BuiltProduct.fixture("frozen-profile.yaml"))
        try store.freeze(profile, as: VersionName(profile.release), companions: [])
        let tool = BuiltProduct.path("freeze-profile")
        for format in ["json-lines", "csv"] {
            let result = try runCommand([
                tool, "export", "--profiles", profiles, "--by", grain, "--format", format, "-o",
                "\(directory.path)/\(format)",
            ])
            #expect(result.status == .code(0), "\(result.standardError)")
        }
        // Four metrics of the run and of two stages.
        let sources = grain == "run" ? profile.measuredRuns.count : profile.sessions.count
        let python = try runCommand([
            "python3", "-c", Self.check, "\(directory.path)/json-lines", "\(directory.path)/csv",
            "\(12 * sources)",
        ])
        #expect(python.status == .code(0), "\(python.standardError)")
        let walls = python.standardOutput.split(whereSeparator: \.isWhitespace).map { Double($0) }
        switch grain {
        case "version": #expect(walls == [profile.totals.use.wallSeconds.value])
        case "session": #expect(walls.count == profile.sessions.count)
        default: #expect(walls == profile.measuredRuns.map(\.use.wallSeconds.value))
        }
    }

    @Test("A version that is not there, and one that cannot be read, are said; the others are printed")
    func damaged() throws {
        let directory = try TemporaryDirectory()
        let store = ProfileStore(directory: directory.path)
        let profile = try ProfileStore.load(path: BuiltProduct.fixture("frozen-profile.yaml"))
        try store.freeze(profile, as: VersionName("v1"), companions: [])
        try Files.replace("\(directory.path)/v2.yaml", with: "release: [")
        let tool = BuiltProduct.path("freeze-profile")
        let all = try runCommand([tool, "export", "--profiles", directory.path])
        #expect(all.status == .code(66) && all.standardError.contains("v2: "))
        #expect(all.standardOutput.hasPrefix("{\"release\": "))
        let none = try runCommand([tool, "export", "--profiles", directory.path, "v3"])
        #expect(none.status == .code(66) && none.standardOutput.isEmpty)
        let format = try runCommand([tool, "export", "--profiles", directory.path, "--format", "xml"])
        #expect(format.status == .code(64) && format.standardError.contains("json-lines, csv"))
    }
}
