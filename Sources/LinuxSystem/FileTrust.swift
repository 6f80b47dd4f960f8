internal import CLinux
internal import Glibc
public import Measurement

/// How far the place of a file that is read is trusted.
///
/// This is the one door to files that others may have written or named. Whatever the trust, a file is opened without
/// waiting and without becoming a controlling terminal, judged when it is open, so that it cannot be exchanged in between,
/// and read only if it is regular: a named pipe or a device never blocks the caller. How much is read is the caller's limit.
public struct FileTrust: Hashable, Sendable {
    /// Which symbolic links may lead to the file.
    public enum Links: Hashable, Sendable {
        /// Any.
        case followed
        /// None in the last component. The corresponding flag is `O_NOFOLLOW`.
        case notLast
        /// None that leads out of the directory that the path names before its last slash (`RESOLVE_BENEATH`).
        case beneath
        /// None (`RESOLVE_NO_SYMLINKS`): see ``Files/settled(_:)`` for those that led to the place at first.
        case none
        /// None, and the path is one of a process's own view of the file system (`RESOLVE_IN_ROOT` of `/proc/PID/root`).
        case noneInRoot(ofProcess: Int32)
    }

    /// The links that may lead to the file.
    public var links: Links
    /// The only user that may own it; nil for any.
    public var owner: UInt32?
    /// The earliest moment of its last change; nil for any.
    public var notBefore: Timestamp?
    /// Whether a file that has other names (hard links) is refused, unless it belongs to us.
    public var refusesOtherNames = false

    /// Trust in a place.
    public init(_ links: Links, owner: UInt32? = nil, notBefore: Timestamp? = nil) {
        self.links = links
        self.owner = owner
        self.notBefore = notBefore
    }

    /// A file that the user of the tool named, or one of the kernel's in `/proc` and `/sys`.
    public static let named = FileTrust(.followed)

    /// A file that is found beside one that the user named: a profile on its shelf, a companion. Links within the
    /// directory are followed, such as `latest.yaml`; what comes with a repository cannot lead out of it.
    public static let beside = FileTrust(.beneath)

    /// A file in a directory where the measured pipeline, maybe another user's, writes.
    public static let writtenByPipeline: FileTrust = {
        var trust = FileTrust(.none)
        trust.refusesOtherNames = true
        return trust
    }()

    /// A file in a directory where anybody may have put it, `/tmp` for instance, that only one user can have written.
    public static func owned(by owner: UInt32, notBefore: Timestamp? = nil) -> FileTrust {
        FileTrust(.notLast, owner: owner, notBefore: notBefore)
    }

    static let ownedByAnyone = FileTrust(.notLast)
}

extension Files {
    /// Opens a regular file for reading.
    ///
    /// The corresponding C functions are `openat2` and `fstat`.
    public static func open(_ path: String, _ trust: FileTrust) throws(SystemError) -> FileDescriptor {
        let file: FileDescriptor
        do throws(SystemError) {
            file = try openAnything(path, O_RDONLY | O_NONBLOCK, links: trust.links)
        } catch {
            // A socket cannot be opened, nor can a device without a driver.
            guard error.code == ENXIO else { throw error }
            throw .refused(path, "it is no regular file")
        }
        let status = try file.regularStatus(path)
        if let owner = trust.owner, status.st_uid != owner {
            throw .refused(
                path, "it belongs to user \(status.st_uid), and only user \(owner) is trusted with it")
        }
        if trust.refusesOtherNames, status.st_nlink > 1, geteuid() == 0 || status.st_uid != geteuid() {
            throw .refused(
                path, "it has \(status.st_nlink) names (hard links), and may be another file of its owner's")
        }
        if let notBefore = trust.notBefore,
            Int64(status.st_mtim.tv_sec) < notBefore.nanosecondsSinceEpoch / 1_000_000_000
        {
            throw .refused(path, "it is older than the process it would be of")
        }
        return file
    }

    /// Opens a regular file for appending to it, created when missing.
    ///
    /// What others may have put there is not written to: a named pipe, a device, a file that has other names.
    public static func openToAppend(
        _ path: String, links: FileTrust.Links, permissions: UInt32 = 0o644
    ) throws(SystemError) -> FileDescriptor {
        let file: FileDescriptor
        do throws(SystemError) {
            file = try openAnything(
                path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK, permissions: permissions, links: links)
        } catch {
            // A named pipe without a reader.
            guard error.code == ENXIO else { throw error }
            throw .refused(path, "it is no regular file")
        }
        let status = try file.regularStatus(path)
        if links != .followed, status.st_nlink > 1 {
            throw .refused(
                path, "it has \(status.st_nlink) names (hard links), and may be another file of its owner's")
        }
        return file
    }

