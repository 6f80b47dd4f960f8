import LinuxSystem
import LiveMonitor
import Measurement
import Stages

// A pipeline of two stages that watches itself, with nothing but the libraries Stages and LiveMonitor.
//
//     swift run monitored-pipeline out

// First: the monitor is this same program, started again.
if let code = MonitorChild.runIfRequested() { CurrentProcess.exit(code) }

guard CommandLine.arguments.count == 2, let fetch = StageName("fetch"), let count = StageName("count") else {
    CurrentProcess.exit(64)
}
let location = StatusLocation(outputDirectory: CommandLine.arguments[1])
let configuration = MonitorConfiguration(name: "example", statusFile: location.statusFile)

var monitor: MonitorSession?
do throws(MonitorError) {
    let session = try MonitorSession.start(configuration)
    try session.observeThisProcess()
    monitor = session
} catch {
    // The work matters more than the watching.
    print(error)
}

let reporter = StatusReporter(location: location) { print($0) }
for episode in 1...3 {
    let position = EpisodePosition(index: episode, total: 3)
    reporter.stage(fetch, episode: position) { SystemClock.sleep(for: .milliseconds(200)) }
    reporter.stage(count, episode: position) {
        let end = SystemClock.processCPU + .milliseconds(200)
        while SystemClock.processCPU < end {}
    }
}
reporter.finish()

do throws(MonitorError) {
    for stage in try monitor?.finish().stages ?? [] {
        print(stage.name.text, "\(stage.wall.value?.inSeconds.fixed(1) ?? "?") s")
    }
} catch {
    print(error)
}
