public import FrozenProfile
internal import LinuxSystem

extension ProfileStore {
    /// How the names of the directories begin in which files wait until all are written.
    static let stagingPrefix = ".freezing-"
    /// The file in such a directory that says: all is written, and belongs into place. It names the version and the kinds
    /// of its companions, a line each.
    private static let completeMark = "complete"

    /// Finishes or takes back what a process began to freeze here before it was killed.
    ///
    /// Waits for its turn: a living process that freezes holds the lock of the directory, so whatever is found after taking
    /// the lock belongs to no living process.
    public func recover() throws(ProfileError) {
        guard Files.isDirectory(directory) else { return }
        do throws(SystemError) {
            let turn = try FileDescriptor.open(directory, .directory)
            try turn.lockExclusively()
            try recoverInTurn()
        } catch {
            throw .system(error)
        }
    }

    /// The same, for a caller that holds the lock already.
    func recoverInTurn() throws(SystemError) {
        for name in try Files.names(inDirectory: directory) where name.hasPrefix(ProfileStore.stagingPrefix) {
            let staging = "\(directory)/\(name)"
            guard Files.isDirectory(staging) else { continue }
            if let (version, kinds) = try ProfileStore.complete(staging) {
                try finish(version, kinds, from: staging)
            }
            try Files.removeTree(staging)
        }
    }

    /// Says that all of a version's files are written, so that what follows can be finished by anybody.
    static func markComplete(
        _ staging: String, _ version: VersionName, kinds: [CompanionKind]
    ) throws(SystemError) {
        let lines = [version.text] + kinds.map(\.rawValue)
        try Files.replace("\(staging)/\(completeMark)", with: lines.joined(separator: "\n"), durably: true)
    }

    /// Takes that back, before what was moved is moved back.
    static func removeMark(_ staging: String) throws(SystemError) {
        try Files.remove("\(staging)/\(completeMark)")
    }

    /// Whether all of a version had been written into a staging directory, so that it is finished and not removed.
    static func isComplete(_ staging: String) throws(SystemError) -> Bool { try complete(staging) != nil }

    /// What a staging directory was to become, nil when not all of it had been written.
    private static func complete(
        _ staging: String
    ) throws(SystemError) -> (version: VersionName, kinds: [CompanionKind])? {
        let path = "\(staging)/\(completeMark)"
        guard Files.isRegularFile(path) else { return nil }
        do throws(Files.ReadError) {
            let text = String(decoding: try Files.read(path, .beside, limit: 4096), as: UTF8.self)
            let lines = text.split(separator: "\n").map(String.init)
            guard let version = lines.first.flatMap(VersionName.init(orNil:)) else { return nil }
            return (version, lines.dropFirst().compactMap(CompanionKind.init(rawValue:)))
        } catch {
            switch error {
            case .system(let cause): throw cause
            case .tooLong: return nil
            }
        }
    }

    /// Moves what is still staged into place, the profile last, and what it replaces out of the way before.
    private func finish(
        _ version: VersionName, _ kinds: [CompanionKind], from staging: String
    ) throws(SystemError) {
        // The profile is moved last: when it is gone from here, all is in place.
        guard Files.exists("\(staging)/\(version).yaml") else { return }
        if contains(version) { try Files.remove(path(of: version)) }
        for kind in CompanionKind.allCases {
            let staged = "\(staging)/\(version)\(kind.suffix)"
            if Files.exists(staged) {
                try Files.move(staged, to: path(of: version, kind))
            } else if !kinds.contains(kind), Files.exists(path(of: version, kind)) {
                try Files.remove(path(of: version, kind))
            }
        }
        try Files.move("\(staging)/\(version).yaml", to: path(of: version))
    }
}

extension VersionName {
    /// A name, nil when the text is none.
    init?(orNil text: String) {
        do throws(ProfileError) { try self.init(text) } catch { return nil }
    }
}
