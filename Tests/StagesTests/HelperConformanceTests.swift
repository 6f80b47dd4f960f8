import LinuxProcess
import LinuxSystem
import Measurement
import TestSupport
import Testing

@testable import Stages

/// A helper in another language, and how its driver is run.
struct HelperDriver: CustomTestStringConvertible, Sendable {
    var language: String
    /// The program that runs or builds it; where it is missing the helper is skipped.
    var runtime: String
    /// Whether it knows `enter`. One that does not has no driver for it.
    var knowsEnter = false
    /// Whether it keeps a history. A shell has no clock for one.
    var hasHistory = true
    /// The command that plays a case, given a directory to build in.
    var command: @Sendable (_ workspace: String) throws -> [String]

    var testDescription: String { language }
    var isInstalled: Bool { Programs.path(of: runtime) != nil }

    private static let drivers = "\(BuiltProduct.packageDirectory)/helpers/conformance"

    static let all = [
        HelperDriver(language: "Python", runtime: "python3") { _ in ["python3", "\(drivers)/drive.py"] },
        HelperDriver(
            language: "sh", runtime: "dash", knowsEnter: true, hasHistory: false
        ) { _ in ["dash", "\(drivers)/drive.sh"] },
        HelperDriver(
            language: "bash", runtime: "bash", knowsEnter: true, hasHistory: false
        ) { _ in ["bash", "\(drivers)/drive.sh"] },
        HelperDriver(language: "Node.js", runtime: "node") { _ in ["node", "\(drivers)/drive.mjs"] },
        HelperDriver(language: "Rust", runtime: "rustc") { workspace in
            let program = "\(workspace)/drive_rs"
            try build(["rustc", "--edition", "2021", "-o", program, "\(drivers)/drive.rs"], in: workspace)
            return [program]
        },
        HelperDriver(language: "C", runtime: "gcc", hasHistory: false) { workspace in
            try compiled(["gcc", "-std=gnu99"], in: workspace)
        },
        HelperDriver(language: "C++", runtime: "g++", hasHistory: false) { workspace in
            try compiled(["g++", "-x", "c++", "-std=c++11"], in: workspace)
        },
        HelperDriver(language: "Go", runtime: "go") { workspace in
            try Files.createDirectories("\(workspace)/stages")
            try Files.replace("\(workspace)/go.mod", with: "module conformance\n\ngo 1.19\n")
            for (from, to) in [
                ("\(drivers)/go/drive.go", "drive.go"), ("\(drivers)/../go/stages.go", "stages/stages.go"),
            ] {
                try Files.replace("\(workspace)/\(to)", with: try Files.read(from, limit: 1 << 20))
            }
            try build(["go", "build", "-o", "drive_go", "."], in: workspace)
            return ["\(workspace)/drive_go"]
        },
    ]

    private static func compiled(_ compiler: [String], in workspace: String) throws -> [String] {
        let program = "\(workspace)/drive_c"
        try build(
            compiler + ["-Wall", "-Wextra", "-Werror", "-o", program, "\(drivers)/drive.c"], in: workspace)
        return [program]
    }

    private static func build(_ command: [String], in workspace: String) throws {
        let environment = ["GOCACHE": "\(workspace)/cache", "GOFLAGS": "-mod=mod"]
        let built = try runCommand(command, environment: environment, in: workspace)
        try #require(built.status == .code(0), "\(built.standardError)")
    }
}

@Suite("Conformance of the helpers in other languages", .serialized)
struct HelperConformanceTests {
    @Test("Every case, through trace and history", arguments: HelperDriver.all)
    func helper(_ driver: HelperDriver) throws {
        guard driver.isInstalled else {
            // `scripts/bootstrap --oracles` installs it; CI does.
            print("\(driver.language): skipped, because \(driver.runtime) is not installed")
            return
        }
        let workspace = try TemporaryDirectory()
        let command = try driver.command(workspace.path)
        for example in ConformanceCase.all where driver.knowsEnter || !example.hasEnter {
            try play(example, command, driver)
        }
    }

    private func play(_ example: ConformanceCase, _ command: [String], _ driver: HelperDriver) throws {
        let output = try TemporaryDirectory()
        let location = StatusLocation(outputDirectory: output.path)
        let origin = SystemClock.monotonicNanoseconds - 20_000_000_000
        let played = try runCommand(
            command + ["\(ConformanceCase.directory)/\(example.name).tsv"],
            environment: [
                StatusLocation.statusFileVariable: location.statusFile, "CONFORMANCE_ORIGIN_NS": "\(origin)",
            ])
        let place = "\(driver.language), \(example.name)"
        try #require(played.status == .code(0), "\(place): \(played.standardError)")
        #expect(played.standardError.isEmpty, "\(place)")
        var feed = StageFeed(statusFile: location.statusFile, existing: .isOfThisRun(since: origin))
        var clock = StageClock()
        for event in feed.read() { _ = clock.apply(event) }
        #expect(feed.source == .eventTrace && feed.notes.isEmpty, "\(place)")
        #expect(clock.stages.map { ConformanceCase.Expected($0) } == example.expected, "\(place): trace")
        #expect(clock.spans.isEmpty, "\(place)")
        let last = try StatusSnapshot.read(location.statusFile)
        if driver.hasHistory {
            #expect(
                last.history?.map { ConformanceCase.Expected($0) } == example.expected, "\(place): history")
            #expect(last.stage == .done && last.activeStages == [], "\(place)")
        }
    }

    @Test("A thousand stages from Python: what is written grows with the stages, not with their square")
    func pythonHistory() throws {
        let output = try TemporaryDirectory()
        let program = """
            import sys
            sys.path.insert(0, sys.argv[1])
            import pipeline_status
            written = 0
            status = pipeline_status.PipelineStatus()
            replace = status._replace
            def counting(directory, text):
                global written
                written += len(text)
            status._replace = counting
            for index in range(1000):
                with status.stage("stage_%d" % index): pass
            status._replace = replace
            status.finish()
            print(written)
            """
        let run = try runCommand(
            ["python3", "-c", program, "\(BuiltProduct.packageDirectory)/scripts"],
            environment: [StatusLocation.statusFileVariable: output.path + "/s.json"])
        try #require(run.status == .code(0), "\(run.standardError)")
        let written = try #require(
            Int(run.standardOutput.trimmingPrefix { $0 == " " }.split(separator: "\n")[0]))
        #expect(written < 2_500_000)
        #expect(try StatusSnapshot.read(output.path + "/s.json").history?.count ?? 0 == 1000)
    }
}
