public import LinuxSystem

/// An address in a process's memory. Not a pointer: it may not be ours to follow.
public struct RuntimeAddress: Hashable, Comparable, Sendable {
    /// The address as a number.
    public var value: UInt64

    /// An address.
    public init(_ value: UInt64) { self.value = value }

    public static func < (left: RuntimeAddress, right: RuntimeAddress) -> Bool { left.value < right.value }
}

/// An address as an ELF file states it, before the loader has moved the file anywhere ("link-time virtual address").
public struct ImageAddress: Hashable, Comparable, Sendable {
    /// The address as a number.
    public var value: UInt64

    /// An address.
    public init(_ value: UInt64) { self.value = value }

    public static func < (left: ImageAddress, right: ImageAddress) -> Bool { left.value < right.value }
}

/// A range of a process's memory, as a line of `/proc/PID/maps` or a perf MMAP2 record reports it.
public struct MemoryMapping: Hashable, Sendable {
    /// The first address, and the one after the last.
    public var start: RuntimeAddress
    public var end: RuntimeAddress
    /// Where in the file the range begins, in bytes.
    public var fileOffset: UInt64
    public var isExecutable: Bool
    /// The file's inode, 0 for memory without a file.
    public var inode: UInt64
    /// The device the inode is on, as `major << 20 | minor`.
    public var device: UInt64
    /// The file as the kernel names it (`/usr/lib/…`, `[vdso]`, empty), without the mark of a deleted one.
    public var path: String
    /// Whether the file has been deleted or replaced since.
    public var isDeleted: Bool

    /// A mapping made of its parts.
    public init(
        start: RuntimeAddress, end: RuntimeAddress, fileOffset: UInt64, isExecutable: Bool, inode: UInt64,
        device: UInt64, path: String, isDeleted: Bool = false
    ) {
        self.start = start
        self.end = end
        self.fileOffset = fileOffset
        self.isExecutable = isExecutable
        self.inode = inode
        self.device = device
        self.path = path
        self.isDeleted = isDeleted
    }

    /// Whether an address lies in the range.
    public func contains(_ address: RuntimeAddress) -> Bool { start <= address && address < end }

    /// Whether the memory is a file's: not anonymous, not the kernel's own `[vdso]`.
    public var isFileBacked: Bool { inode != 0 && path.hasPrefix("/") }

    /// The mappings in the text of `/proc/PID/maps`. Lines that are not mappings are left out.
    public static func parse(_ text: some StringProtocol) -> [MemoryMapping] {
        text.split(separator: "\n").compactMap { parseLine($0) }
    }

    /// The mappings of a running process.
    public static func ofProcess(_ pid: Int32) throws(Files.ReadError) -> [MemoryMapping] {
        var bytes = try Files.read("/proc/\(pid)/maps", limit: 64 << 20)
        if bytes.isEmpty {
            // Its first thread may have ended while others run on: they still show the memory that is theirs too.
            for thread in ProcessThreads.identifiers(of: pid) where thread != pid && bytes.isEmpty {
                do throws(Files.ReadError) {
                    bytes = try Files.read("/proc/\(pid)/task/\(thread)/maps", limit: 64 << 20)
                } catch {
                    continue
                }
            }
        }
        return parse(String(decoding: bytes, as: UTF8.self))
    }

    /// `start-end perms offset major:minor inode   path`, numbers but the inode in hexadecimal.
    private static func parseLine(_ line: some StringProtocol) -> MemoryMapping? {
        let fields = line.split(separator: " ", maxSplits: 5, omittingEmptySubsequences: true)
        guard fields.count >= 5 else { return nil }
        let bounds = fields[0].split(separator: "-")
        let numbers = fields[3].split(separator: ":")
        guard bounds.count == 2, numbers.count == 2,
            let start = UInt64(bounds[0], radix: 16), let end = UInt64(bounds[1], radix: 16), start < end,
            let offset = UInt64(fields[2], radix: 16), let inode = UInt64(fields[4]),
            let major = UInt64(numbers[0], radix: 16), let minor = UInt64(numbers[1], radix: 16)
        else { return nil }
        var path = fields.count > 5 ? fields[5].drop { $0 == " " } : ""
        let isDeleted = path.hasSuffix(" (deleted)")
        if isDeleted { path = path.dropLast(" (deleted)".count) }
        return MemoryMapping(
            start: RuntimeAddress(start), end: RuntimeAddress(end), fileOffset: offset,
            isExecutable: fields[1].contains("x"), inode: inode, device: major << 20 | minor,
            path: String(path), isDeleted: isDeleted)
    }
}
