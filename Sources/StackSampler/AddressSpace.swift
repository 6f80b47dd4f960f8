internal import CLibunwind

/// libunwind's memory of one process: which modules it has, and the rows of call-frame information found so far.
///
/// Used by one thread only.
final class AddressSpace {
    private let space: OpaquePointer
    // libunwind's door reads the modules through this pointer: it must not move.
    private var modules: UnsafeMutableBufferPointer<cunwind_module> = .init(start: nil, count: 0)
    // What the modules point into.
    private var images: [UnwindImage] = []

    /// There was not enough memory for one.
    struct OutOfMemory: Error {}

    init(cachedRows: Int) throws(OutOfMemory) {
        guard let space = cunwind_space_create(min(max(cachedRows, 128), 1 << 20)) else {
            throw OutOfMemory()
        }
        self.space = space
    }

    deinit {
        cunwind_space_destroy(space)
        modules.deallocate()
    }

    /// Sets the process and its modules, and forgets remembered rows where they may be stale.
    func set(processID: Int32, _ table: ModuleTable, images prepared: [UnwindImage?], isStale: Bool) {
        let fresh = UnsafeMutableBufferPointer<cunwind_module>.allocate(capacity: table.modules.count)
        images = []
        for (index, module) in table.modules.enumerated() {
            let image = module.bias == nil ? nil : module.imageIndex.flatMap { prepared[$0] }
            if let image { images.append(image) }
            fresh.initializeElement(
                at: index,
                to: cunwind_module(
                    start: module.start, end: module.end, bias: module.bias ?? 0, image: image?.structure))
        }
        cunwind_space_set_modules(space, processID, fresh.baseAddress, fresh.count)
        modules.deallocate()
        modules = fresh
        if isStale { cunwind_space_flush(space) }
    }

    /// Walks a stack into a buffer, leaf first. The stack's memory begins `redZoneBytes` below its pointer; `chain` is the
    /// kernel's own walk by frame pointers. Returns the number of frames and how the walk ended.
    func walk(
        registers: UnsafeRawPointer, known: cunwind_known = cunwind_known_all, stack: UnsafeRawBufferPointer,
        redZoneBytes: Int = 0, isStackCut: Bool,
        chain: UnsafeRawBufferPointer = .init(start: nil, count: 0),
        into frames: UnsafeMutableBufferPointer<cunwind_frame>
    ) -> (count: Int, end: cunwind_end) {
        guard let base = frames.baseAddress else { return (0, cunwind_end_failed) }
        var sample = cunwind_sample(
            registers: registers.assumingMemoryBound(to: UInt64.self),
            stack: stack.baseAddress?.assumingMemoryBound(to: UInt8.self), stack_bytes: UInt64(stack.count),
            red_zone_bytes: UInt64(redZoneBytes), is_stack_cut: isStackCut ? 1 : 0,
            known: known,
            chain: chain.baseAddress?.assumingMemoryBound(to: UInt64.self), chain_length: chain.count / 8)
        var end = cunwind_end_failed
        let count = cunwind_walk(space, &sample, base, frames.count, &end)
        return (count, end)
    }
}
