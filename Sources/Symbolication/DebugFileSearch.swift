internal import CElfutils
internal import LinuxProcess
internal import LinuxSystem

/// Looks for the separate debug file of an image: by build identifier under `/usr/lib/debug`, then by the name that the
/// image gives (its debug link), beside the image and under `/usr/lib/debug`.
///
/// libdw's own search opens whatever is at a path that the image has named, and maps what others may cut short. What is
/// found here is opened by the door and handed over as a copy, or as it is where only root and we can write it. libdw's
/// search is used for servers in DEBUGINFOD_URLS, and then finds nothing beside the image: it loads a library with libcurl
/// behind it, 5 MB and 6 ms, so it is not called in vain.
struct DebugFileSearch {
    /// The path of the image the search is for.
    var image: String?
    /// The name the image gives its debug file: untrusted.
    var link: String?
    /// The CRC-32 of the file that the link means.
    var checksum: UInt32
    var buildID: String?

    /// A file that was found, open.
    struct Found: ~Copyable {
        let path: String
        let file: FileDescriptor

        /// The descriptor, which the caller has to close.
        consuming func giveAway() -> Int32 { file.giveAway() }
    }

    /// What administrators install; only root writes there.
    static let root = "/usr/lib/debug"
    /// The most bytes of a file that are copied.
    static let copyLimit = 1 << 30

    /// Whether debuginfod servers are to be asked.
    var hasServers: Bool {
        CurrentProcess.environmentVariable("DEBUGINFOD_URLS")?.isEmpty == false
    }

    /// The image's own debug file; nil where there is none that fits.
    func found() -> Found? {
        for (path, trust) in candidates {
            do throws(SystemError) {
                let file = try Self.stable(Files.open(path, trust))
                if fits(file, path) { return Found(path: path, file: file) }
            } catch {
                // Not there, not regular, or not ours to read.
                continue
            }
        }
        return nil
    }

    /// The file that several debug files share, which only a debug file that administrators have installed may name.
    func foundShared() -> Found? {
        guard let image, let link else { return nil }
        let named = link.hasPrefix("/") ? link : Files.directory(of: image) + "/" + link
        let path = Self.withoutDots(named)
        guard path.hasPrefix(Self.root + "/") else { return nil }
        do throws(SystemError) {
            return Found(path: path, file: try Self.stable(Files.open(path, .named)))
        } catch {
            return nil
        }
    }

    /// A file whose bytes stay as they are while they are read.
    static func stable(_ file: consuming FileDescriptor) throws(SystemError) -> FileDescriptor {
        // Of what only we can write a copy is made as well: `cp` over a running program cuts it short first.
        guard try file.size() > copyLimit, try file.isOnlyOurs() else {
            return try file.sealedCopy(limit: copyLimit)
        }
        TruncatedMappings.survive()
        return file
    }

    private var candidates: [(path: String, trust: FileTrust)] {
        var result: [(String, FileTrust)] = []
        if let buildID, buildID.utf8.count > 2 {
            let path = "\(Self.root)/.build-id/\(buildID.prefix(2))/\(buildID.dropFirst(2)).debug"
            result.append((path, .named))
        }
        guard let image else { return result }
        let name = link ?? Files.name(of: image) + ".debug"
        guard !name.isEmpty, !name.contains("/"), name != "." && name != ".." else { return result }
        let directory = Files.directory(of: image)
        result += ["\(directory)/\(name)", "\(directory)/.debug/\(name)"].map { ($0, FileTrust(.notLast)) }
        result.append(("\(Self.root)/\(name)", .named))
        // The image's directory under the root, and every tail of it.
        var tail = directory.split(separator: "/")[...]
        while !tail.isEmpty {
            if !tail.contains("..") {
                result.append(("\(Self.root)/\(tail.joined(separator: "/"))/\(name)", .named))
            }
            tail = tail.dropFirst()
        }
        return result
    }

    /// Whether an open file is the one that is meant: by its build identifier, or without one by its checksum.
    private func fits(_ file: borrowing FileDescriptor, _ path: String) -> Bool {
        guard let buildID else {
            guard link != nil else { return false }
            do throws(SystemError) {
                return try Self.checksum(of: file) == checksum
            } catch {
                return false
            }
        }
        elf_version(UInt32(EV_CURRENT))
        guard let elf = elf_begin(file.rawValue, ELF_C_READ_MMAP, nil) else { return false }
        defer { elf_end(elf) }
        var bits: UnsafeRawPointer?
        let count = dwelf_elf_gnu_build_id(elf, &bits)
        guard count > 0, let bits else { return false }
        return DwflSession.hexadecimal(UnsafeRawBufferPointer(start: bits, count: Int(count))) == buildID
    }

    /// The CRC-32 that `objcopy --add-gnu-debuglink` stores.
    static func checksum(of file: borrowing FileDescriptor) throws(SystemError) -> UInt32 {
        let table = (0..<256 as Range<UInt32>).map { index in
            (0..<8).reduce(index) { value, _ in value & 1 == 0 ? value >> 1 : value >> 1 ^ 0xEDB8_8320 }
        }
        var (sum, offset): (UInt32, Int64) = (~0, 0)
        while true {
            let piece = try file.read(upTo: 1 << 20, at: offset)
            if piece.isEmpty { return ~sum }
            sum = piece.reduce(sum) { table[Int(($0 ^ UInt32($1)) & 0xFF)] ^ $0 >> 8 }
            offset += Int64(piece.count)
        }
    }

    /// An absolute path without `.` and `..`, by its text alone.
    private static func withoutDots(_ path: String) -> String {
        var parts: [Substring] = []
        for part in path.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return "/" + parts.joined(separator: "/")
    }
}
