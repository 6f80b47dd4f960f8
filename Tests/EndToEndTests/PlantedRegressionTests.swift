import LinuxProcess
import LinuxSystem
import TestSupport
import Testing

/// A pipeline with switches for regressions, compared with itself by the built tool. Its work is counted, not timed, so that
/// CPU time is what a busy machine disturbs least.
@Suite("Planted regressions")
struct PlantedRegressionTests {
    private let directory: TemporaryDirectory
    private let program: String

    init() throws {
        directory = try TemporaryDirectory()
        program = "\(directory.path)/planted"
        let built = try runCommand(
            ["cc", "-O1", "-o", program, BuiltProduct.fixture("pipelines/planted.c")])
        try #require(built.status == .code(0), "\(built.standardError)")
    }

    private func tool(_ arguments: [String]) throws -> CommandResult {
        try runCommand([BuiltProduct.path("freeze-profile")] + arguments + ["--profiles", directory.path])
    }

    /// The line of a row in the JSON.
    private func row(_ result: CommandResult, _ stage: String, _ metric: String) throws -> Substring {
        try #require(
            result.standardOutput.split(separator: "\n").first {
                $0.contains("\"stage\": \(stage), \"metric\": \"\(metric)\"")
            }, "\(result.standardOutput)\(result.standardError)")
    }

    @Test(
        "25 % in one function, 30 MB in one stage and a new stage are found, and an untouched stage is not blamed"
    )
    func planted() throws {
        let result = try tool([
            "ab", "--json", "--seed", "1", "--gate", "stages", "--a", "\(program) {output_dir} --work 60",
            "--b",
            "\(program) {output_dir} --work 60 --slower 25 --memory 30 --extra-stage",
        ])
        #expect(result.status == .code(1), "\(result.standardError)")
        #expect(try row(result, "\"transform\"", "cpu_time_s").contains("\"verdict\": \"regressed\""))
        #expect(try row(result, "\"extract\"", "peak_rss_mb").contains("\"verdict\": \"regressed\""))
        #expect(!(try row(result, "\"load\"", "cpu_time_s").contains("\"verdict\": \"regressed\"")))
        #expect(result.standardOutput.contains("\"added_stages\": [\"verify\"]"))
        #expect(result.standardOutput.contains("\"pairs\": 12, \"looks\": [12], \"seed\": \"1\""))
    }

    @Test("A command compared with itself is not called a regression")
    func nothing() throws {
        let same = "\(program) {output_dir} --work 40"
        let result = try tool(["ab", "--pairs", "8", "--seed", "2", "--a", same, "--b", same])
        #expect(result.status != .code(1), "\(result.standardOutput)")
        #expect(result.standardOutput.contains("8 pairs of runs, each in random order (seed 2)"))
        // Commands to copy are not wrapped.
        let prose = result.standardOutput.split(separator: "\n").filter { !$0.hasPrefix("  freeze-profile ") }
        for line in prose { #expect(line.count <= 80, "\(line)") }
    }

    @Test("Calibrating leaves a ledger that a later diff finds; remeasuring separates machine and code")
    func calibrated() throws {
        let command = [program, "{output_dir}", "--work", "5"]
        let learnt = try runCommand(
            [
                BuiltProduct.path("freeze-profile"), "calibrate", "--sessions", "4", "--runs", "1",
                "--dataset-id",
                "planted", "--profiles", directory.path, "--",
            ] + command)
        #expect(learnt.status == .code(0), "\(learnt.standardError)")
        #expect(learnt.standardOutput.contains("Of 6 comparisons of one half of the sessions with the other"))
        let ledgers = try Files.names(inDirectory: "\(directory.path)/ledger")
        #expect(ledgers.count == 1 && ledgers[0].hasPrefix("planted-"))

        for version in ["v1", "v2"] {
            let captured = try runCommand(
                [
                    BuiltProduct.path("freeze-profile"), "capture", "--version", version, "--output",
                    "\(directory.path)/\(version).yaml", "--dataset-id", "planted", "--sampler", "none",
                    "--skip-warmup", "--",
                ] + command)
            try #require(captured.status == .code(0), "\(captured.standardError)")
        }
        let allow = ["git_dirty", "canary", "invalid_session"].flatMap { ["--allow", $0] }
        let diff = try tool(["diff", "v1", "v2", "--json"] + allow)
        #expect(
            diff.standardOutput.contains("\"ledger\": \"\(directory.path)/ledger/planted-"),
            "\(diff.standardError)")
        #expect(try row(diff, "null", "wall_time_s").contains("\"source\": \"calibration\""))

        let text = try Files.read("\(directory.path)/v2.yaml", limit: 1 << 20)
        try Files.replace("\(directory.path)/v2.yaml", with: text + Array("# looked at\n".utf8))
        let edited = try tool(["diff", "v1", "v2"] + allow)
        #expect(edited.status == .code(3))
        #expect(
            edited.standardOutput.replacing("\n  ", with: " ").contains(
                "was changed after it was frozen. (--allow edited)"))
        #expect(try tool(["diff", "v1", "v2", "--allow", "edited"] + allow).status != .code(3))
        try Files.replace("\(directory.path)/v2.yaml", with: text)

        let itself = try tool(["diff", "v1", "v2", "--remeasure"])
        #expect(itself.status == .code(64))
        #expect(itself.standardError.contains("Both versions are measured by the same command"))
        let again = try tool([
            "diff", "v1", "v2", "--remeasure", "--pairs", "2", "--b", "\(program) {output_dir} --work 20",
        ])
        #expect(again.status == .code(2), "\(again.standardError)")
        #expect(again.standardOutput.contains("Frozen then, side by side now:"))
        #expect(again.standardOutput.contains("from: v1 "))
    }

    @Test(
        "Wrong arguments are reported in a sentence",
        arguments: [
            (["ab", "--a", "x"], 64, "Say both commands: --a 'OLD COMMAND' --b 'NEW COMMAND'."),
            (
                ["ab", "--a", "x 'y", "--b", "z"], 64,
                "which is no command: a quote is not closed, or it is empty."
            ),
            (
                ["ab", "--a", "x", "--b", "y", "--pairs", "0"], 64,
                "--pairs is '0', but should be a whole number from 1 to 1000."
            ),
            (["ab", "--a", "/no/program", "--b", "/no/program", "--pairs", "1"], 4, "/no/program"),
            (["diff", "a", "b", "--allow", "cpu_modell"], 66, "There is no profile of version a"),
            (["diff", "x.yaml", "x.yaml", "--allow", "cpu_modell"], 64, "Did you mean 'cpu_model'?"),
            (
                ["diff", "x.yaml", "x.yaml", "--budget", "wal=3"], 64,
                "is not of the form [STAGE.]METRIC=PERCENT"
            ),
            (
                ["diff", "x.yaml", "x.yaml", "--fail-on", "never ever"], 64,
                "there are regression, inconclusive, never."
            ),
            (["diff", "x.yaml", "x.yaml", "--rules", "/no/rules.yaml"], 66, "/no/rules.yaml"),
            (
                ["diff", "x.yaml", "x.yaml", "--ledger", "x.yaml"], 66,
                "schema_version should be of the kind that is read"
            ),
            (["calibrate", "--from", "x.yaml", "--dry-run"], 4, "Nothing was learnt"),
        ])
    func wrong(arguments: [String], status: Int32, sentence: String) throws {
        let profile = """
            release: x
            date: '2026-01-01'
            stages: {}
            totals: {wall_time_s: 9}
            """
        try Files.replace("\(directory.path)/x.yaml", with: profile)
        let result = try tool(
            arguments.map { $0 == "x.yaml" ? "\(directory.path)/x.yaml" : $0 })
        #expect(result.status == .code(status), "\(result.standardOutput)\(result.standardError)")
        #expect(result.standardError.contains(sentence), "\(result.standardError)")
    }
}
