internal import Glibc

/// A terminal that hands over each key as it is pressed, without showing it. Dropping it gives the terminal back.
///
/// Ctrl-C, Ctrl-Z and Ctrl-\ stay signals, and output is processed as before.
public struct KeyInput: ~Copyable {
    /// Readable when a key has been pressed.
    public let descriptor: Int32
    private let before: TerminalModes

    /// Takes a terminal over. The corresponding C functions are `tcgetattr` and `tcsetattr`.
    public init(_ descriptor: Int32) throws(SystemError) {
        self.init(descriptor, before: try Self.silence(descriptor))
    }

    private init(_ descriptor: Int32, before: TerminalModes) {
        self.descriptor = descriptor
        self.before = before
    }

    /// Turns echo and line editing off; the modes before.
    private static func silence(_ descriptor: Int32) throws(SystemError) -> TerminalModes {
        let before = try TerminalModes(of: descriptor)
        var modes = before.modes
        modes.c_lflag &= ~(tcflag_t(ICANON) | tcflag_t(ECHO))
        guard tcsetattr(descriptor, TCSANOW, &modes) == 0 else {
            throw SystemError.last("change the terminal's modes")
        }
        return before
    }

    deinit { before.restore(to: descriptor) }

    /// The keys pressed, none when the terminal is gone.
    public func keys() -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = bytes.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
        return count > 0 ? Array(bytes.prefix(count)) : []
    }
}

/// How a terminal treats what is typed, to be put back later. The corresponding C type is `termios`.
public struct TerminalModes {
    fileprivate let modes: termios

    /// A terminal's modes now.
    public init(of descriptor: Int32) throws(SystemError) {
        var modes = termios()
        guard tcgetattr(descriptor, &modes) == 0 else { throw SystemError.last("read the terminal's modes") }
        self.modes = modes
    }

    /// Puts the modes back, unless the terminal is another group's now: that one has set it as it wants it.
    public func restore(to descriptor: Int32) {
        guard Terminal.isForeground(descriptor) else { return }
        var modes = modes
        tcsetattr(descriptor, TCSANOW, &modes)
    }
}
