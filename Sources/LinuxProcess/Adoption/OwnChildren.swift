internal import Synchronization

/// The processes that this one has started itself and not yet waited for.
///
/// A process that takes over orphans has children that it has not started. They are the ones that are missing here.
enum OwnChildren {
    private static let started = Mutex<Set<Int32>>([])

    /// Starts a process and remembers it. The lock delays a look at the orphans meanwhile: a child that is not yet
    /// remembered would look like one.
    static func starting<Failure: Error>(_ start: () throws(Failure) -> Int32) throws(Failure) -> Int32 {
        try started.withLock { (started) throws(Failure) in
            let pid = try start()
            started.insert(pid)
            return pid
        }
    }

    /// Forgets a process that has been waited for, whose number may come to mean another.
    static func forget(_ pid: Int32) {
        started.withLock { _ = $0.remove(pid) }
    }

    /// Our children that we have not started.
    static func orphans() -> [Int32] {
        started.withLock { started in ProcessTree.ownChildren().filter { !started.contains($0) } }
    }
}
