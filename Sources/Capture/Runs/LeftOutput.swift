internal import LinuxSystem
internal import StackRecording

/// What a failed run wrote, kept so that it can be looked at, until the capture goes on.
enum LeftOutput {
    private static let prefix = "freeze-profile-failed."

    /// Moves the output of a run out of the directory that is removed with the capture; nil when there is nothing but
    /// what the monitor and the status writer left.
    static func keep(_ directory: RunDirectory) throws(SystemError) -> String? {
        guard !directory.isFixed else { return directory.output }
        guard try Files.names(inDirectory: directory.output).contains(where: { !$0.hasPrefix(".") }) else {
            return nil
        }
        let place = try Files.createTemporaryDirectory(prefix: "\(TemporaryPlace.directory)/\(prefix)")
        // An empty directory may be replaced by another one.
        try Files.move(directory.output, to: place)
        return place
    }

    /// Removes what was kept. Paths come from a file: nothing that is not named like ours, where ours are, and is a
    /// directory of this user's may go.
    static func remove(_ path: String) throws(SystemError) {
        guard Files.directory(of: path) == TemporaryPlace.directory, Files.name(of: path).hasPrefix(prefix)
        else {
            return
        }
        try Files.removeTree(path, ownedBy: CurrentProcess.userID)
    }
}
