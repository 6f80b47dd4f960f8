import LinuxProcess
import LinuxSystem
import TestSupport
import Testing

/// The make targets' scripts, with programs in place of the tools that only say how they were called.
@Suite("The variables of the make targets")
struct MakeTargetTests {
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
        for name in ["freeze-profile", "podcast-scraper", "loopback-feed"] {
            let path = "\(directory.path)/\(name)"
            // One argument to a line, so that one with spaces stays one.
            try Files.replace(path, with: "#!/bin/sh\nprintf '%s\\n' \(name) \"$@\"\n")
            #expect(try runCommand(["chmod", "+x", path]).status == .code(0))
        }
        try Files.replace("\(directory.path)/real.yaml", with: "rss: https://feeds.example.org/a.xml\n")
        try Files.replace("\(directory.path)/e2e.yaml", with: "rss: 'http://E2E-Placeholder/feed.xml'\n")
        try Files.replace(
            "\(directory.path)/invalid.yaml", with: "max_episodes: 1\nrss: https://Example.invalid/x\n")
    }

    private func run(_ script: String, _ variables: [String: String]) throws -> CommandResult {
        var environment = variables
        environment["FREEZE_PROFILE_BIN"] = directory.path
        return try runCommand(
            ["\(BuiltProduct.packageDirectory)/scripts/\(script)"], environment: environment, in: "/")
    }

    private func words(_ result: CommandResult) throws -> [String] {
        try #require(result.status == .code(0), "\(result.standardError)")
        return result.standardOutput.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
            .map { String($0).replacing(directory.path, with: "BIN") }
    }

    @Test("Every variable of profile-freeze becomes its option")
    func freezeVariables() throws {
        let result = try run(
            "profile-freeze",
            [
                "VERSION": "v1.2.0", "PIPELINE_CONFIG": "\(directory.path)/real.yaml",
                "DATASET_ID": "set one",
                "OUTPUT": "/tmp/o p.yaml", "SKIP_WARMUP": "1", "SAMPLE_INTERVAL": "0.25",
                "NO_STAGE_TRUTH": "yes",
                "MONITOR": "true", "FORCE": "on", "RUNS": "5", "STACK_RUNS": "2",
                "COUNT_RUNS": "3",
            ])
        #expect(
            try words(result) == [
                "freeze-profile", "capture", "--version", "v1.2.0", "--dataset-id", "set one", "--config",
                "BIN/real.yaml", "--output", "/tmp/o p.yaml", "--sample-interval", "0.25", "--runs", "5",
                "--stack-runs", "2", "--count-runs", "3", "--monitor", "--skip-warmup", "--no-stage-truth",
                "--force", "--count-command",
                "'BIN/podcast-scraper' '--config' 'BIN/real.yaml' '--output-dir' '{output_dir}' '--max-episodes' '1'",
                "--",
                "BIN/podcast-scraper", "--config", "BIN/real.yaml", "--output-dir", "{output_dir}",
            ])
        #expect(result.standardError == "")
    }

    @Test("Switches that are off, and variables left out, say nothing")
    func freezeDefaults() throws {
        let result = try run(
            "profile-freeze",
            [
                "VERSION": "v1", "PIPELINE_CONFIG": "\(directory.path)/real.yaml", "MONITOR": "0",
                "FORCE": "no", "COUNT_RUNS": "0",
            ])
        #expect(
            try words(result).prefix(11) == [
                "freeze-profile", "capture", "--version", "v1", "--dataset-id", "real", "--config",
                "BIN/real.yaml", "--runs", "5", "--",
            ])
        #expect(
            result.standardError == """
                profile-freeze: DATASET_ID is not set; assuming 'real' (the name of the config)
                profile-freeze: RUNS is not set; assuming 5 measured runs

                """)
    }

    @Test(
        "A placeholder in the config or in E2E_FEED is served from the embedded feed",
        arguments: [
            ("e2e.yaml", nil), ("invalid.yaml", nil), ("real.yaml", "http://e2e-placeholder/feed"),
            ("real.yaml", "https://EXAMPLE.INVALID/"), ("real.yaml", "sense-and-sensibility"),
        ] as [(String, String?)])
    func placeholder(config: String, feed: String?) throws {
        var variables = ["VERSION": "v1", "PIPELINE_CONFIG": "\(directory.path)/\(config)"]
        variables["E2E_FEED"] = feed
        let result = try run("profile-freeze", variables)
        let words = try words(result)
        #expect(
            words.prefix(4) == [
                "loopback-feed", "data/feeds/sense-and-sensibility", "--", "BIN/freeze-profile",
            ])
        #expect(words.last == "{feed_url}")
        #expect(
            result.standardError.contains(
                "profile-freeze: serving data/feeds/sense-and-sensibility on loopback\n"))
    }

    @Test("A feed of its own is given to the pipeline as it is")
    func ownFeed() throws {
        let result = try run(
            "profile-freeze",
            [
                "VERSION": "v1", "PIPELINE_CONFIG": "\(directory.path)/e2e.yaml",
                "E2E_FEED": "https://feeds.example.org/b.xml",
            ])
        let words = try words(result)
        #expect(words.first == "freeze-profile" && words.last == "https://feeds.example.org/b.xml")
    }

    @Test("Without a version, what git calls the source is frozen, and a note says so")
    func describedVersion() throws {
        let described = try runCommand(
            ["git", "-C", BuiltProduct.packageDirectory, "describe", "--tags", "--always", "--dirty"])
        let version = described.standardOutput.filter { !$0.isNewline }
        let result = try run("profile-freeze", ["PIPELINE_CONFIG": "\(directory.path)/real.yaml"])
        let words = try words(result)
        #expect(words.prefix(4) == ["freeze-profile", "capture", "--version", version])
        #expect(
            result.standardError.hasPrefix(
                "profile-freeze: VERSION is not set; assuming \(version), from git describe\n"))
    }

    @Test(
        "What is missing or wrong is reported in a sentence before anything runs",
        arguments: [
            (
                ["VERSION": "v1", "PIPELINE_CONFIG": "/no.yaml"], 66,
                "Cannot read PIPELINE_CONFIG '/no.yaml'."
            ),
            (
                ["VERSION": "v1", "E2E_FEED": "podcast1"], 66,
                "There is no feed 'data/feeds/podcast1/feed.xml'. E2E_FEED is a URL or one of: sense-and-sensibility."
            ),
            (
                ["VERSION": "v1", "E2E_FEED": "../etc"], 64,
                "E2E_FEED '../etc' is neither a URL nor the name of a directory in data/feeds."
            ),
        ] as [([String: String], Int32, String)])
    func freezeErrors(variables: [String: String], code: Int32, sentence: String) throws {
        let result = try run("profile-freeze", variables)
        #expect(result.status == .code(code))
        #expect(result.standardError.hasSuffix("profile-freeze: \(sentence)\n"))
        #expect(result.standardOutput == "")
    }

    @Test("The variables of profile-promote become its words, whatever is in them")
    func promote() throws {
        let reason = "it's \"five\" runs; $(touch /tmp/never) `x` --dry-run"
        let plain = try run("profile-promote", ["SOURCE": "v1", "PROMOTED_ID": "r1", "REASON": reason])
        #expect(try words(plain) == ["freeze-profile", "promote", "--reason=\(reason)", "--", "v1", "r1"])
        let full = try run(
            "profile-promote",
            [
                "SOURCE": "-v1", "PROMOTED_ID": "r1", "REASON": "x", "DRY_RUN": "1",
                "NO_STAGE_TRUTH_REQUIRED": "1", "PROFILES": "elsewhere",
            ])
        #expect(
            try words(full) == [
                "freeze-profile", "promote", "--reason=x", "--profiles", "elsewhere", "--dry-run",
                "--no-stage-truth-required", "--", "-v1", "r1",
            ])
        for missing in ["SOURCE", "PROMOTED_ID", "REASON"] {
            var variables = ["SOURCE": "v1", "PROMOTED_ID": "r1", "REASON": "x"]
            variables[missing] = nil
            let result = try run("profile-promote", variables)
            #expect(result.status == .code(64))
            #expect(
                result.standardError.hasPrefix(
                    "profile-promote: \(missing) is not set. Say it: make profile-promote"))
        }
    }

    @Test(
        "make refuses a target whose variables are missing, before it builds anything",
        arguments: [
            ("profile-diff", ["FROM=v1"], "TO"), ("profile-gate", ["FROM=v1"], "TO"),
            ("profile-diff", [], "FROM"),
            ("profile-promote", ["SOURCE=v1", "PROMOTED_ID=r1"], "REASON"),
        ] as [(String, [String], String)])
    func makeTargets(target: String, variables: [String], missing: String) throws {
        let result = try runCommand(
            ["make", "-C", BuiltProduct.packageDirectory, "--no-print-directory", target] + variables)
        #expect(result.status == .code(2))
        let sentence = "\(target): \(missing) is not set. Say it: make \(target) "
        #expect(result.standardError.hasPrefix(sentence))
        #expect(result.standardOutput == "")
    }
}
