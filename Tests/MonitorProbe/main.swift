import Glibc
import LinuxProcess
import LinuxSystem
import LiveMonitor
import Measurement
import Stages

// Four uses, for the tests of the monitor:
//   monitor-probe run [options] STATUS-FILE -- COMMAND...   runs a command under the monitor
//   monitor-probe self [options] STATUS-FILE PLAN...        a pipeline that monitors itself
//   monitor-probe pipeline STATUS-FILE PLAN...              a pipeline that writes its status with the library
//   monitor-probe suspend FILE                              prepares a child, writes its number to a file, and waits
// The report goes to standard output as JSON.

if let code = MonitorChild.runIfRequested() { exit(code) }

var arguments = CommandLine.arguments.dropFirst()
let mode = arguments.popFirst() ?? ""
var configuration = MonitorConfiguration(name: "probe", statusFile: "")
var logFile: String?
while let option = arguments.first, option.hasPrefix("--"), option != "--" {
    let parts = option.split(separator: "=", maxSplits: 1).map(String.init)
    let value = parts.count > 1 ? parts[1] : ""
    switch parts[0] {
    case "--name": configuration.name = value
    case "--log": logFile = value
    case "--logging": configuration.logging = required(MonitorConfiguration.Choice(rawValue: value))
    case "--report": configuration.reportFile = value
    case "--interval-ms": configuration.interval = .milliseconds(required(Int(value)))
    case "--panel": configuration.panel = required(MonitorConfiguration.Choice(rawValue: value))
    case "--plain-ms": configuration.plainInterval = .milliseconds(required(Int(value)))
    case "--ballast-mib": holdBallast(mebibytes: required(Int(value)))
    case "--quiet": configuration.writesPlainLines = false
    default: exit(64)
    }
    arguments = arguments.dropFirst()
}
guard let statusFile = arguments.popFirst() else { exit(64) }
configuration.statusFile = statusFile
configuration.logFile = logFile ?? Files.directory(of: statusFile) + "/.monitor.log"

func fail(_ error: any Error) -> Never {
    print("{\"error\": \"\(error)\"}")
    exit(70)
}

switch mode {
case "suspend":
    let suspended = try SuspendedChild.prepare(ChildRequest(["sleep", "60"]))
    try Files.replace(statusFile, with: "\(suspended.pid)")
    pause()
    _ = try suspended.release()
case "run":
    if arguments.first == "--" { arguments = arguments.dropFirst() }
    do {
        let session = try MonitorSession.start(configuration)
        var request = ChildRequest(Array(arguments))
        request.environment[StatusLocation.statusFileVariable] = statusFile
        request.environment["MONITOR_PID"] = "\(session.monitorPID)"
        request.standardOutput = .null
        let suspended = try SuspendedChild.prepare(request)
        try session.observe(pid: suspended.pid)
        var child = try suspended.release()
        let outcome = required(try child.wait())
        do {
            print(try session.finish(outcome: outcome).json)
        } catch {
            print("{\"error\": \"\(error)\", \"command\": \"\(outcome.status)\"}")
        }
    } catch {
        fail(error)
    }
case "self":
    do {
        let session = try MonitorSession.start(configuration)
        try session.observeThisProcess()
        runPlan(Array(arguments), statusFile: statusFile)
        print(try session.finish().json)
    } catch {
        fail(error)
    }
case "pipeline":
    runPlan(Array(arguments), statusFile: statusFile)
default:
    exit(64)
}
