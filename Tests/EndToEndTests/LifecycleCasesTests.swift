import FrozenProfile
import Glibc
import LinuxProcess
import LinuxSystem
import Measurement
import ProfileSamples
import ProfileStore
import TestSupport
import Testing

/// Situations out of bug reports of other profilers and monitors, with the answer that is right. Those that have tests beside
/// what they are about are not here: moved output (`MovedOutputTests`), terminals (`LastMomentsTests`, `PrintedLinesTests`),
/// left processes (`LeftBehindTests`), standard input (`StandardInputTests`), closed descriptors and full disks
/// (`OutputOptionTests`), small memory (`CanaryTests`), references (`PromotionTests`, `ArchivingTests`), verdicts (`ClaimTests`).
@Suite("Situations out of bug reports", .serialized)
struct LifecycleCasesTests {
    private static let tool = BuiltProduct.path("freeze-profile")
    private static let quick = ["--canaries", "0", "--skip-warmup", "--sampler", "none"]

    private func capture(_ command: [String], in directory: TemporaryDirectory) throws -> FrozenProfile {
        let made = try runCommand(
            [Self.tool, "capture", "--version", "v1", "--output", "v1.yaml"] + Self.quick + ["--"] + command,
            in: directory.path)
        try #require(made.status == .code(0), "\(made.standardError)")
        return try ProfileStore.load(path: "\(directory.path)/v1.yaml")
    }

    @Test("A device is written to, not replaced by a file", .enabled(if: CurrentProcess.userID == 0))
    func device() throws {
        let directory = try TemporaryDirectory()
        let made = try runCommand(
            [
                "sh", "-c",
                "mknod -m 666 n c 1 3 && '\(Self.tool)' sample --format folded -o n -- true; stat -c %F n",
            ],
            in: directory.path)
        #expect(made.standardOutput == "character special file\n", "\(made)")
    }

    @Test("Memory that a child takes in its last moments is in its stage")
    func endedChild() throws {
        let directory = try TemporaryDirectory()
        // 200 MiB, taken and given back within the last tenth of a second of a child.
        let spike = "import time; time.sleep(0.6); x = b'x' * (200 << 20)"
        let profile = try capture(
            [
                "sh", "-c",
                "'\(Self.tool)' stage small; sleep 0.1; '\(Self.tool)' stage spike; python3 -c \"\(spike)\"; "
                    + "'\(Self.tool)' stage after; sleep 0.1; '\(Self.tool)' stage --done",
            ], in: directory)
        let peaks = Dictionary(
            uniqueKeysWithValues: profile.stages.map { ($0.stage.text, $0.use.peakResidentMB) })
        let peak = try #require(peaks["spike"])
        // Without the right to be informed of ends it is a lower bound, which the capture's notes name.
        let isBound = profile.captureQuality?.notes.contains { $0.contains("lower bounds") } ?? false
        #expect(isBound || (200...240).contains(peak.value ?? 0), "\(peak)")
        for stage in ["small", "after"] { #expect(try #require(peaks[stage]?.value) < 100) }
    }

    @Test(
        "Long names that differ at their end are two stages; names that are no text are shown and kept apart")
    func longNames() throws {
        let directory = try TemporaryDirectory()
        let name = "align_reads_to_reference_genome_with_bwa_mem_and_sort_by_coordinate_"
        try Files.replace(
            "\(directory.path)/names.py",
            with: """
                import json, os, time
                path = os.environ['PIPELINE_STATUS_FILE']
                def stage(raw):
                    with open(path + '.tmp', 'wb') as file: file.write(raw)
                    os.rename(path + '.tmp', path); time.sleep(0.1)
                def named(name): stage(json.dumps({'stage': name}).encode())
                named('\(name)fast'); named('\(name)slow'); named('é' * 70)
                stage(b'{"stage":"caf\\xe9 latin1"}'); stage(b'{"stage":"x\\\\ud800y"}'); named(''); named(None); named(5)
                named('done')
                """)
        let profile = try capture(["python3", "names.py"], in: directory)
        #expect(
            profile.stages.map(\.stage.text) == [
                "\(name)fast", "\(name)slow", String(repeating: "é", count: 70), "caf\u{FFFD} latin1",
                "x\u{FFFD}y",
            ])
    }

