public import FrozenProfile
internal import LinuxSystem
internal import YAMLDocument

extension ProfileStore {
    /// A profile without its sessions: what it sums up, read in a fraction of the time.
    ///
    /// The file's last key holds the raw values of every run, which are nine tenths of it. They are not looked at, so
    /// nothing says whether the summaries are theirs: `load` does. Where the beginning alone is no profile, or was
    /// written by something else that puts sessions elsewhere, the whole file is read.
    public static func loadSummary(path: String) throws(ProfileError) -> FrozenProfile {
        try summary(path: path, bytes: read(path: path))
    }

    /// What a list says of a profile: its summary, or all of it where the summary does not say how good its runs are.
    static func loadListed(path: String) throws(ProfileError) -> FrozenProfile {
        let bytes = try read(path: path, .beside)
        let found = try summary(path: path, bytes: bytes)
        if found.captureQuality?.review != nil || found.schema.major <= SchemaVersion.older.major {
            return found
        }
        return try load(path: path, .beside)
    }

    private static func summary(path: String, bytes: [UInt8]) throws(ProfileError) -> FrozenProfile {
        if let beginning = beforeSessions(bytes) {
            do throws(ProfileError) {
                return try FrozenProfile.decode(beginning, name: path)
            } catch {
                // The whole file says what is wrong, if anything is.
            }
        }
        var profile = try FrozenProfile.decode(bytes, name: path)
        profile.sessions = []
        return profile
    }

    /// What stands before the first line that begins with the key `sessions`; nil where there is none. Within values
    /// lines are indented, so such a line is a key of the document.
    private static func beforeSessions(_ bytes: [UInt8]) -> [UInt8]? {
        let mark = Array("\nsessions:".utf8)
        return bytes.withUnsafeBufferPointer { buffer in
            var index = 0
            while index + mark.count <= buffer.count {
                guard let found = buffer[index...].firstIndex(of: 0x0A) else { return nil }
                if buffer[found...].starts(with: mark) { return Array(buffer[...found]) }
                index = found + 1
            }
            return nil
        }
    }
}
