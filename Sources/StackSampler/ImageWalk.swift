internal import CLibunwind
package import LinuxProcess

/// Stacks walked by the call-frame information of one image without a process: what the fuzzer tries on damaged files.
package final class ImageWalk {
    private let image: UnwindImage
    private let space: AddressSpace
    private let size: UInt64
    private let frames = UnsafeMutableBufferPointer<cunwind_frame>.allocate(capacity: 256)

    /// Where the image is in the imagined process.
    private static let start: UInt64 = 1 << 32

    /// An image, laid out as the loader would; nil where it has no segments, or there is no memory.
    package init?(_ file: OpenFile) {
        do {
            let elf = try ElfImage(file)
            image = UnwindImage(.file(file), elf: elf)
            space = try AddressSpace(cachedRows: 128)
            size = elf.segments.map { $0.address.value &+ $0.sizeInMemory }.max() ?? 0
        } catch {
            return nil
        }
        guard size > 0, size < 1 << 30 else { return nil }
        var table = ModuleTable()
        table.insert(
            ModuleTable.Module(start: Self.start, end: Self.start + size, bias: Self.start, imageIndex: 0))
        space.set(processID: 0, table, images: [image], isStale: true)
    }

    deinit {
        frames.deallocate()
    }

    /// Walks a stack from an address of the image; the number of frames found.
    package func walk(from address: UInt64, stack: UnsafeRawBufferPointer) -> Int {
        // The kernel's order: the stack pointer is the eighth and the program counter the ninth on x86-64, the last two on Arm.
        var registers = [UInt64](repeating: 1 << 40, count: 40)
        for index in [8, 32] { registers[index] = Self.start &+ address }
        return registers.withUnsafeBytes { registers in
            guard let base = registers.baseAddress else { return 0 }
            return space.walk(registers: base, stack: stack, isStackCut: true, into: frames).count
        }
    }
}
