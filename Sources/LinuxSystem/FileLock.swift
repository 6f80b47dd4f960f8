internal import Glibc

extension FileDescriptor {
    /// Waits until no other open file of the same path holds its lock, and takes it.
    ///
    /// The lock is advisory and goes with the descriptor, so also with the process. The corresponding C function is
    /// `flock`.
    public func lockExclusively() throws(SystemError) {
        try retryingInterrupts("lock a file") { flock(rawValue, LOCK_EX) }
    }
}
