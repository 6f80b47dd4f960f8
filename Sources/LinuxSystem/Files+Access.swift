internal import Glibc

extension Files {
    /// Whether a user may not make files in a directory, by its owner's and others' permissions. A directory that its group may
    /// write to, and one that cannot be looked at, are not refused.
    public static func refusesWriting(to directory: String, by user: UInt32) -> Bool {
        var status = stat()
        guard user != 0, directory.withNativeCString({ stat($0, &status) }) == 0 else { return false }
        if status.st_uid == user { return status.st_mode & S_IWUSR == 0 }
        return status.st_mode & (S_IWGRP | S_IWOTH) == 0
    }
}

extension Files {
    /// Makes a directory, or takes one that is there, in which no other user decides where files go.
    ///
    /// Refused are a link, a directory of another user or in one of another user, and one that all users may write to. The users
    /// of a group are trusted as far as the permissions say.
    public static func createOwnDirectory(_ path: String) throws(SystemError) {
        let parent = directory(of: path)
        try createDirectories(parent)
        if path.withNativeCString({ mkdir($0, 0o755) }) != 0, errno != EEXIST {
            throw SystemError.last("create the directory '\(path)'")
        }
        for (place, mayBeRoots) in [(path, false), (parent, true)] {
            var status = stat()
            // The parent may be reached by a link: whose it is matters.
            let found = place.withNativeCString { mayBeRoots ? stat($0, &status) : lstat($0, &status) }
            guard found == 0 else { throw SystemError.last("look at '\(place)'") }
            if let reason = objection(to: status, mayBeRoots: mayBeRoots) {
                throw SystemError(action: "write to '\(path)'", code: EPERM, reason: "'\(place)' \(reason)")
            }
        }
    }

    private static func objection(to status: stat, mayBeRoots: Bool) -> String? {
        guard status.st_mode & S_IFMT == S_IFDIR else { return "is a link, or no directory" }
        guard status.st_uid == geteuid() || (mayBeRoots && status.st_uid == 0) else {
            return "belongs to user \(status.st_uid)"
        }
        // With the sticky bit others cannot exchange what is not theirs.
        let isOpen = status.st_mode & S_IWOTH != 0 && (!mayBeRoots || status.st_mode & S_ISVTX == 0)
        return isOpen ? "may be written to by all users" : nil
    }
}
