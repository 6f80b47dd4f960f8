internal import CommandLineTool
internal import LinuxProcess
internal import LinuxSystem
internal import LoopbackServer
internal import Measurement

/// Serves the directory while the command runs. Returns the command's exit code.
func serve(_ options: Options) throws(ToolFailure) -> Int32 {
    let inbox: SignalInbox
    let server: LoopbackServer
    do throws(SystemError) {
        // Before any thread exists, so that none of them takes the signals.
        inbox = try SignalInbox(for: [
            SignalInbox.interrupt, SignalInbox.terminate, SignalInbox.hangUp,
        ])
    } catch {
        throw ToolFailure("\(error)", .failed)
    }
    do throws(SystemError) {
        server = try LoopbackServer(serving: options.directory)
    } catch {
        let hint = error.isNotFound ? " Give a directory that exists." : ""
        throw ToolFailure(
            PlainText.sanitized("\(error)") + hint, error.isNotFound ? .noInput : .failed)
    }
    let feed = server.url("/feed.xml")
    var request = ChildRequest(options.command(feedURL: feed))
    request.environment[Options.feedVariable] = feed
    var child: ChildProcess
    do throws(SpawnError) {
        child = try ChildProcess.start(request)
    } catch {
        throw ToolFailure("\(error)", .noInput)
    }
    do throws(SystemError) {
        return try wait(for: &child, forwarding: inbox)
    } catch {
        throw ToolFailure("\(error)", .failed)
    }
}

/// Waits for the child and hands it the signals that reach us meanwhile.
private func wait(
    for child: inout ChildProcess, forwarding inbox: borrowing SignalInbox
) throws(SystemError) -> Int32 {
    while true {
        let ready = try FileDescriptor.waitUntilReadable([inbox.descriptor, child.pidfd], timeout: nil)
        while let signal = inbox.next() {
            // Ctrl-C reaches the whole foreground group: the child has it already, and two would mean "at once".
            if signal == SignalInbox.interrupt && Terminal.isTerminal(0) { continue }
            child.send(signal)
        }
        if ready[1], let outcome = try child.wait(timeout: .zero) { return outcome.status.shellCode }
    }
}
