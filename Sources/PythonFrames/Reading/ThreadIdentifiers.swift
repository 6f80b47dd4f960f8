internal import LinuxSystem

/// The kernel's identifiers of a process's threads, as we know them and as the process does: the two differ in a
/// container. Used by one thread at a time.
final class ThreadIdentifiers {
    private let memory: TargetMemory
    private let processID: Int32
    /// By the process's own numbers; empty where the process is in our own namespace.
    private lazy var namespace = innerIdentifiers()
    /// Where the C library keeps a thread's identifier, from the address that `pthread_self` gives; nil while unknown.
    private var pthreadOffset: UInt64?

    /// How far into a thread's structure the C library's copy of its identifier is looked for.
    private static let searched = 1024

    init(_ memory: TargetMemory, processID: Int32) {
        self.memory = memory
        self.processID = processID
    }

    /// Our number for one of the process's own.
    func ours(_ inner: UInt64) -> Int32? {
        guard let number = Int32(exactly: inner), number > 0 else { return nil }
        if namespace.inner.isEmpty { return number }
        if namespace.outer[number] == nil { namespace = innerIdentifiers() }
        return namespace.outer[number]
    }

    /// Our number for a thread by its `pthread_t`, which points at the C library's structure of it.
    func ofPthread(_ pthread: UInt64) -> Int32? {
        if pthreadOffset == nil { pthreadOffset = searchOffset(pthread) }
        guard let pthreadOffset, let inner: UInt32 = memory.value(at: pthread &+ pthreadOffset) else {
            return nil
        }
        // Not remembered: a structure is used again for the next thread.
        return ours(UInt64(inner))
    }

    private func searchOffset(_ pthread: UInt64) -> UInt64? {
        guard let bytes = memory.bytes(Self.searched, at: pthread) else { return nil }
        let threads = Set(taskIdentifiers().map { UInt32(bitPattern: namespace.inner[$0] ?? $0) })
        return bytes.withUnsafeBytes { bytes in
            for offset in stride(from: 0, to: bytes.count - 4, by: 4) {
                guard let number = bytes.value(UInt32.self, at: offset), threads.contains(number) else {
                    continue
                }
                return UInt64(offset)
            }
            return nil
        }
    }

    private func taskIdentifiers() -> [Int32] {
        do throws(SystemError) {
            return try Files.names(inDirectory: "/proc/\(processID)/task").compactMap { Int32($0) }
        } catch {
            return []
        }
    }

    /// What `NSpid` in `/proc/PID/task/TID/status` reports; nothing where the process is in our own namespace.
    private func innerIdentifiers() -> (inner: [Int32: Int32], outer: [Int32: Int32]) {
        var (inner, outer): ([Int32: Int32], [Int32: Int32]) = ([:], [:])
        for threadID in taskIdentifiers() {
            guard let own = lastNamespaceIdentifier(threadID) else { continue }
            // One that is the same shows that all are.
            if own == threadID { return ([:], [:]) }
            (inner[threadID], outer[own]) = (own, threadID)
        }
        return (inner, outer)
    }

    private func lastNamespaceIdentifier(_ threadID: Int32) -> Int32? {
        do throws(Files.ReadError) {
            let bytes = try Files.read("/proc/\(processID)/task/\(threadID)/status", limit: 1 << 16)
            let line = bytes.split(separator: UInt8(ascii: "\n")).first { $0.starts(with: "NSpid:".utf8) }
            let last = line?.split { $0 == 0x09 || $0 == 0x20 }.last
            return last.flatMap { Int32(String(decoding: $0, as: UTF8.self)) }
        } catch {
            return nil
        }
    }
}
