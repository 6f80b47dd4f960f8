/// The parts of a 64-bit little-endian ELF file that a profiler needs without any library: where its segments
/// are, where its call-frame information is, and which build it is.
///
/// Parses bytes; every offset and count in them is untrusted and checked.
public struct ElfImage: Hashable, Sendable {
    /// A loadable segment (`PT_LOAD`).
    public struct Segment: Hashable, Sendable {
        public var fileOffset: UInt64
        public var address: ImageAddress
        public var sizeInFile: UInt64
        public var sizeInMemory: UInt64
        public var isExecutable: Bool
    }

    /// Where a section is, both in the file and in the image.
    public struct Section: Hashable, Sendable {
        public var fileOffset: UInt64
        public var address: ImageAddress
        public var size: UInt64
    }

    /// The instruction set (`e_machine`): 62 for x86-64, 183 for aarch64.
    public var machine: UInt16
    /// Where a process that runs the file begins (`e_entry`), 0 for none.
    public var entry: ImageAddress
    public var segments: [Segment]
    /// The table of `PT_GNU_EH_FRAME`, nil where the file has none.
    public var ehFrameHeader: Section?
    /// The section `.eh_frame`, nil where the file has none or no section headers.
    public var ehFrame: Section?
    /// The section `.debug_frame`, nil where the file has none or a compressed one. It lies in no segment: its address is 0.
    public var debugFrame: Section?
    /// The build identifier in lower-case hexadecimal, nil where the file has none.
    public var buildID: String?

    /// Why bytes are not such an ELF file.
    public enum ParseError: Error, Equatable, CustomStringConvertible {
        case notElf
        case unsupported
        case truncated

        /// A phrase.
        public var description: String {
            switch self {
            case .notElf: "not an ELF file"
            case .unsupported: "not a 64-bit little-endian ELF file"
            case .truncated: "an ELF file whose headers point outside it"
            }
        }
    }

    /// Reads the headers of an ELF file.
    public init(_ bytes: UnsafeRawBufferPointer) throws(ParseError) {
        guard bytes.count >= 4, bytes.starts(with: [0x7F, 0x45, 0x4C, 0x46]) else { throw .notElf }
        guard bytes.count >= 64 else { throw .truncated }
        guard bytes[4] == 2, bytes[5] == 1 else { throw .unsupported }
        machine = try bytes.number(UInt16.self, at: 18)
        entry = ImageAddress(try bytes.number(UInt64.self, at: 24))
        segments = []
        let table: UInt64 = try bytes.number(UInt64.self, at: 32)
        let entrySize = UInt64(try bytes.number(UInt16.self, at: 54))
        let count = UInt64(try bytes.number(UInt16.self, at: 56))
        guard count == 0 || entrySize >= 56 else { throw .truncated }
        for index in 0..<count {
            try readSegment(bytes, at: try table.offset(by: index * entrySize))
        }
        try readSections(bytes)
    }

    /// Reads the headers of a mapped ELF file.
    public init(_ file: MappedFile) throws(ParseError) {
        self = try file.withBytes { (bytes) throws(ParseError) in try ElfImage(bytes) }
    }

    /// The address in the image of a byte of the file, by the segment that holds it.
    ///
    /// Going through the segment, not by `offset == address`, is what makes files with several executable
    /// segments and lld's layouts come out right.
    public func address(ofFileOffset offset: UInt64) -> ImageAddress? {
        for segment in segments
        where offset >= segment.fileOffset && offset - segment.fileOffset < segment.sizeInFile {
            return ImageAddress(segment.address.value &+ (offset - segment.fileOffset))
        }
        return nil
    }

    /// The offset in the file of an address of the image, nil for memory the file does not fill.
    public func fileOffset(of address: ImageAddress) -> UInt64? {
        for segment in segments where address >= segment.address {
            let within = address.value - segment.address.value
            if within < segment.sizeInFile { return segment.fileOffset + within }
        }
        return nil
    }

