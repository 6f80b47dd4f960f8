internal import CLinux
internal import Glibc
internal import Measurement

/// A socket that listens on 127.0.0.1, out of reach of any other machine.
public struct LoopbackListener: ~Copyable, Sendable {
    /// The port it listens on.
    public let port: UInt16
    /// Readable when a client waits.
    public var descriptor: Int32 { file.rawValue }

    private let file: FileDescriptor

    /// Listens on a port; on any free one for 0. The corresponding C functions are `socket`, `bind` and `listen`.
    public init(port wanted: UInt16 = 0) throws(SystemError) {
        var bound = wanted
        let result = clinux_loopback_listen(&bound)
        guard result >= 0 else {
            throw SystemError(action: "listen on 127.0.0.1:\(wanted)", code: -result)
        }
        file = FileDescriptor(owning: result)
        port = bound
    }

    /// The next client's connection, nil when none waits (or another thread has taken it).
    ///
    /// - Parameter timeout: How long the connection blocks in one receive or send before it fails. The
    ///   corresponding C function is `accept4`.
    public func accept(timeout: Duration) throws(SystemError) -> LoopbackConnection? {
        let result = clinux_accept(descriptor, Int32(clamping: timeout.inNanoseconds / 1_000_000))
        if result >= 0 { return LoopbackConnection(file: FileDescriptor(owning: result)) }
        // A client that has disconnected again does not wait.
        if [EAGAIN, EINTR, ECONNABORTED].contains(-result) { return nil }
        throw SystemError(action: "accept a connection", code: -result)
    }
}

/// A client's connection, closed when its owner is gone.
public struct LoopbackConnection: ~Copyable, Sendable {
    private let file: FileDescriptor

    fileprivate init(file: consuming FileDescriptor) {
        self.file = file
    }

    /// Receives up to a number of bytes; empty when the client has closed its side. The C function is `read`.
    public func receive(upTo count: Int) throws(SystemError) -> [UInt8] {
        try file.read(upTo: count)
    }

    /// Sends all bytes. A client that is gone is an error (EPIPE), never a signal. The C function is `send`.
    public func send(_ bytes: [UInt8]) throws(SystemError) {
        var sent = 0
        while sent < bytes.count {
            let result = bytes.withUnsafeBytes { buffer in
                clinux_send(file.rawValue, buffer.baseAddress?.advanced(by: sent), bytes.count - sent)
            }
            if result == -Int(EINTR) { continue }
            guard result >= 0 else {
                throw SystemError(action: "send to a client", code: Int32(clamping: -result))
            }
            sent += result
        }
    }
}
