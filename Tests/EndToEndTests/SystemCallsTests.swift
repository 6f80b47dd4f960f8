import FrozenProfile
import LinuxProcess
import LinuxSystem
import Measurement
import TestSupport
import Testing

private enum Strace {
    static let isUsable =
        Programs.installed("strace") != nil
        && (try? runCommand(["strace", "-o", "/dev/null", "true"]).status) == .code(0)
}

/// What the commands open and execute over a hostile directory, as strace sees it.
@Suite(
    "System calls over a hostile directory", .serialized,
    .enabled(if: Strace.isUsable, "strace is not installed, or may not trace here"))
struct SystemCallsTests {
    private static let tool = BuiltProduct.path("freeze-profile")

    private let directory: TemporaryDirectory
    private var place: String { directory.path }

    /// A shelf of one profile, and of everything that may be put beside it.
    init() throws {
        directory = try TemporaryDirectory()
        let script = """
            set -e; mkdir shelf out; cd shelf
            "$TOOL" capture --version v1 --output "$PWD/v1.yaml" --records "$PWD/../records" --skip-warmup \
                --stack-runs 0 --canaries 0 -- sh -c 'sleep 0.1' 2> ../errors || { cat ../errors; exit 1; }
            cp v1.yaml v2.yaml; mkfifo v3.yaml; ln -s /etc/shadow v4.yaml; ln -s /dev/zero v5.yaml
            rm v1.monitor.log; mkfifo v1.monitor.log; mkdir ledger; mkfifo ledger/a.yaml regression_rules.yaml
            mkfifo ../out/.pipeline_status.json ../out/.pipeline_events.jsonl ../out/.pipeline_facts.json
            """
        let result = try runCommand(["sh", "-c", script], environment: ["TOOL": Self.tool], in: place)
        try #require(result.status == .code(0), "\(result.standardOutput) \(result.standardError)")
    }

    /// What the tool's own processes did: what they opened below the hostile directory, and all that was executed.
    private struct Calls {
        var opened: [String] = []
        var executed: [String] = []
    }

    private func trace(_ arguments: [String]) throws -> Calls {
        let log = "\(place)/calls"
        let result = try runCommand(
            [
                "strace", "-f", "-qq", "-s", "4096", "-e", "trace=open,openat,openat2,execve", "-o", log,
                Self.tool,
            ]
                + arguments, in: place, timeout: .seconds(60))
        #expect(result.status != .signal(0), "\(arguments) hangs")
        let text = String(decoding: try Files.read(log, limit: 1 << 27), as: UTF8.self)
        var calls = Calls()
        var others: Set<Substring> = []
        for line in text.split(separator: "\n") {
            guard let process = line.split(separator: " ").first else { continue }
            if let path = argument(of: "execve(", in: line) {
                let isOurs = path == Self.tool || path == "/proc/self/exe"
                if isOurs { others.remove(process) } else { others.insert(process) }
                // Refused attempts of a search through PATH execute nothing.
                if !line.contains("= -1 ") {
                    calls.executed.append(isOurs ? "freeze-profile" : Files.name(of: path))
                }
            } else if !others.contains(process), line.contains(" open"), line.contains(place),
                !line.contains(") = -1 ENOENT")
            {
                calls.opened.append(String(line))
            }
        }
        return calls
    }

    private func argument(of call: String, in line: Substring) -> String? {
        let parts = line.split(separator: "\"", omittingEmptySubsequences: false)
        return parts.count > 2 && parts[0].hasSuffix(call) ? String(parts[1]) : nil
    }

    /// Whether an open is one of the door's: it never waits, or makes a new file, or only names a directory.
    private func isOfTheDoor(_ call: String) -> Bool {
        ["O_NONBLOCK", "O_EXCL", "O_DIRECTORY", "O_PATH"].contains { call.contains($0) }
            && call.contains("O_CLOEXEC")
    }

    @Test(
        "Readers open nothing outside the door, and execute nothing but git",
        arguments: [
            ["verify", "v1"], ["verify", "v3"], ["verify", "v4"], ["verify", "v5"], ["list"], ["history"],
            ["diff", "v1", "v2"], ["diff", "v1", "v3"], ["report", "v1", "v2", "--output", "r.html"],
            ["prune"],
        ])
    func readers(arguments: [String]) throws {
        let calls = try trace(arguments + ["--profiles", "\(place)/shelf"])
        for call in calls.opened { #expect(isOfTheDoor(call), "\(call)") }
        #expect(Set(calls.executed).subtracting(["freeze-profile", "git"]).isEmpty, "\(calls.executed)")
        // The trace saw the tool at all.
        #expect(calls.executed.first == "freeze-profile")
    }

    @Test("Measuring commands open nothing outside the door, and execute nothing but what SECURITY.md lists")
    func measuring() throws {
        let command = ["--", "/bin/sleep", "0.3"]
        for arguments in [
            ["monitor", "--output-dir", "\(place)/out"] + command,
            [
                "capture", "--version", "n", "--output", "\(place)/new/n.yaml", "--output-dir",
                "\(place)/out",
                "--skip-warmup", "--stack-runs", "0", "--canaries", "0",
            ] + command,
        ] {
            let calls = try trace(arguments)
            for call in calls.opened { #expect(isOfTheDoor(call), "\(call)") }
            #expect(
                Set(calls.executed).subtracting(["freeze-profile", "git", "sleep"]).isEmpty,
                "\(calls.executed)")
            #expect(calls.executed.contains("sleep"))
        }
    }
}
