import FrozenProfile
import LinuxProcess
import LinuxSystem
import Measurement
import TestSupport
import Testing

/// Targets that change, under the sampler's hands, what it has to read of them. What hangs fails by its time limit.
@Suite(
    "Targets that mean harm", .serialized,
    .enabled(if: Programs.installed("cc") != nil, "no C compiler is installed"))
struct HostileTargetsTests {
    private static let tool = BuiltProduct.path("freeze-profile")
    private static let isRoot = CurrentProcess.userID == 0
    private static let limit = Duration.seconds(60)

    private let directory: TemporaryDirectory
    private var place: String { directory.path }

    /// A library, and a program that runs its code for a second, or for as many as it is given.
    init() throws {
        directory = try TemporaryDirectory()
        let script = """
            cat > lib.c <<'END'
            volatile unsigned long x;
            __attribute__((noinline)) void inner(void) { for (int i = 0; i < 300000; i++) x += i; }
            void work(void) { for (int i = 0; i < 10; i++) inner(); }
            END
            cat > mapit.c <<'END'
            #include <dlfcn.h>
            #include <stdlib.h>
            #include <time.h>
            int main(int count, char **words) {
                void *library = dlopen(words[1], RTLD_NOW);
                if (!library) return 9;
                void (*work)(void) = dlsym(library, "work");
                for (time_t end = time(0) + atoi(words[2]); time(0) < end;) work();
                return 0;
            }
            END
            cc -g -O1 -shared -fPIC -o lib.so lib.c; cc -g -O1 -o mapit mapit.c; chmod a+rx .
            """
        try shell(script)
    }

    @discardableResult
    private func shell(_ script: String) throws -> CommandResult {
        let result = try runCommand(["sh", "-ec", script], in: place, timeout: Self.limit)
        try #require(result.status == .code(0), "\(result.standardError)")
        return result
    }

    private func run(_ arguments: [String]) throws -> CommandResult {
        let result = try runCommand([Self.tool] + arguments, in: place, timeout: Self.limit)
        #expect(result.status != .signal(0), "\(arguments) did not end within \(Self.limit)")
        return result
    }

    private func sample(_ script: String) throws -> CommandResult {
        try run(["sample", "--sampler", "native", "--output", "\(place)/p.folded", "--", "sh", "-c", script])
    }

    private func stacks() throws -> String {
        String(decoding: try Files.read("\(place)/p.folded", limit: 1 << 24), as: UTF8.self)
    }

    /// The name of the change, what makes it, and whether the file that was sampled is lost by it.
    private static let changes: [(change: String, loses: Bool)] = [
        (": > used.so", true), ("head -c 5000 lib.so > used.so", true), ("cp other.so used.so", true),
        ("rm used.so; mkfifo used.so", false), ("mv other.so used.so", false),
    ]

    @Test(
        "A library that is cut short, overwritten or replaced after it was sampled costs at most its names, with a note",
        arguments: changes, ["", "-Wl,--build-id=none"])
    func changedLibrary(change: (change: String, loses: Bool), option: String) throws {
        // The program has a copy of its own, which is not hurt by what befalls the file that is sampled.
        try shell("cc -g -O1 \(option) -shared -fPIC -o used.so lib.c")
        try shell(
            "sed 's/inner/other/' lib.c > other.c; cc -g -O0 \(option) -shared -fPIC -o other.so other.c")
        let result = try sample(
            "./mapit ./lib.so 3 & ./mapit ./used.so 2 & sleep 2.5; \(change.change); wait")
        #expect(result.status == .code(0), "\(result.standardError)")
        let drawn = try stacks()
        #expect(drawn.contains("inner"), "\(result.standardError)")
        #expect(!drawn.contains("other"), "named by another library")
        let note = "used.so': the file was overwritten or cut short after the process had mapped it"
        #expect(result.standardError.contains(note) == change.loses, "\(result.standardError)")
    }

