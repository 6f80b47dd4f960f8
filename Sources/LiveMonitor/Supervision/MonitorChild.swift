internal import LinuxSystem

/// The monitor's side of an executable.
public enum MonitorChild {
    /// The first argument by which an executable is asked to be the monitor. Not meant for people.
    static let argument = "--freeze-profile-monitor-child"
    /// The answer to `observe` when all is well.
    static let observing = "observing"
    /// What comes before the report when that has to wait for a picture, and for how long.
    static let drawing = "drawing\n"
    static let pictureTime = Duration.seconds(20)

    /// Runs the monitor when this process was started to be one, and returns its exit code; else nil.
    ///
    /// Call it as the first line of main, before threads are started and anything is printed:
    ///
    ///     if let code = MonitorChild.runIfRequested() { exit(code) }
    public static func runIfRequested(arguments: [String] = CommandLine.arguments) -> Int32? {
        guard arguments.count == 3, arguments[1] == argument, let descriptor = Int32(arguments[2]),
            descriptor > 2
        else { return nil }
        CurrentProcess.ignoreBrokenPipes()
        CurrentProcess.setThreadName("freeze-monitor")
        do throws(SystemError) {
            let inbox = try SignalInbox(for: [
                SignalInbox.interrupt, SignalInbox.quit, SignalInbox.terminate, SignalInbox.hangUp,
                SignalInbox.windowChange, SignalInbox.terminalStop,
                // Without these the kernel would stop a monitor that gives back a terminal it has just lost.
                SignalInbox.terminalInput, SignalInbox.terminalOutput,
            ])
            let loop = MonitorLoop(control: FileDescriptor(owning: descriptor), inbox: inbox)
            return loop.run()
        } catch {
            // The parent sees the connection close and says that there is no monitor.
            return 70
        }
    }
}
