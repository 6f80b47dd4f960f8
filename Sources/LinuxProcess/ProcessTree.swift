internal import LinuxSystem

/// Which processes descend from which.
public enum ProcessTree {
    /// A process and its parent.
    public struct Entry: Hashable, Sendable {
        public var pid: Int32
        public var parent: Int32

        /// A process and its parent.
        public init(pid: Int32, parent: Int32) {
            self.pid = pid
            self.parent = parent
        }
    }

    /// The most processes that are followed: a fork bomb must not take the observer with it.
    public static let maximumProcesses = 32_768

    /// The process and all its living descendants, itself first, parents before children.
    ///
    /// - Parameters:
    ///   - root: The process to begin with.
    ///   - excluded: Processes left out together with their descendants.
    public static func processes(from root: Int32, excluding excluded: Set<Int32> = []) -> [Int32] {
        guard kernelListsChildren else {
            return descendants(of: root, in: allProcesses(), excluding: excluded)
        }
        var found: [Int32] = [root]
        var seen: Set<Int32> = [root]
        var next = 0
        while next < found.count, found.count < maximumProcesses {
            for child in children(of: found[next])
            where !excluded.contains(child) && seen.insert(child).inserted {
                found.append(child)
            }
            next += 1
        }
        return found
    }

    /// The descendants of a process among some entries, itself first. Entries that go in a circle do no harm.
    public static func descendants(of root: Int32, in entries: [Entry], excluding excluded: Set<Int32> = [])
        -> [Int32]
    {
        let byParent = Dictionary(grouping: entries, by: \.parent)
        var found: [Int32] = [root]
        var seen: Set<Int32> = [root]
        var next = 0
        while next < found.count, found.count < maximumProcesses {
            for child in byParent[found[next]] ?? []
            where !excluded.contains(child.pid) && seen.insert(child.pid).inserted {
                found.append(child.pid)
            }
            next += 1
        }
        return found
    }

    /// All processes that `/proc` shows, with their parents.
    public static func allProcesses() -> [Entry] {
        allIdentifiers().compactMap { pid in
            ProcessStat.ofProcess(pid).map { Entry(pid: pid, parent: $0.parent) }
        }
    }

    /// The identifiers of all processes that `/proc` shows.
    public static func allIdentifiers() -> [Int32] { ProcFile.numbers(in: "/proc") }

    /// The parent of a process, nil when it is gone.
    public static func parent(of pid: Int32) -> Int32? { ProcessStat.ofProcess(pid)?.parent }

    /// Our own children, whatever started them.
    static func ownChildren() -> [Int32] {
        guard kernelListsChildren else {
            return allProcesses().filter { $0.parent == CurrentProcess.pid }.map(\.pid)
        }
        return children(of: CurrentProcess.pid)
    }

    /// The children of all threads of a process, from `/proc/PID/task/TID/children`.
    private static func children(of pid: Int32) -> [Int32] {
        var children: [Int32] = []
        for thread in ProcessThreads.identifiers(of: pid) {
            do throws(Files.ReadError) {
                let bytes = try Files.read("/proc/\(pid)/task/\(thread)/children", limit: 1 << 16)
                children += parseChildren(bytes)
            } catch {
                // The thread has ended meanwhile; the kernel has given its children to another one.
                continue
            }
        }
        return children
    }

    /// The numbers in the text of a `children` file.
    static func parseChildren(_ bytes: [UInt8]) -> [Int32] {
        bytes.split(separator: UInt8(ascii: " ")).compactMap { Int32(String(decoding: $0, as: UTF8.self)) }
    }

    /// Whether the kernel was built with CONFIG_PROC_CHILDREN.
    private static let kernelListsChildren = Files.exists(
        "/proc/self/task/\(CurrentProcess.pid)/children")
}
