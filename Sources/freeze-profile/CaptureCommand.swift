internal import Capture
internal import CommandLineTool
internal import FrozenProfile
internal import InstructionCounting
internal import LinuxSystem
internal import Measurement

/// The tool's own version.
let toolVersion = PackageVersion.current

/// `freeze-profile capture`: runs a command under measurement and freezes what it cost.
enum CaptureCommand {
    static let command = Tool.Command("capture", syntax) { (arguments) throws(ToolFailure) in
        try run(arguments)
    }

    private static let syntax = CommandSyntax(
        name: "freeze-profile capture",
        summary: "Runs a command under measurement and freezes its profile as a version.",
        operands: .command,
        options: [
            .value("version", "V", "the version to freeze: the stem of every file that is written"),
            .value("output", "FILE", "the YAML file to write (default: data/profiles/V.yaml)"),
            .value("dataset-id", "ID", "what the pipeline runs on"),
            .value("config", "FILE", "the pipeline's configuration, digested into the profile"),
            RunInput.option,
            EnvironmentOption.option,
            .value("output-dir", "DIR", "where every run writes (default: a fresh directory each)"),
            .value(
                "status-file", "FILE",
                "the status file that it writes (default: {output_dir}/.pipeline_status.json)"),
            .flag("monitor", "show the live monitor of the measured run"),
            .value(
                "runs", "N", "measured runs, their stacks not sampled (default: \(NoiseReview.Limits().runs))"
            ),
            .value("stack-runs", "K", "runs whose stacks are sampled, their times not counted (default: 1)"),
            .value(
                "count-runs", "N",
                "runs whose executed instructions are counted, under emulation (default: 0)"),
            .value("count-command", "CMD", "count this command instead, where the whole would take too long"),
            .value(
                "count-engine", "ENGINE",
                "who counts: \(CountingEngines.names.joined(separator: ", ")) (default: the first that can)"),
            .value(
                "count-timeout", "S",
                "seconds after which a counted run is ended (default: 600, or 200 times a measured run)"),
            .value("warmup", "N", "unmeasured first runs (default: 1)"),
            .flag("skip-warmup", "the same as --warmup 0"),
            .value("repeat-disturbed", "N", "make up to N runs in place of disturbed ones (default: 0)"),
            .value(
                "canaries", "N",
                "how often fixed work is timed at start, middle and end (default: 2 to 5, by the length of the runs)"
            ),
            .value("session", "ID", "a name for this batch of runs (default: s1, with --append the next)"),
            .flag("append", "add this session to a version that is frozen and not promoted"),
            .value("records", "DIR", "where run records are kept (default: data/profiles/.records/V)"),
            .value("sampler", "NAME", "auto, native, py-spy or none (default: auto); py-spy adds a picture")
                .among(CaptureRequest.Sampler.allCases.map(\.rawValue)),
            .value(
                "rate", "HZ", "stack samples per CPU second, 1 to 10000 (default: 997; py-spy and ptrace 100)"
            ),
            .value("sample-interval", "S", "seconds between two ticks of the monitor (default: 0.5)"),
            .flag(
                "leave-running",
                "leave processes running that outlive the command (default: end them before the next run)"),
            .flag("no-stage-truth", "write no V.stage_truth.json"),
            .flag("force", "replace a version that is frozen already"),
            RedactionOption.option,
        ] + SlurmOptions.all,
        examples: [
            (
                "freeze-profile capture --version v1.2.0 --monitor -- ./pipeline {output_dir}",
                "freeze what a release costs"
            ),
            (
                "freeze-profile capture --version v1.2.0 --runs 5 --append -- ./pipeline {output_dir}",
                "add five more runs, at another time of the day"
            ),
            (
                "freeze-profile capture --version v1.2.0 --engine slurm --sessions 8 -- ./pipeline {output_dir}",
                "eight sessions, each a task of a Slurm job on a node of its own"
            ),
        ],
        notes: [
            "The command runs to warm up, measured under the monitor, and once more with its stacks sampled. Each "
                + "run is kept as a record, one that fails too: the same command again makes only the runs that are "
                + "missing. '{output_dir}' in the command becomes the run's output directory, also set as "
                + "PIPELINE_OUTPUT_DIR; the pipeline reports its stages in the file PIPELINE_STATUS_FILE.",
            RunInput.help,
            "With --engine slurm every session is a task of an array job, made by freeze-profile on its node; the records "
                + "directory has to be seen by all nodes. Ctrl-C leaves the job alone, and the same command attaches to it "
                + "again; a second Ctrl-C cancels it.",
            "Exit codes: 0 frozen, 4 the command or the measurement failed, 64 wrong usage, 66 input missing, "
                + "73 cannot write.",
        ])