    @Test("A pipeline whose clock is off by its time zone has the times of this machine's, and that is said")
    func timeZone() throws {
        let directory = try TemporaryDirectory()
        try Files.replace(
            "\(directory.path)/zone.py",
            with: """
                import datetime, json, os, time, warnings
                warnings.simplefilter('ignore')
                path = os.environ['PIPELINE_STATUS_FILE']
                for name in ['one', 'two', 'done']:
                    now = datetime.datetime.utcnow().timestamp()
                    with open(path + '.tmp', 'w') as file: json.dump({'stage': name, 'stage_started_at': now}, file)
                    os.rename(path + '.tmp', path); time.sleep(0.3)
                """)
        let made = try runCommand(
            [Self.tool, "capture", "--version", "v1", "--output", "v1.yaml"] + Self.quick + [
                "--", "python3", "zone.py",
            ],
            environment: ["TZ": "Asia/Tokyo"], in: directory.path)
        try #require(made.status == .code(0), "\(made.standardError)")
        let profile = try ProfileStore.load(path: "\(directory.path)/v1.yaml")
        for stage in profile.stages {
            #expect((0.28...1).contains(try #require(stage.use.wallSeconds.value)), "\(stage.stage)")
        }
        // Tokyo is nine hours ahead.
        #expect(
            profile.captureQuality?.notes.contains {
                $0.contains("32400.0 s before") && $0.contains("that clock is off")
            }
                == true, "\(profile.captureQuality?.notes ?? [])")
    }

    @Test("Bytes that are no UTF-8 reach the pipeline as they are")
    func bytes() throws {
        let directory = try TemporaryDirectory()
        let made = try runCommand(
            [
                "sh", "-c",
                "word=$(printf 'caf\\351'); export word; '\(Self.tool)' monitor -- sh -c 'printf %s=%s \"$0\" \"$word\"' \"$word\" "
                    + "2>errors | od -An -tx1",
            ], in: directory.path)
        #expect(made.standardOutput.split(separator: " ").joined().hasPrefix("636166e93d636166e9"), "\(made)")
    }

    @Test(
        "A version cannot have the name of a file that belongs to the profiles' directory",
        arguments: [
            "regression_rules", "gate", "ledger", "README", "references", "archive",
        ])
    func reserved(name: String) throws {
        let directory = try TemporaryDirectory()
        let refused = try runCommand(
            [Self.tool, "capture", "--version", name, "--", "touch", "ran"], in: directory.path)
        #expect(refused.status == .code(64))
        #expect(refused.standardError.contains("cannot name a version"))
        #expect(!Files.exists("\(directory.path)/ran"))
    }

    @Test("A budget of a stage that neither side has is refused")
    func misspeltBudget() throws {
        let shelf = try Shelf()
        try shelf.add("v1")
        try shelf.add("v2", date: "2026-03-10T14:20:00Z")
        let refused = try shelf.run("diff", "v1", "v2", "--budget", "no_such_stage.wall=5")
        #expect(refused.status == .code(64))
        #expect(refused.standardError.contains("There is no stage 'no_such_stage' to have a budget."))
    }

    @Test("A thousand stages in 35 runs are frozen, and can be verified and listed")
    func manyStages() throws {
        let directory = try TemporaryDirectory()
        let stages = try (0..<1000).map {
            try Samples.stage("s\($0)", wall: 0.01, cpu: 0.005, peak: .value(10))
        }
        try Files.createDirectories("\(directory.path)/r")
        for index in 1...35 {
            var record = try Samples.record(index % 10, wall: 10.01, hour: 10 + index / 10)
            record.run.index = index
            record.run.stages = stages
            record.run.use.cpuSeconds = .value(5)
            record.transitions = []
            try Files.replace("\(directory.path)/r/\(record.stem).json", with: record.encode())
        }
        for command in [
            ["freeze", "--version", "v1", "r"], ["verify", "v1"], ["list"],
        ] {
            let made = try runCommand([Self.tool] + command, in: directory.path)
            #expect(made.status == .code(0), "\(command): \(made.standardOutput) \(made.standardError)")
        }
        let read = try ProfileStore.load(path: "\(directory.path)/data/profiles/v1.yaml")
        #expect(read.measuredRuns.count == 35 && read.stages.count == 1000)
    }

    @Test(
        "A pipeline that gave up its rights and cannot report its stages is named, with the way out",
        .enabled(if: CurrentProcess.userID == 0))
    func droppedRights() throws {
        let directory = try TemporaryDirectory()
        let user = ["setpriv", "--reuid=65534", "--clear-groups"]
        let pipeline =
            user + ["sh", "-c", "echo '{\"stage\": \"a\"}' > $PIPELINE_STATUS_FILE; sleep 1.2; true"]
        // Long enough for a look at its processes, of which there are two a second.
        let hint = "belonged to user 65534, who cannot write to '"
        let refused = try runCommand([Self.tool, "monitor", "--"] + pipeline, in: directory.path)
        #expect(refused.standardError.contains("No stage was seen."), "\(refused.standardError)")
        #expect(refused.standardError.contains(hint) && refused.standardError.contains("--output-dir"))
        // Where that user can write, there are stages and no such sentence.
        _ = try runCommand(["chmod", "777", directory.path])
        try Files.createDirectories("\(directory.path)/out")
        _ = try runCommand(["chown", "65534", "\(directory.path)/out"])
        let allowed = try runCommand(
            [Self.tool, "monitor", "--output-dir", "out", "--"] + pipeline, in: directory.path)
        #expect(!allowed.standardError.contains(hint), "\(allowed.standardError)")
        #expect(allowed.standardError.contains("\n a "), "\(allowed.standardError)")
    }
}
