import LinuxProcess
import LinuxSystem
import TestSupport
import Testing

@Suite("freeze-profile init")
struct InitTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func run(_ words: String...) throws -> CommandResult {
        try runCommand([BuiltProduct.path("freeze-profile"), "init"] + words, in: directory.path)
    }

    private func write(_ name: String, _ text: String, mode: String = "755") throws {
        let path = "\(directory.path)/\(name)"
        try Files.createDirectories(Files.directory(of: path))
        try Files.replace(path, with: text)
        _ = try runCommand(["chmod", mode, path])
    }

    private func text(_ name: String) throws -> String {
        String(decoding: try Files.read("\(directory.path)/\(name)", limit: 1 << 20), as: UTF8.self)
    }

    /// A pipeline that marks a stage by hand.
    private static let pipeline = "#!/bin/sh\necho '{\"stage\": \"work\"}' >\"$PIPELINE_STATUS_FILE\"\n"

    @Test("The files that it writes freeze, compare and decide, without any change")
    func works() throws {
        try write("run.sh", Self.pipeline)
        let result = try run()
        #expect(result.status == .code(0), "\(result.standardError)")
        #expect(result.standardError.contains("Pipeline: ./run.sh {output_dir}\n"))
        #expect(
            result.standardOutput.split(separator: "\n") == [
                "data/profiles/README.md", "data/profiles/gate.yaml", "data/profiles/.gitignore",
                "profiles.mk",
            ])
        let path = "\(Files.directory(of: BuiltProduct.path("freeze-profile"))):/usr/local/bin:/usr/bin:/bin"
        func make(_ words: String...) throws -> CommandResult {
            try runCommand(
                ["make", "-f", "profiles.mk"] + words, environment: ["PATH": path], in: directory.path,
                timeout: .seconds(300))
        }
        for version in ["v1", "v2"] {
            let frozen = try make("profile-freeze", "VERSION=\(version)", "PROFILE_RUNS=1")
            #expect(frozen.status == .code(0), "\(frozen.standardError)")
        }
        // One run a side decides nothing (2 of the gate); that the gate's file and the profiles are read is what counts.
        let gate = try make("profile-gate", "FROM=v1", "TO=v2")
        #expect(try text("gate.md").contains("<!-- freeze-profile gate -->"), "\(gate.standardError)")
        #expect(!(gate.standardOutput + gate.standardError).contains("gate.yaml"), "\(gate.standardOutput)")
        let missing = try make("profile-freeze")
        #expect(missing.standardError.contains("VERSION is not set: make profile-freeze VERSION=v1.2.0"))
        let list = try runCommand(
            [BuiltProduct.path("freeze-profile"), "list", "--update-readme", "data/profiles/README.md"],
            in: directory.path)
        #expect(list.status == .code(0), "\(list.standardError)")
        #expect(try text("data/profiles/README.md").contains("| v2 |"))
    }

    @Test("What is there stays, also behind a link that leads nowhere")
    func overwritesNothing() throws {
        try write("data/profiles/gate.yaml", "mine\n")
        try write(".github/workflows/profile.yml", "mine too\n")
        let link = try runCommand(["ln", "-s", "elsewhere", "\(directory.path)/profiles.mk"])
        #expect(link.status == .code(0))
        let result = try run("--github", "--", "./a", "{output_dir}")
        #expect(result.status == .code(73) && result.standardError.contains("profiles.mk"))
        #expect(!Files.exists("\(directory.path)/elsewhere"))
        #expect(try text("data/profiles/gate.yaml") == "mine\n")
        #expect(try text(".github/workflows/profile.yml") == "mine too\n")
        #expect(result.standardError.contains("kept     data/profiles/gate.yaml\n"))
    }

    @Test("Files that mark stages go before names; helpers, and several, are no answer")
    func search() throws {
        func found() throws -> String { try run("--dry-run").standardError }
        #expect(try found().hasPrefix("No pipeline was found here."))
        try write("scripts/stages.sh", "stage() { :; } # PIPELINE_STATUS_FILE\n")
        #expect(try found().hasPrefix("No pipeline was found here."))
        try write("pipeline.py", "print(1)\n", mode: "644")
        #expect(try found().hasPrefix("Pipeline: python3 ./pipeline.py {output_dir}\nIt marks no stages yet"))
        try write("bin/it is", Self.pipeline)
        #expect(try found().hasPrefix("Pipeline: './bin/it is' {output_dir}\n"))
        try write("scripts/other.sh", Self.pipeline)
        #expect(try found().hasPrefix("2 files could be the pipeline: scripts/other.sh, 'bin/it is'."))
        #expect(!Files.exists("\(directory.path)/data"))
    }

    @Test(
        "A command with quotes, dollar signs and a sharp reaches the pipeline through make and the workflow")
    func quoting() throws {
        try write("show.sh", "#!/bin/sh\nprintf '%s|' \"$@\" >shown\n")
        let words = ["./show.sh", "a b", "$HOME", "it's", "#1", "{output_dir}"]
        let result = try runCommand(
            [BuiltProduct.path("freeze-profile"), "init", "--github", "--"] + words, in: directory.path)
        #expect(result.status == .code(0), "\(result.standardError)")
        // In place of the tool a program that runs what follows the two dashes.
        try write(
            "bin/freeze-profile", "#!/bin/sh\nwhile [ \"$1\" != -- ]; do shift; done; shift; exec \"$@\"\n")
        let path = "\(directory.path)/bin:/usr/bin:/bin"
        let expected = "a b|$HOME|it's|#1|{output_dir}|"
        _ = try runCommand(
            ["make", "-f", "profiles.mk", "profile-freeze", "VERSION=v1"], environment: ["PATH": path],
            in: directory.path)
        #expect(try text("shown") == expected)
        // The workflow is YAML, and its step a script, as another reader sees it.
        let script = """
            import yaml
            steps = yaml.safe_load(open('.github/workflows/profile.yml'))['jobs']['profile']['steps']
            text = next(s['run'] for s in steps if s.get('name') == 'Measure both')
            print('git() { mkdir -p "$4"; cp show.sh "$4"; }')
            print(text)
            """
        let python = "\(BuiltProduct.packageDirectory)/.build/test-venv/bin/python3"
        let step = try runCommand([python, "-c", script], in: directory.path)
        try #require(step.status == .code(0), "\(step.standardError)")
        let ran = try runCommand(
            ["bash", "-ec", step.standardOutput],
            environment: [
                "PATH": path, "RUNNER_TEMP": "\(directory.path)/temp", "BASE": "0", "GITHUB_ENV": "env",
            ],
            in: directory.path)
        #expect(ran.status == .code(0), "\(ran.standardError)")
        #expect(try text("temp/base/shown") == expected)
        #expect(try text("temp/head/shown") == expected)
    }

    @Test("A directory that make would take apart is refused")
    func refused() throws {
        let result = try run("--profiles", "my profiles")
        #expect(result.status == .code(64))
        #expect(
            result.standardError.contains("--profiles 'my profiles' has to be of letters, digits and . _ - /")
        )
    }
}
