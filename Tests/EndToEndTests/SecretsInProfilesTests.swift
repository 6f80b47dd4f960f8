import FrozenProfile
import LinuxProcess
import LinuxSystem
import Measurement
import TestSupport
import Testing

/// What is stored and drawn of a command line that holds secrets.
@Suite("Secrets and commands in profiles", .serialized)
struct SecretsInProfilesTests {
    private let toolkit: Toolkit
    private var place: String { toolkit.directory.path }
    private static let secret = "hunter2hunter2"

    init() throws {
        toolkit = try Toolkit()
    }

    private func capture(_ version: String, _ options: [String], _ script: String) throws -> CommandResult {
        try toolkit.capture(
            version, options + ["--skip-warmup", "--records", "\(place)/records-\(version)"],
            [
                "env", "API_TOKEN=\(Self.secret)", "sh", "-c", script, "sh", "--password", Self.secret,
                "http://me:\(Self.secret)@host/",
            ])
    }

    /// The files below the test's directory that hold the secret.
    private func holders() throws -> String {
        try runCommand(["grep", "-rl", Self.secret, place]).standardOutput
    }

    @Test("No file of a capture and no line on the terminal holds a value whose name speaks of a secret")
    func captured() throws {
        let spin = "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done"
        let result = try capture("v1", ["--monitor"], spin)
        #expect(result.status == .code(0), "\(result.standardError)")
        #expect(try holders() == "")
        #expect(!(result.standardOutput + result.standardError).contains(Self.secret))
        #expect(result.standardError.contains("3 values of the command look like a secret"))
        #expect(try toolkit.text(toolkit.yaml("v1")).contains(SecretRedaction.mark))
        let failed = try capture("v2", [], "echo \"cannot log in with $4\" >&2; exit 3")
        #expect(failed.status == .code(4))
        #expect(!failed.standardError.contains(Self.secret), "\(failed.standardError)")
        let kept = try capture("v3", ["--no-redact"], "true")
        #expect(kept.status == .code(0), "\(kept.standardError)")
        #expect(try toolkit.text(toolkit.yaml("v3")).contains(Self.secret))
    }

    @Test("A picture of samples does not hold them, and paths of the home directory are relative")
    func sampled() throws {
        let svg = "\(place)/p.svg"
        let result = try runCommand(
            [
                BuiltProduct.path("freeze-profile"), "sample", "--sampler", "native", "--output", svg, "--",
                "sh", "-c",
                "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done", "\(place)/home/data",
                "--token=\(Self.secret)",
            ], environment: ["HOME": "\(place)/home"])
        #expect(result.status == .code(0), "\(result.standardError)")
        let picture = try toolkit.text(svg)
        #expect(!picture.contains(Self.secret) && picture.contains(SecretRedaction.mark))
        #expect(picture.contains("~/data") && !picture.contains("\(place)/home"))
    }

    @Test("Neither ab nor calibrate nor blame keeps them, and no later command prints them")
    func otherCommands() throws {
        let tool = BuiltProduct.path("freeze-profile")
        let words = [
            "env", "API_TOKEN=\(Self.secret)", "sh", "-c", "sleep 0.02", "sh", "--password", Self.secret,
        ]
        let command = "env API_TOKEN=\(Self.secret) sh -c 'sleep 0.02' sh --password \(Self.secret)"
        let repository = """
            mkdir repository; cd repository; git init -q .; git config user.email a@b; git config user.name n
            echo one > file; git add .; git commit -qm one; echo two > file; git commit -qam two
            """
        let made = try runCommand(["sh", "-ec", repository], in: place)
        try #require(made.status == .code(0), "\(made.standardError)")
        for arguments in [
            [
                "ab", "--a", command, "--b", command.replacing("0.02", with: "0.03"), "--pairs", "2",
                "--keep",
                "\(place)/kept", "--output", "\(place)/ab.html",
            ],
            ["diff", "\(place)/kept/a.yaml", "\(place)/kept/b.yaml", "--allow", "recipe"],
            ["report", "\(place)/kept/a.yaml", "--output", "\(place)/report.html"],
            ["export", "--profiles", "\(place)/kept", "--by", "run"],
            ["list", "--profiles", "\(place)/kept"],
            ["history", "--profiles", "\(place)/kept"],
            [
                "calibrate", "--sessions", "2", "--runs", "3", "--dataset-id", "d", "--profiles",
                "\(place)/shelf",
                "--",
            ] + words,
            [
                "blame", "HEAD~1", "HEAD", "--build", "true", "--by", "time", "--pairs", "8", "--profiles",
                "\(place)/shelf", "--output", "\(place)/invoice", "--",
            ] + words,
        ] {
            let result = try runCommand([tool] + arguments, in: "\(place)/repository")
            #expect(
                !(result.standardOutput + result.standardError).contains(Self.secret),
                "\(arguments[0]): \(result)")
            #expect(try holders() == "", "\(arguments[0])")
        }
        // What is looked through was written.
        for name in ["kept/a.yaml", "ab.html", "report.html", "shelf/ledger", "shelf/.blame"] {
            #expect(Files.exists("\(place)/\(name)"), "\(name)")
        }
    }

    @Test(
        "diff --remeasure shows both commands, and runs no command of a profile that does not verify unless confirmed"
    )
    func remeasure() throws {
        for (version, word) in [("v1", "one"), ("v2", "two")] {
            let result = try toolkit.capture(
                version, ["--skip-warmup", "--stack-runs", "0", "--records", "\(place)/records-\(version)"],
                ["sh", "-c", "echo \(word) >> \(place)/ran"])
            #expect(result.status == .code(0), "\(result.standardError)")
        }
        try Files.remove("\(place)/ran")
        let options = ["--remeasure", "--pairs", "1"]
        let shown = try toolkit.diff("v1", "v2", options)
        #expect(
            shown.standardError.contains("echo one") && shown.standardError.contains("echo two"), "\(shown)")
        #expect(Files.exists("\(place)/ran"), "\(shown.standardError)")
        try Files.remove("\(place)/ran")
        let edited = try toolkit.text(toolkit.yaml("v2")).replacing("echo two", with: "echo evil")
        try Files.replace(toolkit.yaml("v2"), with: edited)
        let refused = try toolkit.diff("v1", "v2", options)
        #expect(refused.status == .code(66), "\(refused)")
        #expect(refused.standardError.contains("confirm with --yes"), "\(refused.standardError)")
        #expect(!Files.exists("\(place)/ran"))
        let confirmed = try toolkit.diff("v1", "v2", options + ["--yes"])
        #expect(confirmed.standardError.contains("echo evil"), "\(confirmed.standardError)")
        #expect(try toolkit.text("\(place)/ran").contains("evil"))
        try Files.remove("\(place)/ran")
        // A command of the user's own needs no profile's word.
        let own = try toolkit.diff("v1", "v2", options + ["--b", "sh -c 'echo own >> \(place)/ran'"])
        #expect(try toolkit.text("\(place)/ran").contains("own"), "\(own.standardError)")
    }
}
