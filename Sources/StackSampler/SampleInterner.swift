internal import LinuxProcess

/// Keeps each distinct frame, stack and thread once, so that hours of samples stay small.
struct SampleInterner {
    /// The image index of Python frames, whose address is the function's index and the line.
    static let pythonImage: Int32 = -3

    /// A frame as it is compared.
    struct FrameKey: Equatable {
        var address: UInt64
        /// Index of the image; -1 for an address of a process's own memory; -2 for no code, where the address is the
        /// number of a `RawFrame.Absence`.
        var image: Int32
        /// The process, where the address is of its own memory, else 0.
        var process: Int32
        /// `cunwind_frame_is_…`
        var flags: UInt32

        @inline(__always)
        var hash: UInt64 {
            let owner = UInt64(UInt32(bitPattern: image)) << 32 | UInt64(UInt32(bitPattern: process))
            return IndexTable.mix(
                IndexTable.mix(0x2545_F491_4F6C_DD1D, address), owner &+ UInt64(flags) << 29)
        }
    }

    private(set) var frames: [FrameKey] = []
    private(set) var stacks = RawStacks()
    private(set) var threads: [RawThread] = []
    private(set) var states: [String] = []
    private(set) var samples: [RawSample] = []

    private var frameTable = IndexTable()
    private var stackTable = IndexTable()
    private var restIndex: Int32?
    private let maximumStackBytes: Int

    init(maximumStackBytes: Int) {
        self.maximumStackBytes = maximumStackBytes
    }

    @inline(__always)
    mutating func frame(_ key: FrameKey) -> Int32 {
        let hash = key.hash
        if let index = frameTable.find(hash, { frames[$0] == key }) { return Int32(index) }
        frames.append(key)
        return Int32(frameTable.append(hash))
    }

    /// The index of a stack, nil when it is new and the limit is reached.
    mutating func stack(_ indices: UnsafeBufferPointer<Int32>, end: RawStacks.End) -> Int32? {
        var hash = UInt64(end.rawValue) &+ 0x9E37_79B9
        for index in indices { hash = IndexTable.mix(hash, UInt64(UInt32(bitPattern: index))) }
        if let index = stackTable.find(hash, { stacks.isEqual(at: $0, indices, end: end) }) {
            return Int32(index)
        }
        guard (stacks.frameCount + indices.count) * MemoryLayout<Int32>.size <= maximumStackBytes else {
            return nil
        }
        stacks.append(indices, end: end)
        return Int32(stackTable.append(hash))
    }

    /// The stack of samples whose own could not be kept: one frame, which says so.
    mutating func stackOfTheRest(_ frame: FrameKey) -> Int32 {
        if let restIndex { return restIndex }
        stacks.append([self.frame(frame)], end: .complete)
        let index = Int32(stackTable.append(0))
        restIndex = index
        return index
    }

    mutating func thread(_ thread: RawThread) -> Int32 {
        threads.append(thread)
        return Int32(threads.count - 1)
    }

    /// The index of a state. There are about as many as the target uses system calls, so a list will do.
    mutating func state(_ state: String) -> Int32 {
        if let index = states.firstIndex(of: state) { return Int32(index) }
        states.append(state)
        return Int32(states.count - 1)
    }

    mutating func addWeight(_ weight: Int32, toSample index: Int) {
        samples[index].weight += weight
    }

    mutating func append(_ sample: RawSample) {
        samples.append(sample)
    }
}
