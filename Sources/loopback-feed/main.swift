internal import CommandLineTool
internal import LinuxSystem

CurrentProcess.openMissingStandardDescriptors()
let tool = Options.syntax.name

if CurrentProcess.arguments.dropFirst() == ["--man"] {
    let page = ManualPage(Options.syntax, version: PackageVersion.current, related: ["podcast-scraper"])
    Console.print(page.text)
    CurrentProcess.exit(Tool.checkingOutput(.success, tool: tool).rawValue)
}
do throws(CommandSyntax.UsageError) {
    let options = try Options.parse(Array(CurrentProcess.arguments.dropFirst()))
    do throws(ToolFailure) {
        CurrentProcess.exit(try serve(options))
    } catch {
        Console.report(error, tool: tool)
        CurrentProcess.exit(error.exitCode.rawValue)
    }
} catch {
    switch error {
    case .helpRequested:
        Console.print(Options.syntax.help)
        CurrentProcess.exit(Tool.checkingOutput(.success, tool: tool).rawValue)
    case .wrong(let sentence):
        Console.report(ToolFailure("\(sentence) See '\(tool) --help'.", .usage), tool: tool)
        CurrentProcess.exit(ExitCode.usage.rawValue)
    }
}
