public import FrozenProfile
internal import LinuxSystem
internal import MessageDigest

/// What a companion is made from.
public enum CompanionSource: Sendable {
    /// These bytes.
    case bytes([UInt8])
    /// A copy of the file at a path.
    case file(String)
}

extension ProfileStore {
    /// Freezes a profile with its companions, all or nothing, and returns it with its companions' digests.
    ///
    /// Where its raw values are too many for its own text, they become a companion, ``CompanionKind/runs``; one that is given
    /// is not used, for it is made from the profile.
    ///
    /// Everything is first written and flushed in a directory of its own beside the profiles, so a full disk shows
    /// before any frozen file is touched. Then the files are moved into place, the profile last: a reader that sees
    /// it sees its companions. When a move fails, those made are undone. When this process is killed, the next that
    /// freezes here finishes what was written whole, and removes what was not.
    ///
    /// - Parameters:
    ///   - profile: The profile; its companions are replaced by those given.
    ///   - version: The version to freeze it as.
    ///   - companions: At most one of each kind.
    ///   - force: Whether a profile of that version is replaced, with all its companions. A reference never is.
    @discardableResult
    public func freeze(
        _ profile: FrozenProfile, as version: VersionName,
        companions: [(kind: CompanionKind, source: CompanionSource)] = [], force: Bool = false
    ) throws(ProfileError) -> FrozenProfile {
        var seen: Set<CompanionKind> = []
        for companion in companions where !seen.insert(companion.kind).inserted {
            throw .repeatedCompanion(kind: companion.kind.rawValue)
        }
        let frozen: Result<FrozenProfile, ProfileError>?
        do throws(SystemError) {
            try Files.createDirectories(directory)
            frozen = try freezeInTurn(profile, as: version, companions: companions, force: force)
        } catch {
            throw .system(error)
        }
        guard let frozen else {
            try requireFree(version, force: force)
            throw .alreadyFrozen(version: version.text, file: path(of: version))
        }
        return try frozen.get()
    }

    /// Freezes while no other process freezes in this directory; nil when the version is there and may not be replaced, and a
    /// failure when what was written could not be read again.
    private func freezeInTurn(
        _ profile: FrozenProfile, as version: VersionName,
        companions: [(kind: CompanionKind, source: CompanionSource)], force: Bool
    ) throws(SystemError) -> Result<FrozenProfile, ProfileError>? {
        let turn = try FileDescriptor.open(directory, .directory)
        try turn.lockExclusively()
        try recoverInTurn()
        guard !contains(version) || (force && !isReferences) else { return nil }
        let staging = try Files.createTemporaryDirectory(
            prefix: "\(directory)/\(ProfileStore.stagingPrefix)\(version).")
        let result: Result<Result<FrozenProfile, ProfileError>, SystemError> = Result {
            () throws(SystemError) in
            let frozen = try stage(profile, as: version, companions: companions, in: staging)
            if let unreadable = readBack(version, in: staging) { return .failure(unreadable) }
            let kinds = frozen.companions.compactMap { CompanionKind(rawValue: $0.kind) }
            try ProfileStore.markComplete(staging, version, kinds: kinds)
            try install(version, from: staging, kinds: kinds)
            // The moves reach the disk with the directory.
            try turn.synchronize()
            return .success(frozen)
        }
        // A failure to tidy up matters less than why freezing failed.
        let tidied = Result { () throws(SystemError) in try Files.removeTree(staging) }
        let frozen = try result.get()
        try tidied.get()
        return frozen
    }

