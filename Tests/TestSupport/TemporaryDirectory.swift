public import LinuxSystem

/// A directory of a test's own, removed with all in it when the test lets go of it.
public final class TemporaryDirectory: Sendable {
    public let path: String

    /// A new, empty directory.
    public init() throws(SystemError) {
        let parent = CurrentProcess.environmentVariable("TMPDIR") ?? "/tmp"
        path = try Files.createTemporaryDirectory(prefix: "\(parent)/freeze-profile-test-")
    }

    deinit {
        do throws(SystemError) {
            try Files.removeTree(path)
        } catch {
            print("Left behind: \(error)")
        }
    }
}
