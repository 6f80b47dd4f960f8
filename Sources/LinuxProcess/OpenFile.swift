public import LinuxSystem

/// An open file of which parts are copied into memory when they are wanted.
///
/// Nothing is mapped: a file that another process cuts short ends a mapping's reader by SIGBUS. Here a part that is not there
/// any more is missing, and ``isUnchanged`` says whether the parts belong together. The corresponding C function is `pread`.
public final class OpenFile: Sendable {
    /// The number of bytes when it was opened.
    public let count: Int
    /// The file's inode, to distinguish it from a later one of the same name.
    public let inode: UInt64
    /// Whether only root and this process's user could write the file when it was opened.
    public let isOnlyOurs: Bool

    private let descriptor: FileDescriptor
    private let version: FileVersion

    /// The most bytes of a part: call-frame information and tables of symbols have less.
    public static let partLimit = 256 << 20

    /// Opens a file.
    public convenience init(_ path: String, _ trust: FileTrust = .named) throws(SystemError) {
        try self.init(try Files.open(path, trust))
    }

    /// Takes over a file that is open for reading.
    public init(_ file: consuming FileDescriptor) throws(SystemError) {
        version = try file.version()
        count = Int(version.size)
        inode = version.inode
        isOnlyOurs = try file.isOnlyOurs()
        descriptor = file
    }

    /// The open file's number, valid as long as this object is held.
    public var rawDescriptor: Int32 { descriptor.rawValue }

    /// Whether the file has not been written or cut short since it was opened.
    public var isUnchanged: Bool {
        do throws(SystemError) { return try descriptor.version() == version } catch { return false }
    }

    /// The bytes from an offset on, as many as there are up to a number of them.
    public func bytes(at offset: UInt64, upTo count: Int) -> [UInt8] {
        guard offset <= UInt64(self.count), count > 0 else { return [] }
        let wanted = min(count, self.count - Int(offset), Self.partLimit)
        // What cannot be read is as missing as what was cut off.
        do throws(SystemError) { return try descriptor.read(upTo: wanted, at: Int64(offset)) } catch {
            return []
        }
    }

    /// A copy of the file that cannot be changed: see ``FileDescriptor/sealedCopy(limit:)``.
    public func sealedCopy(limit: Int) throws(SystemError) -> FileDescriptor {
        try descriptor.sealedCopy(limit: limit)
    }

    /// Another descriptor of the open file.
    public func duplicate() throws(SystemError) -> FileDescriptor { try .duplicate(descriptor.rawValue) }
}

/// Bytes of which parts are read: a file's, or some in memory.
public protocol PartialBytes {
    /// How many there are.
    var count: Int { get }
    /// The bytes from an offset on, as many as there are up to a number of them.
    func bytes(at offset: UInt64, upTo count: Int) -> [UInt8]
}

extension OpenFile: PartialBytes {}

extension UnsafeRawBufferPointer: PartialBytes {
    public func bytes(at offset: UInt64, upTo count: Int) -> [UInt8] {
        guard offset < UInt64(self.count), count > 0 else { return [] }
        return Array(self[Int(offset)..<Int(offset) + Swift.min(count, self.count - Int(offset))])
    }
}

extension PartialBytes {
    /// The bytes of a part; nil where some are missing, or there are more than is read at once.
    public func bytes(at offset: UInt64, count: UInt64) -> [UInt8]? {
        guard count <= UInt64(OpenFile.partLimit) else { return nil }
        let bytes = bytes(at: offset, upTo: Int(count))
        return bytes.count == Int(count) ? bytes : nil
    }

    /// A little-endian value at an offset, nil where there are no bytes for it.
    public func load<Value: FixedWidthInteger>(_ type: Value.Type, at offset: UInt64) -> Value? {
        bytes(at: offset, count: UInt64(MemoryLayout<Value>.size))?.load(type, at: 0)
    }
}

extension [UInt8] {
    /// A little-endian value at an offset, nil where there are no bytes for it.
    public func load<Value: FixedWidthInteger>(_ type: Value.Type, at offset: Int) -> Value? {
        let size = MemoryLayout<Value>.size
        guard offset >= 0, offset <= count, count - offset >= size else { return nil }
        return withUnsafeBytes {
            Value(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: Value.self))
        }
    }
}
