internal import CLinux
internal import Glibc

/// What is known about a descriptor that may be a terminal.
public enum Terminal {
    /// Standard input, output and error.
    public static let standardInput: Int32 = 0
    public static let standardOutput: Int32 = 1
    public static let standardError: Int32 = 2

    /// Whether a descriptor is a terminal. The corresponding C function is `isatty`.
    public static func isTerminal(_ descriptor: Int32) -> Bool { isatty(descriptor) == 1 }

    /// A terminal's size in character cells.
    public struct Size: Equatable, Sendable {
        /// Cells in a row.
        public var columns: Int
        /// Rows.
        public var rows: Int

        /// A size in cells.
        public init(columns: Int, rows: Int) {
            self.columns = columns
            self.rows = rows
        }
    }

    /// The size of a terminal, 80 by 24 where it does not say. The corresponding C call is `ioctl(TIOCGWINSZ)`.
    public static func size(_ descriptor: Int32) -> Size {
        var columns: UInt16 = 0
        var rows: UInt16 = 0
        let known = clinux_window_size(descriptor, &columns, &rows) == 0
        return Size(
            columns: known && columns > 0 ? Int(columns) : 80, rows: known && rows > 0 ? Int(rows) : 24)
    }

    /// Whether this process is in the terminal's foreground group, so that it may draw.
    public static func isForeground(_ descriptor: Int32) -> Bool { tcgetpgrp(descriptor) == getpgrp() }
}
