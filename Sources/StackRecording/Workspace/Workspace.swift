internal import LinuxSystem

/// A workspace that is removed also when we are killed.
struct GuardedWorkspace: ~Copyable {
    private let guardian: RunGuardian?
    private let workspace: Workspace

    var path: String { workspace.path }

    /// A process that we do not end writes there as long as it runs, also when we are killed.
    func keep(whileRunning pid: Int32) { guardian?.keepWorkspace(whileRunning: pid) }

    /// - Parameter isGuarded: Whether this program can be a guardian: see ``RunGuardian/runIfRequested(arguments:)``.
    init(isGuarded: Bool) throws(StackRecordingError) {
        let guardian = isGuarded ? try RunGuardian() : nil
        let workspace = try Workspace()
        try guardian?.guardWorkspace(workspace.path)
        self.guardian = guardian
        self.workspace = workspace
    }
}

/// The directory that a capture's runs share; removed with all in it at the end.
package struct Workspace: ~Copyable {
    package let path: String

    package init() throws(StackRecordingError) {
        do throws(SystemError) {
            path = try Files.createTemporaryDirectory(prefix: "\(TemporaryPlace.directory)/freeze-profile.")
        } catch {
            throw .cannotWrite(error.description)
        }
    }

    deinit {
        // What cannot be removed stays in the temporary directory, which the system cleans.
        _ = Result { () throws(SystemError) in try Files.removeTree(path) }
    }
}

/// Where temporary directories are made.
package enum TemporaryPlace {
    package static var directory: String { CurrentProcess.environmentVariable("TMPDIR") ?? "/tmp" }
}
