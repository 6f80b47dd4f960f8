internal import LinuxProcess

/// The addresses of a few symbols of an ELF file, by its section headers: `.dynsym` first, which stripping leaves, then
/// `.symtab`. Every offset in the file is untrusted and checked.
struct ElfSymbols {
    struct Symbol: Hashable, Sendable {
        var address: ImageAddress
        var size: UInt64
    }

    /// The symbols that were found, by name.
    private(set) var found: [String: Symbol] = [:]

    private static let dynamicSymbols: UInt32 = 11
    private static let allSymbols: UInt32 = 2
    private static let entrySize = 24

    /// Looks for symbols in a 64-bit little-endian file; finds none where it is something else.
    init(_ names: [String], in file: some PartialBytes) {
        guard let table = file.load(UInt64.self, at: 40), let headerSize = file.load(UInt16.self, at: 58),
            let count = file.load(UInt16.self, at: 60), headerSize >= 64
        else { return }
        let headers = file.bytes(at: table, upTo: Int(count) * Int(headerSize))
        var wanted = Dictionary(grouping: names.map { Array($0.utf8) }, by: \.first)
        for kind in [Self.dynamicSymbols, Self.allSymbols] {
            for index in 0..<Int(count) {
                let header = index * Int(headerSize)
                guard headers.load(UInt32.self, at: header + 4) == kind,
                    let link = headers.load(UInt32.self, at: header + 40),
                    let symbols = Self.content(of: header, headers, file),
                    let names = Self.content(of: Int(link) * Int(headerSize), headers, file)
                else { continue }
                search(symbols, names, &wanted)
            }
            if found.count == names.count { return }
        }
    }

    /// What the section of a header holds.
    private static func content(
        of header: Int, _ headers: [UInt8], _ file: some PartialBytes
    ) -> [UInt8]? {
        guard let start = headers.load(UInt64.self, at: header + 24),
            let size = headers.load(UInt64.self, at: header + 32)
        else { return nil }
        return file.bytes(at: start, count: size)
    }

    private mutating func search(
        _ symbols: [UInt8], _ names: [UInt8], _ wanted: inout [UInt8?: [[UInt8]]]
    ) {
        for entry in stride(from: 0, to: symbols.count - Self.entrySize + 1, by: Self.entrySize) {
            guard let offset = symbols.load(UInt32.self, at: entry), offset < names.count else { continue }
            let name = Int(offset)
            // Most names begin with another letter: nothing is compared of those.
            guard let candidates = wanted[names[name]] else { continue }
            for candidate in candidates where candidate.count < names.count - name {
                guard names[name + candidate.count] == 0,
                    names[name..<name + candidate.count].elementsEqual(candidate),
                    let section = symbols.load(UInt16.self, at: entry + 6), section != 0,
                    let address = symbols.load(UInt64.self, at: entry + 8),
                    let size = symbols.load(UInt64.self, at: entry + 16)
                else { continue }
                found[String(decoding: candidate, as: UTF8.self)] = Symbol(
                    address: ImageAddress(address), size: size)
                wanted[candidate.first]?.removeAll { $0 == candidate }
                break
            }
        }
    }
}
