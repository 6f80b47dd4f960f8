internal import CLinux

/// A terminal of our own: what a program prints to it, we read.
///
/// A program that prints to a terminal prints at once, in colour, and its errors in their place; into a pipe it would not.
/// What is printed comes out unchanged. The terminal controls no session: keys and job control stay those of the real one.
/// The corresponding C function is `openpty`.
public struct PseudoTerminal: ~Copyable {
    /// Our end. A read fails once no process has the other one open.
    public let controller: FileDescriptor
    /// The program's end.
    public let terminal: FileDescriptor

    /// A terminal of a size in cells.
    public init(size: Terminal.Size) throws(SystemError) {
        var ends: [Int32] = [-1, -1]
        let result = clinux_open_terminal(
            &ends, UInt16(clamping: size.columns), UInt16(clamping: size.rows))
        guard result == 0 else { throw SystemError(action: "open a terminal", code: -result) }
        controller = FileDescriptor(owning: ends[0])
        terminal = FileDescriptor(owning: ends[1])
    }

    /// Our end alone; the program's is closed here.
    public consuming func takeController() -> FileDescriptor { controller }

    /// Gives a terminal another size. One that is gone has none.
    public static func resize(_ controller: Int32, to size: Terminal.Size) {
        clinux_set_window_size(controller, UInt16(clamping: size.columns), UInt16(clamping: size.rows))
    }
}
