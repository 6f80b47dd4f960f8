internal import Glibc
internal import LinuxSystem

/// A process group, by the number of its leader.
public enum ProcessGroup {
    /// Ends every process of a group at once. A group that is empty is fine.
    ///
    /// The number of a group that is not empty belongs to no other group or process, so no other process is killed as
    /// long as the group is known to have been ours a moment ago.
    public static func kill(_ leader: Int32) {
        // Below 2 the kernel would take it for other groups, or for everybody.
        if leader > 1 { Glibc.kill(-leader, SignalInbox.kill) }
    }

    /// Sends a signal to one process that is known to be ours: a child that has not been waited for.
    static func send(_ signal: Int32, to pid: Int32) {
        if pid > 1 { Glibc.kill(pid, signal) }
    }
}
