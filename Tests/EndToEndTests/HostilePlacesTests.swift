import FrozenProfile
import LinuxProcess
import LinuxSystem
import Measurement
import TestSupport
import Testing

/// Pipelines, users and repositories that put links and pipes where the tool reads. What hangs fails by its time limit.
@Suite("Places where others write", .serialized)
struct HostilePlacesTests {
    private static let tool = BuiltProduct.path("freeze-profile")
    private static let isRoot = CurrentProcess.userID == 0
    private static let needsRoot: Comment = "a second user needs root"
    private static let nobody: UInt32 = 65534
    private static let limit = Duration.seconds(60)

    private let directory: TemporaryDirectory
    private var place: String { directory.path }

    init() throws {
        directory = try TemporaryDirectory()
    }

    private func shell(_ script: String) throws {
        let result = try runCommand(["sh", "-ec", script], in: place)
        try #require(result.status == .code(0), "\(result.standardError)")
    }

    private func run(_ arguments: [String], environment: [String: String] = [:]) throws -> CommandResult {
        let result = try runCommand(
            [Self.tool] + arguments, environment: environment, in: place, timeout: Self.limit)
        #expect(result.status != .signal(0), "\(arguments) did not end within \(Self.limit)")
        return result
    }

    private func capture(_ script: String, _ options: [String] = [], as user: [String] = []) throws
        -> CommandResult
    {
        try run(
            [
                "capture", "--version", "v1", "--output", "\(place)/shelf/v1.yaml", "--records",
                "\(place)/records",
                "--skip-warmup", "--stack-runs", "0", "--canaries", "0",
            ] + options + ["--"] + user + ["sh", "-c", script])
    }

    /// Whether a word stands in any file below a directory.
    private func contains(_ word: String, below path: String) throws -> Bool {
        try runCommand(["grep", "-rqs", word, path]).status == .code(0)
    }

    @Test(
        "A link that another user's pipeline puts in place of a log or a status file publishes nothing",
        .enabled(if: isRoot, needsRoot))
    func links() throws {
        try shell(
            """
            mkdir shelf records out; chmod a+x .; chown 65534 out; umask 077
            echo 'TOP-SECRET' > secret; printf '{"version": "TOP-SECRET"}\\n' > facts
            printf '{"stage": "TOP-SECRET"}\\n' > status
            """)
        let script = """
            cd "$PIPELINE_OUTPUT_DIR"; echo '{"stage": "work"}' > .s; mv .s .pipeline_status.json; sleep 0.7
            rm -f .monitor.log; ln -s ../secret .monitor.log
            ln -sf ../facts .pipeline_facts.json; rm .pipeline_status.json; ln -s ../status .pipeline_status.json
            sleep 0.7
            """
        let result = try capture(
            script, ["--monitor", "--output-dir", "\(place)/out", "--sample-interval", "0.1"],
            as: ["setpriv", "--reuid=\(Self.nobody)", "--clear-groups"])
        #expect(result.status == .code(0), "\(result.standardError)")
        #expect(try !contains("TOP-SECRET", below: "\(place)/shelf"))
        #expect(try !contains("TOP-SECRET", below: "\(place)/records"))
        // The monitor's own log is whole, wherever the pipeline put its link.
        let log = "\(place)/shelf/v1\(CompanionKind.monitorLog.suffix)"
        #expect(try String(decoding: Files.read(log, limit: 1 << 20), as: UTF8.self).contains(" stage=work "))
        #expect(result.standardError.contains("TOP-SECRET") == false)
    }

