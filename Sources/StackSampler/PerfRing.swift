internal import CPerfEvents
internal import LinuxSystem

/// The ring in which the kernel leaves the records of one CPU.
///
/// A class, because there is one per CPU in an array; it is used by one thread only.
final class PerfRing {
    /// Readable when enough has been written.
    let descriptor: Int32
    /// Bytes for records, a power of two.
    let capacity: Int

    private let control: UnsafeMutableRawPointer
    private let data: UnsafeMutableRawPointer
    /// A record that wraps around the end is put together here. A record's size is 16 bits.
    private let scratch: UnsafeMutableRawBufferPointer
    private var tail: UInt64 = 0
    private var head: UInt64 = 0

    /// Maps the ring of an open event, which has to stay open. Throws EPERM where so much may not be locked.
    init(event descriptor: Int32, capacity: Int) throws(SystemError) {
        var control: UnsafeMutableRawPointer?
        var data: UnsafeMutableRawPointer?
        let result = cperf_map_ring(descriptor, capacity, &control, &data)
        guard result == 0, let control, let data else {
            throw SystemError(action: "map a perf ring of \(capacity) bytes", code: -result)
        }
        self.descriptor = descriptor
        self.capacity = capacity
        self.control = control
        self.data = data
        scratch = .allocate(byteCount: 1 << 16, alignment: 8)
    }

    deinit {
        cperf_unmap_ring(control, capacity)
        scratch.deallocate()
    }

    /// Takes note of what has been written up to now.
    func refresh() {
        head = cperf_head(control)
    }

    /// The oldest record noted and not yet consumed, nil when there is none. Valid until consumed.
    func front() -> UnsafeRawBufferPointer? {
        let available = head &- tail
        guard available >= UInt64(PerfRecord.headerSize) else { return nil }
        let start = Int(tail & UInt64(capacity - 1))
        // Headers are aligned to 8 bytes and never wrap.
        let size = Int(data.loadUnaligned(fromByteOffset: start + 6, as: UInt16.self))
        guard size >= PerfRecord.headerSize, UInt64(size) <= available else {
            // Not something the kernel writes. Skip what is there, rather than read nonsense for ever.
            tail = head
            cperf_set_tail(control, tail)
            return nil
        }
        if start + size <= capacity { return UnsafeRawBufferPointer(start: data + start, count: size) }
        let first = capacity - start
        scratch.copyMemory(from: UnsafeRawBufferPointer(start: data + start, count: first))
        UnsafeMutableRawBufferPointer(rebasing: scratch[first..<size])
            .copyMemory(from: UnsafeRawBufferPointer(start: data, count: size - first))
        return UnsafeRawBufferPointer(rebasing: scratch[..<size])
    }

    /// Gives the front record's bytes back to the kernel.
    func consume(_ record: UnsafeRawBufferPointer) {
        tail &+= UInt64(record.count)
        cperf_set_tail(control, tail)
    }
}