    @Test(
        "A library that is cut short or overwritten while it is executed ends its program at most, never the sampler",
        arguments: [": > used.so", "cp other.so used.so", "truncate -s 4096 used.so"], ["native", "wall"])
    func changedMeanwhile(change: String, way: String) throws {
        try shell("cp lib.so used.so; cc -g -O0 -shared -fPIC -o other.so lib.c")
        let script = "./mapit ./lib.so 3 & ./mapit ./used.so 3 & sleep 1; \(change); wait; exit 0"
        let mode = way == "wall" ? ["--mode", "wall"] : []
        let result = try run(
            ["sample", "--sampler", "native", "--output", "\(place)/p.folded"] + mode
                + ["--", "sh", "-c", script])
        #expect(result.status == .code(0), "\(result.standardError)")
        #expect(try stacks().contains("inner"), "\(result.standardError)")
        #expect(result.standardError.contains("used.so"), "\(result.standardError)")
    }

    @Test(
        "Names of compiled code that another user puts in place of its map are not read, and block nothing",
        .enabled(if: isRoot, "a second user needs root"),
        arguments: ["ln -s", "ln", "mkfifo", "truncate"])
    func compiledCode(trap: String) throws {
        try shell("cc -O1 -o jit \(BuiltProduct.fixture("native/jit.c")); chmod a+rx jit")
        // Hard links are made by root here: the kernel refuses them to others where fs.protected_hardlinks is set.
        let plant =
            switch trap {
            case "mkfifo": "setpriv --reuid=65534 --clear-groups mkfifo $map"
            case "truncate": "setpriv --reuid=65534 --clear-groups truncate -s 3G $map"
            default: "\(trap) \(place)/secret $map"
            }
        let script = """
            printf '0 ffffffffffffff TOP-SECRET\\n' > secret; chmod 600 secret
            setpriv --reuid=65534 --clear-groups ./jit 100000 & map=/tmp/perf-$!.map
            for i in $(seq 100); do [ -s $map ] && break; sleep 0.05; done
            rm -f $map; \(plant)
            "$TOOL" sample --sampler native --pid $! --duration 1 --output p.folded; code=$?
            kill $!; rm -f $map; exit $code
            """
        let result = try runCommand(
            ["sh", "-c", script], environment: ["TOOL": Self.tool], in: place, timeout: Self.limit)
        #expect(result.status == .code(0), "\(trap): \(result.standardError)")
        #expect(try !stacks().contains("TOP-SECRET"), "\(trap)")
        // What was not read is named, with the reason.
        #expect(result.standardError.contains("'/tmp/perf-"), "\(trap): \(result.standardError)")
    }

    @Test(
        "A named pipe mounted over a library in the target's own namespace blocks nothing",
        .enabled(
            if: isRoot && Programs.installed("unshare") != nil, "a mount namespace needs root and unshare"))
    func mountedPipe() throws {
        try shell("cp lib.so used.so; mkfifo pipe")
        let result = try sample(
            "unshare -m sh -c './mapit ./used.so 3 & sleep 1; mount --bind pipe used.so; wait'")
        #expect(result.status == .code(0), "\(result.standardError)")
        // The same for a process that runs already, whose libraries are first looked at now.
        let script = """
            unshare -m sh -c './mapit ./used.so 20 & echo $! > pid; sleep 0.5; mount --bind pipe used.so; : > ready; wait' &
            for i in $(seq 200); do [ -e ready ] && break; sleep 0.1; done
            "$TOOL" sample --sampler native --pid "$(cat pid)" --duration 1 --output late.folded; code=$?
            kill "$(cat pid)"; wait; exit $code
            """
        let late = try runCommand(
            ["sh", "-c", script], environment: ["TOOL": Self.tool], in: place, timeout: Self.limit)
        #expect(late.status == .code(0), "\(late.standardError)")
    }

