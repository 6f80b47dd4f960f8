internal import CLinux
internal import Glibc

/// Signals received as data on a descriptor instead of in a handler.
///
/// The signals are blocked for the calling thread and all it starts later, so create it first thing in `main`.
/// They stay blocked when the inbox is gone: by then the process is on its way out.
public struct SignalInbox: ~Copyable {
    /// Becomes readable when a signal has arrived.
    public var descriptor: Int32 { file.rawValue }

    private let file: FileDescriptor

    /// An inbox for some signals. The corresponding C functions are `sigprocmask` and `signalfd`.
    public init(for signals: [Int32]) throws(SystemError) {
        let result = clinux_signal_descriptor(signals, signals.count)
        guard result >= 0 else { throw SystemError(action: "watch for signals", code: -result) }
        file = FileDescriptor(owning: result)
    }

    /// The next signal's number, or nil when none is waiting.
    public func next() -> Int32? {
        let signal = clinux_next_signal(descriptor)
        return signal > 0 ? signal : nil
    }

    /// A signal that has arrived.
    public struct Received: Hashable, Sendable {
        public var number: Int32
        /// The process that sent it; nil when the kernel did, as it does for Ctrl-C.
        public var sender: Int32?

        /// A signal from a process, or from the kernel.
        public init(number: Int32, sender: Int32?) {
            self.number = number
            self.sender = sender
        }
    }

    /// The next signal, and who sent it; nil when none is waiting.
    ///
    /// What the terminal makes of Ctrl-C comes from the kernel and goes to the whole foreground group. The bytes are
    /// those of `struct signalfd_siginfo`.
    public func nextWithOrigin() -> Received? {
        var bytes = [UInt8](repeating: 0, count: 128)
        let count = bytes.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
        guard count == bytes.count else { return nil }
        return bytes.withUnsafeBytes {
            let isFromProcess = $0.loadUnaligned(fromByteOffset: 8, as: Int32.self) <= 0
            return Received(
                number: $0.loadUnaligned(as: Int32.self),
                sender: isFromProcess ? $0.loadUnaligned(fromByteOffset: 12, as: Int32.self) : nil)
        }
    }

    /// SIGINT: Ctrl-C.
    public static let interrupt = SIGINT
    /// SIGTERM: a polite request to end.
    public static let terminate = SIGTERM
    /// SIGKILL: cannot be received, only sent.
    public static let kill = SIGKILL
    /// SIGHUP: the terminal is gone.
    public static let hangUp = SIGHUP
    /// SIGCHLD: a child has ended.
    public static let child = SIGCHLD
    /// SIGWINCH: the terminal has another size.
    public static let windowChange = SIGWINCH
    /// SIGQUIT: Ctrl-\.
    public static let quit = SIGQUIT
    /// SIGTSTP: Ctrl-Z.
    public static let terminalStop = SIGTSTP
    /// SIGTTIN: reading from a terminal that has another foreground.
    public static let terminalInput = SIGTTIN
    /// SIGTTOU: changing one that has.
    public static let terminalOutput = SIGTTOU
    /// SIGCONT: going on after a stop.
    public static let goOn = SIGCONT
}
