internal import Glibc

/// Two connected ends for two processes to talk through, each owned. What is written to one is read from the other.
public struct SocketPair: ~Copyable, Sendable {
    /// The two ends; neither is special.
    public var first: FileDescriptor
    public var second: FileDescriptor

    /// A stream whose ends are close-on-exec. The corresponding C function is `socketpair`.
    public init() throws(SystemError) {
        var ends: [Int32] = [-1, -1]
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else {
            throw SystemError.last("create a pair of sockets")
        }
        first = FileDescriptor(owning: ends[0])
        second = FileDescriptor(owning: ends[1])
    }

    /// Gives the first end away and closes the second.
    public consuming func takeFirst() -> FileDescriptor { first }
}

extension FileDescriptor {
    /// Writes all bytes to a socket. One whose reader is gone is an error, never a signal.
    ///
    /// The corresponding C function is `send` with MSG_NOSIGNAL.
    public func send(_ bytes: [UInt8]) throws(SystemError) {
        var sent = 0
        while sent < bytes.count {
            sent += try retryingInterrupts("write to socket \(rawValue)") {
                bytes.withUnsafeBytes { buffer in
                    Glibc.send(
                        rawValue, buffer.baseAddress?.advanced(by: sent), bytes.count - sent,
                        Int32(MSG_NOSIGNAL))
                }
            }
        }
    }
}

extension FileDescriptor {
    /// Makes sending on a socket that stays full for a time an error. The corresponding C call is
    /// `setsockopt(SO_SNDTIMEO)`.
    public func limitSending(to time: Duration) throws(SystemError) {
        let (seconds, attoseconds) = time.components
        var limit = timeval(tv_sec: Int(seconds), tv_usec: Int(attoseconds / 1_000_000_000_000))
        guard
            setsockopt(rawValue, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size)) == 0
        else { throw SystemError.last("limit the time to send") }
    }
}
