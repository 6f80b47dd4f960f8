import FrozenProfile
import LinuxProcess
import LinuxSystem
import Measurement
import ProfileStore
import TestSupport
import Testing

/// Which engine counts where the first one is absent or cannot run the command.
@Suite("Engines of counted runs")
struct CountingEngineTests {
    private let directory: TemporaryDirectory
    private let program: String
    private static let emulator = "qemu-\(CurrentProcess.kernel.machine)"

    init() throws {
        directory = try TemporaryDirectory()
        program = "\(directory.path)/planted"
        let built = try runCommand(
            ["cc", "-O1", "-g", "-o", program, BuiltProduct.fixture("pipelines/planted.c")])
        try #require(built.status == .code(0), "\(built.standardError)")
        try Files.createDirectories("\(directory.path)/bin")
    }

    /// Puts a program in the only directory of PATH.
    private func place(_ name: String, _ script: String) throws {
        let path = "\(directory.path)/bin/\(name)"
        try Files.replace(path, with: "#!/bin/sh\n\(script)\n")
        let made = try runCommand(["chmod", "+x", path])
        try #require(made.status == .code(0))
    }

    private func capture(_ options: [String] = []) throws -> (result: CommandResult, profile: FrozenProfile) {
        let file = "\(directory.path)/v1.yaml"
        let result = try runCommand(
            [
                BuiltProduct.path("freeze-profile"), "capture", "--version", "v1", "--output", file, "--runs",
                "1",
                "--skip-warmup", "--stack-runs", "0", "--canaries", "0", "--count-runs", "1",
                "--no-stage-truth",
            ] + options + ["--", program, "{output_dir}", "--work", "2"],
            environment: ["PATH": "\(directory.path)/bin"])
        #expect(result.status == .code(0), "\(result.standardError)")
        return (result, try ProfileStore.load(path: file))
    }

    @Test("Without any, the profile says what to install")
    func none() throws {
        let (result, profile) = try capture(["--count-engine", "callgrind"])
        let reason = try #require(profile.counts?.unavailableReason)
        #expect(reason == "There is no 'valgrind' in PATH. Install it: sudo apt-get install valgrind.")
        #expect(result.standardError.contains(reason))
    }

    @Test(
        "An emulator that cannot run the command is quoted, and callgrind counts",
        .enabled(if: Programs.installed("valgrind") != nil, "valgrind is not installed"))
    func next() throws {
        try place(
            Self.emulator,
            """
            if [ "$1" = --version ]; then echo "\(Self.emulator) version 7.2.0"; exit; fi
            echo "qemu: uncaught target signal 4 (Illegal instruction) - core dumped" >&2
            exit 132
            """)
        let valgrind = try #require(Programs.installed("valgrind"))
        try place("valgrind", "exec '\(valgrind)' \"$@\"")
        let (result, profile) = try capture()
        let words = "qemu-user could not count it: the command exited with code 132, after "
        #expect(result.standardError.contains(words), "\(result.standardError)")
        #expect(result.standardError.contains("qemu: uncaught target signal 4 (Illegal instruction)"))
        #expect(result.standardError.contains("callgrind is tried next."))
        let counts = try #require(profile.counts?.value)
        #expect(counts.engine == "callgrind")
        #expect(counts.identity.hasPrefix("callgrind "))
        #expect(counts.total.median > 1_000_000)
        #expect(counts.part(of: StageName("transform"))?.median ?? 0 > 100_000)
        #expect(counts.total.systemCalls.unavailableReason == "callgrind does not see system calls")
        // The runs that can be measured are there all the same, and what happened stands in the profile.
        #expect(profile.sessions.first?.runs.contains { $0.counts } == true)
        let notes = try #require(profile.captureQuality).notes
        #expect(notes.contains { $0.contains("qemu-user could not count it") }, "\(notes)")
    }

    @Test("One that hangs is ended, and nothing else is spoilt")
    func hanging() throws {
        try place(
            Self.emulator,
            "if [ \"$1\" = --version ]; then echo \"\(Self.emulator) version 7.2.0\"; exit; fi\nexec /bin/sleep 1000"
        )
        let (result, profile) = try capture(["--count-engine", "qemu-user", "--count-timeout", "1"])
        #expect(result.standardError.contains("took longer than 1"), "\(result.standardError)")
        #expect(profile.counts?.unavailableReason?.contains("took longer than") == true)
    }

    @Test("An engine that does not exist is refused")
    func unknown() throws {
        let result = try runCommand([
            BuiltProduct.path("freeze-profile"), "capture", "--version", "v1", "--count-engine", "abacus",
            "--", "true",
        ])
        #expect(result.status == .code(64))
        #expect(
            result.standardError.contains(
                "There is no engine 'abacus'; there are qemu-user, callgrind, hardware."))
    }
}
