import FrozenProfile
import LinuxProcess
import LinuxSystem
import TestSupport
import Testing

/// The built tools, run as a person runs them.
struct Toolkit {
    let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
    }

    /// The YAML file of a version in the test's own directory.
    func yaml(_ version: String) -> String { "\(directory.path)/\(version).yaml" }

    func companion(_ version: String, _ kind: CompanionKind) -> String {
        "\(directory.path)/\(version)\(kind.suffix)"
    }

    /// `freeze-profile capture` of a command into the test's directory.
    func capture(
        _ version: String, _ options: [String] = [], _ command: [String], path: String? = nil
    ) throws -> CommandResult {
        try runCommand(
            [BuiltProduct.path("freeze-profile"), "capture", "--version", version, "--output", yaml(version)]
                + (options.contains("--canaries") ? [] : ["--canaries", "0"])
                + (options.contains("--runs") ? [] : ["--runs", "1"]) + options + ["--"] + command,
            environment: path.map { ["PATH": $0] } ?? [:], in: BuiltProduct.packageDirectory)
    }

    /// `freeze-profile diff` of two versions in the test's directory, whatever state the work tree is in.
    func diff(_ from: String, _ to: String, _ options: [String] = []) throws -> CommandResult {
        try runCommand(
            [
                BuiltProduct.path("freeze-profile"), "diff", from, to, "--profiles", directory.path,
                "--allow",
                "git_dirty",
            ] + options)
    }

    func text(_ path: String) throws -> String {
        String(decoding: try Files.read(path, limit: 1 << 26), as: UTF8.self)
    }

    static let pythonPipeline = ["python3", BuiltProduct.fixture("pipelines/six-fields.py"), "{output_dir}"]
    static let shellPipeline = [BuiltProduct.fixture("pipelines/six-fields.sh"), "{output_dir}"]
    /// A PATH without the tests' own tools, and so without py-spy.
    static let plainPath = "/usr/local/bin:/usr/bin:/bin"
}
