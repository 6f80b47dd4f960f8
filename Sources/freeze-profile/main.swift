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

let tool = Tool(
    name: "freeze-profile",
    summary: "What a release costs, stage by stage: watched live, frozen per version, compared.",
    version: toolVersion,
    commands: [
        CaptureCommand.command, FreezeCommand.command, VerifyCommand.command, DiffCommand.command,
        GateCommand.command,
        ReportCommand.command, HistoryCommand.command, ABCommand.command, CalibrateCommand.command,
        MonitorCommand.command, StageCommand.command,
        SampleCommand.command, RenderCommand.command, DoctorCommand.command,
        PromoteCommand.command, ArchiveCommand.command, ListCommand.command, PruneCommand.command,
    ])
CurrentProcess.exit(tool.run(Array(CurrentProcess.arguments.dropFirst())).rawValue)
