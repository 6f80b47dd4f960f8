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
    /// A version is looked for here, then among the references, in the archive, and among the references that are archived.
    /// A name with a slash is a path as it stands, or without its `.yaml`, or below this directory, such as
    /// `references/podcast-2026q1`.
    public func locate(reference: String) throws(ProfileError) -> (store: ProfileStore, version: VersionName)
    {
        guard reference.contains("/") || reference.hasSuffix(".yaml") else {
            let version = try VersionName(reference)
            for store in [self, references, archive, references.archive]
            where store.contains(version) && ProfileStore.isProfile(store.path(of: version)) {
                return (store, version)
            }
            let nearest = NearestNames.of(version.text, among: try versions().map(\.text))
            throw .unknownVersion(version.text, directory: directory, nearest: nearest)
        }
        let path = try file(named: reference)
        return (
            ProfileStore(directory: Files.directory(of: path)),
            try VersionName(String(Files.name(of: path).dropLast(".yaml".count)))
        )
    }

    /// The file that a name with a slash, or one that ends in `.yaml`, means.
    func file(named reference: String) throws(ProfileError) -> String {
        let file = reference.hasSuffix(".yaml") ? reference : reference + ".yaml"
        let places = reference.hasPrefix("/") ? [file] : [file, "\(directory)/\(file)"]
        if let found = places.first(where: Files.isRegularFile) { return found }
        if reference != file, Files.isRegularFile(reference) {
            throw .invalidVersion(reference, reason: "the file's name does not end in .yaml")
        }
        // 2 is ENOENT, also given for a directory: there is no such file.
        throw .system(SystemError(action: "read '\(reference)'", code: 2))
    }

    /// The files of a version that are here: the profile, its companions by name, and those that it lists.
    func files(of version: VersionName, profile: FrozenProfile?) -> [String] {
        files(of: version, listed: profile?.companions.map(\.file) ?? [])
    }

    /// The same, with the names of the companions that the profile lists.
    func files(of version: VersionName, listed: [String]) -> [String] {
        var names = ["\(version).yaml"] + CompanionKind.allCases.map { "\(version)\($0.suffix)" }
        for name in listed where !names.contains(name) { names.append(name) }
        return names.filter { Files.exists("\(directory)/\($0)") }
    }
}