    @Test(
        "A pipe, or a link to something large, in place of the monitor's log harms no capture",
        arguments: ["mkfifo .monitor.log", "ln -s /dev/zero .monitor.log", "ln -s ../big .monitor.log"])
    func log(trap: String) throws {
        try shell("mkdir -p out; truncate -s 3G big")
        let script = "cd \"$PIPELINE_OUTPUT_DIR\"; sleep 0.5; rm -f .monitor.log; \(trap); sleep 0.5"
        let result = try run([
            "capture", "--version", "v1", "--output", "\(place)/shelf/v1.yaml", "--records",
            "\(place)/records",
            "--skip-warmup", "--stack-runs", "0", "--canaries", "0", "--monitor", "--output-dir",
            "\(place)/out",
            "--", "sh", "-c", script,
        ])
        #expect(result.status == .code(0), "\(result.standardError)")
        let size = try Files.size("\(place)/shelf/v1\(CompanionKind.monitorLog.suffix)")
        #expect(size > 0 && size < 1 << 20)
    }

    @Test(
        "Control characters in the names of a process reach neither terminal nor file",
        .enabled(if: Programs.installed("perl") != nil, "perl is not installed"))
    func names() throws {
        // Perl's $0 sets both the argument and the kernel's name of the process.
        let script = "$0 = \"\\e]0;X\\a\\e[2J)\"; my $end = time + 2; 1 while time < $end"
        let result = try run([
            "sample", "--sampler", "native", "--by", "process", "--output", "\(place)/p.folded", "--", "perl",
            "-e", script,
        ])
        #expect(result.status == .code(0), "\(result.standardError)")
        let escape: Character = "\u{1B}"
        #expect(try !stacks().contains(escape))
        #expect(!(result.standardOutput + result.standardError).contains(escape))
    }

    @Test(
        "A secret that a program shows as its own name is redacted, also where the kernel has cut it",
        .enabled(if: Programs.installed("perl") != nil, "perl is not installed"), arguments: [false, true])
    func secretNames(keeps: Bool) throws {
        let script = "$0 = \"db $ARGV[1]\"; my $end = time + 2; 1 while time < $end"
        let result = try run(
            ["sample", "--sampler", "native", "--by", "process", "--output", "\(place)/p.folded"]
                + (keeps ? ["--no-redact"] : []) + [
                    "--", "perl", "-e", script, "--", "--password", "hunter2hunter2hunter2",
                ])
        #expect(result.status == .code(0), "\(result.standardError)")
        let drawn = try stacks()
        #expect(drawn.contains("hunter2") == keeps, "\(drawn.prefix(400))")
    }

    @Test(
        "The command of a capture, a sample and a monitor gets no descriptor of ours, and no variable but its own"
    )
    func inherits() throws {
        // The commands inherit what we have inherited from the process that runs the tests.
        let bare = try shell("ls /proc/self/fd | wc -l").standardOutput
        let script = "ls /proc/self/fd | wc -l > \(place)/fds; env | sed 's/=.*//' | sort > \(place)/names"
        for words in [
            ["monitor", "--output-dir", "\(place)/out"],
            ["sample", "--sampler", "native", "--output", "\(place)/p.folded"],
            [
                "capture", "--version", "v1", "--output", "\(place)/s/v1.yaml", "--skip-warmup",
                "--stack-runs",
                "1", "--sampler", "native", "--canaries", "0",
            ],
        ] {
            _ = try run(words + ["--", "sh", "-c", script])
            #expect(try shell("cat fds").standardOutput == bare, "\(words[0])")
            let own = Set(try shell("env | sed 's/=.*//'").standardOutput.split(separator: "\n"))
            let got = Set(try shell("cat names").standardOutput.split(separator: "\n"))
            // Where the steps of one run on several nodes leave their accounts.
            let ours: Set<Substring> =
                words[0] == "capture"
                ? ["PODCAST_SCRAPER_MONITOR_FILE_LOG", "FREEZE_PROFILE_TASKS"]
                : ["PODCAST_SCRAPER_MONITOR_FILE_LOG"]
            let added = got.subtracting(own).filter { !$0.hasPrefix("PIPELINE_") && !ours.contains($0) }
            #expect(added.isEmpty, "\(words[0]): \(added)")
        }
    }
}
