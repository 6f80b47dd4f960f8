import FrozenProfile
import LinuxProcess
import LinuxSystem
import Measurement
import ProfileSamples
import ProfileStore
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
            mkfifo gate.yaml references archive; ln -s /etc references/x 2> ../errors || :
            mkfifo ../stacks.fifo; ln -s /dev/zero ../stacks.zero; printf 'a;b 3\n' > ../stacks.folded
            mkfifo ../out/.pipeline_status.json ../out/.pipeline_events.jsonl ../out/.pipeline_facts.json
            mv ../many/* .; rm many2.runs.jsonl.gz many3.runs.jsonl.gz; mkfifo many2.runs.jsonl.gz
            ln -s /etc/shadow many3.runs.jsonl.gz; mkfifo .blame
            mkdir ../kept; mkfifo ../kept/a.yaml ../kept/records
            mkdir -p ../starter/data/profiles ../starter/.github; mkfifo ../starter/Makefile ../starter/.gitignore
            ln -s /etc/shadow ../starter/data/profiles/README.md
            mkdir -p ../slurm1/.slurm/results ../slurm2/.slurm; mkfifo ../slurm1/.slurm/results/s2 ../slurm2/.slurm/jobs.json
            """
        let store = ProfileStore(directory: "\(place)/many")
        for name in ["many", "many2", "many3"] {
            try store.freeze(try Samples.profile(runs: 200, release: name), as: VersionName(name))
        }
        try Files.createDirectories("\(place)/formats")
        try run(script, ["TOOL": Self.tool])
        try run("cp \(BuiltProduct.fixture("formats"))/* formats")
        try run(Self.traps)
    }

    private func run(_ script: String, _ environment: [String: String] = [:]) throws {
        let result = try runCommand(["sh", "-ec", script], environment: environment, in: place)
        try #require(result.status == .code(0), "\(result.standardOutput) \(result.standardError)")
    }

    /// A repository that names a program wherever git would run one, and in it programs named as ours are; and a Slurm
    /// that runs a job at once.
    private static let traps = """
        mkdir repository slurm-bin; printf '#!/bin/sh\nexit 0\n' > trap; chmod +x trap; trap=$PWD/trap; cd repository
        git init -q .; git config user.email a@b; git config user.name n
        for tool in git sbatch squeue sacct scancel scontrol py-spy true qemu-x86_64 tmux heaptrack; do cp ../trap $tool; done
        echo '* filter=trap diff=trap' > .gitattributes; echo one > file; git add .; git commit -qm one
        echo two > file; git commit -qam two
        for hook in post-checkout post-index-change reference-transaction pre-commit; do cp ../trap .git/hooks/$hook; done
        for key in core.fsmonitor core.sshCommand core.pager core.alternateRefsCommand filter.trap.clean \
            filter.trap.smudge filter.trap.process diff.trap.textconv diff.trap.command diff.external gpg.program; do
            git config $key "$trap"; done
        git config filter.trap.required true; git config core.hooksPath "$PWD/.git/hooks"; cd ../slurm-bin
        printf '#!/bin/sh\\nexit 0\\n' > scancel; printf '#!/bin/sh\\nexit 1\\n' > sacct
        cat > sbatch <<'END'
        #!/bin/sh
        for word; do script=$word; done
        SLURM_ARRAY_JOB_ID=7 SLURM_ARRAY_TASK_ID=1 sh "$script" >&2; echo 7
        END
        cat > squeue <<'END'
        #!/bin/sh
        for word; do case $word in --name=*) name=${word#--name=};; esac; done
        echo "7|1|COMPLETED|n1|00:01|${name%%,*}|None"
        END
        cp sacct scontrol; cp sacct srun; chmod +x *
        """

    /// What the tool's own processes did: what they opened below the hostile directory, and all that was executed.
    private struct Calls {
        var opened: [String] = []
        var executed: [String] = []
        /// Whether a program that lies in the hostile directory was executed.
        var planted = false
    }

    private func trace(
        _ arguments: [String], in directory: String? = nil, environment: [String: String] = [:]
    ) throws -> Calls {
        let log = "\(place)/calls"
        let result = try runCommand(
            [
                "strace", "-f", "-qq", "-s", "4096", "-e", "trace=open,openat,openat2,execve", "-o", log,
                Self.tool,
            ]
                + arguments, environment: environment, in: directory ?? place, timeout: .seconds(100))
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
                    if path.hasPrefix("\(place)/repository") || !path.hasPrefix("/")
                        || path.hasSuffix("/trap")
                    {
                        calls.planted = true
                    }
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

    @Test("Readers open nothing outside the door, and execute nothing but git")
    func readers() throws {
        for arguments in [
            ["verify", "v1"], ["verify", "v3"], ["verify", "v4"], ["verify", "v5"], ["list"], ["history"],
            ["diff", "v1", "v2"], ["diff", "v1", "v3"], ["report", "v1", "v2", "--output", "r.html"],
            ["gate", "v1", "v2"], ["gate", "v1", "v3"], ["calibrate", "--from", "v1"], ["export"],
            ["export", "--by", "run", "--format", "csv"], ["verify", "many"], ["verify", "many2"],
            ["verify", "many3"], ["diff", "many", "many2"], ["diff", "many3", "many"],
            ["report", "many", "many2", "--output", "r.html"],
            ["export", "--by", "run", "many", "many2", "many3"],
            ["gate", "many", "many2", "--undecided", "measure", "--a", "/bin/true", "--b", "/bin/true"],
            ["blame", "many", "many2", "--build", "true", "--", "/bin/true"],
            // What writes comes last.
            [
                "gate", "v1", "v2", "--accept", "total.wall", "--until", "2099-12-31", "--reason", "r",
                "--owner", "o", "--markdown", "g.md", "--junit", "g.xml",
            ],
            ["prune"], ["promote", "--reason", "r", "v1", "x"], ["promote", "--reason", "r", "v3", "y"],
            ["promote", "--reason", "r", "many3", "z"], ["archive", "many2"], ["archive", "v3"],
            ["archive", "v1"],
        ] { try expectOnlyTheDoor(arguments + ["--profiles", "\(place)/shelf"]) }
    }

    @Test(
        "What takes no shelf opens nothing outside the door either, and waits for nothing that was not asked for"
    )
    func others() throws {
        let formats = try Files.names(inDirectory: BuiltProduct.fixture("formats")).sorted()
        try #require(formats.count > 5)
        for arguments in [
            ["render", "@/stacks.folded", "--output", "@/p.svg"],
            ["render", "@/stacks.zero", "--output", "@/p.svg"],
            ["render", "--diff", "@/stacks.folded", "@/formats/perf-script.txt", "--output", "@/p.svg"],
            ["freeze", "--version", "v9", "--output", "@/new/v9.yaml", "@/records"], ["doctor"],
            ["stage", "a", "--status-file", "@/out/.pipeline_status.json"], ["completion", "bash"],
            ["list", "--profiles", "@/shelf", "--update-readme", "@/stacks.zero"],
        ] + formats.map({ ["render", "@/formats/\($0)", "--output", "@/p.folded"] }) {
            try expectOnlyTheDoor(
                arguments.map { $0.replacing("@", with: place) },
                executing: ["freeze-profile", "git", "true"])
        }
        try expectOnlyTheDoor(
            ["init", "--profiles", "data/profiles", "--", "./pipeline"], in: "\(place)/starter")
    }

    @discardableResult
    private func expectOnlyTheDoor(
        _ arguments: [String], executing allowed: Set<String> = ["freeze-profile", "git"],
        in directory: String? = nil, environment: [String: String] = [:]
    ) throws -> Calls {
        let calls = try trace(arguments, in: directory, environment: environment)
        for call in calls.opened { #expect(isOfTheDoor(call), "\(call)") }
        // `doctor` asks the engines of counted runs for their versions; valgrind's program starts two more.
        let engines = ["qemu-", "valgrind", "memcheck-"]
        let executed = Set(
            calls.executed.filter { name in
                arguments[0] != "doctor" || !engines.contains { name.hasPrefix($0) }
            })
        #expect(executed.subtracting(allowed).isEmpty, "\(calls.executed)")
        #expect(!calls.planted, "a program of the hostile directory was executed")
        // The trace saw the tool at all.
        #expect(calls.executed.first == "freeze-profile")
        return calls
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
            [
                "capture", "--version", "m", "--output", "\(place)/new/m.yaml", "--output-dir",
                "\(place)/out",
                "--monitor", "--skip-warmup", "--stack-runs", "1", "--sampler", "native", "--canaries", "0",
            ] + command,
            [
                "sample", "--sampler", "native", "--status-file", "\(place)/out/.pipeline_status.json",
                "--output", "\(place)/new.svg",
            ] + command,
            ["ab", "--a", "/bin/sleep 0.1", "--b", "/bin/sleep 0.1", "--pairs", "2"],
            [
                "ab", "--a", "/bin/sleep 0.1", "--b", "/bin/sleep 0.1", "--pairs", "2", "--keep",
                "\(place)/new-kept", "--stack-runs", "1",
            ],
            [
                "diff", "v1", "v2", "--profiles", "\(place)/shelf", "--remeasure", "--pairs", "2", "--yes",
                "--a", "/bin/sleep 0.1", "--b", "/bin/sleep 0.1",
            ],
        ] {
            let calls = try trace(arguments)
            for call in calls.opened { #expect(isOfTheDoor(call), "\(call)") }
            #expect(
                Set(calls.executed).subtracting(["freeze-profile", "git", "sleep"]).isEmpty,
                "\(calls.executed)")
            // Versions that do not verify are not measured again, whatever is said.
            #expect(calls.executed.contains("sleep") == (arguments[0] != "diff"), "\(arguments)")
        }
    }

    private var hostilePath: String {
        "\(place)/slurm-bin::.:\(place)/repository/../repository/relative:"
            + (CurrentProcess.environmentVariable("PATH") ?? "/usr/bin:/bin")
    }

    @Test(
        "blame over a hostile repository opens nothing outside the door, and runs git, the build and the command"
    )
    func blame() throws {
        let repository = "\(place)/repository"
        let calls = try expectOnlyTheDoor(
            [
                "blame", "HEAD~1", "HEAD", "--build", "/bin/echo built", "--by", "time", "--pairs", "8",
                "--profiles", "\(place)/blamed", "--", "/bin/sleep", "0.01",
            ], executing: ["freeze-profile", "git", "sh", "echo", "sleep"], in: repository,
            environment: ["PATH": hostilePath])
        #expect(Set(["git", "sh", "echo", "sleep"]).isSubset(of: calls.executed), "\(calls.executed)")
        // Records that cannot be kept where they are asked for: a named pipe has that name.
        try expectOnlyTheDoor(
            [
                "blame", "HEAD~1", "HEAD", "--build", "/bin/echo built", "--by", "time", "--pairs", "8",
                "--profiles", "\(place)/shelf", "--", "/bin/sleep", "0.01",
            ], executing: ["freeze-profile", "git", "sh", "echo", "sleep"], in: repository,
            environment: ["PATH": hostilePath])
    }

    @Test(
        "capture by Slurm runs Slurm's own tools, none that lies in a repository, and opens nothing outside the door"
    )
    func slurm() throws {
        for records in ["slurm1", "slurm2", "slurm3"] {
            let calls = try expectOnlyTheDoor(
                [
                    "capture", "--engine", "slurm", "--version", "s", "--sessions", "1", "--runs", "1",
                    "--skip-warmup", "--canaries", "0", "--stack-runs", "0", "--output",
                    "\(place)/new/\(records).yaml", "--records", "\(place)/\(records)", "--", "/bin/sleep",
                    "0.1",
                ],
                // The session's script says when it began and ended, and where.
                executing: [
                    "freeze-profile", "git", "sbatch", "squeue", "sacct", "scancel", "scontrol", "srun", "sh",
                    "date", "hostname",
                    "mv",
                    "sleep",
                ], in: "\(place)/repository", environment: ["PATH": hostilePath])
            #expect(
                calls.executed.contains("sbatch") == (records == "slurm3"), "\(records): \(calls.executed)")
        }
        // A whole session was made where nothing was in its way.
        #expect(Files.exists("\(place)/new/slurm3.yaml"))
    }

    @Test("Programs of ours are not looked for in a hostile repository, whatever PATH says")
    func programs() throws {
        let repository = "\(place)/repository"
        for arguments in [
            ["doctor"],
            [
                "capture", "--version", "p", "--output", "\(place)/new/p.yaml", "--skip-warmup",
                "--stack-runs",
                "1", "--canaries", "0", "--runs", "1", "--", "/bin/sleep", "0.2",
            ],
            [
                "capture", "--version", "q", "--output", "\(place)/new/q.yaml", "--skip-warmup",
                "--stack-runs",
                "0", "--canaries", "0", "--runs", "1", "--", "/bin/sleep", "0.2",
            ],
            ["diff", "p", "q", "--profiles", "\(place)/new"],
            ["report", "p", "q", "--profiles", "\(place)/new", "--output", "\(place)/r.html"],
            ["gate", "p", "q", "--profiles", "\(place)/new"],
            ["sample", "--output", "\(place)/p.folded", "--", "/bin/sleep", "0.2"],
            ["monitor", "--memray", "--output-dir", "\(place)/monitored", "--", "/bin/sleep", "0.2"],
        ] {
            let calls = try trace(arguments, in: repository, environment: ["PATH": hostilePath])
            #expect(!calls.planted, "\(arguments): a program of the repository was executed")
            #expect(calls.executed.first == "freeze-profile")
        }
    }

    @Test("ab keeps nothing where pipes lie, and does not wait for them")
    func keptOverPipes() throws {
        try expectOnlyTheDoor(
            [
                "ab", "--a", "/bin/sleep 0.05", "--b", "/bin/sleep 0.05", "--pairs", "2", "--keep",
                "\(place)/kept",
            ], executing: ["freeze-profile", "git", "sleep"])
    }
}
