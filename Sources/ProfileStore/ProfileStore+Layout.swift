public import FrozenProfile
internal import LinuxSystem
internal import Measurement

extension ProfileStore {
    /// The name of the directory of promoted profiles, which are never replaced.
    public static let referencesName = "references"
    /// The name of the directory of versions that are out of the way.
    public static let archiveName = "archive"
    /// The name of the directory of run records, by version and session.
    public static let recordsName = ".records"

    /// The promoted profiles beside these.
    public var references: ProfileStore { ProfileStore(directory: "\(directory)/\(Self.referencesName)") }
    /// The archived profiles beside these.
    public var archive: ProfileStore { ProfileStore(directory: "\(directory)/\(Self.archiveName)") }

    /// Whether profiles here are references, by the directory's name, links resolved.
    public var isReferences: Bool {
        do throws(SystemError) {
            return Files.name(of: try Files.canonical(directory)) == Self.referencesName
        } catch {
            // Not there yet: its name is all there is.
            return Files.name(of: directory) == Self.referencesName
        }
    }

    /// Refuses when a version may not be frozen here: it is there already and is not to be replaced, or is a reference.
    public func requireFree(_ version: VersionName, force: Bool) throws(ProfileError) {
        guard contains(version) else { return }
        if isReferences { throw .referenceExists(id: version.text, file: path(of: version)) }
        if !force { throw .alreadyFrozen(version: version.text, file: path(of: version)) }
    }

    /// Where a profile is that a person names by version or by path: the store and the version.
    ///
    /// A version is looked for here, then among the references, then in the archive.
    public func locate(reference: String) throws(ProfileError) -> (store: ProfileStore, version: VersionName)
    {
        if reference.contains("/") || reference.hasSuffix(".yaml") {
            let name = Files.name(of: reference)
            guard name.hasSuffix(".yaml") else {
                throw .invalidVersion(reference, reason: "the file's name does not end in .yaml")
            }
            guard Files.isRegularFile(reference) else {
                // 2 is ENOENT, also told of a directory: there is no such file.
                throw .system(SystemError(action: "read '\(reference)'", code: 2))
            }
            return (
                ProfileStore(directory: Files.directory(of: reference)),
                try VersionName(String(name.dropLast(".yaml".count)))
            )
        }
        let version = try VersionName(reference)
        for store in [self, references, archive]
        where store.contains(version) && ProfileStore.isProfile(store.path(of: version)) {
            return (store, version)
        }
        let nearest = NearestNames.of(version.text, among: try versions().map(\.text))
        throw .unknownVersion(version.text, directory: directory, nearest: nearest)
    }

    /// The files of a version that are here: the profile, its companions by name, and those that it lists.
    func files(of version: VersionName, profile: FrozenProfile?) -> [String] {
        var names = ["\(version).yaml"] + CompanionKind.allCases.map { "\(version)\($0.suffix)" }
        for companion in profile?.companions ?? [] where !names.contains(companion.file) {
            names.append(companion.file)
        }
        return names.filter { Files.exists("\(directory)/\($0)") }
    }
}
