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

    /// What kind of file it is (`e_type`): 2 for a program, 3 for a shared library or a program that can be moved.
    public var kind: UInt16
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

    /// Reads the headers of an ELF file, and nothing else of it.
    public init(_ source: some PartialBytes) throws(ParseError) {
        let header = source.bytes(at: 0, upTo: 64)
        guard header.starts(with: [0x7F, 0x45, 0x4C, 0x46]) else { throw .notElf }
        guard header.count == 64 else { throw .truncated }
        guard header[4] == 2, header[5] == 1 else { throw .unsupported }
        machine = try header.number(UInt16.self, at: 18)
        kind = try header.number(UInt16.self, at: 16)
        entry = ImageAddress(try header.number(UInt64.self, at: 24))
        segments = []
        let entrySize = Int(try header.number(UInt16.self, at: 54))
        let count = Int(try header.number(UInt16.self, at: 56))
        guard count == 0 || entrySize >= 56 else { throw .truncated }
        let start: UInt64 = try header.number(UInt64.self, at: 32)
        guard let table = source.bytes(at: start, count: UInt64(count * entrySize)) else { throw .truncated }
        for index in 0..<count { try readSegment(table, at: index * entrySize, source) }
        try readSections(header, source)
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

    private mutating func readSegment(
        _ table: [UInt8], at offset: Int, _ source: some PartialBytes
    ) throws(ParseError) {
        let kind: UInt32 = try table.number(UInt32.self, at: offset)
        let flags: UInt32 = try table.number(UInt32.self, at: offset + 4)
        let fileOffset: UInt64 = try table.number(UInt64.self, at: offset + 8)
        let address = ImageAddress(try table.number(UInt64.self, at: offset + 16))
        let sizeInFile: UInt64 = try table.number(UInt64.self, at: offset + 32)
        let sizeInMemory: UInt64 = try table.number(UInt64.self, at: offset + 40)
        switch kind {
        case 1:
            segments.append(
                Segment(
                    fileOffset: fileOffset, address: address, sizeInFile: sizeInFile,
                    sizeInMemory: sizeInMemory,
                    isExecutable: flags & 1 != 0))
        case 0x6474_E550:
            ehFrameHeader = Section(fileOffset: fileOffset, address: address, size: sizeInFile)
        case 4 where buildID == nil && sizeInFile < 1 << 20:
            buildID = source.bytes(at: fileOffset, count: sizeInFile).flatMap { notes in
                notes.withUnsafeBytes { ElfImage.buildID(inNotes: $0) }
            }
        default: break
        }
    }

    /// Finds `.eh_frame` and `.debug_frame`. A file without section headers is fine; one whose headers lie outside it has none either.
    private mutating func readSections(_ header: [UInt8], _ source: some PartialBytes) throws(ParseError) {
        let start: UInt64 = try header.number(UInt64.self, at: 40)
        let entrySize = Int(try header.number(UInt16.self, at: 58))
        let count = Int(try header.number(UInt16.self, at: 60))
        let namesIndex = Int(try header.number(UInt16.self, at: 62))
        guard start > 0, entrySize >= 64, namesIndex < count,
            let table = source.bytes(at: start, count: UInt64(count * entrySize))
        else { return }
        let namesHeader = namesIndex * entrySize
        let namesSize: UInt64 = try table.number(UInt64.self, at: namesHeader + 32)
        let names = source.bytes(
            at: try table.number(UInt64.self, at: namesHeader + 24), upTo: Int(min(namesSize, 1 << 20)))
        for index in 0..<count {
            let header = index * entrySize
            let name = names.dropFirst(Int(try table.number(UInt32.self, at: header)))
            let section = Section(
                fileOffset: try table.number(UInt64.self, at: header + 24),
                address: ImageAddress(try table.number(UInt64.self, at: header + 16)),
                size: try table.number(UInt64.self, at: header + 32))
            let isCompressed = try table.number(UInt64.self, at: header + 8) & 0x800 != 0
            if name.starts(with: ".eh_frame\0".utf8) {
                ehFrame = section
            } else if !isCompressed, name.starts(with: ".debug_frame\0".utf8) {
                debugFrame = section
            }
        }
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

extension [UInt8] {
    fileprivate func number<Value: FixedWidthInteger>(
        _ type: Value.Type, at offset: Int
    ) throws(ElfImage.ParseError) -> Value {
        guard let value = load(type, at: offset) else { throw .truncated }
        return value
    }
}
