import FrozenProfile
import LinuxProcess
import LinuxSystem
import Measurement
import ProfileStore
import TestSupport
import Testing

@Suite("Bad input to capture and diff")
struct BadInputTests {
    @Test("a command that is not there")
    func commandNotFound() throws {
        let toolkit = try Toolkit()
        let result = try toolkit.capture("v1", [], ["no-such-pipeline"])
        #expect(result.status == .code(4))
        #expect(
            result.standardError.contains(
                "Cannot run 'no-such-pipeline': there is no such program. Check the spelling, or give its path."
            ))
        #expect(try Files.names(inDirectory: toolkit.directory.path).isEmpty)
    }

    @Test("an output file that is none")
    func noYAML() throws {
        let result = try runCommand([
            BuiltProduct.path("freeze-profile"), "capture", "--version", "v1", "--output", "nowhere/v1.yml",
            "--", "true",
        ])
        #expect(result.status == .code(64))
        #expect(
            result.standardError
                == "freeze-profile capture: The output file 'nowhere/v1.yml' has no name that ends in .yaml. "
                + "Give one: --output data/profiles/v1.yaml.\n")
    }

    @Test("a command that fails: its exit code and last words, and no profile")
    func commandFails() throws {
        let toolkit = try Toolkit()
        let result = try toolkit.capture("v1", [], Toolkit.pythonPipeline + ["--fail"])
        #expect(result.status == .code(4))
        #expect(
            result.standardError.contains(
                "The command exited with code 3 in the warm-up run, so no profile was written."))
        #expect(result.standardError.contains("  | disk on fire: cannot publish"))
        #expect(try Files.names(inDirectory: toolkit.directory.path) == [".records"])
    }

    @Test(
        "versions that would leave the directory",
        arguments: ["../v1", "a/b", "..", ".hidden", "", "v1\u{1B}[0m"])
    func versions(version: String) throws {
        let result = try runCommand([
            BuiltProduct.path("freeze-profile"), "capture", "--version", version, "--", "true",
        ])
        #expect(result.status == .code(64))
        #expect(!result.standardError.contains("\u{1B}"))
    }

    @Test("usage that is wrong, and a configuration that is not there")
    func usage() throws {
        let toolkit = try Toolkit()
        let tool = BuiltProduct.path("freeze-profile")
        #expect(try runCommand([tool]).status == .code(64))
        #expect(try runCommand([tool, "freeze"]).status == .code(64))
        #expect(try runCommand([tool, "capture", "--", "true"]).status == .code(64))
        #expect(try runCommand([tool, "capture", "--version", "v1"]).status == .code(64))
        #expect(try toolkit.capture("v1", ["--rate", "many"], ["true"]).status == .code(64))
        #expect(try runCommand([tool, "--help"]).status == .code(0))
        let missing = try toolkit.capture("v1", ["--config", "/no/config.yaml"], ["true"])
        #expect(missing.status == .code(66))
        #expect(missing.standardError.contains("There is no configuration file '/no/config.yaml'."))
    }

    @Test("a profile that is not there gets the nearest names")
    func unknownVersion() throws {
        let toolkit = try Toolkit()
        let quick = ["--skip-warmup", "--sampler", "none"]
        #expect(try toolkit.capture("v1.2.0", quick, Toolkit.shellPipeline).status == .code(0))
        let result = try toolkit.diff("v1.2.0", "v1.2.1")
        #expect(result.status == .code(66))
        #expect(result.standardError.contains("Did you mean v1.2.0?"))
    }

    @Test("a full disk leaves no part of a profile", .enabled(if: CurrentProcess.userID == 0))
    func diskFull() throws {
        let toolkit = try Toolkit()
        let mounted = try runCommand([
            "mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", toolkit.directory.path,
        ])
        try #require(mounted.status == .code(0), "\(mounted.standardError)")
        let result = try toolkit.capture("v1", ["--skip-warmup"], Toolkit.shellPipeline)
        let names = try Files.names(inDirectory: toolkit.directory.path)
        _ = try runCommand(["umount", toolkit.directory.path])
        #expect(result.status == .code(73))
        #expect(result.standardError.contains("No space left on device"))
        #expect(names.filter { !$0.hasPrefix(".") } == [])
    }

    @Test("Ctrl-C ends the command with all it started, and writes no profile")
    func interrupted() throws {
        let toolkit = try Toolkit()
        let mark = "3\(CurrentProcess.pid)9"
        var request = ChildRequest([
            BuiltProduct.path("freeze-profile"), "capture", "--version", "v1", "--output", toolkit.yaml("v1"),
            "--",
            "sh", "-c", "sleep \(mark) & sleep \(mark)",
        ])
        let errors = "\(toolkit.directory.path)/stderr"
        let file = try FileDescriptor.open(errors, .append)
        request.standardError = .descriptor(file.rawValue)
        var capture = try ChildProcess.start(request)
        func sleepers() throws -> Int {
            try runCommand(["pgrep", "-fc", "^sleep \(mark)"]).standardOutput.split(separator: "\n").first
                .flatMap { Int($0) } ?? 0
        }
        for _ in 0..<100 where try sleepers() < 2 { SystemClock.sleep(for: .milliseconds(50)) }
        #expect(try sleepers() == 2)
        capture.send(SignalInbox.interrupt)
        let outcome = try capture.wait(timeout: .seconds(20))
        #expect(outcome?.status == .code(4))
        #expect(try sleepers() == 0)
        #expect(try toolkit.text(errors).contains("Interrupted in the warm-up run by signal 2 (Interrupt)."))
        #expect(try Files.names(inDirectory: toolkit.directory.path) == [".records", "stderr"])
        let path = "\(toolkit.directory.path)/.records/v1/s1/001-warm_up.json"
        #expect(
            try RunRecord.load(path: path).run.failure
                == RunFailure("signal 2 (Interrupt)", isInterruption: true))
    }
}