    @Test(
        "Nothing is written through a link in place of 'debug', nor into a directory that another user can exchange",
        .enabled(if: isRoot, needsRoot),
        arguments: [
            "mkdir out; ln -s ../elsewhere out/debug", "mkdir out; chown 65534 out",
            "mkdir -m 777 out out/debug",
        ])
    func debugDirectory(planted: String) throws {
        try shell("mkdir elsewhere; \(planted)")
        let tool = BuiltProduct.path("freeze-profile")
        let refused = try runCommand(
            [tool, "monitor", "--memray", "--output-dir", "out", "--", "true"], in: place)
        #expect(refused.status == .code(73), "\(refused)")
        #expect(
            refused.standardError.contains("Cannot write to '\(place)/out/debug': '\(place)/out"),
            "\(refused)")
        #expect(try Files.names(inDirectory: "\(place)/elsewhere").isEmpty)
        // One of the caller's own is written to.
        let made = try runCommand(
            [tool, "monitor", "--memray", "--output-dir", "own", "--", "/bin/true"], in: place)
        #expect(made.status == .code(0), "\(made)")
        #expect(try !Files.names(inDirectory: "\(place)/own/debug").isEmpty)
    }

    @Test(
        "A link in place of a status file, trace or facts publishes nothing, whatever command reads it",
        .enabled(if: isRoot, needsRoot), arguments: ["monitor", "sample", "capture --leave-running"])
    func statusLinks(command: String) throws {
        try shell(
            """
            mkdir out cwd shelf; chmod a+x .; chown 65534 out; umask 077
            printf '{"stage": "TOP-SECRET", "version": "TOP-SECRET"}\\n' > secret
            printf '{"event":"begin","stage":"TOP-SECRET","monotonic_ns":1}\\n' > trace
            """)
        let script = """
            cd \(place)/out; echo '{"stage": "work"}' > .s; mv .s .pipeline_status.json; sleep 0.3
            ln -sf ../trace .pipeline_events.jsonl; ln -sf ../secret .pipeline_facts.json
            rm .pipeline_status.json; ln -s ../secret .pipeline_status.json
            i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; sleep 0.3
            """
        let target =
            ["--", "setpriv", "--reuid=\(Self.nobody)", "--clear-groups", "sh", "-c", script]
        let status = "\(place)/out/.pipeline_status.json"
        let options =
            switch command {
            case "monitor": ["monitor", "--output-dir", "\(place)/out", "--interval", "0.1"]
            case "sample":
                [
                    "sample", "--sampler", "native", "--status-file", status, "--by", "stage", "--output",
                    "\(place)/cwd/p.folded",
                ]
            default:
                [
                    "capture", "--leave-running", "--version", "v1", "--output", "\(place)/shelf/v1.yaml",
                    "--records", "\(place)/records", "--skip-warmup", "--stack-runs", "1", "--sampler",
                    "native",
                    "--canaries", "0", "--runs", "1", "--output-dir", "\(place)/out",
                ]
            }
        let result = try run(options + target)
        #expect(result.status == .code(0), "\(result.standardError)")
        #expect(!(result.standardOutput + result.standardError).contains("TOP-SECRET"), "\(result)")
        for name in ["cwd", "shelf", "records", "out/.monitor.log"] where Files.exists("\(place)/\(name)") {
            #expect(try !contains("TOP-SECRET", below: "\(place)/\(name)"), "\(name)")
        }
    }

    @Test(
        "A log of the monitor is not written through a link or into another file of its owner's",
        .enabled(if: isRoot, needsRoot))
    func log() throws {
        for trap in ["ln -s ../victim .monitor.log", "ln ../victim .monitor.log", "mkfifo .monitor.log"] {
            try shell(
                "rm -rf out victim; mkdir out; echo precious > victim; chown 65534 out; cd out; \(trap)")
            let result = try run([
                "monitor", "--output-dir", "\(place)/out", "--", "sh", "-c", "sleep 0.3; exit 3",
            ])
            #expect(result.status == .code(3))
            #expect(result.standardError.contains("The monitor's log"), "\(trap): \(result.standardError)")
            #expect(try Files.read("\(place)/victim", limit: 100) == Array("precious\n".utf8), "\(trap)")
        }
    }

    @Test(
        "Pipes in place of what a pipeline writes delay no command",
        arguments: ["monitor", "sample", "capture"])
    func pipes(command: String) throws {
        try shell("mkdir shelf records")
        let script = """
            d=$(dirname "$PIPELINE_STATUS_FILE"); sleep 0.3; rm -f "$PIPELINE_STATUS_FILE"
            mkfifo "$PIPELINE_STATUS_FILE" $d/.pipeline_events.jsonl $d/.pipeline_facts.json; sleep 0.7; exit 0
            """
        let result =
            switch command {
            case "monitor": try run(["monitor", "--output-dir", "\(place)/out", "--", "sh", "-c", script])
            case "sample":
                try run([
                    "sample", "--status-file", "\(place)/.pipeline_status.json", "--output", "\(place)/p.svg",
                    "--",
                    "sh", "-c", script,
                ])
            default: try capture(script, ["--stack-runs", "1"])
            }
        // A shell that sleeps may give no sample, which is an error of `sample` of its own.
        if command != "sample" { #expect(result.status == .code(0), "\(result.standardError)") }
        if command == "monitor" {
            #expect(result.standardError.contains("it is no regular file"), "\(result.standardError)")
        }
    }

    @Test("A pipe, device or link as profile or companion is refused, and said")
    func shelf() throws {
        let frozen = try capture("true", ["--monitor"])
        #expect(frozen.status == .code(0), "\(frozen.standardError)")
        try shell(
            """
            cd shelf; echo TOP-SECRET > ../secret; cp v1.yaml v2.yaml
            mkfifo v3.yaml; ln -s ../secret v4.yaml; ln -s v1.yaml latest.yaml; ln -s /dev/zero v5.yaml
            """)
        let shelf = "\(place)/shelf"
        for name in ["v3", "v4", "v5"] {
            let result = try run(["verify", name, "--profiles", shelf])
            #expect(result.status == .code(66) || result.status == .code(2), "\(name): \(result)")
            #expect(
                result.standardError.contains("regular file")
                    || result.standardError.contains("symbolic link"),
                "\(result)")
            #expect(!(result.standardOutput + result.standardError).contains("TOP-SECRET"))
            _ = try run(["diff", "v1", name, "--profiles", shelf])
            _ = try run(["report", "v1", name, "--profiles", shelf, "--output", "\(place)/report.html"])
        }
        _ = try run(["list", "--profiles", shelf])
        _ = try run(["history", "--profiles", shelf])
        _ = try run(["verify", "--profiles", shelf])
        #expect(try run(["verify", "latest", "--profiles", shelf]).status != .code(66))
        for trap in [
            "mkfifo v1.monitor.log", "ln -s ../secret v1.monitor.log", "ln -s /dev/zero v1.monitor.log",
        ] {
            try shell("cd shelf; rm -f v1.monitor.log; \(trap)")
            let result = try run(["verify", "v1", "--profiles", shelf])
            #expect(result.status != .code(0), "\(trap): \(result)")
            let said = result.standardOutput + result.standardError
            #expect(said.contains("regular file") || said.contains("symbolic link"), "\(trap): \(said)")
        }
    }

    @Test(
        "The environment of a watched process decides nowhere where root writes, and not what root reads",
        .enabled(if: isRoot, needsRoot))
    func environmentOfTarget() throws {
        try shell(
            "mkdir mine cwd; chmod 700 mine; printf '{\"stage\": \"TOP-SECRET\"}\\n' > mine/.pipeline_status.json"
        )
        for status in ["\(place)/mine/new/deep/.pipeline_status.json", "\(place)/mine/.pipeline_status.json"]
        {
            var request = ChildRequest([
                "setpriv", "--reuid=\(Self.nobody)", "--clear-groups", "sh", "-c", "sleep 2",
            ])
            request.environment = ["PIPELINE_STATUS_FILE": status]
            let child = try ChildProcess.start(request)
            let before = try Files.names(inDirectory: "\(place)/mine")
            let result = try runCommand(
                [Self.tool, "monitor", "--pid", "\(child.pid)", "--interval", "0.1"], in: "\(place)/cwd",
                timeout: Self.limit)
            #expect(result.status != .signal(0))
            #expect(try Files.names(inDirectory: "\(place)/mine") == before)
            #expect(try Files.names(inDirectory: "\(place)/cwd") == [".monitor.log"])
            #expect(try !contains("TOP-SECRET", below: "\(place)/cwd"))
        }
    }

    @Test(
        "sample reads no status file that another user's process names and cannot read itself, and writes nothing there",
        .enabled(if: isRoot, needsRoot))
    func environmentOfSampled() throws {
        try shell(
            "mkdir mine cwd; chmod 700 mine; printf '{\"stage\": \"TOP-SECRET\"}\\n' > mine/.pipeline_status.json"
        )
        for status in ["\(place)/mine/new/.pipeline_status.json", "\(place)/mine/.pipeline_status.json"] {
            var request = ChildRequest([
                "setpriv", "--reuid=\(Self.nobody)", "--clear-groups", "sh", "-c",
                "end=$(($(date +%s) + 4)); while [ $(date +%s) -lt $end ]; do :; done",
            ])
            request.environment = ["PIPELINE_STATUS_FILE": status]
            let child = try ChildProcess.start(request)
            let before = try Files.names(inDirectory: "\(place)/mine")
            let result = try runCommand(
                [
                    Self.tool, "sample", "--sampler", "native", "--pid", "\(child.pid)", "--duration", "1",
                    "--output", "\(place)/cwd/p.folded",
                ], in: "\(place)/cwd", timeout: Self.limit)
            #expect(result.status == .code(0), "\(result.standardError)")
            #expect(try Files.names(inDirectory: "\(place)/mine") == before)
            #expect(try Files.names(inDirectory: "\(place)/cwd") == ["p.folded"])
            #expect(try !contains("TOP-SECRET", below: "\(place)/cwd"))
            #expect(!(result.standardOutput + result.standardError).contains("TOP-SECRET"))
        }
    }

    @Test("A left output that a record names is removed only if it is a directory of this user's")
    func leftOutput() throws {
        // The record is another's word for a path: the link leads to a directory that must stay.
        try shell(
            "mkdir shelf records tmp victim; echo x > victim/x; ln -s ../victim tmp/freeze-profile-failed.abc"
        )
        let failed = try runCommand(
            [
                Self.tool, "capture", "--version", "v1", "--output", "\(place)/shelf/v1.yaml", "--records",
                "\(place)/records", "--skip-warmup", "--stack-runs", "0", "--canaries", "0", "--", "sh", "-c",
                "echo y > \"$PIPELINE_OUTPUT_DIR/y\"; test -e \(place)/go",
            ], environment: ["TMPDIR": "\(place)/tmp"], in: place, timeout: Self.limit)
        #expect(failed.status == .code(4), "\(failed.standardError)")
        try shell(
            """
            sed -i 's|freeze-profile-failed\\.[A-Za-z0-9]*|freeze-profile-failed.abc|' $(grep -rl left_output records)
            : > go
            """)
        let again = try runCommand(
            [
                Self.tool, "capture", "--version", "v1", "--output", "\(place)/shelf/v1.yaml", "--records",
                "\(place)/records", "--skip-warmup", "--stack-runs", "0", "--canaries", "0", "--", "sh", "-c",
                "echo y > \"$PIPELINE_OUTPUT_DIR/y\"; test -e \(place)/go",
            ], environment: ["TMPDIR": "\(place)/tmp"], in: place, timeout: Self.limit)
        #expect(again.status == .code(0), "\(again.standardError)")
        #expect(Files.exists("\(place)/victim/x"))
        #expect(again.standardError.contains("it is no directory"), "\(again.standardError)")
    }
}
