import FrozenProfile
import LinuxProcess
import LinuxSystem
import Measurement
import ProfileStore
import StackProfile
import TestSupport
import Testing

@Suite("Captures of many runs")
struct CaptureRunsTests {
    private static let tenProcesses = [
        BuiltProduct.fixture("pipelines/ten-processes.sh"), "{output_dir}",
    ]

    private func tool(_ toolkit: Toolkit, _ arguments: [String]) throws -> CommandResult {
        try runCommand(
            [BuiltProduct.path("freeze-profile")] + arguments, in: BuiltProduct.packageDirectory)
    }

    private func records(_ toolkit: Toolkit, session: String = "s1") throws -> [String] {
        let directory = "\(toolkit.directory.path)/.records/v1/\(session)"
        return try Files.names(inDirectory: directory).filter { $0.hasSuffix(".json") }.map {
            "\(directory)/\($0)"
        }
    }

    @Test(
        "five measured and two profiled runs of ten processes: all that is derived verifies, and Python agrees"
    )
    func manyRuns() throws {
        let toolkit = try Toolkit()
        let result = try toolkit.capture(
            "v1", ["--runs", "5", "--stack-runs", "2", "--sampler", "native"], Self.tenProcesses)
        try #require(result.status == .code(0), "\(result.standardError)")
        #expect(result.standardError.contains("capture: run 1 of 8, warm-up\n"))
        #expect(result.standardError.contains("capture: run 8 of 8, profiled, about "))
        let profile = try ProfileStore.load(path: toolkit.yaml("v1"))
        let runs = try #require(profile.sessions.first).runs
        #expect(
            runs.map(\.kind) == [.warmUp] + [RunKind](repeating: .measured, count: 5) + [
                .profiled, .profiled,
            ])
        #expect(Set(runs.compactMap(\.outputDigest)).count == 1)
        #expect(profile.environment.identity[.buildMode] == .value(.text("script")))
        #expect(profile.environment.identity[.pipelineVersion] == .value(.text("3.1")))
        let verified = try tool(toolkit, ["verify", toolkit.yaml("v1")])
        #expect(verified.status == .code(0), "\(verified.standardOutput)")
        #expect(verified.standardOutput.contains("  CPU: stages "))
        let python = try runCommand(["python3", BuiltProduct.fixture("check-profile.py"), toolkit.yaml("v1")])
        #expect(python.standardOutput == "agrees\n")
        let stacks = try Pprof.read(try Files.read(toolkit.companion("v1", .stacks), limit: 1 << 24))
        #expect(Set(stacks.labelSets.compactMap(\.run)) == ["s1/7", "s1/8"])
        #expect(!(stacks.buildIDs["libc.so.6"] ?? "").isEmpty)
        #expect(profile.captureQuality?.sampler.recorded == .value(Int(stacks.totalWeight)))
    }

    @Test(
        "records freeze to the same bytes in any order; an appended session is one more; mixed ones are refused"
    )
    func recordsAndSessions() throws {
        let toolkit = try Toolkit()
        let quick = ["--skip-warmup", "--sampler", "none", "--runs", "2"]
        try #require(try toolkit.capture("v1", quick, Toolkit.shellPipeline).status == .code(0))
        let before = try Files.read(toolkit.yaml("v1"), limit: 1 << 20)
        for (name, order) in [("a", try records(toolkit)), ("b", try records(toolkit).reversed())] {
            let again = try tool(
                toolkit,
                ["freeze", "--version", "v1", "-o", "\(toolkit.directory.path)/\(name)/v1.yaml"] + order)
            #expect(again.status == .code(0), "\(again.standardError)")
            #expect(try Files.read("\(toolkit.directory.path)/\(name)/v1.yaml", limit: 1 << 20) == before)
        }
        let appended = try toolkit.capture("v1", quick + ["--append"], Toolkit.shellPipeline)
        try #require(appended.status == .code(0), "\(appended.standardError)")
        let profile = try ProfileStore.load(path: toolkit.yaml("v1"))
        #expect(profile.sessions.map(\.id) == ["s1", "s2"])
        #expect(profile.totals.runs == 4)
        #expect(try tool(toolkit, ["verify", toolkit.yaml("v1")]).status == .code(0))

        let other = try toolkit.capture("v2", quick, Self.tenProcesses)
        try #require(other.status == .code(0), "\(other.standardError)")
        let mixed = try tool(
            toolkit,
            ["freeze", "--version", "v3", "-o", toolkit.yaml("v3"), "\(toolkit.directory.path)/.records"])
        #expect(mixed.status == .code(66))
        #expect(mixed.standardError.contains("These records do not belong together: the command of run s1/"))
        #expect(!Files.exists(toolkit.yaml("v3")))
    }

    @Test("what cannot be added to a version is refused before anything runs, outside git too")
    func appending() throws {
        let toolkit = try Toolkit()
        let script = "\(toolkit.directory.path)/pipeline.sh"
        let runs = "\(toolkit.directory.path)/runs"
        func write(_ work: String) throws {
            try Files.replace(script, with: "#!/bin/sh\necho x >>'\(runs)'\n\(work)\n")
        }
        func made() throws -> Int {
            Files.exists(runs) ? try toolkit.text(runs).split(separator: "\n").count : 0
        }
        try write("sleep 0.05")
        let quick = ["--skip-warmup", "--stack-runs", "0", "--runs", "1"]
        let command = ["sh", script]
        try #require(try toolkit.capture("v1", quick, command).status == .code(0))
        try #require(try toolkit.capture("v1", quick + ["--append"], command).status == .code(0))
        #expect(try made() == 2)
        let before = try Files.read(toolkit.yaml("v1"), limit: 1 << 20)

        try write("sleep 0.06")
        let changed = try toolkit.capture("v1", quick + ["--append"], command)
        #expect(changed.status == .code(73))
        #expect(
            changed.standardError.contains("This session cannot be added to v1: program_digest of run s1/"))
        let other = try toolkit.capture("v1", quick + ["--append"], ["true"])
        #expect(other.status == .code(73) && other.standardError.contains("the command of run s1/"))
        let set = try toolkit.capture("v1", quick + ["--append", "--dataset-id", "other"], command)
        // A data set that only one side names is no difference.
        #expect(set.status == .code(73) && set.standardError.contains("program_digest"))
        #expect(try made() == 2)
        #expect(try Files.read(toolkit.yaml("v1"), limit: 1 << 20) == before)

        // The program as it was can be added again.
        try write("sleep 0.05")
        #expect(try toolkit.capture("v1", quick + ["--append"], command).status == .code(0))
        #expect(try ProfileStore.load(path: toolkit.yaml("v1")).sessions.count == 3)
    }

    @Test(
        "a capture whose pipeline fails keeps what was finished; the same command makes only what is missing")
    func continuing() throws {
        let toolkit = try Toolkit()
        let fuse = "\(toolkit.directory.path)/fuse"
        // Fails from its third run on, until the fuse is taken away.
        let script = """
            echo x >>'\(fuse)'; printf '{"stage":"work"}' >"$PIPELINE_STATUS_FILE"; sleep 0.05
            if [ "$(wc -l <'\(fuse)')" -gt 2 ]; then echo 'no more disk' >&2; exit 5; fi
            """
        let options = ["--runs", "3", "--stack-runs", "0"]
        let failed = try toolkit.capture("v1", options, ["sh", "-c", script])
        #expect(failed.status == .code(4))
        #expect(failed.standardError.contains("exited with code 5 in the measured run"))
        #expect(
            failed.standardError.contains(
                "Kept in '\(toolkit.directory.path)/.records/v1/s1': 2 finished runs, 1 that failed."))
        #expect(failed.standardError.contains("  | no more disk\nIts record: "))
        #expect(failed.standardError.contains("<- it was here"))
        #expect(
            failed.standardError.contains(
                "capture --version v1 --output \(toolkit.yaml("v1")) --canaries 0 --runs 3"))
        #expect(!Files.exists(toolkit.yaml("v1")))
        let kept = try records(toolkit).map { try RunRecord.load(path: $0) }
        #expect(kept.map(\.stem) == ["001-warm_up", "002-measured", "003-measured"])
        let broken = try #require(kept.last)
        #expect(broken.run.failure == RunFailure("exited with code 5") && broken.run.exit == .value(5))
        #expect(broken.run.stages.map(\.stage.text) == ["work"] && broken.openStages.map(\.text) == ["work"])
        #expect(broken.run.use.peakResidentMB.value ?? 0 > 0.1)
        let directory = "\(toolkit.directory.path)/.records/v1/s1"
        let words = try #require(broken.file(.standardError))
        #expect(try toolkit.text("\(directory)/\(words.file)") == "no more disk\n")

        let another = try toolkit.capture("v1", options, ["true"])
        #expect(another.status == .code(73))
        #expect(another.standardError.contains("cannot be continued: the command of run s1/1 is 'sh -c"))

        try Files.remove(fuse)
        let lock = try FileDescriptor.open("\(toolkit.directory.path)/.records/v1/s1", .directory)
        try lock.lockExclusively()
        let busy = try toolkit.capture("v1", options, ["sh", "-c", script])
        #expect(busy.standardError.contains("Another capture is at work in"))
        _ = consume lock
        let finished = try toolkit.capture("v1", options, ["sh", "-c", script])
        try #require(finished.status == .code(0), "\(finished.standardError)")
        #expect(finished.standardError.contains("capture: run 1 of 2, measured, about "))
        let runs = try #require(try ProfileStore.load(path: toolkit.yaml("v1")).sessions.first).runs
        #expect(runs.map(\.index) == [1, 2, 3, 4, 5])
        #expect(runs.map(\.hasFailed) == [false, false, true, false, false])
        #expect(Array(runs.prefix(3).map(\.startedAt)) == kept.map(\.run.startedAt))
        let quality = try #require(try ProfileStore.load(path: toolkit.yaml("v1")).captureQuality)
        #expect(quality.attempts[.measured] == RunAttempts(attempted: 4, recorded: 3))
        #expect(
            finished.standardError.contains(
                "Note: 1 of 5 runs failed and does not count: s1/3 exited with code 5."))
    }

    @Test("what a failed run wrote can be looked at until the capture goes on")
    func leftOutput() throws {
        let toolkit = try Toolkit()
        let fuse = "\(toolkit.directory.path)/fuse"
        try Files.replace(fuse, with: "")
        let script = "echo half >\"$PIPELINE_OUTPUT_DIR/index.json\"; [ ! -e '\(fuse)' ]"
        let options = ["--warmup", "0", "--stack-runs", "0"]
        let failed = try toolkit.capture("v1", options, ["sh", "-c", script])
        #expect(failed.status == .code(4))
        let record = try RunRecord.load(
            path: "\(toolkit.directory.path)/.records/v1/s1/001-measured.json")
        let left = try #require(record.leftOutput)
        #expect(failed.standardError.contains("What it wrote: '\(left)'"))
        #expect(try toolkit.text("\(left)/index.json") == "half\n")
        try Files.remove(fuse)
        let finished = try toolkit.capture("v1", options, ["sh", "-c", script])
        #expect(finished.status == .code(0), "\(finished.standardError)")
        #expect(!Files.exists(left))
    }

    @Test("a pipeline that ends as it reports its end has stages that are no longer than its runs")
    func lastMoment() throws {
        let toolkit = try Toolkit()
        // The last change of the status file is read when the run is over.
        let script = """
            cd "$PIPELINE_OUTPUT_DIR"
            mark() { echo "{\\"stage\\": \\"$1\\"}" > .new; mv .new .pipeline_status.json; }
            mark work; sleep 0.02; mark 'done'
            """
        let made = try toolkit.capture(
            "v1", ["--warmup", "0", "--stack-runs", "0", "--runs", "15"], ["sh", "-c", script])
        try #require(made.status == .code(0), "\(made.standardError)")
        for run in try ProfileStore.load(path: toolkit.yaml("v1")).measuredRuns {
            let whole = try #require(run.use.wallSeconds.value)
            let stages = run.stages.compactMap(\.use.wallSeconds.value).reduce(0, +)
            #expect(stages <= whole + 1e-6, "run \(run.index): \(stages) s of \(whole) s")
        }
    }

    @Test("killed at any moment, a capture leaves nothing running, no half profile, and loses no run")
    func killed() throws {
        let bin = Files.directory(of: BuiltProduct.path("freeze-profile"))
        let result = try runCommand(
            [
                "python3", "\(BuiltProduct.packageDirectory)/Benchmarks/capture/kill.py", "--times", "6",
                "--sleep", "0.4",
                "--bin", bin,
            ])
        #expect(result.status == .code(0), "\(result.standardOutput)\(result.standardError)")
        #expect(
            result.standardOutput.contains("6 kills within") && result.standardOutput.contains(": 0 problems")
        )
    }
}
