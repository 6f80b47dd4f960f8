internal import CLinux
internal import Glibc

extension Files {
    /// Removes a directory and all in it, links not followed. Something that is not there is fine.
    ///
    /// What is removed is named from open directories (`openat`, `unlinkat`), so a process that replaces a directory with
    /// a link meanwhile cannot have anything else removed.
    ///
    /// - Parameter owner: The only user whose directory is removed; nil for anyone's.
    public static func removeTree(_ path: String, ownedBy owner: UInt32? = nil) throws(SystemError) {
        try removeTree(path, in: AT_FDCWD, shown: path, ownedBy: owner)
    }

    /// Removes a directory that nothing needs any more. One that cannot be removed stays, where the next run, or the system's
    /// own cleaning of its temporary directory, finds it: no result depends on it, so there is nothing to report.
    public static func discardTree(_ path: String) {
        do throws(SystemError) { try removeTree(path) } catch {}
    }

    private static func removeTree(
        _ name: String, in parent: Int32, shown: String, ownedBy owner: UInt32? = nil
    ) throws(SystemError) {
        let flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK
        let raw = name.withNativeCString { clinux_open_at(parent, $0, flags, 0, CLINUX_LINKS_NOT_LAST, 0) }
        switch -raw {
        case ENOENT: return
        // No directory, or a link.
        case ENOTDIR, ELOOP:
            guard owner == nil else {
                throw SystemError(action: "remove '\(shown)'", code: ENOTDIR, reason: "it is no directory")
            }
            return try unlinked(name, in: parent, 0, shown: shown)
        default:
            if raw < 0 { throw SystemError(action: "remove '\(shown)'", code: -raw) }
        }
        let directory = FileDescriptor(owning: raw)
        if let owner {
            var status = stat()
            guard fstat(raw, &status) == 0 else { throw SystemError.last("look at '\(shown)'") }
            guard status.st_uid == owner else {
                throw SystemError(
                    action: "remove '\(shown)'", code: EPERM, reason: "it belongs to user \(status.st_uid)")
            }
        }
        for entry in try names(in: directory, shown: shown) {
            try removeTree(entry, in: raw, shown: "\(shown)/\(entry)")
        }
        try unlinked(name, in: parent, AT_REMOVEDIR, shown: shown)
    }

    private static func unlinked(
        _ name: String, in parent: Int32, _ flags: Int32, shown: String
    ) throws(SystemError) {
        guard name.withNativeCString({ unlinkat(parent, $0, flags) }) == 0 || errno == ENOENT else {
            throw SystemError.last("remove '\(shown)'")
        }
    }

    /// The names in an open directory, sorted, without `.` and `..`.
    private static func names(in directory: borrowing FileDescriptor, shown: String) throws(SystemError)
        -> [String]
    {
        let copy = try FileDescriptor.duplicate(directory.rawValue)
        guard let stream = fdopendir(copy.rawValue) else { throw SystemError.last("list '\(shown)'") }
        // The stream closes the descriptor.
        copy.giveAway()
        defer { closedir(stream) }
        return try names(of: stream, shown: shown)
    }

    /// The names in a directory, sorted, without `.` and `..`.
    public static func names(inDirectory path: String) throws(SystemError) -> [String] {
        guard let stream = path.withNativeCString({ opendir($0) }) else {
            throw SystemError.last("list '\(path)'")
        }
        defer { closedir(stream) }
        return try names(of: stream, shown: path)
    }

    private static func names(of stream: OpaquePointer, shown path: String) throws(SystemError) -> [String] {
        var names: [String] = []
        while true {
            // The end and a failure both return nothing; only a failure sets errno.
            errno = 0
            guard let entry = readdir(stream) else {
                guard errno == 0 else { throw SystemError.last("list '\(path)'") }
                break
            }
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { NativeText.text(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }
}
