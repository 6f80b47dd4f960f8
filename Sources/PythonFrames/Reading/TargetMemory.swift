/// The memory of a process that is only looked at: whatever is in it may be wrong, hostile, or gone.
public struct TargetMemory: Sendable {
    /// Copies bytes from an address; false where not all of them could be had.
    public typealias Copy = @Sendable (_ address: UInt64, _ into: UnsafeMutableRawBufferPointer) -> Bool

    private let copy: Copy

    /// Memory that a function copies from.
    public init(_ copy: @escaping Copy) {
        self.copy = copy
    }

    /// Copies bytes from an address; false where not all of them could be had.
    public func read(_ address: UInt64, into buffer: UnsafeMutableRawBufferPointer) -> Bool {
        // The upper half is the kernel's, and the first page is where null pointers lead.
        guard address >= 4096, address < 1 << 56,
            address.addingReportingOverflow(UInt64(buffer.count)).overflow == false
        else { return false }
        return buffer.isEmpty || copy(address, buffer)
    }

    /// A value at an address; nil where it could not be had.
    public func value<Value: FixedWidthInteger>(_ type: Value.Type = Value.self, at address: UInt64) -> Value?
    {
        var value: Value = 0
        let isRead = withUnsafeMutableBytes(of: &value) { read(address, into: $0) }
        return isRead ? value : nil
    }

    /// Some bytes at an address; nil where not all could be had.
    public func bytes(_ count: Int, at address: UInt64) -> [UInt8]? {
        guard count >= 0, count <= 1 << 24 else { return nil }
        var isRead = false
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            isRead = read(address, into: UnsafeMutableRawBufferPointer(buffer))
            initialized = isRead ? count : 0
        }
        return isRead ? bytes : nil
    }

    /// Some 64-bit words at an address; nil where not all could be had.
    public func words(_ count: Int, at address: UInt64) -> [UInt64]? {
        bytes(count * 8, at: address).map { bytes in
            bytes.withUnsafeBytes { buffer in
                (0..<count).map { buffer.loadUnaligned(fromByteOffset: $0 * 8, as: UInt64.self) }
            }
        }
    }

    /// Text up to a zero byte, of at most some bytes; nil where it could not be had.
    func text(at address: UInt64, limit: Int) -> String? {
        var found: [UInt8] = []
        var next = address
        while found.count < limit {
            // To the end of the page at most: the next one may not be there.
            let count = min(limit - found.count, 4096 - Int(next & 4095))
            guard let piece = bytes(count, at: next) else { return nil }
            if let end = piece.firstIndex(of: 0) {
                return String(decoding: found + piece[..<end], as: UTF8.self)
            }
            found += piece
            next += UInt64(count)
        }
        return nil
    }
}

extension UnsafeRawBufferPointer {
    /// A value at an offset, nil where the bytes end before.
    func value<Value: FixedWidthInteger>(_ type: Value.Type = Value.self, at offset: Int) -> Value? {
        guard offset >= 0, offset <= count - MemoryLayout<Value>.size else { return nil }
        return loadUnaligned(fromByteOffset: offset, as: Value.self)
    }
}
