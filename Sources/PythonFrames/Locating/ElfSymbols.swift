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
    private static let entrySize: UInt64 = 24

    /// Looks for symbols in the bytes of a 64-bit little-endian file; finds none where it is something else.
    init(_ names: [String], in bytes: UnsafeRawBufferPointer) {
        guard let table = bytes.value(UInt64.self, at: 40), let headerSize = bytes.value(UInt16.self, at: 58),
            let count = bytes.value(UInt16.self, at: 60), headerSize >= 64
        else { return }
        var wanted = Dictionary(grouping: names.map { Array($0.utf8) }, by: \.first)
        for kind in [Self.dynamicSymbols, Self.allSymbols] {
            for index in 0..<UInt64(count) {
                guard let header = Int(exactly: table &+ index * UInt64(headerSize)),
                    bytes.value(UInt32.self, at: header + 4) == kind
                else { continue }
                search(bytes, header, table, UInt64(headerSize), &wanted)
            }
            if found.count == names.count { return }
        }
    }

    private mutating func search(
        _ bytes: UnsafeRawBufferPointer, _ header: Int, _ table: UInt64, _ headerSize: UInt64,
        _ wanted: inout [UInt8?: [[UInt8]]]
    ) {
        guard let start = bytes.value(UInt64.self, at: header + 24),
            let size = bytes.value(UInt64.self, at: header + 32), start <= UInt64(bytes.count),
            size <= UInt64(bytes.count) - start, let link = bytes.value(UInt32.self, at: header + 40),
            let namesHeader = Int(exactly: table &+ UInt64(link) * headerSize),
            let names = bytes.value(UInt64.self, at: namesHeader + 24),
            let namesSize = bytes.value(UInt64.self, at: namesHeader + 32), names <= UInt64(bytes.count),
            namesSize <= UInt64(bytes.count) - names
        else { return }
        for index in 0..<size / Self.entrySize {
            let entry = Int(start + index * Self.entrySize)
            guard let offset = bytes.value(UInt32.self, at: entry), UInt64(offset) < namesSize else {
                continue
            }
            let name = Int(names) + Int(offset)
            // Most names begin with another letter: nothing is compared of those.
            guard let candidates = wanted[bytes[name]] else { continue }
            let rest = Int(namesSize) - Int(offset)
            for candidate in candidates where candidate.count < rest {
                guard bytes[name + candidate.count] == 0,
                    bytes[name..<name + candidate.count].elementsEqual(candidate),
                    let section = bytes.value(UInt16.self, at: entry + 6), section != 0,
                    let address = bytes.value(UInt64.self, at: entry + 8),
                    let size = bytes.value(UInt64.self, at: entry + 16)
                else { continue }
                found[String(decoding: candidate, as: UTF8.self)] = Symbol(
                    address: ImageAddress(address), size: size)
                wanted[candidate.first]?.removeAll { $0 == candidate }
                break
            }
        }
    }
}
