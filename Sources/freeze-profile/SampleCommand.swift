internal import CommandLineTool
internal import LinuxProcess
internal import LinuxSystem
internal import Measurement
internal import ProfileCapture

/// `freeze-profile sample`: stacks of a command or of a running process, as one file.
enum SampleCommand {
    static let command = Tool.Command("sample", syntax) { (arguments) throws(ToolFailure) in
        try run(arguments)
    }

    private static let syntax = CommandSyntax(
        name: "freeze-profile sample",
        summary: "Samples the stacks of a command or of a running process, and writes them as one file.",
        operands: .commandUnless(option: "pid"),
        options: [
            .value("pid", "N", "the process to sample, with its threads and what it starts"),
            .value("duration", "S", "seconds to sample (default: until the target ends, or Ctrl-C)"),
            .value("rate", "HZ", "samples per CPU second, 1 to 10000 (default: 997; py-spy: 100)"),
            .value("sampler", "NAME", "auto, native or py-spy (default: auto)"),
            .value(
                "status-file", "FILE",
                "with --pid: where it tells its stages (default: as its environment says)"),
        ] + StackOptions.all,
        examples: [
            ("freeze-profile sample --pid 4711 --duration 10 -o server.svg", "what is this process doing?"),
            ("freeze-profile sample -o build.json -- make all", "where does a command's CPU time go?"),
        ],
        notes: [
            "Threads are sampled while they run, and never stopped. A command gets PIPELINE_STATUS_FILE; where it "
                + "names its stages there, samples carry them. A command that outlives --duration runs on; Ctrl-C "
                + "ends it too. A process given by --pid is left alone.",
            "Exit codes: 0 written, 4 the command failed or nothing could be sampled, 64 wrong usage, 73 cannot "
                + "write.",
        ])

    private static func run(_ arguments: ParsedArguments) throws(ToolFailure) -> ExitCode {
        let options = try StackOptions(arguments)
        let recording = StackRecording(try request(arguments))
        let ending: StackRecording.Ending
        do throws(StackRecordingError) {
            ending = try recording.run(report: Console.note) { (stacks) throws(StackRecordingError) in
                do throws(ToolFailure) {
                    try options.write(StackFile(stacks, exporter: "freeze-profile \(toolVersion)"))
                } catch {
                    throw .cannotWrite(error.message)
                }
                Console.note(stacks.health)
                for note in stacks.notes { Console.note("Note: \(PlainText.sanitized(note))") }
            }
        } catch {
            throw ToolFailure(error.description, exitCode(error))
        }
        if case .commandEnded(let status) = ending, status != .code(0) {
            Console.note("The command \(status). Its stacks were written all the same.")
            return .failed
        }
        return .success
    }

    private static func request(_ arguments: ParsedArguments) throws(ToolFailure) -> StackRecording.Request {
        var request = StackRecording.Request(.command(arguments.command))
        if let text = arguments.value("pid") {
            guard let pid = Int32(text), pid > 0 else {
                throw ToolFailure("'\(PlainText.sanitized(text))' is no process number.", .usage)
            }
            request.target = .process(pid: pid)
            request.statusFile = arguments.value("status-file").map(Files.absolute)
        }
        if let text = arguments.value("duration") {
            guard let seconds = Double(text), (0.01...1_000_000).contains(seconds) else {
                throw ToolFailure(
                    "The duration '\(PlainText.sanitized(text))' is not a number of seconds from 0.01 to 1000000.",
                    .usage)
            }
            request.duration = .seconds(seconds)
        }
        if let text = arguments.value("rate") {
            guard let rate = Int(text), (1...10_000).contains(rate) else {
                throw ToolFailure(
                    "The rate '\(PlainText.sanitized(text))' is not a whole number from 1 to 10000.", .usage)
            }
            request.rateHertz = rate
        }
        if let name = arguments.value("sampler") {
            guard let sampler = CaptureRequest.Sampler(rawValue: name), sampler != .none else {
                let names = CaptureRequest.Sampler.allCases.filter { $0 != .none }.map(\.rawValue)
                throw ToolFailure(
                    "There is no sampler '\(PlainText.sanitized(name))'; there are "
                        + "\(names.joined(separator: ", ")).", .usage)
            }
            request.sampler = sampler
        }
        return request
    }

    private static func exitCode(_ error: StackRecordingError) -> ExitCode {
        if case .cannotWrite = error { .cannotWrite } else { .failed }
    }
}
