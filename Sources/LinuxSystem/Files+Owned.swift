internal import CLinux
internal import Glibc
public import Measurement

/// Why a file in a directory that others may write to was not trusted.
public enum UntrustedFile: Error, Equatable, CustomStringConvertible {
    /// It could not be opened or read; a symbolic link is refused with ELOOP.
    case system(SystemError)
    /// It is a device, a pipe or a directory.
    case notRegular(path: String)
    /// It belongs to another user.
    case foreignOwner(path: String, owner: UInt32, expected: UInt32)
    /// It was last written before the moment it could first have been.
    case stale(path: String)
    /// It is longer than the limit, in bytes.
    case tooLong(path: String, limit: Int)

    /// One sentence.
    public var description: String {
        switch self {
        case .system(let error): error.description
        case .notRegular(let path): "'\(path)' was not read: it is no regular file."
        case .foreignOwner(let path, let owner, let expected):
            "'\(path)' was not read: it belongs to user \(owner), and only user \(expected) is trusted with it."
        case .stale(let path): "'\(path)' was not read: it is older than the process it would be of."
        case .tooLong(let path, let limit):
            "'\(path)' is longer than the \(limit) bytes that are read of such a file."
        }
    }

    /// Whether there simply is no such file.
    public var isNotFound: Bool {
        if case .system(let error) = self { error.isNotFound } else { false }
    }
}

extension Files {
    /// Reads a whole file from a directory where anybody may have put it, `/tmp` for instance.
    ///
    /// No symbolic link is followed, nothing but a regular file is read, and it must belong to the user who is expected
    /// to have written it: all judged on the open file, so that nobody can exchange it in between. The corresponding C
    /// functions are `open` with `O_NOFOLLOW` and `fstat`.
    ///
    /// - Parameters:
    ///   - path: The file's path.
    ///   - owner: The only user that may own it.
    ///   - notBefore: The earliest moment of its last change; nil for any.
    ///   - limit: The most bytes accepted.
    public static func readOwned(
        _ path: String, by owner: UInt32, notBefore: Timestamp? = nil, limit: Int
    ) throws(UntrustedFile) -> [UInt8] {
        // O_NONBLOCK: opening a pipe that nobody writes to would wait for ever.
        let flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK
        let raw = path.withNativeCString { clinux_open($0, flags, 0) }
        guard raw >= 0 else { throw .system(SystemError(action: "open '\(path)'", code: -raw)) }
        let file = FileDescriptor(owning: raw)
        var status = stat()
        guard fstat(raw, &status) == 0 else { throw .system(.last("look at '\(path)'")) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .notRegular(path: path) }
        guard status.st_uid == owner else {
            throw .foreignOwner(path: path, owner: status.st_uid, expected: owner)
        }
        if let notBefore, Int64(status.st_mtim.tv_sec) < notBefore.nanosecondsSinceEpoch / 1_000_000_000 {
            throw .stale(path: path)
        }
        do throws(SystemError) {
            let bytes = try file.readToEnd(limit: limit + 1)
            if bytes.count <= limit { return bytes }
        } catch {
            throw .system(SystemError(action: "read '\(path)'", code: error.code))
        }
        throw .tooLong(path: path, limit: limit)
    }
}

extension Files {
    /// Reads the beginning of a file: all of it when it is not longer than the limit in bytes.
    public static func readBeginning(_ path: String, limit: Int) throws(ReadError) -> [UInt8] {
        do throws(SystemError) {
            return try FileDescriptor.open(path, .read).readToEnd(limit: limit)
        } catch {
            throw .system(SystemError(action: "read '\(path)'", code: error.code))
        }
    }
}
