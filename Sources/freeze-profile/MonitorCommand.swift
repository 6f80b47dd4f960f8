internal import CommandLineTool
internal import LinuxProcess
internal import LinuxSystem
internal import LiveMonitor
internal import Measurement
internal import Stages

/// `freeze-profile monitor`: watches a pipeline live, one that it starts or one that runs already.
enum MonitorCommand {
    static let command = Tool.Command("monitor", syntax) { (arguments) throws(ToolFailure) in
        try run(arguments)
    }

    private static let syntax = CommandSyntax(
        name: "freeze-profile monitor",
        summary: "Watches a pipeline live: stage, memory and CPU of each, by process or by command.",
        operands: .commandUnless(option: "pid"),
        options: [
            .value(
                "output-dir", "DIR", "where the pipeline writes (default: a fresh directory, which is kept)"),
            .value("interval", "S", "seconds between two ticks, 0.01 to 60 (default: 0.5)"),
            .value("pid", "N", "watch a process that runs already instead of a command"),
            .value(
                "status-file", "FILE",
                "the status file that it writes (default: .pipeline_status.json in DIR)"),
            .flag("monitor-pane", "inside tmux: show the view in a pane of its own"),
            .flag("memray", "capture the heap: by memray for Python, by heaptrack for anything else"),
            .value("memray-output", "FILE", "the heap's file (default: in DIR/debug); implies --memray"),
            .value(
                "openmetrics", "FILE",
                "write the run's account at its end as gauges for Prometheus, such as node_exporter's textfile collector reads"
            ),
            .value("pushgateway", "URL", "push the same to a Pushgateway, http://HOST:PORT"),
            .flag(
                "no-pty",
                "give the command pipes while the panel is drawn, and not a terminal of its own to print to"),
            .flag("no-keys", "read no keys: the terminal's keyboard is the pipeline's alone"),
        ],
        examples: [
            ("freeze-profile monitor -- ./pipeline --out {output_dir}", "run a pipeline and watch it"),
            ("freeze-profile monitor --pid 4711 --output-dir out", "watch one that runs already"),
        ],
        notes: [
            "'{output_dir}' in the command becomes the output directory, also set as PIPELINE_OUTPUT_DIR; the pipeline "
                + "tells its stages in the file PIPELINE_STATUS_FILE ('freeze-profile stage' does it for a script). "
                + "Without a terminal the ticks go to DIR/.monitor.log.",
            "With --pid the status file is the one that the process was started with (PIPELINE_STATUS_FILE), unless you name "
                + "another; nothing is written there. The log and pictures go into DIR, else into the working directory."
                + " No directory is made.",
            "Keys: f draws a flamegraph of the next 5 s, p pauses the view, t shows or hides the busiest processes, q leaves "
                + "the view, ? tells the keys. A pipeline that reads the terminal gets it while it waits there.",
            "Exit codes: the pipeline's own, 128 and the signal's number when a signal ended it; 4 it could not be "
                + "started, 64 wrong usage, 66 there is no such process, 73 cannot write. Watching a process by --pid "
                + "ends with 0 when its exit code is not known or the watching was ended by Ctrl-C.",
        ])

    private static func run(_ arguments: ParsedArguments) throws(ToolFailure) -> ExitCode {
        let interval = try interval(arguments)
        let outlets = try MetricsOutlets(arguments)
        if let pid = arguments.value("pid") {
            return try watch(try process(pid), arguments, interval, outlets)
        }
        let directory = try directory(arguments.value("output-dir"), arguments.value("status-file"))
        var configuration = MonitorConfiguration(
            name: name(of: arguments.command[0]), statusFile: directory.location.statusFile)
        configuration.logFile = directory.path + "/.monitor.log"
        configuration.interval = interval
        if arguments.has("no-keys") { configuration.keys = .never }
        configuration.flamegraphProgram = MonitorConfiguration.findFlamegraphProgram()
        var words = arguments.command
        var variables: [String: String] = [:]
        if let heap = try heapCapture(arguments, directory) {
            words = heap.command
            variables[HeapCapture.activeVariable] = "1"
            configuration.isHeapCaptured = true
            Console.note("\(syntax.name): \(heap.profiler) writes the heap to '\(heap.output)'")
        }
        let pane = arguments.has("monitor-pane") ? paneProgram() : nil
        if pane != nil { configuration.panel = .never }
        var monitored = MonitoredCommand(
            words, in: directory, configuration: configuration
        ) { Console.note("\(syntax.name): \($0)") }
        monitored.environment = variables
        monitored.printsToTerminal = !arguments.has("no-pty")
        if let pane {
            let statusFile = configuration.statusFile
            monitored.watchElsewhere = { pid in openPane(pane, pid, statusFile) }
        }
        do throws(SpawnError) {
            let finished = try monitored.run()
            if let report = finished.report { outlets.publish(report) }
            // Any code of the pipeline's is passed on, not only those this tool has names for.
            explain(finished.report)
            CurrentProcess.exit(finished.status.shellCode)
        } catch {
            throw ToolFailure(error.description, .failed)
        }
    }

