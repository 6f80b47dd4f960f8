internal import LinuxSystem

/// The two streams a tool speaks on: data to standard output, everything else to standard error.
public enum Console {
    /// Prints data. A reader that has gone (`| head`) is no failure.
    public static func print(_ text: String) {
        write(text, to: Terminal.standardOutput)
    }

    /// Tells the person something that is not data.
    public static func note(_ text: String) {
        write(text, to: Terminal.standardError)
    }

    /// Reports a failure, as `name: message`.
    public static func report(_ failure: ToolFailure, tool: String) {
        let style = TerminalStyle.forDescriptor(Terminal.standardError)
        note("\(style.red("\(tool):")) \(failure.message)")
    }

    /// Draws on the terminal behind standard error, as it is.
    static func draw(_ text: String) {
        writeAll(text, to: Terminal.standardError)
    }

    private static func write(_ text: String, to descriptor: Int32) {
        writeAll(text.hasSuffix("\n") ? text : text + "\n", to: descriptor)
    }

    private static func writeAll(_ text: String, to descriptor: Int32) {
        do throws(SystemError) {
            try FileDescriptor.write(text, to: descriptor)
        } catch {
            // There is nobody left to tell: the stream for telling is the one that broke.
        }
    }
}
