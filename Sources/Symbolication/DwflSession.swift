internal import CElfutils
internal import LinuxProcess
internal import LinuxSystem

/// A libdwfl session with one ELF file in it. Ends with its owner.
struct DwflSession: ~Copyable {
    /// Where libdw reads the file from.
    enum Source: Equatable {
        /// The path, which still holds the very file the process ran.
        case path
        /// A copy of our mapping, as the path holds another file by now, or none.
        case copy
    }

    let module: OpaquePointer
    let elf: OpaquePointer
    /// libdwfl's addresses minus the file's own.
    let bias: UInt64
    let source: Source
    /// The loadable segments of the file.
    let segments: [ElfImage.Segment]

    private let session: OpaquePointer
    private let callbacks: UnsafeMutablePointer<Dwfl_Callbacks>
    private let copy: UnsafeMutableRawBufferPointer?

    init(_ image: ProgramImage) throws(SymbolicationError) {
        let callbacks = UnsafeMutablePointer<Dwfl_Callbacks>.allocate(capacity: 1)
        callbacks.initialize(to: Self.offlineCallbacks)
        guard let session = dwfl_begin(callbacks) else {
            callbacks.deallocate()
            throw .library(image: image.path, reason: Self.lastError)
        }
        var copy: UnsafeMutableRawBufferPointer?
        do throws(SymbolicationError) {
            let (module, source, segments) = try Self.report(image, to: session, copy: &copy)
            var bias: GElf_Addr = 0
            guard dwfl_report_end(session, nil, nil) == 0, let elf = dwfl_module_getelf(module, &bias)
            else { throw .library(image: image.path, reason: Self.lastError) }
            try Self.checkIdentity(of: module, image)
            self.module = module
            self.elf = elf
            self.bias = bias
            self.source = source
            self.segments = segments
            self.session = session
            self.callbacks = callbacks
            self.copy = copy
        } catch {
            dwfl_end(session)
            callbacks.deallocate()
            copy?.deallocate()
            throw error
        }
    }

    deinit {
        dwfl_end(session)
        callbacks.deallocate()
        copy?.deallocate()
    }

    /// The separate file the debug information came from; nil where it is in the image's own file, or missing.
    var debugFile: String? {
        var main: UnsafePointer<CChar>?
        var debug: UnsafePointer<CChar>?
        dwfl_module_info(module, nil, nil, nil, nil, nil, &main, &debug)
        guard let debug else { return nil }
        let path = String(cString: debug)
        return main.map { String(cString: $0) } == path ? nil : path
    }

    /// What libdw says about the last call that failed on this thread.
    static var lastError: String {
        dwfl_errmsg(-1).map { String(cString: $0) } ?? "no reason given"
    }

    /// The standard searches, held back where they could not succeed (see `DebugFileSearch`).
    private static var offlineCallbacks: Dwfl_Callbacks {
        var callbacks = Dwfl_Callbacks()
        callbacks.find_elf = dwfl_build_id_find_elf
        callbacks.section_address = dwfl_offline_section_address
        callbacks.find_debuginfo = { module, userData, moduleName, base, file, link, checksum, result in
            let search = DebugFileSearch(
                image: file.map { String(cString: $0) }, link: link.map { String(cString: $0) },
                buildID: module.flatMap { DwflSession.buildID(of: $0) })
            switch search.decision {
            case .standard:
                return dwfl_standard_find_debuginfo(
                    module, userData, moduleName, base, file, link, checksum, result)
            case .byBuildIDOnly:
                return dwfl_build_id_find_debuginfo(
                    module, userData, moduleName, base, file, nil, 0, result)
            case .none: return -1
            }
        }
        return callbacks
    }

