internal import Glibc
public import Measurement

extension Files {
    /// When the content of a file was last changed, a link followed.
    public static func modified(_ path: String) throws(SystemError) -> Timestamp {
        var status = stat()
        guard stat(path, &status) == 0 else { throw SystemError.last("look at '\(path)'") }
        return Timestamp(
            nanosecondsSinceEpoch: Int64(status.st_mtim.tv_sec) * 1_000_000_000
                + Int64(status.st_mtim.tv_nsec))
    }
}

extension Files {
    /// Whether a directory itself, not a link to one, is at a path and belongs to the effective user.
    public static func isOwnDirectory(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR && status.st_uid == geteuid()
    }
}
