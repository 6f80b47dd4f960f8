internal import Capture
internal import LinuxSystem
internal import MessageDigest

/// Where the records of measured commits are kept, so that what was interrupted continues. Locked: one search at a time.
struct BlameStore: ~Copyable {
    /// The directory of this build, command and repository.
    let path: String
    private let lock: FileDescriptor

    /// - Parameter identity: What has to be the same for records to be used again.
    init(_ directory: String, identity: [String]) throws(CaptureError) {
        let digest = SHA256.hexadecimal(of: Array(identity.joined(separator: "\0").utf8))
        let path = "\(directory)/\(digest.prefix(16))"
        let lock: FileDescriptor?
        do throws(SystemError) {
            try Files.createDirectories(path)
            // Records are raw material, and nothing to commit.
            if !Files.exists("\(directory)/.gitignore") {
                try Files.replace("\(directory)/.gitignore", with: "*\n")
            }
            lock = try BlameStore.locked(path)
        } catch {
            throw .cannotWrite(error.description)
        }
        guard let lock else {
            throw .wouldOverwrite("Another 'freeze-profile blame' is at work in '\(path)'. Wait for its end.")
        }
        self.path = path
        self.lock = lock
    }

    /// The directory, locked; nil when another search has locked it.
    private static func locked(_ path: String) throws(SystemError) -> FileDescriptor? {
        let directory = try FileDescriptor.open(path, .directory)
        guard try directory.tryLockExclusively() else { return nil }
        return directory
    }

    /// Where the counted runs of a commit are.
    func counted(_ commit: String) -> String { "\(path)/\(commit)" }

    /// Where the runs of one side of the pairs of two commits are.
    func pairs(_ first: String, _ second: String, _ side: String) -> String {
        "\(path)/pairs/\(first.prefix(20))-\(second.prefix(20))/\(side)"
    }

    /// Where what the build of a commit printed is.
    func log(_ commit: String) -> String { "\(path)/\(commit).build.log" }

    /// Makes a directory for records.
    func prepare(_ directory: String) throws(CaptureError) {
        do throws(SystemError) {
            try Files.createDirectories(directory)
        } catch {
            throw .cannotWrite(error.description)
        }
    }
}
