/// Where the sorted table lies in a `.eh_frame_hdr` section (Linux Standard Base, "DWARF Extensions").
///
/// libunwind's own search for it aborts the program on a table encoding it does not know (L4), so the encoding is
/// checked here and libunwind only ever sees tables that it understands.
struct EhFrameHeader: Equatable {
    /// Where the table begins, in bytes from the section's start.
    var tableOffset: Int
    /// Pairs in the table.
    var count: Int

    /// Offsets from the section's start as signed 32-bit numbers (`DW_EH_PE_datarel | DW_EH_PE_sdata4`).
    private static let searchableEncoding: UInt8 = 0x3B
    private static let omitted: UInt8 = 0xFF

    /// The most bytes before the table.
    static let longest = 20

    /// Reads the beginning of a section, nil where it has no table that libunwind can search.
    init?(_ section: [UInt8], sectionSize: Int) {
        guard section.count >= 4, section[0] == 1, section[3] == Self.searchableEncoding,
            let frameBytes = Self.size(ofEncoding: section[1]), section[2] != Self.omitted,
            let countBytes = Self.size(ofEncoding: section[2]), countBytes > 0
        else { return nil }
        let countOffset = 4 + frameBytes
        guard countOffset + countBytes <= section.count else { return nil }
        var count: UInt64 = 0
        for index in (0..<countBytes).reversed() { count = count << 8 | UInt64(section[countOffset + index]) }
        tableOffset = countOffset + countBytes
        guard sectionSize >= tableOffset else { return nil }
        let room = (sectionSize - tableOffset) / 8
        guard count > 0, count <= UInt64(room) else { return nil }
        self.count = Int(count)
    }

    /// Bytes of a pointer in an encoding, nil where it has no fixed size.
    static func size(ofEncoding encoding: UInt8) -> Int? {
        if encoding == omitted { return 0 }
        switch encoding & 0x0F {
        case 0x00, 0x04, 0x0C: return 8
        case 0x02, 0x0A: return 2
        case 0x03, 0x0B: return 4
        default: return nil
        }
    }
}
