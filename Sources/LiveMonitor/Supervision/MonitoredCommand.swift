public import LinuxProcess
internal import LinuxSystem
internal import Measurement
public import Stages

/// A command run under the monitor, in the foreground, as if the monitor were not there.
///
/// The command stays in this process's group: Ctrl-C, Ctrl-Z and `fg` reach it from the terminal as always. A signal
/// that a process sends to us alone is passed on; one that it sends to the whole group reaches the command anyway. When
/// the panel is drawn, what the command prints to the same terminal goes through a terminal of ours (`PseudoTerminal`), or
/// through pipes, to the monitor, which alone writes to the real one; otherwise it keeps our streams. This process holds our
/// ends as well: when either it or the monitor is killed, the other one goes on to read them, and the command notices
/// nothing. When both are, the command's next line is refused: by a terminal with EIO, by a pipe with SIGPIPE.
///
/// Standard input stays the command's. The panel's keys are read from the terminal only while the command does not wait
/// for the user to type.
public struct MonitoredCommand {
    /// How it ended.
    public struct Finished: Sendable {
        /// How the command ended.
        public var status: ExitStatus
        /// What the monitor found out; nil when there was none, which has been reported.
        public var report: MonitorReport?
    }

    /// Called with the command's process when another process is to watch it: then no monitor is started here.
    public var watchElsewhere: ((Int32) -> Void)?
    /// Whether the command prints to a terminal of ours while the panel is drawn, and not to pipes.
    public var printsToTerminal = true
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
    ///   - note: Called with what is wrong with the monitor; the command is run all the same.
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
                SignalInbox.windowChange,
            ])
        }
        var request = ChildRequest(directory.command(command))
        request.environment = directory.environment.merging(environment) { $1 }
        let orphans = takeOver()
        guard configuration.drawsPanel else {
            let (child, session) = try start(request, relays: [])
            return try finish(
                CommandWait(child, session, orphans: orphans, relays: [], terminal: nil), inbox)
        }
        let terminal = configuration.readsKeys ? TerminalReader.terminal(Terminal.standardInput) : nil
        if let printed = printsToTerminal ? openTerminal() : nil {
            return try run(request, printingTo: printed, orphans, keys: terminal, inbox)
        }
        let errors = try system { () throws(SystemError) in try FileDescriptor.pipe() }
        let output = try system { () throws(SystemError) in try FileDescriptor.pipe() }
        request.standardError = .descriptor(errors.writeEnd.rawValue)
        var pipes = [errors.readEnd.rawValue]
        if sharesOutput {
            request.standardOutput = .descriptor(output.writeEnd.rawValue)
            pipes.append(output.readEnd.rawValue)
        }
        let (child, session) = try start(request, relays: pipes)
        var relays = [LineRelay(reading: errors.takeReadEnd(), fallback: Terminal.standardError)]
        if sharesOutput {
            relays.append(LineRelay(reading: output.takeReadEnd(), fallback: Terminal.standardOutput))
        }
        return try finish(
            CommandWait(child, session, orphans: orphans, relays: relays, terminal: terminal), inbox)
    }

    /// Whether standard output is a terminal, and so the panel's.
    private var sharesOutput: Bool { Terminal.isTerminal(Terminal.standardOutput) }

    /// Runs the command with a terminal of ours in place of the one that the panel is drawn on: what goes to standard output
    /// and to standard error stays in order.
    private func run(
        _ request: ChildRequest, printingTo printed: consuming PseudoTerminal, _ orphans: AdoptedProcesses?,
        keys terminal: String?, _ inbox: borrowing SignalInbox
    ) throws(SpawnError) -> Finished {
        var request = request
        request.standardError = .descriptor(printed.terminal.rawValue)
        if sharesOutput { request.standardOutput = .descriptor(printed.terminal.rawValue) }
        let (child, session) = try start(request, relays: [printed.controller.rawValue])
        let relay = LineRelay(reading: printed.takeController(), fallback: Terminal.standardError)
        let wait = CommandWait(child, session, orphans: orphans, relays: [relay], terminal: terminal)
        wait.resized = relay.descriptor
        return try finish(wait, inbox)
    }

    /// Nil where the kernel has none to give: pipes do as well, but for the order and the colours.
    private func openTerminal() -> PseudoTerminal? {
        do throws(SystemError) {
            return try PseudoTerminal(size: Terminal.size(Terminal.standardError))
        } catch {
            note("The command prints to pipes, as with --no-pty. \(error)")
            return nil
        }
    }

    /// From now on the command's processes are ours when their parents end: what they use is counted.
    private func takeOver() -> AdoptedProcesses? {
        do throws(SystemError) {
            return try AdoptedProcesses()
        } catch {
            note("What processes use whose parents have ended is not counted. \(error)")
            return nil
        }
    }

    private func start(
        _ request: ChildRequest, relays: [Int32]
    ) throws(SpawnError) -> (CommandWait.Box, MonitorSession?) {
        let suspended = try SuspendedChild.prepare(request)
        var session: MonitorSession?
        if let watchElsewhere {
            watchElsewhere(suspended.pid)
            return (CommandWait.Box(try suspended.release()), nil)
        }
        var configuration = configuration
        configuration.relays = relays
        configuration.staysWithTarget = true
        if configuration.readsKeys, TerminalReader.isWaiting(suspended.pid, at: "") == nil {
            configuration.keys = .never
            note(
                "No keys are read, because the kernel does not show when the command itself wants to read the terminal."
            )
        }
        do throws(MonitorError) {
            let started = try MonitorSession.start(configuration)
            try started.observe(pid: suspended.pid)
            session = started
        } catch {
            note("\(error)")
        }
        return (CommandWait.Box(try suspended.release()), session)
    }

    private func finish(
        _ wait: CommandWait, _ inbox: borrowing SignalInbox
    ) throws(SpawnError) -> Finished {
        let outcome = try system { () throws(SystemError) in try wait.waitForEnd(inbox) }
        var report: MonitorReport?
        do throws(MonitorError) {
            report = try wait.session?.finish(outcome: outcome)
        } catch {
            note("\(error)")
        }
        wait.passRest()
        let left = wait.leftBehind
        if !left.isEmpty {
            let names = left.prefix(5).map { "\(PlainText.sanitized($0.program)) (\($0.pid))" }
            note(
                "The command has ended, but left \(left.count) \(left.count == 1 ? "process" : "processes") running: "
                    + names.joined(separator: ", ") + (left.count > 5 ? ", ..." : "")
                    + ". What they have used until then is counted.")
        }
        return Finished(status: outcome.status, report: report)
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
