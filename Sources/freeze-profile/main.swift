internal import CommandLineTool
internal import LinuxSystem
internal import LiveMonitor
internal import StackRecording

CurrentProcess.openMissingStandardDescriptors()
// The monitor child is this same program, started again with a first argument of its own.
if let status = MonitorChild.runIfRequested(arguments: CurrentProcess.arguments) {
    CurrentProcess.exit(status)
}
// So is the process that ends a measured command's descendants when a capture is killed.
if let status = RunGuardian.runIfRequested(arguments: CurrentProcess.arguments) {
    CurrentProcess.exit(status)
}

var tool = Tool(
    name: "freeze-profile",
    summary: "What a release costs, stage by stage: watched live, frozen per version, compared.",
    version: toolVersion,
    commands: [
        CaptureCommand.command, FreezeCommand.command, VerifyCommand.command, DiffCommand.command,
        GateCommand.command, BlameCommand.command,
        ReportCommand.command, ExportCommand.command, HistoryCommand.command, ABCommand.command,
        CalibrateCommand.command,
        MonitorCommand.command, StageCommand.command,
        SampleCommand.command, RenderCommand.command, DoctorCommand.command,
        PromoteCommand.command, ArchiveCommand.command, ListCommand.command, PruneCommand.command,
        InitCommand.command,
    ])
tool.names = CompletionNames.answer
tool.environment = [
    (
        "PIPELINE_STATUS_FILE",
        "The file in which a watched pipeline names its stages; set for it, unless it is set already."
    ),
    ("PIPELINE_OUTPUT_DIR", "The directory of the run, set for a watched pipeline."),
    ("NO_COLOR", "If set, nothing is coloured; FORCE_COLOR and CLICOLOR_FORCE colour what is no terminal."),
    ("FREEZE_PROFILE_CONTINUATION", "The command line that messages of 'capture' show for continuing it."),
]
CurrentProcess.exit(tool.run(Array(CurrentProcess.arguments.dropFirst())).rawValue)
