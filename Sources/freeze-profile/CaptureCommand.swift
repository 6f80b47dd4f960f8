internal import CommandLineTool
internal import FrozenProfile
internal import Measurement
internal import ProfileCapture

/// The tool's own version, kept in step with CHANGELOG.md.
let toolVersion = "0.1.0"

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
            .value("output-dir", "DIR", "where every run writes (default: a fresh directory each)"),
            .flag("monitor", "show the live monitor of the measured run"),
            .flag("skip-warmup", "leave out the unmeasured first run"),
            .value("sampler", "NAME", "auto, native, py-spy or none (default: auto)"),
            .value("rate", "HZ", "stack samples per CPU second, 1 to 10000 (default: 997)"),
            .value("sample-interval", "S", "seconds between two ticks of the monitor (default: 0.5)"),
            .flag("no-stage-truth", "write no V.stage_truth.json"),
            .flag("force", "replace a version that is frozen already"),
        ],
        examples: [
            (
                "freeze-profile capture --version v1.2.0 --monitor -- ./pipeline {output_dir}",
                "freeze what a release costs"
            )
        ],
        notes: [
            "The command runs three times: to warm up, measured under the monitor, and once more with its stacks "
                + "sampled. '{output_dir}' in it becomes the run's output directory, also set as "
                + "PIPELINE_OUTPUT_DIR; the pipeline tells its stages in the file PIPELINE_STATUS_FILE.",
            "Exit codes: 0 frozen, 4 the command or the measurement failed, 64 wrong usage, 66 input missing, "
                + "73 cannot write.",
        ])

    private static func run(_ arguments: ParsedArguments) throws(ToolFailure) -> ExitCode {
        let request = try request(arguments)
        do throws(CaptureError) {
            let frozen = try Capture(request, report: Console.note).run()
            Console.note(FreezeSummary.text(frozen))
            Console.print(frozen.files.joined(separator: "\n"))
            return .success
        } catch {
            throw ToolFailure(error.description, exitCode(error))
        }
    }

    private static func request(_ arguments: ParsedArguments) throws(ToolFailure) -> CaptureRequest {
        guard let text = arguments.value("version") else {
            throw ToolFailure("Say which version is being frozen: --version v1.2.0.", .usage)
        }
        let version: VersionName
        do throws(ProfileError) {
            version = try VersionName(text)
        } catch {
            throw ToolFailure(error.description, .usage)
        }
        var request = CaptureRequest(version: version, command: arguments.command, toolVersion: toolVersion)
        request.datasetID = arguments.value("dataset-id")
        request.output = arguments.value("output")
        request.fixedOutputDirectory = arguments.value("output-dir")
        request.configurationFile = arguments.value("config")
        request.showsMonitor = arguments.has("monitor")
        request.skipsWarmUp = arguments.has("skip-warmup")
        request.writesStageTruth = !arguments.has("no-stage-truth")
        request.overwrites = arguments.has("force")
        try readValues(arguments, into: &request)
        return request
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
        if let text = arguments.value("sample-interval") {
            guard let seconds = Double(text), (0.01...60).contains(seconds) else {
                throw ToolFailure(
                    "The interval '\(PlainText.sanitized(text))' is not a number of seconds from 0.01 to 60.",
                    .usage)
            }
            request.monitorInterval = .seconds(seconds)
        }
    }

    private static func exitCode(_ error: CaptureError) -> ExitCode {
        switch error {
        case .cannotStart, .targetFailed, .interrupted, .measurementFailed: .failed
        case .cannotWrite, .wouldOverwrite: .cannotWrite
        case .noInput: .noInput
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
        let width = (profile.stages.map(\.stage.text.count).max() ?? 0) + 2
        for stage in profile.stages {
            lines.append(
                "  " + stage.stage.text.padded(to: width)
                    + number(stage.use.wallSeconds, 3).leftPadded(to: 10)
                    + " s" + number(stage.use.cpuSeconds, 3).leftPadded(to: 10) + " s CPU"
                    + number(stage.use.peakResidentMB, 1).leftPadded(to: 9) + " MB")
        }
        if let quality = profile.captureQuality {
            lines.append(
                "Stacks by \(quality.sampler.name)" + (quality.sampler.reason.map { " (\($0))" } ?? "")
                    + ", \(quality.sampler.recorded.value.map { "\($0) samples" } ?? "none")"
                    + ", \(quality.sampler.lost.value.map { "\($0) lost" } ?? "lost unknown")")
            lines += quality.notes.map { "Note: \($0)" }
        }
        return lines.joined(separator: "\n")
    }

    private static func number(_ reading: Reading<Double>, _ decimals: Int) -> String {
        reading.value?.fixed(decimals) ?? "unavailable"
    }
}
