internal import CommandLineTool
internal import LinuxSystem
internal import LiveMonitor

CurrentProcess.openMissingStandardDescriptors()
// The monitor child is this same program, started again with a first argument of its own.
if let status = MonitorChild.runIfRequested() { CurrentProcess.exit(status) }

CurrentProcess.ignoreBrokenPipes()
let arguments = Array(CurrentProcess.arguments.dropFirst())
let further: [Tool.Command] = [
    Tool.Command("search", SearchCommand.syntax) { parsed throws(ToolFailure) in try SearchCommand.run(parsed)
    },
    Tool.Command("show", ShowCommand.syntax) { parsed throws(ToolFailure) in try ShowCommand.run(parsed) },
    Tool.Command("service", ServiceCommand.syntax) { parsed throws(ToolFailure) in
        try ServiceCommand.run(parsed)
    },
]
if arguments.first == "--version" {
    Console.print("\(Options.syntax.name) \(Options.version)")
    CurrentProcess.exit(Tool.checkingOutput(.success, tool: Options.syntax.name).rawValue)
} else if let command = further.first(where: { $0.word == arguments.first }) {
    CurrentProcess.exit(Tool.run(command, Array(arguments.dropFirst())).rawValue)
} else {
    let command = Tool.Command("", Options.syntax) { parsed throws(ToolFailure) in
        try runPipeline(try RunRequest(try Options(parsed)))
    }
    CurrentProcess.exit(Tool.run(command, arguments).rawValue)
}
