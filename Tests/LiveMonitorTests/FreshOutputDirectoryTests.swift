import LinuxProcess
import LinuxSystem
import Measurement
import TestSupport
import Testing

@testable import LiveMonitor

@Suite("Output directories that the user did not name")
struct FreshOutputDirectoryTests {
    @Test("One in which the pipeline wrote nothing goes; one with a log or a file of the pipeline's stays")
    func afterwards() throws {
        let parent = try TemporaryDirectory()
        for (name, isRemoved) in [
            (".pipeline_status.json", true), (".monitor.log", false), ("result", false),
        ] {
            let fresh = try FreshOutputDirectory(in: parent.path)
            try Files.replace("\(fresh.path)/\(name)", with: "x")
            #expect(fresh.removeIfUnused() == isRemoved)
            #expect(Files.exists(fresh.path) == !isRemoved)
        }
    }

    @Test("Of earlier runs those go that hold nothing but a log, a week old")
    func earlier() throws {
        let parent = try TemporaryDirectory()
        let made = try ["log", "result", "young", "busy"].map { name in
            let fresh = try FreshOutputDirectory(in: parent.path)
            try Files.replace("\(fresh.path)/.monitor.log", with: "a log")
            if name == "result" { try Files.replace("\(fresh.path)/out.csv", with: "a result") }
            return fresh.path
        }
        // A link to a directory elsewhere is not followed.
        let elsewhere = try TemporaryDirectory()
        try Files.replace("\(elsewhere.path)/.monitor.log", with: "another's")
        let script = """
            touch -d '8 days ago' '\(made[0])/.monitor.log' '\(made[0])' '\(made[1])'/* '\(made[1])' '\(made[3])'
            ln -s '\(elsewhere.path)' '\(parent.path)/freeze-profile-run.link'
            touch -d '8 days ago' '\(elsewhere.path)/.monitor.log' '\(elsewhere.path)'
            """
        #expect(try runCommand(["sh", "-c", script]).status == .code(0))
        _ = try FreshOutputDirectory(in: parent.path)
        #expect(made.map(Files.exists) == [false, true, true, true])
        #expect(Files.exists("\(elsewhere.path)/.monitor.log"))
    }
}
