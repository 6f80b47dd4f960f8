internal import CommandLineTool
internal import LinuxProcess
internal import LinuxSystem
internal import Measurement
internal import StackRecording

/// `freeze-profile sample`: stacks of a command or of a running process, as one file.
enum SampleCommand {
    static let command = Tool.Command("sample", syntax) { (arguments) throws(ToolFailure) in
        try run(arguments)
    }

    private static let syntax = CommandSyntax(
        name: "freeze-profile sample",
        summary: "Samples the stacks of a command or of a running process, and writes them as one file.",
        operands: .commandUnless(options: ["pid"]),
        options: [
            .value("pid", "N", "the process to sample, with its threads and what it starts"),
            .value("duration", "S", "seconds to sample (default: until the target ends, or Ctrl-C)"),
            .value("mode", "NAME", "cpu: the time threads run; wall: also what they wait for (default: cpu)")
                .among(SamplingMode.allCases.map(\.rawValue)),
            .value(
                "rate", "HZ",
                "samples per second of CPU time, 1 to 10000, or of wall-clock time, to 1000 (default: 997; ptrace "
                    + "and py-spy: 100)"),
            .value(
                "sampler", "NAME",
                "auto, native, py-spy, perf or ptrace (default: auto: py-spy for Python, else the first that is "
                    + "allowed)"
            ).among(RecordingSampler.allCases.map(\.rawValue)),
            RedactionOption.option,
            .flag(
                "cycles", "count the CPU's cycles instead of its time, where perf events and the hardware can"
            ),
            .value(
                "stop-budget", "PERCENT",
                "the most of a thread's time that ptrace may keep it stopped (default: 1)"),
            .value(
                "status-file", "FILE",
                "where it writes its stages (default: as its environment says)"),
        ] + StackOptions.all,
        examples: [
            ("freeze-profile sample --pid 4711 --duration 10 -o server.svg", "what is this process doing?"),
            ("freeze-profile sample -o build.json -- make all", "where does a command's CPU time go?"),
            (
                "freeze-profile sample --mode wall --pid 4711 --duration 10 -o waits.svg",
                "what does it wait for?"
            ),
        ],
        notes: [
            "Perf events sample CPU time and stop nothing. Where they are refused, and with --mode wall, ptrace stops "
                + "a thread for as long as a copy of its stack takes, only if it has run since its last sample, and "
                + "within --stop-budget. Samples of --mode wall say their thread's state: running, blocked in which "
                + "system call, or uninterruptible.",
            "A command gets PIPELINE_STATUS_FILE; where it "
                + "names its stages there, samples carry them. A command that outlives --duration runs on; Ctrl-C "
                + "ends it too. A process given by --pid is left alone.",
            "Exit codes: 0 written, 4 the command failed or nothing could be sampled, 64 wrong usage, 73 cannot "
                + "write.",
        ])

    private static func run(_ arguments: ParsedArguments) throws(ToolFailure) -> ExitCode {
        let options = try StackOptions(arguments, acceptsForeignLabels: false)
        let recording = StackRecording(try request(arguments))
        let ending: StackRecording.Ending
        do throws(StackRecordingError) {
            let naming = TerminalProgress("naming functions")
            ending = try recording.run(
                report: Console.note, naming: naming.show
            ) { (stacks) throws(StackRecordingError) in
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
        request.isGuarded = true
        if let text = arguments.value("pid") {
            guard let pid = Int32(text), pid > 0 else {
                throw ToolFailure("'\(PlainText.sanitized(text))' is no process number.", .usage)
            }
            request.target = .process(pid: pid)
        }
        request.redactsSecrets = RedactionOption.isOn(arguments, command: arguments.command)
        request.statusFile = arguments.value("status-file").map(Files.absolute)
        request.duration = try number(
            arguments, "duration", 0.01...1_000_000, "a number of seconds from 0.01 to 1000000"
        ).map { .seconds($0) }
        request.stopBudget = try number(
            arguments, "stop-budget", 0.01...100, "a number of percent from 0.01 to 100"
        ).map { $0 / 100 }
        request.rateHertz = try rate(arguments)
        request.countsCycles = arguments.has("cycles")
        request.mode = try choice(arguments, "mode") ?? request.mode
        request.sampler = try choice(arguments, "sampler") ?? request.sampler
        try check(request)
        return request
    }

    /// A number in a range; nil where the option is not given.
    private static func number(
        _ arguments: ParsedArguments, _ name: String, _ range: ClosedRange<Double>, _ what: String
    ) throws(ToolFailure) -> Double? {
        guard let text = arguments.value(name) else { return nil }
        guard let number = Double(text), range.contains(number) else {
            throw ToolFailure("The \(name) '\(PlainText.sanitized(text))' is not \(what).", .usage)
        }
        return number
    }

    private static func rate(_ arguments: ParsedArguments) throws(ToolFailure) -> Int? {
        guard let text = arguments.value("rate") else { return nil }
        guard let rate = Int(text), (1...10_000).contains(rate) else {
            throw ToolFailure(
                "The rate '\(PlainText.sanitized(text))' is not a whole number from 1 to 10000.", .usage)
        }
        return rate
    }

    /// One of some names; nil where the option is not given.
    private static func choice<Choice: RawRepresentable & CaseIterable>(
        _ arguments: ParsedArguments, _ name: String
    ) throws(ToolFailure) -> Choice? where Choice.RawValue == String {
        guard let text = arguments.value(name) else { return nil }
        guard let choice = Choice(rawValue: text) else {
            let names = Choice.allCases.map(\.rawValue)
            let nearest = NearestName.to(text, among: names).map { " Did you mean '\($0)'?" } ?? ""
            throw ToolFailure(
                "There is no \(name) '\(PlainText.sanitized(text))'; there are "
                    + "\(names.joined(separator: ", ")).\(nearest)", .usage)
        }
        return choice
    }

    /// What does not go together.
    private static func check(_ request: StackRecording.Request) throws(ToolFailure) {
        if request.sampler == .perf && request.mode == .wall {
            throw ToolFailure(
                "Perf events sample CPU time only, not what threads wait for. Say --sampler ptrace, or --mode cpu.",
                .usage)
        }
        let isByWallClock = request.mode == .wall || request.sampler == .ptrace
        if let rate = request.rateHertz, isByWallClock, rate > StackRecording.maximumWallClockRateHertz {
            throw ToolFailure(
                "The rate \(rate) is too much by the wall clock: each thread is sampled at most "
                    + "\(StackRecording.maximumWallClockRateHertz) times a second.", .usage)
        }
    }

    private static func exitCode(_ error: StackRecordingError) -> ExitCode {
        if case .cannotWrite = error { .cannotWrite } else { .failed }
    }
}
