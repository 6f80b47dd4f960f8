internal import CElfutils

/// Debug information in which nothing is found: given to libdw in place of a file that it would open by itself.
final class EmptyDebugFile {
    let dwarf: OpaquePointer?
    private let elf: OpaquePointer?
    private let bytes: UnsafeMutableRawBufferPointer

    init() {
        let content = Self.content
        bytes = .allocate(byteCount: content.count, alignment: 16)
        bytes.copyBytes(from: content)
        elf_version(UInt32(EV_CURRENT))
        elf = elf_memory(bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count)
        dwarf = elf.flatMap { dwarf_begin_elf($0, DWARF_C_READ, nil) }
    }

    deinit {
        dwarf_end(dwarf)
        elf_end(elf)
        bytes.deallocate()
    }

    /// A 64-bit file with an empty string in `.debug_str`, and the names of its sections.
    private static var content: [UInt8] {
        let names = Array("\0.debug_str\0.shstrtab\0".utf8)
        var bytes: [UInt8] = [0x7F, 0x45, 0x4C, 0x46, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        func add(_ values: [UInt64], of width: Int) {
            for value in values {
                for index in 0..<width { bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * index))) }
            }
        }
        // A shared object for x86-64: what kind it is does not matter.
        add([3, 62], of: 2)
        add([1], of: 4)
        add([0, 0, 64 + 32], of: 8)
        add([0], of: 4)
        add([64, 0, 0, 64, 3, 2], of: 2)
        // One zero for the string, then the names, padded to 32 bytes.
        bytes += [0] + names
        bytes += [UInt8](repeating: 0, count: 64 + 32 - bytes.count)
        // Each header: name, kind; flags, address, offset, size; link, information; alignment, entry size.
        for (name, kind, offset, size) in [(0, 0, 0, 0), (1, 1, 64, 1), (12, 3, 65, names.count)] {
            add([UInt64(name), UInt64(kind)], of: 4)
            add([0, 0, UInt64(offset), UInt64(size)], of: 8)
            add([0, 0], of: 4)
            add([1, 0], of: 8)
        }
        return bytes
    }
}
