internal import CLinux
internal import Glibc
public import LinuxSystem

/// A file's bytes in our memory, read only, for as long as this lives. The corresponding C function is `mmap`.
public final class MappedFile: Sendable {
    /// The number of bytes.
    public let count: Int
    /// The file's inode, to tell it from a later one of the same name.
    public let inode: UInt64

    // Never written, unmapped only in deinit: safe to read from any thread.
    private nonisolated(unsafe) let base: UnsafeMutableRawPointer?

    /// Maps a whole file.
    ///
    /// Where another process cuts the file short while it is mapped, later reads find zeros in the missing part: the first
    /// mapping sees to it that SIGBUS does not end this process, also in libraries that map files themselves.
    public convenience init(_ path: String, _ trust: FileTrust = .named) throws(SystemError) {
        try self.init(try Files.open(path, trust), path: path)
    }

    /// Maps an open file.
    ///
    /// - Parameters:
    ///   - file: The file, which the mapping does not need to stay open.
    ///   - path: Its path, for errors.
    public init(_ file: borrowing FileDescriptor, path: String) throws(SystemError) {
        _ = Self.survivesTruncation
        let status = try Self.status(file.rawValue, path: path)
        count = Int(status.st_size)
        inode = UInt64(status.st_ino)
        guard count > 0 else {
            base = nil
            return
        }
        guard let mapped = mmap(nil, count, PROT_READ, MAP_PRIVATE, file.rawValue, 0), mapped != MAP_FAILED
        else {
            throw SystemError.last("map '\(path)'")
        }
        base = mapped
    }

    /// Where the kernel refuses, a file cut short ends us as before.
    private static let survivesTruncation = clinux_survive_truncated_files() == 0

    deinit {
        if let base { munmap(base, count) }
    }

    /// Calls a function with the bytes. They must not escape it.
    public func withBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(UnsafeRawBufferPointer(start: base, count: count))
    }

    /// The bytes, for structures of C libraries that point into them. Valid only as long as this object is held.
    public var unsafeBytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

    /// A little-endian value at an offset, nil where the file ends before.
    public func load<Value: FixedWidthInteger>(_ type: Value.Type, at offset: UInt64) -> Value? {
        guard let base, offset <= UInt64(count), UInt64(count) - offset >= UInt64(MemoryLayout<Value>.size)
        else {
            return nil
        }
        return Value(littleEndian: base.loadUnaligned(fromByteOffset: Int(offset), as: Value.self))
    }

    private static func status(_ descriptor: Int32, path: String) throws(SystemError) -> stat {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw SystemError.last("look at '\(path)'") }
        return status
    }
}
