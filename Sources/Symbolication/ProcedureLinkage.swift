internal import CElfutils

/// Names the stubs of a procedure linkage table, for which no file has symbols.
///
/// Linkers lay the tables out in many ways (lazy, immediate, with branch protection), so the stub's own
/// instructions are asked which slot of the global offset table they jump through, and the relocations which
/// function the loader puts there.
struct ProcedureLinkage {
    private let elf: OpaquePointer
    /// The slot's address to the name of what is put there.
    private var names: [UInt64: String] = [:]

    private static let x86: Int32 = 62
    private static let arm: Int32 = 183
    /// Relocations looked at, more than any real file has for its stubs.
    private static let limit = 4_000_000

    /// Reads the relocations of a file.
    ///
    /// - Parameter resolverName: Names the function at an address: static programs state a resolver, not a name.
    init(elf: OpaquePointer, resolverName: (UInt64) -> String?) {
        self.elf = elf
        var left = Self.limit
        var section: OpaquePointer? = elf_nextscn(elf, nil)
        while let current = section {
            section = elf_nextscn(elf, current)
            readRelocations(in: current, left: &left, resolverName: resolverName)
        }
    }

    /// The name of the function that the stub at an address calls.
    func name(ofStubAt address: UInt64, in section: CodeSection) -> String? {
        guard section.name.hasPrefix(".plt") || section.name.hasPrefix(".iplt"), let index = section.index,
            let data = elf_getscn(elf, index).flatMap({ elf_rawdata($0, nil) })?.pointee,
            let base = data.d_buf
        else { return nil }
        let bytes = UnsafeRawBufferPointer(start: base, count: data.d_size)
        var header = GElf_Ehdr()
        guard gelf_getehdr(elf, &header) != nil else { return nil }
        let offset = Int(clamping: address - section.address)
        let slot: UInt64? =
            switch Int32(header.e_machine) {
            case Self.x86: Self.x86Slot(bytes, at: offset, base: section.address)
            case Self.arm: Self.armSlot(bytes, at: offset, base: section.address)
            default: nil
            }
        return slot.flatMap { names[$0] }
    }

    /// `jmp *displacement(%rip)`, within the stub of 8 or 16 bytes around an offset.
    static func x86Slot(_ bytes: UnsafeRawBufferPointer, at offset: Int, base: UInt64) -> UInt64? {
        for size in [16, 8] {
            let start = offset / size * size
            for position in start..<start + size where position + 6 <= bytes.count {
                guard bytes[position] == 0xFF, bytes[position + 1] == 0x25 else { continue }
                // In a table of 8-byte stubs the 16 bytes around hold two: only its own will do.
                if size == 16, start + 8 <= offset, position < start + 2, bytes.count > start + 9,
                    bytes[start + 8] == 0xFF, bytes[start + 9] == 0x25
                {
                    continue
                }
                let displacement = Int32(
                    littleEndian: bytes.loadUnaligned(fromByteOffset: position + 2, as: Int32.self))
                return base &+ UInt64(position + 6) &+ UInt64(bitPattern: Int64(displacement))
            }
        }
        return nil
    }

    /// `adrp x16, page` and `ldr x17, [x16, #offset]`, the first at most five instructions back.
    static func armSlot(_ bytes: UnsafeRawBufferPointer, at offset: Int, base: UInt64) -> UInt64? {
        // A stub that begins with a landing pad has its adrp one instruction further on.
        let here = offset & ~3
        let first = isLandingPad(bytes, at: here) ? here + 4 : here
        for position in stride(from: first, through: max(0, first - 20), by: -4)
        where position + 8 <= bytes.count {
            let adrp = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt32.self))
            let load = UInt32(
                littleEndian: bytes.loadUnaligned(fromByteOffset: position + 4, as: UInt32.self))
            guard adrp & 0x9F00_001F == 0x9000_0010, load & 0xFFC0_03FF == 0xF940_0211 else { continue }
            let pages = UInt64(adrp >> 5 & 0x7FFFF) << 2 | UInt64(adrp >> 29 & 3)
            let signed = Int64(bitPattern: pages << 43) >> 43
            let page = (base &+ UInt64(position)) & ~0xFFF &+ UInt64(bitPattern: signed << 12)
            return page &+ UInt64(load >> 10 & 0xFFF) * 8
        }
        return nil
    }

    private static func isLandingPad(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> Bool {
        offset + 4 <= bytes.count
            && UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
                & 0xFFFF_FF3F
                == 0xD503_241F
    }

    private mutating func readRelocations(
        in section: OpaquePointer, left: inout Int, resolverName: (UInt64) -> String?
    ) {
        var header = GElf_Shdr()
        guard gelf_getshdr(section, &header) != nil, header.sh_type == GElf_Word(SHT_RELA),
            let data = elf_getdata(section, nil)
        else { return }
        let symbolSection = elf_getscn(elf, Int(header.sh_link))
        let symbols = symbolSection.flatMap { elf_getdata($0, nil) }
        var symbolHeader = GElf_Shdr()
        if let symbolSection { _ = gelf_getshdr(symbolSection, &symbolHeader) }
        var index: Int32 = 0
        var relocation = GElf_Rela()
        while left > 0, gelf_getrela(data, index, &relocation) != nil {
            left -= 1
            index += 1
            let symbol = relocation.r_info >> 32
            if symbol == 0 {
                let kind = UInt32(truncatingIfNeeded: relocation.r_info)
                guard kind == UInt32(R_X86_64_IRELATIVE) || kind == UInt32(R_AARCH64_IRELATIVE) else {
                    continue
                }
                names[relocation.r_offset] = resolverName(UInt64(bitPattern: relocation.r_addend))
                continue
            }
            var entry = GElf_Sym()
            guard let symbols, gelf_getsym(symbols, Int32(clamping: symbol), &entry) != nil,
                let name = elf_strptr(elf, Int(symbolHeader.sh_link), Int(entry.st_name))
            else { continue }
            names[relocation.r_offset] = SymbolName(bytes: name).text
        }
    }
}
