internal import FrozenProfile
internal import LinuxSystem
internal import ProfileStore

/// Where a session's run records are kept while it is made, and afterwards. Locked: one capture at a time works there.
struct RecordsDirectory: ~Copyable {
    let session: VersionName
    /// The session's own directory.
    let path: String
    /// The directory of the version, with one directory for each session.
    private let base: String
    private let hasDefaultPlace: Bool
    private let lock: FileDescriptor

    /// Opens a session's directory, made when it is not there.
    init(_ place: FreezingPlace, session: VersionName, given: String?) throws(CaptureError) {
        let base = given ?? RecordsDirectory.standard(place)
        if given == nil {
            do throws(SystemError) {
                try RecordsDirectory.keepFromGit("\(place.store.directory)/.records")
            } catch {
                throw .cannotWrite(error.description)
            }
        }
        try self.init(base: base, session: session, hasDefaultPlace: given == nil)
    }

    /// Where a version's records are kept by default.
    static func standard(_ place: FreezingPlace) -> String {
        "\(place.store.directory)/.records/\(place.stem)"
    }

    /// Opens a session's directory in one with a directory for each session.
    init(base: String, session: VersionName, hasDefaultPlace: Bool = false) throws(CaptureError) {
        let path = "\(base)/\(session)"
        let lock: FileDescriptor?
        do throws(SystemError) {
            try Files.createDirectories(path)
            lock = try RecordsDirectory.locked(path)
        } catch {
            throw .cannotWrite(error.description)
        }
        guard let lock else {
            throw .wouldOverwrite(
                "Another capture is at work in '\(path)'. Wait for its end, or name another session: --session NAME."
            )
        }
        self.session = session
        self.base = base
        self.path = path
        self.lock = lock
        self.hasDefaultPlace = hasDefaultPlace
    }

    /// The directory, locked and tidied up; nil when another capture has locked it.
    private static func locked(_ path: String) throws(SystemError) -> FileDescriptor? {
        let directory = try FileDescriptor.open(path, .directory)
        guard try directory.tryLockExclusively() else { return nil }
        try removeUnfinished(path)
        return directory
    }

    /// The session's finished runs.
    func records() throws(CaptureError) -> [LoadedRecord] {
        try attempt { () throws(ProfileError) in try LoadedRecord.load([path]) }
    }

    /// The finished runs of another session of the version; none when they are gone.
    func records(ofSession id: String) throws(CaptureError) -> [LoadedRecord] {
        let directory = "\(base)/\(id)"
        guard id != session.text, Files.isDirectory(directory) else { return [] }
        return try attempt { () throws(ProfileError) in try LoadedRecord.load([directory]) }
    }

    /// Throws the session's runs away.
    func discard() throws(CaptureError) {
        do throws(SystemError) {
            for name in try Files.names(inDirectory: path) { try Files.removeTree("\(path)/\(name)") }
        } catch {
            throw .cannotWrite(error.description)
        }
    }

    /// Throws the runs of sessions away that are of no profile any more.
    func discard(sessions: [String]) throws(CaptureError) {
        do throws(SystemError) {
            // Names come from a profile: nothing but a plain name may be removed.
            for id in sessions where id != session.text && !id.contains("/") && !id.hasPrefix(".") {
                try Files.removeTree("\(base)/\(id)")
            }
        } catch {
            throw .cannotWrite(error.description)
        }
    }

    /// Takes the directory away again when no run was finished in it.
    consuming func removeIfEmpty() {
        var directories = [path, base]
        if hasDefaultPlace { directories.append(Files.directory(of: base)) }
        for directory in directories {
            // Whatever is in it is not ours, and then it stays.
            _ = Result { () throws(SystemError) in
                let names = try Files.names(inDirectory: directory)
                if names.isEmpty || names == [".gitignore"] { try Files.removeTree(directory) }
            }
        }
    }

    private func attempt<Value>(_ action: () throws(ProfileError) -> Value) throws(CaptureError) -> Value {
        do throws(ProfileError) {
            return try action()
        } catch {
            throw .noInput(error.description)
        }
    }

    /// Records are raw material: what is reviewed and committed is the profile.
    static func keepFromGit(_ directory: String) throws(SystemError) {
        try Files.createDirectories(directory)
        let path = "\(directory)/.gitignore"
        if !Files.exists(path) { try Files.replace(path, with: "*\n") }
    }

    /// Removes what a process that was killed had begun to write: records are there whole or not at all.
    private static func removeUnfinished(_ path: String) throws(SystemError) {
        for name in try Files.names(inDirectory: path) where name.hasPrefix(".") && name.hasSuffix(".tmp") {
            try Files.remove("\(path)/\(name)")
        }
    }
}
