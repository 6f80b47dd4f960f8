internal import CPerfEvents

/// Reads the newest sample of a ring that other code empties. Used by one thread at a time.
///
/// What it reads may be written over while it reads: whatever the owner has given back to the kernel meanwhile is dropped.
struct RingPeeker: @unchecked Sendable {
    /// Who was sampled, and when.
    struct Sample: Equatable {
        var processID: Int32
        var threadID: Int32
        /// Nanoseconds of CLOCK_MONOTONIC.
        var time: UInt64
    }

    private let control: UnsafeMutableRawPointer
    private let data: UnsafeMutableRawPointer
    private let capacity: Int
    private var position: UInt64

    init(control: UnsafeMutableRawPointer, data: UnsafeMutableRawPointer, capacity: Int) {
        self.control = control
        self.data = data
        self.capacity = capacity
        position = cperf_tail(control)
    }

    func hasMoved(since earlier: RingPeeker) -> Bool { position != earlier.position }

    /// The newest sample of some events since the last call; nil where there is none.
    mutating func newest(of identifiers: Set<UInt64>?) -> Sample? {
        let head = cperf_head(control)
        position = max(position, cperf_tail(control))
        var found: Sample?
        var place: UInt64 = 0
        while position < head, head - position >= UInt64(PerfRecord.headerSize) {
            let size = UInt64(word(UInt16.self, at: position + 6))
            guard size >= UInt64(PerfRecord.headerSize), size <= head - position else {
                position = head
                return nil
            }
            if word(UInt32.self, at: position) == 9, size >= 40,
                identifiers?.contains(word(UInt64.self, at: position + 32)) ?? true
            {
                place = position
                found = Sample(
                    processID: word(Int32.self, at: position + 16),
                    threadID: word(Int32.self, at: position + 20),
                    time: word(UInt64.self, at: position + 24))
            }
            position += size
        }
        return cperf_tail(control) <= place ? found : nil
    }

    /// Records begin at multiples of 8 bytes, so none of these fields wraps.
    private func word<Value: FixedWidthInteger>(_ type: Value.Type, at position: UInt64) -> Value {
        data.loadUnaligned(fromByteOffset: Int(position & UInt64(capacity - 1)), as: Value.self)
    }
}
