import FrozenProfile
import LinuxProcess
import LinuxSystem
import ProfileStore
import TestSupport
import Testing

/// A Python pipeline with twice the work in one function of one stage, frozen twice and compared: whatever py-spy is or does, the
/// comparison names that function and its file.
@Suite("A planted regression in a Python function")
struct PythonRegressionTests {
    /// A py-spy, and what the captures beside it say.
    struct PySpy: Sendable, CustomTestStringConvertible {
        var name: String
        /// A program of this name, by its lines; nil for none.
        var script: String?
        /// What is said where its picture is missing.
        var reason: String?
        var testDescription: String { name }
    }

    static let broken = PySpy(
        name: "broken", script: "#!/bin/sh\necho 'pyenv: py-spy: command not found' >&2\nexit 127\n",
        reason: "py-spy wrote no stacks: pyenv: py-spy: command not found")
    /// It ignores the signal by which it is asked to write what it has.
    static let hanging = PySpy(
        name: "hanging",
        script: """
            #!/usr/bin/python3
            import signal, time
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            time.sleep(1000)

            """, reason: "py-spy did not end within 10.0 s of its target, and was ended")
    static let tooOld = PySpy(
        name: "too old", script: "#!/bin/sh\necho 'Error: Unsupported version of Python: 3.99' >&2\nexit 1\n",
        reason: "py-spy wrote no stacks: Error: Unsupported version of Python: 3.99")

    private static let pipeline = BuiltProduct.fixture("pipelines/ranking/pipeline.py")

    @Test(
        "py-spy that is absent, broken, hanging or too old",
        arguments: [
            PySpy(name: "absent"), broken, hanging, tooOld,
        ])
    func without(pySpy: PySpy) throws {
        let toolkit = try Toolkit()
        var path = Toolkit.plainPath
        if let script = pySpy.script {
            let place = "\(toolkit.directory.path)/bin"
            try Files.createDirectories(place)
            try Files.replace("\(place)/py-spy", with: script)
            try #require(try runCommand(["chmod", "755", "\(place)/py-spy"]).status == .code(0))
            path = "\(place):\(path)"
        }
        try Self.freeze(toolkit, path: path) { result in
            if let reason = pySpy.reason {
                #expect(
                    result.standardError.contains("There is no picture by py-spy: \(reason)."),
                    "\(result.standardError)")
            }
        }
        #expect(!Files.exists(toolkit.companion("v2", .pySpyFlamegraph)))
        try Self.expectFunction(toolkit)
    }

    @Test("py-spy that works draws its picture beside")
    func beside() throws {
        let program = try #require(
            CurrentProcess.environmentVariable("PATH")?.split(separator: ":").map { "\($0)/py-spy" }
                .first { Files.isExecutable($0) }, "py-spy is not on PATH; run the tests with 'make test'")
        let toolkit = try Toolkit()
        try Self.freeze(toolkit, path: "\(Files.directory(of: program)):\(Toolkit.plainPath)") { _ in }
        #expect(try toolkit.text(toolkit.companion("v2", .pySpyFlamegraph)).contains("score_pairs"))
        try Self.expectFunction(toolkit)
    }

    private static func freeze(
        _ toolkit: Toolkit, path: String, _ check: (CommandResult) -> Void
    ) throws {
        for (version, slower) in [("v1", "0"), ("v2", "100")] {
            let result = try toolkit.capture(
                version, ["--skip-warmup", "--runs", "1", "--stack-runs", "1"],
                ["/usr/bin/python3", pipeline, "{output_dir}", "--slower", slower], path: path)
            try #require(result.status == .code(0), "\(result.standardError)")
            check(result)
        }
    }

    /// Which function stands first depends on what was planted alone, also where the machine is a third faster the second time:
    /// then 35 % more work takes less time than before, and another function changes most. Whether the stage is called slower is
    /// not asked.
    private static func expectFunction(_ toolkit: Toolkit) throws {
        // How many of its stacks have their functions stands in the profile and in its picture.
        let sampler = try #require(try ProfileStore.load(path: toolkit.yaml("v2")).captureQuality?.sampler)
        let python = try #require(sampler.python)
        #expect(python.proven > 100 && python.failed == 0, "\(python)")
        let picture = try toolkit.text(toolkit.companion("v2", .flamegraph))
        #expect(picture.contains(python.summary), "\(python.summary)")
        let result = try toolkit.diff("v1", "v2", ["--explain", "rank"])
        let text = result.standardOutput.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        #expect(text.contains("score_pairs (pairs.py) accounts for "), "\(result.standardOutput)")
        let table = result.standardOutput.split(separator: "\n").drop { !$0.hasPrefix("function ") }
        #expect(
            table.dropFirst().first?.hasPrefix("score_pairs (pairs.py) ") == true, "\(result.standardOutput)")
    }
}
