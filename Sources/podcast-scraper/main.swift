internal import CommandLineTool
internal import LinuxSystem
internal import LiveMonitor

CurrentProcess.openMissingStandardDescriptors()
// The monitor child is this same program, started again with a first argument of its own.
if let status = MonitorChild.runIfRequested() { CurrentProcess.exit(status) }

let tool = Tool(
    name: Options.syntax.name, summary: Options.syntax.summary, version: Options.version,
    commands: [
        Tool.Command("", Options.syntax) { parsed throws(ToolFailure) in
            try runPipeline(try RunRequest(try Options(parsed)))
        },
        Tool.Command("search", SearchCommand.syntax) { parsed throws(ToolFailure) in
            try SearchCommand.run(parsed)
        },
        Tool.Command("show", ShowCommand.syntax) { parsed throws(ToolFailure) in
            try ShowCommand.run(parsed)
        },
        Tool.Command("service", ServiceCommand.syntax) { parsed throws(ToolFailure) in
            try ServiceCommand.run(parsed)
        },
    ])
CurrentProcess.exit(tool.run(Array(CurrentProcess.arguments.dropFirst())).rawValue)