    /// The build identifier libdwfl knows of a module, in lower-case hexadecimal.
    private static func buildID(of module: OpaquePointer) -> String? {
        var bits: UnsafePointer<UInt8>?
        var address: GElf_Addr = 0
        let count = dwfl_module_build_id(module, &bits, &address)
        guard count > 0, let bits else { return nil }
        return UnsafeBufferPointer(start: bits, count: Int(count)).map { byte in
            (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }.joined()
    }

    /// Hands the image to libdwfl: by its path where that still is the same file, which costs no memory.
    private static func report(
        _ image: ProgramImage, to session: OpaquePointer, copy: inout UnsafeMutableRawBufferPointer?
    ) throws(SymbolicationError) -> (module: OpaquePointer, source: Source, segments: [ElfImage.Segment]) {
        let segments: [ElfImage.Segment]
        let bytes: UnsafeMutableRawBufferPointer
        switch image.content {
        case .unavailable(let reason): throw .noContent(image: image.path, reason: reason)
        case .memory(let content):
            bytes = .allocate(byteCount: content.count, alignment: 4096)
            bytes.copyBytes(from: content)
            copy = bytes
            segments = try programSegments(UnsafeRawBufferPointer(bytes), image)
        case .file(let file):
            segments = try file.withBytes { (raw) throws(SymbolicationError) in
                try programSegments(raw, image)
            }
            if let module = reportSameFile(image, as: file, to: session) {
                return (module, .path, segments)
            }
            // libelf clears flags in section headers when it decompresses, so it cannot have our mapping itself.
            bytes = .allocate(byteCount: file.count, alignment: 4096)
            copy = bytes
            file.withBytes { bytes.copyMemory(from: $0) }
        }
        guard
            let module = dwfl_report_offline_memory(
                session, image.path, image.path, bytes.baseAddress?.assumingMemoryBound(to: CChar.self),
                bytes.count)
        else { throw .library(image: image.path, reason: lastError) }
        return (module, .copy, segments)
    }

    /// Refuses what is no linked program before libelf sees it: archives and compressed files it would unpack.
    private static func programSegments(
        _ bytes: UnsafeRawBufferPointer, _ image: ProgramImage
    ) throws(SymbolicationError) -> [ElfImage.Segment] {
        let elf: ElfImage
        do throws(ElfImage.ParseError) {
            elf = try ElfImage(bytes)
        } catch {
            throw .notReadable(image: image.path, reason: error.description)
        }
        let kind = bytes.loadUnaligned(fromByteOffset: 16, as: UInt16.self)
        guard kind == UInt16(ET_EXEC) || kind == UInt16(ET_DYN) else {
            throw .notReadable(image: image.path, reason: "neither a program nor a shared library")
        }
        // libdwfl takes a segment for granted.
        guard !elf.segments.isEmpty else {
            throw .notReadable(image: image.path, reason: "no part of it is loaded into memory")
        }
        return elf.segments
    }

    /// Hands libdwfl the file at the image's path, opened here, if it is the one that was mapped; nil where it is not.
    ///
    /// Left to itself libdwfl would open the path again, which may be a named pipe by then.
    private static func reportSameFile(
        _ image: ProgramImage, as file: MappedFile, to session: OpaquePointer
    ) -> OpaquePointer? {
        guard image.path.hasPrefix("/") else { return nil }
        do throws(SystemError) {
            let opened = try Files.open(image.path, .named)
            let current = try MappedFile(opened, path: image.path)
            guard isSameFile(current, as: file, buildID: image.buildID) else { return nil }
            let descriptor = opened.giveAway()
            guard let module = dwfl_report_offline(session, image.path, image.path, descriptor) else {
                // It is libdwfl's only once it has taken it.
                _ = FileDescriptor(owning: descriptor)
                return nil
            }
            return module
        } catch {
            // Another user's, or gone.
            return nil
        }
    }

    /// Whether a file is the one that was mapped: the same build identifier, or without one the same bytes.
    private static func isSameFile(_ current: MappedFile, as file: MappedFile, buildID: String?) -> Bool {
        guard current.count == file.count else { return false }
        if let buildID {
            do throws(ElfImage.ParseError) { return try ElfImage(current).buildID == buildID } catch {
                return false
            }
        }
        return file.withBytes { mapped in current.withBytes { mapped.elementsEqual($0) } }
    }

    /// The path could be replaced between our look and libdw's: what libdw opened has the last word.
    private static func checkIdentity(
        of module: OpaquePointer, _ image: ProgramImage
    ) throws(SymbolicationError) {
        guard let expected = image.buildID, let found = buildID(of: module) else { return }
        guard found == expected else {
            throw .notReadable(
                image: image.path,
                reason: "the file has build identifier \(found), the process ran \(expected)")
        }
    }
}
