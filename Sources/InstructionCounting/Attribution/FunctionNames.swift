internal import LinuxProcess
internal import LinuxSystem
internal import Measurement
internal import StackProfile
internal import Symbolication

/// The functions that blocks of code are of.
struct FunctionNames {
    private var frames: [TableSums.CodeAddress: Frame] = [:]
    /// Sentences about files whose functions have no names.
    private(set) var notes: [String] = []
    private(set) var buildIDs: [(identifier: String, module: String)] = []

    /// Names every block of some sums.
    init(_ sums: TableSums) {
        var addresses = [Set<UInt64>](repeating: [], count: sums.mappings.count)
        for sum in sums.sums.values {
            for code in sum.blocks.keys where code.mapping >= 0 {
                addresses[code.mapping].insert(code.address)
            }
        }
        // The same file mapped at several places, or by several processes, is read once.
        var files: [String: [(place: Int, mapping: MemoryMapping)]] = [:]
        for (place, line) in sums.mappings.enumerated() {
            guard let mapping = MemoryMapping.parse(line).first else { continue }
            files["\(mapping.path) \(mapping.inode)", default: []].append((place, mapping))
        }
        for (_, mappings) in files.sorted(by: { $0.key < $1.key }) { name(mappings, addresses) }
    }

    /// The function that a block is of.
    func frame(of code: TableSums.CodeAddress) -> Frame {
        frames[TableSums.CodeAddress(mapping: code.mapping, address: code.address)]
            ?? Frame("[no file]", traits: .unknown)
    }

    private mutating func name(
        _ mappings: [(place: Int, mapping: MemoryMapping)], _ addresses: [Set<UInt64>]
    ) {
        guard let first = mappings.first?.mapping else { return }
        let module = PlainText.sanitized(Files.name(of: first.path), maximumCharacters: 128)
        let wanted = mappings.flatMap { place, mapping in
            addresses[place].map { (TableSums.CodeAddress(mapping: place, address: $0), mapping) }
        }
        guard !wanted.isEmpty else { return }
        let image: (file: OpenFile, elf: ElfImage)
        switch Self.open(first) {
        case .value(let opened): image = opened
        case .unavailable(let reason):
            notes.append("Functions of '\(PlainText.sanitized(first.path))' have no names: \(reason).")
            let unknown = Frame.unknown(module: module)
            for (code, _) in wanted { frames[code] = unknown }
            return
        }
        var inImage: [TableSums.CodeAddress: ImageAddress] = [:]
        for (code, mapping) in wanted {
            inImage[code] = image.elf.address(
                ofFileOffset: mapping.fileOffset + (code.address &- mapping.start.value))
        }
        let program = ProgramImage(path: first.path, buildID: image.elf.buildID, content: .file(image.file))
        // Lines and inlined calls would cost the reading of all debug information for every block.
        let symbols = SymbolizedImage(
            program, Array(Set(inImage.values)), options: Symbolicator.Options(lines: false, inlines: false))
        if let failure = symbols.failure { notes.append(failure) }
        if let buildID = image.elf.buildID { buildIDs.append((buildID, module)) }
        for (code, _) in wanted {
            let function = inImage[code].flatMap { symbols.addresses[$0]?.function.value }
            frames[code] = function.map { Frame($0, module: module) } ?? Frame.unknown(module: module)
        }
    }

    private static func open(_ mapping: MemoryMapping) -> Reading<(file: OpenFile, elf: ElfImage)> {
        do {
            let file = try OpenFile(mapping.path)
            guard file.inode == mapping.inode else {
                return .unavailable(reason: "the file has been replaced since the run")
            }
            return .value((file, try ElfImage(file)))
        } catch {
            return .unavailable(reason: "\(error)")
        }
    }
}