    private static func directory(
        _ requested: String?, _ statusFile: String?
    ) throws(ToolFailure) -> PipelineDirectory {
        do throws(SystemError) {
            if let requested {
                return try PipelineDirectory(preparing: requested, statusFile: statusFile)
            }
            let parent = CurrentProcess.environmentVariable("TMPDIR") ?? "/tmp"
            let fresh = try PipelineDirectory(
                preparing: Files.createTemporaryDirectory(prefix: "\(parent)/freeze-profile-run."),
                statusFile: statusFile)
            Console.note("\(syntax.name): the output directory is '\(fresh.path)'")
            return fresh
        } catch {
            throw ToolFailure(error.description, .cannotWrite)
        }
    }

    /// Says what a reader of the stages should know.
    private static func explain(_ report: MonitorReport?) {
        for note in report?.stageNotes ?? [] {
            Console.note("\(syntax.name): \(PlainText.sanitized(note, maximumCharacters: 2048))")
        }
    }

    private static func heapCapture(
        _ arguments: ParsedArguments, _ directory: PipelineDirectory
    ) throws(ToolFailure) -> HeapCapture? {
        let file = arguments.value("memray-output")
        guard arguments.has("memray") || file != nil, !HeapCapture.isActive else { return nil }
        do throws(HeapCapture.Problem) {
            return try HeapCapture(arguments.command, outputDirectory: directory.path, file: file)
        } catch {
            if case .cannotWrite = error { throw ToolFailure(error.description, .cannotWrite) }
            throw ToolFailure(error.description, .failed)
        }
    }

    /// The program for the pane; nil when there is none, which is told.
    private static func paneProgram() -> String? {
        do throws(MonitorPane.Problem) {
            return try MonitorPane.program()
        } catch {
            Console.note("\(syntax.name): \(error)")
            return nil
        }
    }

    private static func openPane(_ program: String, _ pid: Int32, _ statusFile: String) {
        do throws(MonitorPane.Problem) {
            try MonitorPane.open(pid: pid, statusFile: statusFile, program: program)
        } catch {
            Console.note("\(syntax.name): \(error)")
        }
    }

    // MARK: A process that runs already

    private static func watch(
        _ pid: Int32, _ arguments: ParsedArguments, _ interval: Duration, _ outlets: MetricsOutlets
    ) throws(ToolFailure) -> ExitCode {
        let (statusFile, owner) = try statusFile(of: pid, arguments)
        var configuration = MonitorConfiguration(
            name: name(of: ProcessCommandLine.words(of: pid).first ?? "process"), statusFile: statusFile)
        configuration.statusOwner = owner
        // What the process says of its place is where it is read, never where anything of ours is written.
        let place = arguments.value("output-dir").map(Files.absolute) ?? Files.workingDirectory
        configuration.logFile = place + "/.monitor.log"
        configuration.flamegraphDirectory = place
        configuration.createsDirectories = false
        configuration.interval = interval
        if arguments.has("no-keys") { configuration.keys = .never }
        configuration.flamegraphProgram = MonitorConfiguration.findFlamegraphProgram()
        let report: MonitorReport
        do {
            let handle = try ProcessHandle(pid: pid)
            let signals = try SignalInbox(for: [
                SignalInbox.interrupt, SignalInbox.terminate, SignalInbox.hangUp,
            ])
            let session = try MonitorSession.start(configuration)
            try session.observe(pid: pid)
            _ = try FileDescriptor.waitUntilReadable([handle.descriptor, signals.descriptor], timeout: nil)
            report = try session.finish()
        } catch let error as SystemError {
            throw ToolFailure(error.description, .noInput)
        } catch {
            throw ToolFailure("\(error)", .failed)
        }
        explain(report)
        outlets.publish(report)
        guard let status = report.exit.value else { return .success }
        CurrentProcess.exit(status.shellCode)
    }

    private static func statusFile(
        of pid: Int32, _ arguments: ParsedArguments
    ) throws(ToolFailure) -> (path: String, owner: UInt32?) {
        if let file = arguments.value("status-file") { return (Files.absolute(file), nil) }
        if let directory = arguments.value("output-dir") {
            return (StatusLocation(outputDirectory: Files.absolute(directory)).statusFile, nil)
        }
        // A relative path would be relative to a directory that the process may have left.
        if let named = ProcessCommandLine.environmentVariable(StatusLocation.statusFileVariable, of: pid),
            named.hasPrefix("/"), let owner = ProcessOwner.effectiveUser(of: pid)
        {
            return (named, owner)
        }
        throw ToolFailure(
            "Where process \(pid) tells its stages is not known. Give --output-dir DIR or --status-file FILE.",
            .usage)
    }

    private static func process(_ text: String) throws(ToolFailure) -> Int32 {
        guard let pid = Int32(text), pid > 0 else {
            throw ToolFailure(
                "The option '--pid' needs a process's number, not '\(PlainText.sanitized(text))'.", .usage)
        }
        guard ProcessStat.ofProcess(pid) != nil else {
            throw ToolFailure("There is no process \(pid).", .noInput)
        }
        return pid
    }

    private static func interval(_ arguments: ParsedArguments) throws(ToolFailure) -> Duration {
        guard let text = arguments.value("interval") else { return .milliseconds(500) }
        guard let seconds = Double(text), (0.01...60).contains(seconds) else {
            throw ToolFailure(
                "The interval '\(PlainText.sanitized(text))' is not a number of seconds from 0.01 to 60.",
                .usage)
        }
        return .seconds(seconds)
    }

    private static func name(of program: String) -> String {
        PlainText.sanitized(Files.name(of: program), maximumCharacters: 64)
    }
}
