internal import CLibunwind
internal import CPerfEvents
internal import LinuxProcess

/// A program image prepared for unwinding: its segments and its table of call-frame information, where libunwind's
/// door can read them.
///
/// Owns what the C structure points at; a user of `structure` holds on to this.
final class UnwindImage {
    let elf: ElfImage
    /// Valid as long as this object.
    let structure: UnsafePointer<cunwind_image>

    private let owned: UnsafeMutablePointer<cunwind_image>
    private let segments: UnsafeMutableBufferPointer<cunwind_segment>
    private let builtTable: UnsafeMutableBufferPointer<Int32>?
    private let made: UnsafeMutableRawBufferPointer?
    private let content: Content

    private let pages: OpaquePointer?

    /// What holds the bytes. Of a file only what is wanted is read, and no more of it kept than ``pageLimit``.
    enum Content {
        case file(OpenFile)
        case memory(UnsafeMutableRawBufferPointer)

        var source: any PartialBytes {
            switch self {
            case .file(let file): file
            case .memory(let buffer): UnsafeRawBufferPointer(buffer)
            }
        }
    }

    /// The most pieces of a file that are kept, of 16 KiB each.
    static let pageLimit: UInt32 = 1024

    /// Prepares an ELF image. Takes over memory it is given.
    init(_ content: Content, elf: ElfImage) {
        self.content = content
        self.elf = elf
        let source = content.source
        let size = UInt64(source.count)
        let readable = elf.segments.filter { segment in
            segment.fileOffset <= size && segment.sizeInFile <= size - segment.fileOffset
                && segment.sizeInFile > 0
        }
        segments = .allocate(capacity: readable.count)
        for (index, segment) in readable.enumerated() {
            segments.initializeElement(
                at: index,
                to: cunwind_segment(
                    address: segment.address.value, file_offset: segment.fileOffset,
                    size: segment.sizeInFile))
        }
        var built: UnsafeMutableBufferPointer<Int32>?
        var memory: UnsafePointer<UInt8>?
        switch content {
        case .file(let file): pages = cunwind_pages_create(file.rawDescriptor, size, Self.pageLimit)
        case .memory(let buffer):
            pages = nil
            memory = UnsafeRawPointer(buffer.baseAddress)?.assumingMemoryBound(to: UInt8.self)
        }
        owned = .allocate(capacity: 1)
        owned.initialize(
            to: cunwind_image(
                bytes: memory, pages: pages, segments: UnsafePointer(segments.baseAddress),
                segment_count: readable.count, table_base: 0,
                table_address: 0, table_count: 0, built_table: nil,
                made: nil, made_address: 0, made_bytes: 0, made_table_address: 0, made_table_count: 0,
                entry: elf.entry.value))
        if let table = Self.searchTable(elf, source) {
            owned.pointee.table_base = table.base
            owned.pointee.table_address = table.base &+ UInt64(table.offset)
            owned.pointee.table_count = UInt64(table.count)
        } else if let table = Self.buildTable(elf, source) {
            built = table.entries
            owned.pointee.table_base = table.base
            // Beyond everything the image has, so that no other address means it.
            let end = elf.segments.map { $0.address.value &+ $0.sizeInMemory }.max() ?? 0
            owned.pointee.table_address = (end &+ 0x1_FFFF) & ~0xFFFF
            owned.pointee.table_count = UInt64(table.entries.count / 2)
            owned.pointee.built_table = UnsafeRawPointer(table.entries.baseAddress)?
                .assumingMemoryBound(to: UInt8.self)
        }
        builtTable = built
        made = Self.makeTable(elf, source, &owned.pointee)
        structure = UnsafePointer(owned)
    }

    deinit {
        owned.deinitialize(count: 1)
        owned.deallocate()
        segments.deallocate()
        builtTable?.deallocate()
        made?.deallocate()
        cunwind_pages_destroy(pages)
        if case .memory(let buffer) = content { buffer.deallocate() }
    }

    /// What the loader has added to the image's addresses, seen from one of its mappings.
    ///
    /// By the segment that the mapping is of, not by `offset == address`: files have several executable segments,
    /// and linkers lay them out in more ways than one (L6). Nil when no segment begins or lies there.
    func bias(of mapping: MemoryMapping) -> UInt64? {
        let page = UInt64(cperf_page_size())
        let candidates = elf.segments.filter { segment in
            mapping.fileOffset >= segment.fileOffset & ~(page - 1)
                && mapping.fileOffset < segment.fileOffset &+ segment.sizeInFile
        }
        // Segments may share a page of the file.
        guard let segment = candidates.first(where: \.isExecutable) ?? candidates.first else { return nil }
        let address = segment.address.value &- segment.fileOffset &+ mapping.fileOffset
        return mapping.start.value &- address
    }

    private static func searchTable(
        _ elf: ElfImage, _ source: some PartialBytes
    ) -> (base: UInt64, offset: Int, count: Int)? {
        guard let section = elf.ehFrameHeader, elf.fileOffset(of: section.address) != nil,
            section.fileOffset <= UInt64(source.count),
            section.size <= UInt64(source.count) - section.fileOffset,
            // The table itself is searched where it lies.
            let header = EhFrameHeader(
                source.bytes(at: section.fileOffset, upTo: EhFrameHeader.longest),
                sectionSize: Int(section.size))
        else { return nil }
        return (section.address.value, header.tableOffset, header.count)
    }

    private static func buildTable(
        _ elf: ElfImage, _ source: some PartialBytes
    ) -> (base: UInt64, entries: UnsafeMutableBufferPointer<Int32>)? {
        guard let section = elf.ehFrame,
            let content = source.bytes(at: section.fileOffset, count: section.size)
        else { return nil }
        let index = content.withUnsafeBytes { EhFrameIndex($0, address: section.address.value) }
        guard !index.table.isEmpty else { return nil }
        let entries = UnsafeMutableBufferPointer<Int32>.allocate(capacity: index.table.count)
        _ = entries.initialize(from: index.table)
        return (section.address.value, entries)
    }

    /// What `.debug_frame` has, where libunwind can search it.
    private static func makeTable(
        _ elf: ElfImage, _ source: some PartialBytes, _ image: inout cunwind_image
    ) -> UnsafeMutableRawBufferPointer? {
        guard let section = elf.debugFrame,
            let content = source.bytes(at: section.fileOffset, count: section.size)
        else { return nil }
        // Beyond everything the image has, and beyond the other table.
        let end = elf.segments.map { $0.address.value &+ $0.sizeInMemory }.max() ?? 0
        let builtBytes = image.built_table == nil ? 0 : image.table_count &* 8
        let address = (max(end, image.table_address &+ builtBytes) &+ 0x3_FFFF) & ~0xFFFF
        guard let table = content.withUnsafeBytes({ DebugFrameTable($0, address: address) }) else {
            return nil
        }
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: table.bytes.count, alignment: 16)
        memory.copyBytes(from: table.bytes)
        image.made = UnsafeRawPointer(memory.baseAddress)?.assumingMemoryBound(to: UInt8.self)
        image.made_address = address
        image.made_bytes = UInt64(memory.count)
        image.made_table_address = address &+ UInt64(table.tableOffset)
        image.made_table_count = UInt64(table.count)
        return memory
    }
}