    /// Opens whatever is at a path. Everything that is opened anywhere comes through here.
    ///
    /// - Parameter alwaysWalks: Whether `openat2` is left out, as on kernels that lack it.
    static func openAnything(
        _ path: String, _ flags: Int32, permissions: UInt32 = 0, links: FileTrust.Links,
        alwaysWalks: Bool = false
    ) throws(SystemError) -> FileDescriptor {
        let flags = flags | O_CLOEXEC | O_NOCTTY
        func open(_ rest: String, in start: Int32, _ kind: clinux_links) throws(SystemError) -> FileDescriptor
        {
            while true {
                let result = rest.withNativeCString {
                    clinux_open_at(start, $0, flags, permissions, kind, alwaysWalks ? 1 : 0)
                }
                if result >= 0 { return FileDescriptor(owning: result) }
                if result != -EINTR {
                    throw SystemError(
                        action: "open '\(path)'", code: -result, reason: refusal(of: -result, links))
                }
            }
        }
        switch links {
        case .followed: return try open(path, in: AT_FDCWD, CLINUX_LINKS_FOLLOWED)
        case .notLast: return try open(path, in: AT_FDCWD, CLINUX_LINKS_NOT_LAST)
        case .none: return try open(path, in: AT_FDCWD, CLINUX_LINKS_NONE)
        case .beneath:
            let start = try openAnything(directory(of: path), pathOnly, links: .followed)
            return try open(name(of: path), in: start.rawValue, CLINUX_LINKS_BENEATH)
        case .noneInRoot(let process):
            let root = try openAnything("/proc/\(process)/root", pathOnly, links: .followed)
            return try open(path, in: root.rawValue, CLINUX_LINKS_NONE_IN_ROOT)
        }
    }

    private static var pathOnly: Int32 { Int32(CLINUX_PATH_ONLY) | O_DIRECTORY }

    /// Why a link was refused; nil where the errno value is not of a link.
    private static func refusal(of code: Int32, _ links: FileTrust.Links) -> String? {
        switch links {
        case .followed: nil
        case .beneath: [EXDEV, ELOOP].contains(code) ? "a symbolic link leads out of its directory" : nil
        case .notLast, .none, .noneInRoot:
            code == ELOOP
                ? "a symbolic link leads there, and none is followed where other programs write" : nil
        }
    }

    /// A path whose directory is resolved as it is now, so that from now on a link on the way can be refused.
    ///
    /// Directories that are not there yet are kept as they are named.
    public static func settled(_ path: String) -> String {
        let path = absolute(path)
        var existing = directory(of: path)
        var rest = [name(of: path)]
        while existing != "/" {
            do throws(SystemError) {
                let resolved = try canonical(existing)
                return (resolved == "/" ? "" : resolved) + "/" + rest.joined(separator: "/")
            } catch {
                rest.insert(name(of: existing), at: 0)
                existing = directory(of: existing)
            }
        }
        return "/" + rest.joined(separator: "/")
    }
}

/// Which content an open file has: one that is written or cut short has another.
public struct FileVersion: Hashable, Sendable {
    public let inode: UInt64
    /// In bytes.
    public let size: Int64
    /// When it was last written, in nanoseconds since the epoch.
    let written: Int64
}

extension SystemError {
    /// A file that is there and is not read or written.
    fileprivate static func refused(_ path: String, _ reason: String) -> SystemError {
        SystemError(action: "use '\(path)'", code: EINVAL, reason: reason)
    }
}

extension FileDescriptor {
    /// The status of an open file that has to be regular.
    fileprivate func regularStatus(_ path: String) throws(SystemError) -> stat {
        var status = stat()
        guard fstat(rawValue, &status) == 0 else { throw SystemError.last("look at '\(path)'") }
        switch status.st_mode & S_IFMT {
        case S_IFREG: return status
        case S_IFDIR: throw SystemError(action: "use '\(path)'", code: EISDIR)
        default: throw .refused(path, "it is no regular file")
        }
    }

    /// A copy of the open file in memory that no process can change or truncate any more. The corresponding C function is
    /// `memfd_create`.
    ///
    /// - Parameter limit: The most bytes; of a larger file there is no copy.
    public func sealedCopy(limit: Int) throws(SystemError) -> FileDescriptor {
        let result = clinux_sealed_copy(rawValue, UInt64(limit))
        guard result >= 0 else { throw SystemError(action: "copy a file into memory", code: -result) }
        return FileDescriptor(owning: result)
    }

    /// Whether only root and this process's user may write the open file.
    public func isOnlyOurs() throws(SystemError) -> Bool {
        var status = stat()
        guard fstat(rawValue, &status) == 0 else { throw SystemError.last("look at an open file") }
        return (status.st_uid == 0 || status.st_uid == geteuid()) && status.st_mode & 0o022 == 0
    }

    /// What the open file is at this moment. The corresponding C function is `fstat`.
    public func version() throws(SystemError) -> FileVersion {
        var status = stat()
        guard fstat(rawValue, &status) == 0 else { throw SystemError.last("look at an open file") }
        return FileVersion(
            inode: UInt64(status.st_ino), size: Int64(status.st_size),
            written: Int64(status.st_mtim.tv_sec) &* 1_000_000_000 &+ Int64(status.st_mtim.tv_nsec))
    }

    /// The length of the open file, in bytes.
    public func size() throws(SystemError) -> Int64 {
        var status = stat()
        guard fstat(rawValue, &status) == 0 else { throw SystemError.last("look at an open file") }
        return Int64(status.st_size)
    }
}
