internal import CommandLineTool
internal import JobRuns
internal import LinuxSystem
internal import LiveMonitor
internal import Measurement
internal import SlurmEngine

/// `freeze-profile monitor --job`: watches a Slurm job whose tasks run under `monitor --task`, and adds up what they used.
struct JobMonitoring {
    private let job: String
    private let directory: String
    private let printsJSON: Bool
    private var clocks = JobClocks(program: ClockAnswers.program)
    /// The clocks that were asked while the job ran.
    private var asked: Set<String> = []
    private var reported = ""
    private var isJobOver = false

    /// The longest pause between two looks at the queue.
    private static let longestPause = Duration.seconds(5)
    /// How long the files of a job that has ended may take until they are seen here: clients of NFS look anew after a minute.
    private static let longestDelay = Duration.seconds(70)
    /// The same where no task has been seen at all: most likely none runs under `--task`.
    private static let briefDelay = Duration.seconds(5)

    init(_ arguments: ParsedArguments) throws(ToolFailure) {
        let text = arguments.value("job") ?? ""
        guard JobListing.isJob(text) else {
            throw ToolFailure(
                "The option '--job' needs a job's number, such as 12 or 12_3, not '\(PlainText.sanitized(text))'.",
                .usage)
        }
        job = text
        directory =
            arguments.value("tasks").map { Files.absolute($0) }
            ?? TaskDirectory.standard(
                job: String(text.prefix { $0 != "_" }), below: Files.workingDirectory)
        printsJSON = arguments.has("json")
    }

    /// Watches the job to its end, or until Ctrl-C, and prints what it used.
    mutating func run(_ outlets: MetricsOutlets) throws(ToolFailure) -> ExitCode {
        let tools: SlurmTools
        do throws(SlurmError) {
            tools = try SlurmTools()
        } catch {
            throw ToolFailure(error.description, .failed)
        }
        try watch(tools)
        let (tasks, notes) = try load()
        guard !tasks.isEmpty else {
            throw ToolFailure(
                "No task of job \(job) has left anything in '\(PlainText.sanitized(directory))'. Start the job's steps with "
                    + "'freeze-profile monitor --task -- COMMAND', or say where they write: --tasks DIR.",
                .noInput)
        }
        // Once more at the end: what the clocks went apart meanwhile is bounded by both.
        clocks.ask(tasks.map(\.header), isRunning: !isJobOver)
        let merged = JobRun(
            name: "job \(job)", own: nil, tasks: tasks, clocks: clocks.clocks, wallClock: JobClocks.wallClock,
            notes: notes + clocks.sentences)
        guard let merged else {
            throw ToolFailure(
                "None of the \(tasks.count) tasks of job \(job) has left an account. Ask again when one has ended.",
                .noInput)
        }
        publish(merged, outlets)
        return .success
    }

    private func publish(_ run: JobRun, _ outlets: MetricsOutlets) {
        var steps: [StepComparison] = []
        switch SlurmTools.steps(ofJobs: Set(run.tasks.map(\.header.job)).sorted()) {
        case .value(let accounts): steps = StepComparison.of(run.tasks, accounts)
        case .unavailable(let reason): Console.note("Slurm's own figures are not shown: \(reason)")
        }
        for note in run.report.notes {
            Console.note("freeze-profile monitor: \(PlainText.sanitized(note, maximumCharacters: 2048))")
        }
        Console.print(printsJSON ? run.json(steps: steps) : run.text(steps: steps))
        outlets.publish(run.report, job: job)
    }

    // MARK: - The wait

    /// What the queue says of the job.
    private enum Look {
        /// Nothing: it has forgotten the job, or never had it.
        case unknown
        case open
        case ended
        /// It gave no answer, for this reason.
        case silent(String)
    }

    private func look(_ tools: SlurmTools) -> Look {
        do throws(SlurmError) {
            guard let states = try tools.states(ofJob: job) else { return .unknown }
            return states.allSatisfy { if case .ended = $0.state { true } else { false } } ? .ended : .open
        } catch {
            return .silent(error.description)
        }
    }

    /// Looks at job and tasks until the job is over and all have left their accounts, or until Ctrl-C.
    private mutating func watch(_ tools: SlurmTools) throws(ToolFailure) {
        let signals = try receiveSignals()
        var pause = Duration.milliseconds(500)
        var endedAt: Int64?
        while true {
            let tasks = try load().tasks
            isJobOver = false
            switch look(tools) {
            case .unknown where tasks.isEmpty:
                throw ToolFailure("Slurm knows no job \(job). Its jobs: squeue --states=all", .noInput)
            case .unknown, .ended: isJobOver = true
            case .open: ask(tasks)
            case .silent(let words): say("\(words) Asking on; the job is not affected.")
            }
            say(tasks)
            if isJobOver {
                // A task whose account is still to be seen here is waited for.
                let since = endedAt ?? SystemClock.monotonicNanoseconds
                endedAt = since
                let waited = Duration(nanosecondCount: SystemClock.monotonicNanoseconds - since)
                let isComplete = !tasks.isEmpty && tasks.allSatisfy { $0.report.value != nil }
                if isComplete || waited > (tasks.isEmpty ? Self.briefDelay : Self.longestDelay) { return }
            }
            if try isEnded(signals, within: pause) { return }
            pause = endedAt == nil ? min(pause * 1.5, Self.longestPause) : .milliseconds(500)
        }
    }

    private func load() throws(ToolFailure) -> (tasks: [TaskRecord], notes: [String]) {
        guard Files.isDirectory(directory) else { return ([], []) }
        do throws(SystemError) {
            let (all, notes) = try TaskDirectory.load(directory)
            // A directory that was named may hold the tasks of other jobs.
            return (all.filter { $0.header.job == job || $0.header.job.hasPrefix("\(job)_") }, notes)
        } catch {
            throw ToolFailure(error.description, .noInput)
        }
    }

    /// Asks nodes for their clocks, each once while its tasks run.
    private mutating func ask(_ tasks: [TaskRecord]) {
        let new = tasks.filter { $0.report.value == nil && !asked.contains($0.header.began.clock) }
        guard !new.isEmpty else { return }
        asked.formUnion(new.map(\.header.began.clock))
        clocks.ask(new.map(\.header), isRunning: true)
    }

    /// Says how far the tasks are, when that has changed.
    private mutating func say(_ tasks: [TaskRecord]) {
        let running = tasks.filter { $0.report.value == nil }
        let stages = running.prefix(8).map { task in
            "\(task.header.node) \(task.stage?.text ?? "no stage")"
        }
        say(
            "job \(job) \(isJobOver ? "has ended" : "is not over"): \(tasks.count - running.count) of \(tasks.count) tasks have ended"
                + (stages.isEmpty ? "" : "; \(stages.joined(separator: ", "))")
                + (running.count > 8 ? ", ..." : ""))
    }

    private mutating func say(_ words: String) {
        if reported != words { Console.note(PlainText.sanitized(words)) }
        reported = words
    }

    private func receiveSignals() throws(ToolFailure) -> SignalInbox {
        do throws(SystemError) {
            return try SignalInbox(for: [
                SignalInbox.interrupt, SignalInbox.terminate, SignalInbox.hangUp,
            ])
        } catch {
            throw ToolFailure(error.description, .failed)
        }
    }

    private func isEnded(_ signals: borrowing SignalInbox, within pause: Duration) throws(ToolFailure) -> Bool
    {
        do throws(SystemError) {
            _ = try FileDescriptor.waitUntilReadable([signals.descriptor], timeout: pause)
            return signals.next() != nil
        } catch {
            throw ToolFailure(error.description, .failed)
        }
    }
}
