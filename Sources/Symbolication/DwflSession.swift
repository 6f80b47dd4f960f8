internal import CElfutils
internal import LinuxProcess
internal import LinuxSystem

/// A libdwfl session with one ELF file in it. Ends with its owner.
struct DwflSession: ~Copyable {
    let module: OpaquePointer
    let elf: OpaquePointer
    /// libdwfl's addresses minus the file's own.
    let bias: UInt64
    /// The loadable segments of the file.
    let segments: [ElfImage.Segment]
    /// Whether libdw may open the files that this one names, the parts of split units: only where no other user could
    /// have written the names.
    let opensFilesItNames: Bool

    private let session: OpaquePointer
    private let callbacks: UnsafeMutablePointer<Dwfl_Callbacks>
    private let searchedPath: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    private let copy: UnsafeMutableRawBufferPointer?
    private let imagePath: String
    private let nothingShared = EmptyDebugFile()

    init(_ image: ProgramImage) throws(SymbolicationError) {
        let callbacks = UnsafeMutablePointer<Dwfl_Callbacks>.allocate(capacity: 1)
        callbacks.initialize(to: Self.offlineCallbacks)
        let searchedPath = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: 1)
        searchedPath.initialize(to: celfutils_copy(DebugFileSearch.root))
        callbacks.pointee.debuginfo_path = searchedPath
        guard let session = dwfl_begin(callbacks) else {
            Self.release(callbacks, searchedPath)
            throw .library(image: image.path, reason: Self.lastError)
        }
        var copy: UnsafeMutableRawBufferPointer?
        do throws(SymbolicationError) {
            let (module, segments) = try Self.report(image, to: session, copy: &copy)
            var bias: GElf_Addr = 0
            guard dwfl_report_end(session, nil, nil) == 0, let elf = dwfl_module_getelf(module, &bias)
            else { throw .library(image: image.path, reason: Self.lastError) }
            try Self.checkIdentity(of: module, image)
            self.module = module
            self.elf = elf
            self.bias = bias
            self.segments = segments
            self.session = session
            self.callbacks = callbacks
            self.copy = copy
            self.searchedPath = searchedPath
            imagePath = image.path
            if case .file(let file) = image.content {
                opensFilesItNames = file.isOnlyOurs
                // libdw maps them, and they are written anew whenever the program is built.
                if opensFilesItNames { TruncatedMappings.survive() }
            } else {
                opensFilesItNames = false
            }
        } catch {
            dwfl_end(session)
            Self.release(callbacks, searchedPath)
            copy?.deallocate()
            throw error
        }
    }

    deinit {
        dwfl_end(session)
        Self.release(callbacks, searchedPath)
        copy?.deallocate()
    }

    private static func release(
        _ callbacks: UnsafeMutablePointer<Dwfl_Callbacks>,
        _ searchedPath: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    ) {
        callbacks.deallocate()
        celfutils_free(searchedPath.pointee)
        searchedPath.deallocate()
    }

    /// Sees to it that libdw does not look for the file that several debug files share, under whatever path this one names.
    func keepFromOpeningOthers(_ dwarf: OpaquePointer) {
        var name: UnsafePointer<CChar>?
        var identifier: UnsafeRawPointer?
        guard dwelf_dwarf_gnu_debugaltlink(dwarf, &name, &identifier) > 0, let name,
            DebugFileSearch(
                image: debugFile ?? imagePath, link: String(cString: name), checksum: 0, buildID: nil
            )
            .foundShared() == nil
        else { return }
        dwarf_setalt(dwarf, nothingShared.dwarf)
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

    /// Searches that open nothing but by the door (see `DebugFileSearch`).
    private static var offlineCallbacks: Dwfl_Callbacks {
        var callbacks = Dwfl_Callbacks()
        callbacks.find_elf = dwfl_build_id_find_elf
        callbacks.section_address = dwfl_offline_section_address
        callbacks.find_debuginfo = { module, userData, moduleName, base, file, link, checksum, result in
            let search = DebugFileSearch(
                image: file.map { String(cString: $0) }, link: link.map { String(cString: $0) },
                checksum: checksum, buildID: module.flatMap { DwflSession.buildID(of: $0) })
            // A path is the link to a file shared by several debug files.
            let isShared = search.link?.contains("/") == true
            if let found = isShared ? search.foundShared() : search.found() {
                result?.pointee = celfutils_copy(found.path)
                return found.giveAway()
            }
            guard !isShared, search.hasServers else { return -1 }
            return dwfl_standard_find_debuginfo(
                module, userData, moduleName, base, file, nil, 0, result)
        }
        return callbacks
    }

    /// The build identifier libdwfl knows of a module, in lower-case hexadecimal.
    private static func buildID(of module: OpaquePointer) -> String? {
        var bits: UnsafePointer<UInt8>?
        var address: GElf_Addr = 0
        let count = dwfl_module_build_id(module, &bits, &address)
        guard count > 0, let bits else { return nil }
        return hexadecimal(UnsafeRawBufferPointer(start: bits, count: Int(count)))
    }

    static func hexadecimal(_ bytes: UnsafeRawBufferPointer) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// Hands the image to libdwfl, as a copy that cannot be changed.
    private static func report(
        _ image: ProgramImage, to session: OpaquePointer, copy: inout UnsafeMutableRawBufferPointer?
    ) throws(SymbolicationError) -> (module: OpaquePointer, segments: [ElfImage.Segment]) {
        switch image.content {
        case .unavailable(let reason): throw .noContent(image: image.path, reason: reason)
        case .memory(let content):
            let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: content.count, alignment: 4096)
            bytes.copyBytes(from: content)
            copy = bytes
            let segments = try programSegments(UnsafeRawBufferPointer(bytes), image)
            try checkLibelfReads(bytes, image)
            guard
                let module = dwfl_report_offline_memory(
                    session, image.path, image.path, bytes.baseAddress?.assumingMemoryBound(to: CChar.self),
                    bytes.count)
            else { throw .library(image: image.path, reason: lastError) }
            return (module, segments)
        case .file(let file):
            let stable = try stableCopy(of: file, image)
            let segments = try programSegments(stable, image)
            let number: Int32
            do throws(SystemError) {
                number = try stable.duplicate().giveAway()
            } catch {
                throw .noContent(image: image.path, reason: error.reason)
            }
            guard let module = dwfl_report_offline(session, image.path, image.path, number) else {
                // It is libdwfl's only once it has taken it.
                _ = FileDescriptor(owning: number)
                throw .library(image: image.path, reason: lastError)
            }
            return (module, segments)
        }
    }

    /// libdwfl does not ask whether libelf could read what is in memory, and uses nothing where it could not.
    private static func checkLibelfReads(
        _ bytes: UnsafeMutableRawBufferPointer, _ image: ProgramImage
    ) throws(SymbolicationError) {
        elf_version(UInt32(EV_CURRENT))
        guard let elf = elf_memory(bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count) else {
            let reason = elf_errmsg(-1).map { String(cString: $0) } ?? "no reason given"
            throw .library(image: image.path, reason: reason)
        }
        elf_end(elf)
    }

    /// The file that the process ran, as it was then.
    private static func stableCopy(
        of file: OpenFile, _ image: ProgramImage
    ) throws(SymbolicationError) -> OpenFile {
        let copy: OpenFile
        do throws(SystemError) {
            copy = try OpenFile(DebugFileSearch.stable(file.duplicate()))
        } catch {
            throw .noContent(image: image.path, reason: error.reason)
        }
        // Looked at after the copy was made: what was written before it is seen here.
        let isSameBuild =
            image.buildID != nil && copy.count == file.count && image.buildID == buildID(of: copy)
        guard file.isUnchanged || isSameBuild else {
            throw .notReadable(
                image: image.path,
                reason: "the file was overwritten or cut short after the process had mapped it")
        }
        return copy
    }

    private static func buildID(of file: OpenFile) -> String? {
        do throws(ElfImage.ParseError) { return try ElfImage(file).buildID } catch { return nil }
    }

    /// Refuses what is no linked program before libelf sees it: archives and compressed files it would unpack.
    private static func programSegments(
        _ bytes: some PartialBytes, _ image: ProgramImage
    ) throws(SymbolicationError) -> [ElfImage.Segment] {
        let elf: ElfImage
        do throws(ElfImage.ParseError) {
            elf = try ElfImage(bytes)
        } catch {
            throw .notReadable(image: image.path, reason: error.description)
        }
        guard elf.kind == UInt16(ET_EXEC) || elf.kind == UInt16(ET_DYN) else {
            throw .notReadable(image: image.path, reason: "neither a program nor a shared library")
        }
        // libdwfl takes a segment for granted.
        guard !elf.segments.isEmpty else {
            throw .notReadable(image: image.path, reason: "no part of it is loaded into memory")
        }
        return elf.segments
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
