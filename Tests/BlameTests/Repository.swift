import JSONDocument
import LinuxProcess
import LinuxSystem
import TestSupport
import Testing

/// A repository of a pipeline with three stages, each commit of which may change how much one of them does.
struct Repository {
    let directory: TemporaryDirectory
    var path: String { directory.path + "/repository" }
    /// Where temporary directories are made; empty when all that was made is gone.
    var temporary: String { directory.path + "/tmp" }
    private var work = ["fetch": 100_000, "crunch": 200_000, "store": 50_000]
    private(set) var commits: [String] = []

    init() throws {
        directory = try TemporaryDirectory()
        try Files.createDirectories(path)
        try Files.createDirectories(temporary)
        try git("init", "--quiet", "-b", "main")
        try write()
        try commit("Begin")
    }

    @discardableResult
    func git(_ words: String...) throws -> String {
        let result = try runCommand(
            ["git", "-C", path, "-c", "user.name=Ann", "-c", "user.email=ann@example.org"] + words,
            environment: ["GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"])
        try #require(result.status == .code(0), "\(words): \(result.standardError)")
        return String(result.standardOutput.split(separator: "\n").first ?? "")
    }

    private func write(broken: Bool = false) throws {
        let source =
            broken
            ? Array("int main( {\n".utf8)
            : try Files.read(BuiltProduct.fixture("pipelines/three-stages.c"), limit: 1 << 16)
        try Files.replace("\(path)/pipeline.c", with: source)
        let constants = work.sorted { $0.key < $1.key }.map { "#define \($0.key.uppercased()) \($0.value)\n" }
        try Files.replace("\(path)/work.h", with: constants.joined())
        try Files.replace("\(path)/count", with: "\(commits.count)\n")
    }

    mutating func commit(_ subject: String) throws {
        try git("add", ".")
        try git("commit", "--quiet", "-m", subject)
        commits.append(try git("rev-parse", "HEAD"))
    }

    /// A commit that changes nothing that costs anything.
    mutating func addIdle() throws {
        try write()
        try commit("Idle \(commits.count)")
    }

    /// A commit with which a stage does so many percent more.
    mutating func add(_ stage: String, percent: Int) throws {
        work[stage] = (work[stage] ?? 0) * (100 + percent) / 100
        try write()
        try commit("More work in \(stage)")
    }

    /// A commit that does not build.
    mutating func addBroken() throws {
        try write(broken: true)
        try commit("Half done")
    }

    /// A merge of a branch of two commits, the second of which adds work.
    mutating func merge(_ stage: String, percent: Int) throws {
        try git("checkout", "--quiet", "-b", "side")
        try Files.replace("\(path)/note", with: "side\n")
        try git("add", ".")
        try git("commit", "--quiet", "-m", "On the side")
        work[stage] = (work[stage] ?? 0) * (100 + percent) / 100
        try write()
        try git("commit", "--quiet", "-am", "More work on the side")
        try git("checkout", "--quiet", "main")
        try git("merge", "--quiet", "--no-ff", "-m", "Merge side", "side")
        commits.append(try git("rev-parse", "HEAD"))
    }

    static let build = "cc -O1 -g -o pipeline pipeline.c"

    /// The tool's command in the repository, with an outcome as JSON.
    func blame(
        _ from: String, _ to: String, _ options: [String] = [], build: String = build,
        command: [String] = ["./pipeline"]
    ) throws -> CommandResult {
        try runCommand(
            [
                BuiltProduct.path("freeze-profile"), "blame", from, to, "--build", build, "--profiles",
                "\(directory.path)/profiles",
            ] + options + ["--"] + command,
            environment: ["TMPDIR": temporary, "GIT_CONFIG_GLOBAL": "/dev/null"], in: path,
            timeout: .seconds(400))
    }

    /// What is left of work trees: in git's list, and in the temporary directory.
    func leftovers() throws -> [String] {
        let list = try runCommand(["git", "-C", path, "worktree", "list", "--porcelain"])
        let trees = list.standardOutput.split(separator: "\n").filter { $0.hasPrefix("worktree ") }
            .dropFirst()
        return trees.map(String.init) + (try Files.names(inDirectory: temporary))
    }
}

/// The parts of an invoice that tests look at.
struct Invoice {
    let root: [String: JSONValue]

    init(_ result: CommandResult) throws {
        root = try #require(
            try JSONValue.read(Array(result.standardOutput.utf8)).object,
            "\(result.standardOutput)\(result.standardError)")
    }

    /// The names of the commits of each culprit.
    var culprits: [[String]] {
        (root["culprits"]?.array ?? []).map { culprit in
            (culprit.object?["commits"]?.array ?? []).compactMap { $0.object?["name"]?.string }
        }
    }

    var builds: Int { Int(root["builds"]?.number ?? -1) }

    /// The first function of each culprit.
    var functions: [String] {
        (root["culprits"]?.array ?? []).compactMap { culprit in
            culprit.object?["functions"]?.array?.first { $0.object?["stage"]?.string != nil }?.object?[
                "name"]?.string
        }
    }

    struct Line {
        var change: Double
        var shares: [Double]
        var residual: Double
    }

    func line(_ stage: String?) throws -> Line {
        let found = (root["lines"]?.array ?? []).compactMap(\.object).first { $0["stage"]?.string == stage }
        let line = try #require(found)
        return Line(
            change: try #require(line["change"]?.number),
            shares: (line["shares"]?.array ?? []).compactMap(\.number),
            residual: try #require(line["residual"]?.number))
    }
}
