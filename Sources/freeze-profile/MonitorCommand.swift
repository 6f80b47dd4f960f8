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
        operands: .commandUnless(options: ["pid", "job", "clock"]),
        options: [
            .value(
                "output-dir", "DIR", "where the pipeline writes (default: a fresh directory, which is kept)"),
            .value("interval", "S", "seconds between two ticks, 0.01 to 60 (default: 0.5)"),
            .value("pid", "N", "watch a process that runs already instead of a command"),
            .flag(
                "task", "the command is a task of a Slurm job: leave its account for --job and for captures"),
            .value(
                "job", "JOBID",
                "watch a Slurm job whose tasks run under --task, and print what all of them used"),
            .value(
                "tasks", "DIR",
                "where tasks leave their accounts, seen by all nodes (default: freeze-profile-tasks/JOBID)"),
            .flag("json", "with --job: print JSON"),
            .flag("clock", "answer each line of standard input with this node's clocks; --job asks nodes so"),
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
            (
                "srun -N4 freeze-profile monitor --task -- ./step", "in a job's script: a step on four nodes"
            ),
            ("freeze-profile monitor --job 12", "watch that job, and add up what its tasks used"),
        ],
        notes: [
            "'{output_dir}' in the command becomes the output directory, also set as PIPELINE_OUTPUT_DIR; the pipeline "
                + "reports its stages in the file PIPELINE_STATUS_FILE ('freeze-profile stage' does it for a script). "
                + "Without a terminal the ticks go to DIR/.monitor.log.",
            "With --pid the status file is the one that the process was started with (PIPELINE_STATUS_FILE), unless you name "
                + "another; nothing is written there. The log and pictures go into DIR, else into the working directory."
                + " No directory is made.",
            "With --job stages are the union of their spans on all nodes, CPU time is summed, and memory is that of the largest node. "
                + "The clocks of nodes are compared by round trips through srun; sacct's figures stand beside ours.",
            "Keys: f draws a flamegraph of the next 5 s, p pauses the view, t shows or hides the busiest processes, q leaves "
                + "the view, ? shows the keys. A pipeline that reads the terminal gets it while it waits there.",
            "Exit codes: the pipeline's own, 128 and the signal's number when a signal ended it; 4 it could not be "
                + "started, 64 wrong usage, 66 there is no such process, 73 cannot write. Watching a process by --pid "
                + "ends with 0 when its exit code is not known or the watching was ended by Ctrl-C.",
        ])

    private static func run(_ arguments: ParsedArguments) throws(ToolFailure) -> ExitCode {
        let interval = try interval(arguments)
        if arguments.has("clock") { return try ClockAnswers.run() }
        let outlets = try MetricsOutlets(arguments)
        if arguments.value("job") != nil {
            var job = try JobMonitoring(arguments)
            return try job.run(outlets)
        }
        if arguments.has("task") {
            return try TaskMonitoring.run(
                arguments, name: name(of: arguments.command.first ?? ""), interval: interval, outlets
            ) { Console.note("\(syntax.name): \($0)") }
        }
        if let pid = arguments.value("pid") {
            return try watch(try process(pid), arguments, interval, outlets)
        }
        let (directory, fresh) = try directory(
            arguments.value("output-dir"), arguments.value("status-file"))
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
            if let change = directory.change { Console.note("\(syntax.name): \(change)") }
            if let fresh, fresh.removeIfUnused() {
                Console.note(
                    "\(syntax.name): nothing was written to the output directory, so it has been removed")
            }
            CurrentProcess.exit(finished.status.shellCode)
        } catch {
            throw ToolFailure(error.description, .failed)
        }
    }

    /// Where the pipeline writes; with the directory itself where the user has named none.
    private static func directory(
        _ requested: String?, _ statusFile: String?
    ) throws(ToolFailure) -> (PipelineDirectory, FreshOutputDirectory?) {
        do throws(SystemError) {
            if let requested {
                return (try PipelineDirectory(preparing: requested, statusFile: statusFile), nil)
            }
            let fresh = try FreshOutputDirectory(
                in: CurrentProcess.environmentVariable("TMPDIR") ?? "/tmp")
            let directory = try PipelineDirectory(preparing: fresh.path, statusFile: statusFile)
            Console.note("\(syntax.name): the output directory is '\(directory.path)'")
            return (directory, fresh)
        } catch {
            throw ToolFailure(error.description, .cannotWrite)
        }
    }

    /// Says what a reader of the numbers should know.
    private static func explain(_ report: MonitorReport?) {
        for note in report?.notes ?? [] {
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

    /// The program for the pane; nil when there is none, which is reported.
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
            "Where process \(pid) reports its stages is not known. Give --output-dir DIR or --status-file FILE.",
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