    private mutating func readSegment(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(ParseError) {
        let kind: UInt32 = try bytes.number(UInt32.self, at: offset)
        let flags: UInt32 = try bytes.number(UInt32.self, at: offset + 4)
        let fileOffset: UInt64 = try bytes.number(UInt64.self, at: offset + 8)
        let address = ImageAddress(try bytes.number(UInt64.self, at: offset + 16))
        let sizeInFile: UInt64 = try bytes.number(UInt64.self, at: offset + 32)
        let sizeInMemory: UInt64 = try bytes.number(UInt64.self, at: offset + 40)
        switch kind {
        case 1:
            segments.append(
                Segment(
                    fileOffset: fileOffset, address: address, sizeInFile: sizeInFile,
                    sizeInMemory: sizeInMemory,
                    isExecutable: flags & 1 != 0))
        case 0x6474_E550:
            ehFrameHeader = Section(fileOffset: fileOffset, address: address, size: sizeInFile)
        case 4 where buildID == nil:
            buildID = ElfImage.buildID(inNotes: bytes, at: fileOffset, size: sizeInFile)
        default: break
        }
    }

    /// Finds `.eh_frame` and `.debug_frame`. A file without section headers is fine; one whose headers lie outside it has none either.
    private mutating func readSections(_ bytes: UnsafeRawBufferPointer) throws(ParseError) {
        let table: UInt64 = try bytes.number(UInt64.self, at: 40)
        let entrySize = UInt64(try bytes.number(UInt16.self, at: 58))
        let count = UInt64(try bytes.number(UInt16.self, at: 60))
        let namesIndex = UInt64(try bytes.number(UInt16.self, at: 62))
        guard table > 0, entrySize >= 64, namesIndex < count, bytes.holds(table, count * entrySize) else {
            return
        }
        let names: UInt64 = try bytes.number(UInt64.self, at: table + namesIndex * entrySize + 24)
        for index in 0..<count {
            let header = table + index * entrySize
            let nameOffset = UInt64(try bytes.number(UInt32.self, at: header))
            let (name, overflows) = names.addingReportingOverflow(nameOffset)
            guard !overflows, bytes.holds(name, 10) else { continue }
            let section = Section(
                fileOffset: try bytes.number(UInt64.self, at: header + 24),
                address: ImageAddress(try bytes.number(UInt64.self, at: header + 16)),
                size: try bytes.number(UInt64.self, at: header + 32))
            let isCompressed = try bytes.number(UInt64.self, at: header + 8) & 0x800 != 0
            if bytes[Int(name)...].starts(with: ".eh_frame\0".utf8) {
                ehFrame = section
            } else if !isCompressed, bytes[Int(name)...].starts(with: ".debug_frame\0".utf8) {
                debugFrame = section
            }
        }
    }

    /// The description of the note "GNU" of type NT_GNU_BUILD_ID (3), in hexadecimal.
    private static func buildID(inNotes bytes: UnsafeRawBufferPointer, at start: UInt64, size: UInt64)
        -> String?
    {
        guard bytes.holds(start, size), size < 1 << 20 else { return nil }
        return buildID(inNotes: UnsafeRawBufferPointer(rebasing: bytes[Int(start)..<Int(start + size)]))
    }

    /// The build identifier in the content of a note segment, such as `/sys/kernel/notes` or a vdso's.
    public static func buildID(inNotes bytes: UnsafeRawBufferPointer) -> String? {
        var offset = 0
        while offset + 12 <= bytes.count {
            let nameSize = Int(bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
            let descriptionSize = Int(bytes.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self))
            let kind = bytes.loadUnaligned(fromByteOffset: offset + 8, as: UInt32.self)
            let name = offset + 12
            let description = name + (nameSize + 3) & ~3
            guard nameSize <= bytes.count, descriptionSize <= 64 || kind != 3,
                descriptionSize <= bytes.count - min(description, bytes.count)
            else { return nil }
            if kind == 3, nameSize == 4, bytes[name..<name + 4].elementsEqual("GNU\0".utf8) {
                return bytes[description..<description + descriptionSize].map { byte in
                    (byte < 16 ? "0" : "") + String(byte, radix: 16)
                }.joined()
            }
            offset = description + (descriptionSize + 3) & ~3
        }
        return nil
    }
}

extension UnsafeRawBufferPointer {
    fileprivate func holds(_ offset: UInt64, _ size: UInt64) -> Bool {
        offset <= UInt64(count) && size <= UInt64(count) - offset
    }

    fileprivate func number<Value: FixedWidthInteger>(
        _ type: Value.Type, at offset: UInt64
    ) throws(ElfImage.ParseError) -> Value {
        guard holds(offset, UInt64(MemoryLayout<Value>.size)) else { throw .truncated }
        return Value(littleEndian: loadUnaligned(fromByteOffset: Int(offset), as: Value.self))
    }
}

extension UInt64 {
    fileprivate func offset(by distance: UInt64) throws(ElfImage.ParseError) -> UInt64 {
        let (sum, overflows) = addingReportingOverflow(distance)
        guard !overflows else { throw .truncated }
        return sum
    }
}
