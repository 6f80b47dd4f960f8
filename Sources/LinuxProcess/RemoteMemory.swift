internal import CLinux

/// The memory of other processes, which are not stopped for it. The corresponding C function is `process_vm_readv`.
public enum RemoteMemory {
    /// Copies memory of a process; false where not all of it could be had.
    public static func read(
        _ pid: Int32, _ address: UInt64, into buffer: UnsafeMutableRawBufferPointer
    ) -> Bool {
        guard let base = buffer.baseAddress else { return true }
        return clinux_read_memory(pid, address, base, buffer.count) == buffer.count
    }
}
