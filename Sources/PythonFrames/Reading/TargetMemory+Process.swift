internal import LinuxProcess

extension TargetMemory {
    /// The memory of a process that we may trace, read while it runs.
    public static func ofProcess(_ pid: Int32) -> TargetMemory {
        TargetMemory { address, buffer in RemoteMemory.read(pid, address, into: buffer) }
    }
}
