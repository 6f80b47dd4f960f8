internal import Glibc

extension Files {
    /// A file or directory itself, whatever its path is now: the device and the inode.
    public struct Node: Hashable, Sendable {
        private let device: UInt64
        private let inode: UInt64

        fileprivate init(_ status: stat) {
            device = UInt64(status.st_dev)
            inode = UInt64(status.st_ino)
        }
    }

    /// What a path leads to, links followed; nil when it leads nowhere, or cannot be looked at.
    public static func node(_ path: String) -> Node? {
        var status = stat()
        guard path.withNativeCString({ stat($0, &status) }) == 0 else { return nil }
        return Node(status)
    }
}

extension FileDescriptor {
    /// What is open; nil when it cannot be looked at.
    public var node: Files.Node? {
        var status = stat()
        return fstat(rawValue, &status) == 0 ? Files.Node(status) : nil
    }

    /// Where an open file is now, after it may have been moved; nil when it is nowhere any more.
    public var currentPath: String? {
        guard !isRemoved else { return nil }
        do throws(SystemError) {
            return try Files.linkTarget("/proc/self/fd/\(rawValue)")
        } catch {
            return nil
        }
    }
}
