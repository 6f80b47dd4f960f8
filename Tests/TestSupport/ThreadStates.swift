internal import LinuxProcess
internal import LinuxSystem

/// What the threads of a process are doing, by `/proc`.
public enum ThreadStates {
    /// The states of all threads of a process and its descendants.
    public static func all(of processID: Int32) -> [Int32: Character] {
        var states: [Int32: Character] = [:]
        for process in ProcessTree.processes(from: processID) {
            let directory = "/proc/\(process)/task"
            for thread in threads(directory) {
                states[thread] = state("\(directory)/\(thread)/stat")
            }
        }
        return states
    }

    /// Threads that stand still in a stop, looked at twice: a state may be passing.
    public static func stopped(of processID: Int32) -> [Int32] {
        func stopped() -> Set<Int32> { Set(all(of: processID).filter { "tT".contains($0.value) }.keys) }
        let first = stopped()
        if first.isEmpty { return [] }
        SystemClock.sleep(for: .milliseconds(30))
        return first.intersection(stopped()).sorted()
    }

    // What has ended meanwhile has no threads and no state, and is not stopped either.
    private static func threads(_ directory: String) -> [Int32] {
        do { return try Files.names(inDirectory: directory).compactMap { Int32($0) } } catch { return [] }
    }

    private static func state(_ path: String) -> Character? {
        do { return ProcessStat.parse(try Files.read(path, limit: 4096))?.state } catch { return nil }
    }
}
