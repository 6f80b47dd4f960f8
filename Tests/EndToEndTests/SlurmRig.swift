import FrozenProfile
import LinuxProcess
import LinuxSystem
import Measurement
import ProfileStore
import TestSupport
import Testing

/// Captures on a Slurm of several nodes, of a pipeline that waits at a gate.
final class SlurmRig {
    let slurm: SlurmTestbed
    private let directory: TemporaryDirectory

    var path: String { directory.path }
    var profileFile: String { "\(path)/profiles/v1.yaml" }
    var records: String { "\(path)/records" }
    private var gate: String { "\(path)/gate" }

    init(nodes: Int = 4, quotas: [String: Int] = [:]) throws {
        slurm = try SlurmTestbed(nodes: nodes, quotas: quotas)
        directory = try TemporaryDirectory()
        try Files.createDirectories("\(directory.path)/profiles")
    }

    /// Lets the pipelines pass.
    func open() throws { try Files.replace(gate, with: "") }

    /// Makes the second task's pipeline fail, or mends it.
    func setBroken(_ isBroken: Bool) throws {
        if isBroken {
            try Files.replace("\(gate).broken", with: "")
        } else {
            try Files.remove("\(gate).broken")
        }
    }

    /// Makes the pipeline slow on the node n4.
    func makeSlowOnLastNode() throws { try Files.replace("\(gate).slow", with: "") }

    /// The words of a capture with small sessions.
    func words(_ options: [String]) -> [String] {
        [
            BuiltProduct.path("freeze-profile"), "capture", "--version", "v1", "--output", profileFile,
            "--records", records, "--engine", "slurm", "--skip-warmup", "--stack-runs", "0", "--canaries",
            "0",
        ] + (options.contains("--runs") ? [] : ["--runs", "1"]) + options + [
            "--", BuiltProduct.fixture("pipelines/gated.sh"), gate, "{output_dir}",
        ]
    }

    /// A capture to its end.
    func capture(_ options: [String], environment: [String: String] = [:]) throws -> CommandResult {
        try runCommand(
            words(options), environment: slurm.environment.merging(environment) { $1 }, in: path,
            timeout: .seconds(150))
    }

    /// A capture that goes on while the test does something else.
    func start(_ options: [String]) throws -> StartedCapture {
        try StartedCapture(words(options), environment: slurm.environment, directory: path)
    }

    /// Waits until a task's pipeline is at the gate.
    func waitUntilReached(task: Int, restart: Int = 0) throws {
        let mark = "\(gate).reached.\(task).\(restart)"
        let deadline = SystemClock.monotonicNanoseconds + Duration.seconds(90).inNanoseconds
        while !Files.exists(mark) {
            try #require(SystemClock.monotonicNanoseconds < deadline, "task \(task) has not begun")
            SystemClock.sleep(for: .milliseconds(50))
        }
    }

    /// Two commands compared by pairs on nodes.
    func pairs(_ a: String, _ b: String, _ options: [String]) throws -> CommandResult {
        try runCommand(
            [
                BuiltProduct.path("freeze-profile"), "ab", "--a", a, "--b", b, "--engine", "slurm",
                "--records", records,
            ] + options, environment: slurm.environment, in: path, timeout: .seconds(300))
    }

    func profile() throws -> FrozenProfile { try ProfileStore.load(path: profileFile) }

    /// Checks that the profile is sound, and the same as the same records frozen by hand.
    func expectSound() throws {
        let tool = BuiltProduct.path("freeze-profile")
        let verified = try runCommand([tool, "verify", profileFile])
        #expect(verified.status == .code(0), "\(verified.standardOutput)\(verified.standardError)")
        let byHand = "\(path)/by-hand/v1.yaml"
        let frozen = try runCommand([tool, "freeze", "--version", "v1", "-o", byHand, records])
        #expect(frozen.status == .code(0), "\(frozen.standardError)")
        let bytes = try Files.read(profileFile, limit: 1 << 24)
        #expect(try Files.read(byHand, limit: 1 << 24) == bytes)
        let python = try runCommand(["python3", BuiltProduct.fixture("check-profile.py"), profileFile])
        #expect(python.standardOutput == "agrees\n", "\(python.standardError)")
    }
}

/// A capture under way.
final class StartedCapture {
    private var child: ChildProcess
    private let output: TemporaryDirectory
    private var errors: String { "\(output.path)/err" }

    init(_ words: [String], environment: [String: String], directory: String) throws {
        output = try TemporaryDirectory()
        let file = try FileDescriptor.open("\(output.path)/err", .append)
        var request = ChildRequest(words)
        request.environment = environment
        request.workingDirectory = directory
        request.standardInput = .null
        let printed = try FileDescriptor.open("\(output.path)/out", .append)
        request.standardOutput = .descriptor(printed.rawValue)
        request.standardError = .descriptor(file.rawValue)
        child = try ChildProcess.start(request)
    }

    /// What it has said so far.
    func said() throws -> String { String(decoding: try Files.read(errors, limit: 1 << 24), as: UTF8.self) }

    /// What it has printed so far.
    func printed() throws -> String {
        String(decoding: try Files.read("\(output.path)/out", limit: 1 << 24), as: UTF8.self)
    }

    func waitUntil(_ words: String) throws {
        let deadline = SystemClock.monotonicNanoseconds + Duration.seconds(90).inNanoseconds
        while true {
            let said = try said()
            if said.contains(words) { return }
            try #require(SystemClock.monotonicNanoseconds < deadline, "'\(words)' is not in: \(said)")
            SystemClock.sleep(for: .milliseconds(50))
        }
    }

    func interrupt() { child.send(SignalInbox.interrupt) }

    func end(within limit: Duration = .seconds(150)) throws -> LinuxProcess.ExitStatus? {
        try child.wait(timeout: limit)?.status
    }
}
