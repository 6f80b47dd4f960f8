public import FrozenProfile
internal import LinuxSystem
internal import Measurement
internal import MessageDigest

/// A version on its way into the archive.
///
/// The rules: what is archived is a version of the store itself, readable, and not its newest, because the next release
/// is compared with that one. Its files keep their names and bytes. They are copied and flushed before the originals are
/// removed, so a reader finds the version complete in at least one place at any moment. To finish a move that was cut
/// short, run it again. What is in the archive is never replaced by something else.
///
/// A reference that another one has superseded goes to the archive of the references, any of them: no release is compared
/// with the newest by itself. Its name stays taken, and comparisons find it there.
public struct Archiving: Sendable {
    /// The version.
    public let version: VersionName
    /// The files that are moved, the profile first.
    public let moves: [(from: String, to: String)]

    private let store: ProfileStore
    private let names: [String]

    /// Plans to archive a version. Writes nothing.
    ///
    /// - Parameters:
    ///   - reference: The version's name.
    ///   - store: Where it is.
    ///   - force: Whether the newest version may be archived too.
    public init(_ reference: String, in store: ProfileStore, force: Bool = false) throws(LifecycleError) {
        let name: String
        (self.store, name) = Archiving.place(of: reference, in: store)
        let store = self.store
        do throws(ProfileError) {
            version = try VersionName(name)
            // Cut short after the profile was removed here, a move leaves its companions behind.
            let isHalfMoved = !store.contains(version) && store.archive.contains(version)
            let profile = try (isHalfMoved ? store.archive : store).load(version)
            names = store.files(of: version, profile: profile)
        } catch {
            throw LifecycleError(error)
        }
        guard !names.isEmpty else {
            throw .cannotWrite("\(version) is in the archive already: '\(store.archive.path(of: version))'.")
        }
        if !force, !store.isReferences, try Archiving.isNewest(version, in: store) {
            throw .refused(
                "\(version) is the newest version in '\(store.directory)', and the next one will be compared with it. "
                    + "Archive it all the same with --force.")
        }
        moves = names.map { ("\(store.directory)/\($0)", "\(store.archive.directory)/\($0)") }
        for move in moves where Files.exists(move.to) {
            if try !Archiving.areSame(move.from, move.to) {
                throw .cannotWrite(
                    "'\(move.to)' is there already and is not the same as '\(move.from)'. "
                        + "Rename or remove one of them.")
            }
        }
    }

    /// Moves the files.
    public func perform() throws(LifecycleError) {
        let target = store.archive
        do throws(SystemError) {
            try Files.createDirectories(target.directory)
            let turn = try FileDescriptor.open(target.directory, .directory)
            try turn.lockExclusively()
            let sourceTurn = try FileDescriptor.open(store.directory, .directory)
            try sourceTurn.lockExclusively()
            let staging = try Files.createTemporaryDirectory(
                prefix: "\(target.directory)/\(ProfileStore.stagingPrefix)\(version).")
            let copied: Result<Void, SystemError> = Result { () throws(SystemError) in
                for name in names {
                    _ = try ProfileStore.write(
                        .file("\(store.directory)/\(name)"), to: "\(staging)/\(name)",
                        insteadOf: "\(target.directory)/\(name)")
                }
                // The profile last: a reader that sees it sees its companions.
                for name in names.reversed() {
                    try Files.move("\(staging)/\(name)", to: "\(target.directory)/\(name)")
                }
                try turn.synchronize()
            }
            let tidied = Result { () throws(SystemError) in try Files.removeTree(staging) }
            try copied.get()
            try tidied.get()
            // The profile first, for the same reason.
            for name in names { try Files.remove("\(store.directory)/\(name)") }
            try sourceTurn.synchronize()
        } catch {
            throw .cannotWrite(error.description)
        }
    }

    /// The store and the version that a name stands for: `references/ID` for a reference.
    private static func place(of name: String, in store: ProfileStore) -> (ProfileStore, String) {
        let prefix = "\(ProfileStore.referencesName)/"
        guard name.hasPrefix(prefix) else { return (store, name) }
        let id = name.dropFirst(prefix.count)
        return (store.references, String(id.hasSuffix(".yaml") ? id.dropLast(".yaml".count) : id))
    }

    private static func isNewest(_ version: VersionName, in store: ProfileStore) throws(LifecycleError)
        -> Bool
    {
        let entries: [ProfileCatalogue.Entry]
        do throws(ProfileError) {
            entries = try ProfileCatalogue(store).entries
        } catch {
            throw LifecycleError(error)
        }
        return entries.filter { $0.summary != nil }.last?.version == version
    }

    private static func areSame(_ first: String, _ second: String) throws(LifecycleError) -> Bool {
        do throws(SystemError) {
            return try SHA256.file(first, .beside) == SHA256.file(second, .beside)
        } catch {
            throw .noInput(error.description)
        }
    }
}