    private static func run(_ arguments: ParsedArguments) throws(ToolFailure) -> ExitCode {
        let request = try request(arguments)
        var input = RunInput(arguments)
        input.noteUnread()
        if try SlurmOptions.isWanted(arguments) { return try SlurmOptions.run(arguments, request) }
        if arguments.has("records-only") { return try makeSession(arguments, request) }
        do throws(CaptureError) {
            let progress = CaptureProgress()
            let frozen = try Capture(request, report: progress.show).run()
            input.noteUnread()
            Console.note(FreezeSummary.text(frozen))
            for finding in noise(frozen, request) { Console.note("Noise: \(finding.text)") }
            if !frozen.files.isEmpty { Console.print(frozen.files.joined(separator: "\n")) }
            return .success
        } catch {
            throw ToolFailure(error.description, exitCode(error))
        }
    }

    /// Makes a session, which another command freezes: what a scheduler's task runs.
    private static func makeSession(
        _ arguments: ParsedArguments, _ request: CaptureRequest
    ) throws(ToolFailure) -> ExitCode {
        guard let records = arguments.value("records") else {
            throw ToolFailure(
                "Say where the records go: --records-only --records DIR --session NAME.", .usage)
        }
        do throws(CaptureError) {
            let progress = CaptureProgress()
            try Capture(request, report: progress.show).makeSession(in: records)
            return .success
        } catch {
            throw ToolFailure(error.description, exitCode(error))
        }
    }

    /// What there is to say about the session that was just made.
    private static func noise(_ frozen: Capture.Frozen, _ request: CaptureRequest) -> [NoiseReview.Finding] {
        guard let session = frozen.profile.sessions.first(where: { $0.id == frozen.session }) else {
            return []
        }
        return NoiseReview(
            session,
            options: .init(warmUpRuns: request.warmUpRuns, repeatsOfDisturbed: request.repeatsOfDisturbed)
        ).findings
    }

    private static func request(_ arguments: ParsedArguments) throws(ToolFailure) -> CaptureRequest {
        let version = try VersionOption.required(arguments)
        var request = CaptureRequest(version: version, command: arguments.command, toolVersion: toolVersion)
        request.datasetID = arguments.value("dataset-id")
        request.environmentNames = try EnvironmentOption.names(arguments)
        try EnvironmentOption.refuseAssignment(arguments.command)
        request.output = arguments.value("output")
        request.fixedOutputDirectory = arguments.value("output-dir")
        request.statusFile = arguments.value("status-file")
        request.configurationFile = arguments.value("config")
        request.standardInput = arguments.value(RunInput.name)
        request.showsMonitor = arguments.has("monitor")
        request.appends = arguments.has("append")
        request.recordsDirectory = arguments.value("records")
        // A script around us knows better how to start us again.
        request.continuation =
            CurrentProcess.environmentVariable("FREEZE_PROFILE_CONTINUATION").map { PlainText.sanitized($0) }
            ?? ShellWords.line(
                arguments.has(RedactionOption.name)
                    ? CurrentProcess.arguments : SecretRedaction(CurrentProcess.arguments).words)
        request.redactsSecrets = RedactionOption.isOn(arguments, command: arguments.command)
        request.leavesRunning = arguments.has("leave-running")
        try readRuns(arguments, into: &request)
        request.writesStageTruth = !arguments.has("no-stage-truth")
        request.overwrites = arguments.has("force")
        try readValues(arguments, into: &request)
        return request
    }

    private static func readRuns(
        _ arguments: ParsedArguments, into request: inout CaptureRequest
    ) throws(ToolFailure) {
        func count(_ option: String, _ range: ClosedRange<Int>, otherwise: Int) throws(ToolFailure) -> Int {
            try arguments.whole(option, in: range) ?? otherwise
        }
        request.measuredRuns = try count("runs", 1...1000, otherwise: NoiseReview.Limits().runs)
        request.profiledRuns = try count("stack-runs", 0...1000, otherwise: 1)
        request.warmUpRuns = try count(
            "warmup", 0...1000, otherwise: arguments.has("skip-warmup") ? 0 : 1)
        request.countedRuns = try count("count-runs", 0...1000, otherwise: 0)
        request.repeatsOfDisturbed = try count("repeat-disturbed", 0...100, otherwise: 0)
        if arguments.value("canaries") != nil {
            request.canaryRepetitions = try count("canaries", 0...100, otherwise: 0)
        }
        guard let name = arguments.value("session") else { return }
        do throws(ProfileError) {
            request.session = try VersionName(name)
        } catch {
            throw ToolFailure(
                "The session '\(PlainText.sanitized(name))' is no plain name. Use a name such as s2.", .usage)
        }
    }

