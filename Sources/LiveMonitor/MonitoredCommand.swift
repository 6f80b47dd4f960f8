public import LinuxProcess
internal import LinuxSystem
internal import Measurement
public import PipelineStatus

/// A command run under the monitor, in the foreground, as if the monitor were not there.
///
/// The command stays in this process's group: Ctrl-C, Ctrl-Z and `fg` reach it from the terminal as always. A signal
/// that a process sends to us alone is passed on. When the panel is drawn, what the command prints to the same terminal
/// goes through pipes to the monitor, which alone writes to the terminal; otherwise it keeps our streams.
public struct MonitoredCommand {
    /// How it ended.
    public struct Finished: Sendable {
        /// How the command ended.
        public var status: ExitStatus
        /// What the monitor found out; nil when there was none, which has been told.
        public var report: MonitorReport?
    }

    /// Told the command's process when somebody else is to watch it: then no monitor is started here.
    public var watchElsewhere: ((Int32) -> Void)?
    /// Variables that the command gets besides those about its directory.
    public var environment: [String: String] = [:]

    private let command: [String]
    private let directory: PipelineDirectory
    private let configuration: MonitorConfiguration
    private let note: (String) -> Void

    /// A command in its output directory.
    ///
    /// - Parameters:
    ///   - command: The command, with `{output_dir}` for the directory.
    ///   - directory: Where it writes.
    ///   - configuration: What the monitor is to do.
    ///   - note: Told what is wrong with the monitor; the command is run all the same.
    public init(
        _ command: [String], in directory: PipelineDirectory, configuration: MonitorConfiguration,
        note: @escaping (String) -> Void
    ) {
        self.command = command
        self.directory = directory
        self.configuration = configuration
        self.note = note
    }

    /// Runs the command to its end.
    public func run() throws(SpawnError) -> Finished {
        let inbox = try system { () throws(SystemError) in
            try SignalInbox(for: [
                SignalInbox.interrupt, SignalInbox.quit, SignalInbox.terminate, SignalInbox.hangUp,
            ])
        }
        var request = ChildRequest(directory.command(command))
        request.environment = directory.environment.merging(environment) { $1 }
        // Two readers of one keyboard would each get half of what is typed.
        if configuration.readsKeys { request.standardInput = .null }
        var relays: [LineRelay] = []
        if configuration.drawsPanel {
            let errors = try system { () throws(SystemError) in try FileDescriptor.pipe() }
            let output = try system { () throws(SystemError) in try FileDescriptor.pipe() }
            request.standardError = .descriptor(errors.writeEnd.rawValue)
            let sharesOutput = Terminal.isTerminal(Terminal.standardOutput)
            if sharesOutput { request.standardOutput = .descriptor(output.writeEnd.rawValue) }
            let (child, session) = try start(request)
            relays.append(LineRelay(reading: errors.takeReadEnd(), fallback: Terminal.standardError))
            if sharesOutput {
                relays.append(LineRelay(reading: output.takeReadEnd(), fallback: Terminal.standardOutput))
            }
            return try finish(child, session, inbox, relays)
        }
        let (child, session) = try start(request)
        return try finish(child, session, inbox, relays)
    }

    private func start(_ request: ChildRequest) throws(SpawnError) -> (Box, MonitorSession?) {
        let suspended = try SuspendedChild.prepare(request)
        var session: MonitorSession?
        if let watchElsewhere {
            watchElsewhere(suspended.pid)
            return (Box(try suspended.release()), nil)
        }
        do throws(MonitorError) {
            let started = try MonitorSession.start(configuration)
            try started.observe(pid: suspended.pid)
            session = started
        } catch {
            note("\(error)")
        }
        return (Box(try suspended.release()), session)
    }

    /// A child to be handed about together with other things.
    private final class Box {
        var child: ChildProcess
        init(_ child: consuming ChildProcess) { self.child = child }
    }

    private func finish(
        _ box: Box, _ session: MonitorSession?, _ inbox: borrowing SignalInbox, _ relays: [LineRelay]
    ) throws(SpawnError) -> Finished {
        let outcome = try system { () throws(SystemError) in
            try waitForEnd(of: box, session, inbox, relays)
        }
        var report: MonitorReport?
        do throws(MonitorError) {
            report = try session?.finish(outcome: outcome)
        } catch {
            note("\(error)")
        }
        return Finished(status: outcome.status, report: report)
    }

    private func waitForEnd(
        of box: Box, _ session: MonitorSession?, _ inbox: borrowing SignalInbox, _ relays: [LineRelay]
    ) throws(SystemError) -> ChildProcess.Outcome {
        while true {
            let watched = [box.child.pidfd, inbox.descriptor] + relays.map(\.descriptor)
            let ready = try FileDescriptor.waitUntilReadable(watched, timeout: nil)
            while let (signal, isFromProcess) = inbox.nextWithOrigin() {
                if isFromProcess { box.child.send(signal) }
            }
            for (relay, isReady) in zip(relays, ready.dropFirst(2)) where isReady {
                if let lines = relay.next() { pass(lines, relay, session) }
            }
            guard ready[0], let outcome = try box.child.wait(timeout: .zero) else { continue }
            // What it has left in the pipes; a descendant that lives on may keep them open, and is not waited for.
            for relay in relays {
                while relay.descriptor >= 0,
                    try FileDescriptor.waitUntilReadable([relay.descriptor], timeout: .zero)[0]
                {
                    if let lines = relay.next() { pass(lines, relay, session) }
                }
                if let line = relay.last() { pass(line, relay, session) }
            }
            return outcome
        }
    }

    private func pass(_ lines: String, _ relay: LineRelay, _ session: MonitorSession?) {
        if let session, session.say(lines) { return }
        do throws(SystemError) {
            try FileDescriptor.write(lines + "\n", to: relay.fallback)
        } catch {
            // The terminal is gone; the pipeline goes on.
            return
        }
    }

    private func system<Result: ~Copyable>(
        _ action: () throws(SystemError) -> Result
    ) throws(SpawnError) -> Result {
        do throws(SystemError) {
            return try action()
        } catch {
            throw .system(error)
        }
    }
}
