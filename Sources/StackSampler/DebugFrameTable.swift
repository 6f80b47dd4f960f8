/// The call-frame information of `.debug_frame` in the form of `.eh_frame`, with a sorted table: the only form that
/// libunwind searches in another process.
///
/// Code that is compiled without unwind tables but with debug information has it there and nowhere else. Pure; every
/// length in the section is untrusted and checked.
struct DebugFrameTable {
    /// The entries, and after them the table: pairs of signed 32-bit offsets from `address`, function and its entry.
    private(set) var bytes: [UInt8] = []
    /// Where in `bytes` the table begins, and its pairs.
    private(set) var tableOffset = 0
    private(set) var count = 0

    private let address: UInt64
    /// Where the new form of a common entry begins, by the offset of the old one; nil for one that is not understood.
    private var commonEntries: [Int: Int?] = [:]
    private var pairs: [(function: Int32, entry: Int32)] = []

    /// An offset from the field's own address in 8 bytes (`DW_EH_PE_pcrel | DW_EH_PE_sdata8`).
    private static let encoding: UInt8 = 0x1C
    private static let largest = 256 << 20

    /// Reads a section. What is made appears in the image at an address.
    init?(_ section: UnsafeRawBufferPointer, address: UInt64) {
        self.address = address
        guard section.count <= Self.largest else { return nil }
        var offset = 0
        while let entry = Self.entry(section, at: offset) {
            offset = entry.end
            guard entry.identifier != 0xFFFF_FFFF else { continue }
            add(entry, section)
        }
        guard !pairs.isEmpty else { return nil }
        pairs.sort { $0.function < $1.function }
        while bytes.count % 8 != 0 { bytes.append(0) }
        tableOffset = bytes.count
        count = pairs.count
        for pair in pairs {
            append(pair.function)
            append(pair.entry)
        }
    }

    private struct Entry {
        var identifier: UInt32
        /// After the identifier, and after the entry.
        var content: Int
        var end: Int
    }

    private static func entry(_ section: UnsafeRawBufferPointer, at offset: Int) -> Entry? {
        guard offset >= 0, offset + 8 <= section.count else { return nil }
        let length = section.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
        // 64-bit entries have a length of all ones: sections of that size are not written.
        guard length >= 4, length <= UInt32(section.count - offset - 4) else { return nil }
        return Entry(
            identifier: section.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self),
            content: offset + 8,
            end: offset + 4 + Int(length))
    }

    private mutating func add(_ entry: Entry, _ section: UnsafeRawBufferPointer) {
        let common = Int(entry.identifier)
        if commonEntries[common] == nil { commonEntries[common] = .some(addCommon(at: common, section)) }
        guard let commonOffset = commonEntries[common] ?? nil, entry.content + 16 <= entry.end else { return }
        let begin = section.loadUnaligned(fromByteOffset: entry.content, as: UInt64.self)
        let size = section.loadUnaligned(fromByteOffset: entry.content + 8, as: UInt64.self)
        // Functions that the linker has dropped begin at 0.
        guard begin > 0, size > 0, let function = Int32(exactly: Int64(bitPattern: begin &- address)),
            bytes.count < Self.largest, let entryOffset = Int32(exactly: bytes.count)
        else { return }
        write { table in
            table.append(UInt32(truncatingIfNeeded: table.bytes.count - commonOffset))
            table.append(begin &- (table.address &+ UInt64(table.bytes.count)))
            table.append(size)
            table.bytes.append(0)
            table.bytes += section[entry.content + 16..<entry.end]
        }
        pairs.append((function, entryOffset))
    }

    /// Writes a common entry anew, with an augmentation that says how addresses are written. Returns where it begins.
    private mutating func addCommon(at offset: Int, _ section: UnsafeRawBufferPointer) -> Int? {
        guard let entry = Self.entry(section, at: offset), entry.identifier == 0xFFFF_FFFF else { return nil }
        let body = UnsafeRawBufferPointer(rebasing: section[entry.content..<entry.end])
        // Version, and an augmentation that is empty.
        guard body.count > 8, [1, 3, 4].contains(body[0]), body[1] == 0 else { return nil }
        var at = 2
        if body[0] == 4 {
            guard body[2] == 8, body[3] == 0 else { return nil }
            at = 4
        }
        let alignments = at
        for _ in 0..<2 {
            while at < body.count, body[at] & 0x80 != 0 { at += 1 }
            at += 1
        }
        let register = at
        if body[0] == 1 {
            at += 1
        } else {
            while at < body.count, body[at] & 0x80 != 0 { at += 1 }
            at += 1
        }
        guard at <= body.count else { return nil }
        let start = bytes.count
        write { table in
            table.append(UInt32(0))
            table.bytes += [body[0] == 1 ? 1 : 3] + Array("zR\0".utf8)
            table.bytes += body[alignments..<register]
            table.bytes += body[register..<at]
            table.bytes += [1, Self.encoding]
            table.bytes += body[at...]
        }
        return start
    }

    /// Writes an entry with its length, padded by instructions that do nothing.
    private mutating func write(_ content: (inout DebugFrameTable) -> Void) {
        let start = bytes.count
        append(UInt32(0))
        content(&self)
        while bytes.count % 8 != 0 { bytes.append(0) }
        let length = UInt32(truncatingIfNeeded: bytes.count - start - 4)
        withUnsafeBytes(of: length.littleEndian) { bytes.replaceSubrange(start..<start + 4, with: $0) }
    }

    private mutating func append(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }
}