    private static func readValues(
        _ arguments: ParsedArguments, into request: inout CaptureRequest
    ) throws(ToolFailure) {
        if let name = arguments.value("sampler") {
            guard let sampler = CaptureRequest.Sampler(rawValue: name) else {
                let names = CaptureRequest.Sampler.allCases.map(\.rawValue).joined(separator: ", ")
                throw ToolFailure(
                    "There is no sampler '\(PlainText.sanitized(name))'; there are \(names).", .usage)
            }
            request.sampler = sampler
        }
        if let text = arguments.value("rate") {
            guard let rate = Int(text), (1...10_000).contains(rate) else {
                throw ToolFailure(
                    "The rate '\(PlainText.sanitized(text))' is not a whole number from 1 to 10000.", .usage)
            }
            request.sampleRateHertz = rate
        }
        if let text = arguments.value("count-command") {
            request.countCommand = try InterleavedRuns.command(text, option: "count-command")
        }
        if let name = arguments.value("count-engine") {
            guard CountingEngines.names.contains(name) else {
                throw ToolFailure(
                    "There is no engine '\(PlainText.sanitized(name))'; there are "
                        + "\(CountingEngines.names.joined(separator: ", ")).", .usage)
            }
            request.countEngine = name
        }
        if let text = arguments.value("count-timeout") {
            guard let seconds = Double(text), (1...1_000_000).contains(seconds) else {
                throw ToolFailure(
                    "--count-timeout '\(PlainText.sanitized(text))' is not a number of seconds from 1 to 1000000.",
                    .usage)
            }
            request.countLimit = .seconds(seconds)
        }
        if let text = arguments.value("sample-interval") {
            guard let seconds = Double(text), (0.01...60).contains(seconds) else {
                throw ToolFailure(
                    "The interval '\(PlainText.sanitized(text))' is not a number of seconds from 0.01 to 60.",
                    .usage)
            }
            request.monitorInterval = .seconds(seconds)
        }
    }

    /// What to exit with when a capture, or any run of a command, ended without result.
    static func exitCode(_ error: CaptureError) -> ExitCode {
        switch error {
        case .cannotStart, .targetFailed, .measurementFailed: .failed
        case .cannotWrite, .wouldOverwrite: .cannotWrite
        case .wrongUsage: .usage
        case .noInput: .noInput
        case .incomplete(let cause, _): exitCode(cause)
        }
    }
}

/// What a person wants to know when a profile has just been frozen.
enum FreezeSummary {
    static func text(_ frozen: Capture.Frozen) -> String {
        let profile = frozen.profile
        var lines = [
            "Frozen: \(profile.release), \(number(profile.totals.use.wallSeconds, 1)) s wall, "
                + "\(number(profile.totals.use.cpuSeconds, 1)) s CPU, "
                + "peak \(number(profile.totals.use.peakResidentMB, 0)) MB"
        ]
        let width = (profile.stages.map { CellWidth.of($0.stage.text) }.max() ?? 0) + 2
        for stage in profile.stages {
            lines.append(
                "  " + stage.stage.text.padded(to: width)
                    + number(stage.use.wallSeconds, 3).leftPadded(to: 10)
                    + " s" + number(stage.use.cpuSeconds, 3).leftPadded(to: 10) + " s CPU"
                    + " " + number(stage.use.peakResidentMB, 1).leftPadded(to: 11) + " MB")
        }
        lines += StageSums.lines(profile).map { "  \($0)" }
        lines += counts(profile.counts)
        if let quality = profile.captureQuality {
            lines.append(
                "Stacks by \(quality.sampler.name)" + (quality.sampler.reason.map { " (\($0))" } ?? "")
                    + ", \(quality.sampler.recorded.value.map { "\($0) samples" } ?? "none")"
                    + ", \(quality.sampler.lost.value.map { "\($0) lost" } ?? "lost unknown")")
            lines += quality.notes.map { "Note: \($0)" }
        }
        return lines.joined(separator: "\n")
    }

    /// What counted runs executed, a line for the whole and for each reason to doubt it.
    private static func counts(_ reading: Reading<FrozenCounts>?) -> [String] {
        switch reading {
        case .value(let counts):
            let runs = counts.runs == 1 ? "1 run" : "\(counts.runs) runs"
            let spread = counts.total.floorPercent.value.map { ", \($0.fixed(4)) % apart" } ?? ""
            return [
                "Instructions by \(counts.engine) (\(counts.identity)): \(counts.total.median.fixed(0)) in \(runs)\(spread)"
            ] + counts.total.lowerBound.map { "Note: the count is a lower bound: \($0)." }
        case .unavailable(let reason): return ["No instructions were counted: \(reason)"]
        case nil: return []
        }
    }

    private static func number(_ reading: Reading<Double>, _ decimals: Int) -> String {
        reading.value?.fixed(decimals) ?? "unavailable"
    }
}
