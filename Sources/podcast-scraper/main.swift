internal import CommandLineTool
internal import LinuxSystem
internal import LiveMonitor

// The monitor child is this same program, started again with a first argument of its own.
if let status = MonitorChild.runIfRequested() { CurrentProcess.exit(status) }

CurrentProcess.ignoreBrokenPipes()
let command = Tool.Command("", Options.syntax) { arguments throws(ToolFailure) in
    try runPipeline(try RunRequest(try Options(arguments)))
}
CurrentProcess.exit(Tool.run(command, Array(CommandLine.arguments.dropFirst())).rawValue)
