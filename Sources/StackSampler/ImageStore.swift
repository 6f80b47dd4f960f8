internal import LinuxProcess
internal import LinuxSystem

/// The images that processes have mapped, each opened once.
///
/// A file is opened by us when a process maps it, so that it can be unwound and symbolized when the process is
/// gone and the file has been replaced.
struct ImageStore {
    /// All images, and the same prepared for unwinding; nil where there is no ELF file.
    private(set) var images: [ProgramImage] = []
    private(set) var prepared: [UnwindImage?] = []

    private var indices: [Key: Int] = [:]

    /// The most images opened.
    static let limit = 8192
    /// As many as may be open: each holds a descriptor, and half of those are left for everything else.
    private let mostOpen: Int = {
        OpenFileLimit.raise()
        return min(limit, OpenFileLimit.current / 2)
    }()

    /// What distinguishes one file from another: the build where known, else the inode (L21).
    private struct Key: Hashable {
        var path: String
        var build: String
    }

    /// The index of a mapping's image, nil for memory without a file.
    mutating func index(of mapping: MemoryMapping, buildID: String?, processID: Int32) -> Int? {
        let isVDSO = mapping.path == "[vdso]"
        guard isVDSO || mapping.path.hasPrefix("/"), !mapping.path.hasPrefix("//") else { return nil }
        let identity = buildID ?? "\(mapping.device):\(mapping.inode)"
        let key = Key(path: mapping.path, build: isVDSO ? "" : identity)
        if let index = indices[key] { return index }
        let opened =
            isVDSO
            ? Self.openVDSO()
            : Self.open(mapping, buildID: buildID, processID: processID, limit: mostOpen, held: images.count)
        let index = images.count
        images.append(opened.image)
        prepared.append(opened.prepared)
        indices[key] = index
        return index
    }

    private typealias Opened = (image: ProgramImage, prepared: UnwindImage?)

    private static func unavailable(_ path: String, buildID: String?, _ reason: String) -> Opened {
        (ProgramImage(path: path, buildID: buildID, content: .unavailable(reason: reason)), nil)
    }

    private static func open(
        _ mapping: MemoryMapping, buildID: String?, processID: Int32, limit: Int, held: Int
    ) -> Opened {
        if held >= limit { return unavailable(mapping.path, buildID: buildID, "more than \(limit) images") }
        var reason = "no such file"
        for (path, trust, isOwnView) in candidates(mapping, processID: processID) {
            do {
                let file = try OpenFile(path, trust)
                let elf = try ElfImage(file)
                // The path may lead to a newer build by now, or to another file outside the process's container.
                // Inodes are a weaker sign than build identifiers: on overlay file systems they may differ.
                let isSame =
                    buildID.map { $0 == elf.buildID }
                    ?? (isOwnView || mapping.inode == 0 || file.inode == mapping.inode)
                guard isSame else {
                    reason = "the file has been replaced since the process started"
                    continue
                }
                let image = ProgramImage(path: mapping.path, buildID: elf.buildID, content: .file(file))
                return (image, UnwindImage(.file(file), elf: elf))
            } catch let error as SystemError {
                if !error.isNotFound { reason = error.reason }
            } catch {
                reason = "\(error)"
            }
        }
        return unavailable(mapping.path, buildID: buildID, reason)
    }

    /// Where the file may be: as the process sees it, which also leads into containers; what it has mapped, which
    /// also leads to deleted files; and, when the process is gone, as we see it.
    private static func candidates(
        _ mapping: MemoryMapping, processID: Int32
    ) -> [(path: String, trust: FileTrust, isOwnView: Bool)] {
        let range = String(mapping.start.value, radix: 16) + "-" + String(mapping.end.value, radix: 16)
        let mapped = "/proc/\(processID)/map_files/\(range)"
        if mapping.isDeleted {
            return [(mapped, .named, true), ("/proc/\(processID)/exe", .named, false)]
        }
        // The kernel names a mapping's file by a path without links: one that is there now was put there later.
        return [
            (mapping.path, FileTrust(.noneInRoot(ofProcess: processID)), true),
            (mapping.path, FileTrust(.none), false), (mapped, .named, true),
        ]
    }

    /// Our own vdso: the kernel gives every process of our kind the same, so there is no race with a target's end (L20).
    private static func openVDSO() -> Opened {
        do {
            let own = try MemoryMapping.ofProcess(CurrentProcess.pid).first { $0.path == "[vdso]" }
            guard let own, let base = UnsafeRawPointer(bitPattern: UInt(own.start.value)) else {
                return unavailable("[vdso]", buildID: nil, "this process has no vdso")
            }
            let source = UnsafeRawBufferPointer(start: base, count: Int(own.end.value - own.start.value))
            let elf = try ElfImage(source)
            let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: source.count, alignment: 16)
            copy.copyMemory(from: source)
            let image = ProgramImage(path: "[vdso]", buildID: elf.buildID, content: .memory(Array(source)))
            return (image, UnwindImage(.memory(copy), elf: elf))
        } catch {
            return unavailable("[vdso]", buildID: nil, "\(error)")
        }
    }
}
