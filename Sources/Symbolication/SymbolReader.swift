internal import CElfutils
internal import LinuxProcess

/// Reads the symbols of a session's file: its own `.symtab`, that of its separate debug file, or `.dynsym` with
/// the compressed table in `.gnu_debugdata`, whichever libdwfl finds first.
struct SymbolReader {
    let module: OpaquePointer
    let elf: OpaquePointer
    let bias: UInt64

    /// More symbols than any real file has: Chromium with all its symbols has some two million.
    private static let limit: Int32 = 8_000_000

    /// The table of symbols that lie in executable memory.
    func table(segments: [ElfImage.Segment], progress: (Double) -> Void) -> SymbolTable {
        var sections = codeSections()
        if sections.isEmpty {
            sections = segments.filter(\.isExecutable).map {
                CodeSection(address: $0.address.value, size: $0.sizeInMemory, name: "", index: nil)
            }
        }
        let count = min(dwfl_module_getsymtab(module), Self.limit)
        var symbols: [CodeSymbol] = []
        symbols.reserveCapacity(Int(max(0, count)) / 2)
        var lastSection = sections.first
        for index in 1..<max(1, count) {
            if index.isMultiple(of: 16384) { progress(Double(index) / Double(count)) }
            guard let symbol = codeSymbol(index) else { continue }
            if lastSection?.contains(symbol.address) != true {
                guard let section = sections.first(where: { $0.contains(symbol.address) }) else { continue }
                lastSection = section
            }
            symbols.append(symbol)
        }
        return SymbolTable(symbols: symbols, sections: sections)
    }

    private func codeSymbol(_ index: Int32) -> CodeSymbol? {
        var symbol = GElf_Sym()
        var address: GElf_Addr = 0
        var section: GElf_Word = 0
        guard let name = dwfl_module_getsym_info(module, index, &symbol, &address, &section, nil, nil),
            section != GElf_Word(SHN_UNDEF), section != GElf_Word(SHN_ABS)
        else { return nil }
        let kind: CodeSymbol.Kind
        switch Int32(symbol.st_info & 0xF) {
        case Int32(STT_FUNC), Int32(STT_GNU_IFUNC): kind = .function
        case Int32(STT_NOTYPE): kind = .untyped
        default: return nil
        }
        guard name[0] != 0, !(kind == .untyped && isMappingSymbol(name)) else { return nil }
        return CodeSymbol(
            name: SymbolName(bytes: name), address: address &- bias, size: symbol.st_size, kind: kind,
            isLocal: Int32(symbol.st_info >> 4) == Int32(STB_LOCAL))
    }

    /// `$x`, `$d` and the like mark code and data in ARM files; they name nothing.
    private func isMappingSymbol(_ name: UnsafePointer<CChar>) -> Bool {
        name[0] == 0x24 && name[1] != 0 && (name[2] == 0 || name[2] == 0x2E)
    }

    private func codeSections() -> [CodeSection] {
        var names = 0
        guard elf_getshdrstrndx(elf, &names) == 0 else { return [] }
        var result: [CodeSection] = []
        var section: OpaquePointer? = elf_nextscn(elf, nil)
        while let current = section, result.count < 65536 {
            section = elf_nextscn(elf, current)
            var header = GElf_Shdr()
            guard gelf_getshdr(current, &header) != nil,
                header.sh_flags & UInt64(SHF_ALLOC) != 0, header.sh_flags & UInt64(SHF_EXECINSTR) != 0
            else { continue }
            let name = elf_strptr(elf, names, Int(header.sh_name)).map { SymbolName(bytes: $0).text } ?? ""
            result.append(
                CodeSection(
                    address: header.sh_addr, size: header.sh_size, name: name, index: elf_ndxscn(current)))
        }
        return result
    }
}
