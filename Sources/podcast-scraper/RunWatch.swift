internal import CommandLineTool
internal import LinuxSystem
internal import LiveMonitor
internal import Measurement
internal import Stages

/// The monitor beside a run, when one was asked for. A monitor that fails is reported; the run goes on without it.
final class RunWatch: Sendable {
    private let session: MonitorSession?
    private let sharesTerminal: Bool

    /// Starts the monitor and has it watch this process.
    init(_ request: RunRequest) {
        if request.monitor && !request.startsMonitor {
            Console.note("\(Options.syntax.name): this run is watched already; no second monitor is started")
        }
        guard request.startsMonitor, let location = request.statusLocation else {
            (session, sharesTerminal) = (nil, false)
            return
        }
        if request.monitorPane, Self.openPane(location.statusFile) {
            (session, sharesTerminal) = (nil, false)
            return
        }
        var configuration = MonitorConfiguration(
            name: Options.syntax.name, statusFile: location.statusFile)
        configuration.flamegraphProgram = MonitorConfiguration.findFlamegraphProgram()
        sharesTerminal = configuration.drawsPanel
        do throws(MonitorError) {
            let started = try MonitorSession.start(configuration)
            try started.observeThisProcess()
            session = started
        } catch {
            Console.note("\(Options.syntax.name): \(error)")
            session = nil
        }
    }

    /// Whether the view is in a pane now; why not is reported.
    private static func openPane(_ statusFile: String) -> Bool {
        do throws(MonitorPane.Problem) {
            let program = try MonitorPane.program()
            try MonitorPane.open(
                pid: CurrentProcess.pid, statusFile: Files.absolute(statusFile), program: program)
            return true
        } catch {
            Console.note("\(Options.syntax.name): \(error)")
            return false
        }
    }

    /// Prints something for the person: above the panel where there is one.
    func tell(_ text: String) {
        if sharesTerminal, let session, session.say(text) { return }
        Console.note(text)
    }

    /// Ends the monitor, which writes its summary.
    func finish() {
        guard let session else { return }
        do throws(MonitorError) {
            _ = try session.finish()
        } catch {
            Console.note("\(Options.syntax.name): \(error)")
        }
    }
}