    private func stage(
        _ profile: FrozenProfile, as version: VersionName,
        companions: [(kind: CompanionKind, source: CompanionSource)], in staging: String
    ) throws(SystemError) -> FrozenProfile {
        var frozen = profile
        frozen.companions = []
        frozen.captureQuality?.review = CaptureQuality.Review(profile.sessions)
        let runs = ProfileStore.runsCompanion(of: profile)
        frozen.runsPlace = runs == nil ? .inline : .companion
        if runs != nil { frozen.schema = FrozenProfile.schemaVersionWithCompanion }
        for kind in CompanionKind.allCases {
            let given = kind == .runs ? runs : companions.first { $0.kind == kind }?.source
            guard let source = given else { continue }
            let name = "\(version)\(kind.suffix)"
            let written = try ProfileStore.write(
                source, to: "\(staging)/\(name)", insteadOf: "\(directory)/\(name)")
            frozen.companions.append(
                Companion(kind: kind.rawValue, file: name, sha256: written.sha256, bytes: written.bytes))
        }
        _ = try ProfileStore.write(
            .bytes(frozen.encode()), to: "\(staging)/\(version).yaml", insteadOf: path(of: version))
        return frozen
    }

    /// Reads a staged profile as any command would. What no command could read is not frozen, and replaces nothing.
    private func readBack(_ version: VersionName, in staging: String) -> ProfileError? {
        let file = path(of: version)
        do throws(ProfileError) {
            let bytes = try ProfileStore.read(path: "\(staging)/\(version).yaml")
            var profile = try FrozenProfile.decode(bytes, name: file)
            try ProfileStore.takeRuns(&profile, beside: "\(staging)/\(version).yaml")
            return nil
        } catch {
            return .notReadable(file: file, reason: error.description)
        }
    }

    /// Writes a new file and flushes it to disk; an error names the path that it is to have in the end.
    static func write(
        _ source: CompanionSource, to path: String, insteadOf target: String
    ) throws(SystemError) -> (sha256: String, bytes: Int64) {
        var digest = SHA256()
        var count: Int64 = 0
        let file = try FileDescriptor.open(path, .createNew, followingLinks: false)
        func append(_ bytes: [UInt8]) throws(SystemError) {
            do throws(SystemError) {
                try file.write(bytes)
            } catch {
                throw SystemError(action: "write '\(target)'", code: error.code)
            }
            digest.update(bytes)
            count += Int64(bytes.count)
        }
        switch source {
        case .bytes(let bytes): try append(bytes)
        case .file(let original):
            do throws(SystemError) {
                let copied = try Files.open(original, .beside)
                while true {
                    let piece = try copied.read(upTo: 1 << 18)
                    if piece.isEmpty { break }
                    try append(piece)
                }
            } catch {
                throw error.isNoSpace ? error : SystemError(action: "copy '\(original)'", code: error.code)
            }
        }
        try file.synchronize()
        return (digest.hexadecimal(), count)
    }

    /// Moves staged files into place, the profile last.
    private func install(
        _ version: VersionName, from staging: String, kinds: [CompanionKind]
    ) throws(SystemError) {
        let profile = "\(version).yaml"
        let companions = CompanionKind.allCases.filter(kinds.contains).map { "\(version)\($0.suffix)" }
        // The old profile goes first: it must at no moment stand beside companions that are not its own.
        let outdated = ([profile] + CompanionKind.allCases.map { "\(version)\($0.suffix)" })
            .filter { Files.isRegularFile("\(directory)/\($0)") }
        let replaced = "\(staging)/replaced"
        try Files.createDirectories(replaced)
        var undo: [(from: String, to: String)] = []
        func move(_ from: String, _ to: String) throws(SystemError) {
            try Files.move(from, to: to)
            undo.append((from: to, to: from))
        }
        do throws(SystemError) {
            for name in outdated { try move("\(directory)/\(name)", "\(replaced)/\(name)") }
            for name in companions { try move("\(staging)/\(name)", "\(directory)/\(name)") }
            try Files.move("\(staging)/\(profile)", to: path(of: version))
        } catch {
            try ProfileStore.removeMark(staging)
            // Each of these moves was possible the other way a moment ago; if one is not now, the first error
            // still says why freezing failed.
            for step in undo.reversed() {
                _ = Result { () throws(SystemError) in try Files.move(step.from, to: step.to) }
            }
            throw error
        }
    }
}
