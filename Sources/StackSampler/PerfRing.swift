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
    private var scanned: UInt64 = 0

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

    /// A second reader's view, which leaves the ring as it is. It must not outlive the ring.
    func makePeeker() -> RingPeeker { RingPeeker(control: control, data: data, capacity: capacity) }

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

    /// Looks through what has been noted since the last scan, without taking it: the kind of each record and its bytes,
    /// of records of switches and losses alone.
    func scan(_ body: (UnsafeRawBufferPointer) -> Void) {
        if scanned < tail { scanned = tail }
        let buffer = UnsafeMutableRawBufferPointer(rebasing: scratch[..<Self.smallRecord])
        while head &- scanned >= UInt64(PerfRecord.headerSize) {
            let start = Int(scanned & UInt64(capacity - 1))
            let kind = data.loadUnaligned(fromByteOffset: start, as: UInt32.self)
            let size = Int(data.loadUnaligned(fromByteOffset: start + 6, as: UInt16.self))
            guard size >= PerfRecord.headerSize, UInt64(size) <= head &- scanned else { return }
            if Self.scannedKinds.contains(kind), size <= Self.smallRecord {
                let first = min(size, capacity - start)
                buffer.copyMemory(from: UnsafeRawBufferPointer(start: data + start, count: first))
                UnsafeMutableRawBufferPointer(rebasing: buffer[first..<size])
                    .copyMemory(from: UnsafeRawBufferPointer(start: data, count: size - first))
                body(UnsafeRawBufferPointer(rebasing: buffer[..<size]))
            }
            scanned &+= UInt64(size)
        }
    }

    /// Losses and switches.
    private static let scannedKinds: [UInt32] = [2, 13, 14, 15]
    private static let smallRecord = 128

    /// Gives the front record's bytes back to the kernel.
    func consume(_ record: UnsafeRawBufferPointer) {
        tail &+= UInt64(record.count)
        cperf_set_tail(control, tail)
    }
}
