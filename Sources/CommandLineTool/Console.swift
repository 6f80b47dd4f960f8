internal import LinuxSystem
internal import Measurement
internal import Synchronization

/// The two streams of a tool: data to standard output, everything else to standard error.
public enum Console {
    /// The first failure to write data. The code that ends the process checks it: lost data is no success.
    private static let firstFailure = Mutex<SystemError?>(nil)

    /// Prints data. A failure is kept for ``outputFailure``; a reader that has gone (`| head`) is none.
    public static func print(_ text: String) {
        print(bytes: Array((text.hasSuffix("\n") ? text : text + "\n").utf8))
    }

    /// Prints data as it is.
    public static func print(bytes: [UInt8]) {
        do throws(SystemError) {
            try OutputDestination.descriptor(Terminal.standardOutput).write(bytes)
        } catch  where error.code != SystemError.brokenPipe {
            firstFailure.withLock { $0 = $0 ?? error }
        } catch {
            // The reader has all that it wanted.
        }
    }

    /// Why data could not be printed; nil when all of it was.
    public static var outputFailure: ToolFailure? {
        firstFailure.withLock { $0 }.map { ToolFailure($0.description, .cannotWrite) }
    }

    /// Writes what an output option asked for.
    ///
    /// - Parameter path: What the user gave; see ``OutputDestination``.
    public static func deliver(_ bytes: [UInt8], to path: String) throws(ToolFailure) {
        do throws(SystemError) {
            let destination = try OutputDestination(path)
            if destination == .descriptor(Terminal.standardOutput) { return print(bytes: bytes) }
            try destination.write(bytes)
        } catch {
            // A reader that has gone is no failure here either, be it of a FIFO or of `>(head)`.
            if error.code != SystemError.brokenPipe {
                throw ToolFailure(PlainText.sanitized(error.description), .cannotWrite)
            }
        }
    }

    /// Writes what an output option asked for, as UTF-8.
    public static func deliver(_ text: String, to path: String) throws(ToolFailure) {
        try deliver(Array(text.utf8), to: path)
    }

    /// Prints something that is not data.
    public static func note(_ text: String) {
        write(text.hasSuffix("\n") ? text : text + "\n")
    }

    /// Reports a failure, as `name: message`.
    public static func report(_ failure: ToolFailure, tool: String) {
        let style = TerminalStyle.forDescriptor(Terminal.standardError)
        note("\(style.red("\(tool):")) \(failure.message)")
    }

    /// Draws on the terminal behind standard error, as it is.
    static func draw(_ text: String) {
        write(text)
    }

    private static func write(_ text: String) {
        do throws(SystemError) {
            try FileDescriptor.write(text, to: Terminal.standardError)
        } catch {
            // Nothing is left to report this on.
        }
    }
}
