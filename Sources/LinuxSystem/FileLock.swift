internal import Glibc

extension FileDescriptor {
    /// Waits until no other open file of the same path holds its lock, and takes it.
    ///
    /// The lock is advisory and goes with the descriptor, so also with the process. The corresponding C function is
    /// `flock`.
    public func lockExclusively() throws(SystemError) {
        try retryingInterrupts("lock a file") { flock(rawValue, LOCK_EX) }
    }

    /// Takes the lock unless another open file of the same path holds it; false when one does.
    public func tryLockExclusively() throws(SystemError) -> Bool {
        do throws(SystemError) {
            try retryingInterrupts("lock a file") { flock(rawValue, LOCK_EX | LOCK_NB) }
            return true
        } catch {
            if error.code == EWOULDBLOCK { return false }
            throw error
        }
    }
}

extension FileDescriptor {
    /// Makes the file empty. The corresponding C function is `ftruncate`.
    public func truncate() throws(SystemError) {
        try retryingInterrupts("empty a file") { ftruncate(rawValue, 0) }
    }
}
