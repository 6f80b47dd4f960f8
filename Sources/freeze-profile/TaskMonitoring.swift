internal import CommandLineTool
internal import JobRuns
internal import LinuxProcess
internal import LinuxSystem
internal import LiveMonitor
internal import Measurement
internal import Stages

/// `freeze-profile monitor --task`: one task of a run that spans nodes, watched where it runs. Its account goes to a directory
/// that `monitor --job` and captures read.
enum TaskMonitoring {
    static func run(
        _ arguments: ParsedArguments, name: String, interval: Duration, _ outlets: MetricsOutlets,
        note: @escaping (String) -> Void
    ) throws(ToolFailure) -> ExitCode {
        let (directory, configuration) = try prepare(arguments, name: name, interval: interval)
        var command = MonitoredCommand(
            arguments.command, in: directory, configuration: configuration, note: note)
        command.printsToTerminal = false
        do throws(SpawnError) {
            let finished = try command.run()
            if let report = finished.report { outlets.publish(report) }
            CurrentProcess.exit(finished.status.shellCode)
        } catch {
            throw ToolFailure(error.description, .failed)
        }
    }

    /// The task's own directory for its status and its account; what the pipeline writes goes where all its tasks write.
    private static func prepare(
        _ arguments: ParsedArguments, name: String, interval: Duration
    ) throws(ToolFailure) -> (PipelineDirectory, MonitorConfiguration) {
        do throws(SystemError) {
            let place = try TaskDirectory.begin(TaskHeader.here(program: name), in: root(arguments))
            let output =
                arguments.value("output-dir")
                ?? CurrentProcess.environmentVariable(StatusLocation.outputDirectoryVariable) ?? place
            let directory = try PipelineDirectory(
                preparing: output, statusFile: StatusLocation(outputDirectory: place).statusFile)
            var configuration = MonitorConfiguration(name: name, statusFile: directory.location.statusFile)
            configuration.logFile = "\(place)/.monitor.log"
            configuration.logging = .always
            configuration.reportFile = "\(place)/\(TaskDirectory.reportFile)"
            configuration.panel = .never
            configuration.writesPlainLines = false
            configuration.keys = .never
            configuration.interval = interval
            return (directory, configuration)
        } catch {
            throw ToolFailure(error.description, .cannotWrite)
        }
    }

    private static func root(_ arguments: ParsedArguments) -> String {
        func variable(_ name: String) -> String? {
            CurrentProcess.environmentVariable(name).flatMap { $0.isEmpty ? nil : $0 }
        }
        if let named = arguments.value("tasks") ?? variable(TaskDirectory.variable) { return named }
        let job = variable("SLURM_ARRAY_JOB_ID") ?? variable("SLURM_JOB_ID") ?? "none"
        return TaskDirectory.standard(
            job: job, below: variable("SLURM_SUBMIT_DIR") ?? Files.workingDirectory)
    }
}
