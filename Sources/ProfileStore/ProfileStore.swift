public import FrozenProfile
public import LinuxSystem
internal import MessageDigest

/// A directory of frozen profiles: `<VERSION>.yaml`, and its companions under the same stem.
public struct ProfileStore: Sendable {
    /// The directory's path.
    public let directory: String

    /// The profiles of a directory, which need not exist yet.
    public init(directory: String) {
        self.directory = directory
    }

    /// The most bytes of a profile that are read.
    public static let maximumProfileBytes = 16 << 20

    /// Where a version's profile is.
    public func path(of version: VersionName) -> String { "\(directory)/\(version).yaml" }

    /// Where a version's companion of a kind is.
    public func path(of version: VersionName, _ kind: CompanionKind) -> String {
        "\(directory)/\(version)\(kind.suffix)"
    }

    /// Whether a version is frozen.
    public func contains(_ version: VersionName) -> Bool { Files.exists(path(of: version)) }

    /// The versions frozen here, in order of their names, numbers in them by value.
    public func versions() throws(ProfileError) -> [VersionName] {
        // Other YAML files belong to the user.
        try versionNames().filter { ProfileStore.isProfile(path(of: $0)) }
            .sorted { naturallyPrecedes($0.text, $1.text) }
    }

    /// The names that versions may have whose files are here, profiles or other YAML.
    func versionNames() throws(ProfileError) -> [VersionName] {
        guard Files.exists(directory) else { return [] }
        do throws(SystemError) {
            return try Files.names(inDirectory: directory).filter { $0.hasSuffix(".yaml") }
                .compactMap { ProfileStore.versionName(String($0.dropLast(".yaml".count))) }
        } catch {
            throw .system(error)
        }
    }

    /// A version's profile.
    public func load(_ version: VersionName) throws(ProfileError) -> FrozenProfile {
        guard contains(version), ProfileStore.isProfile(path(of: version)) else {
            let nearest = NearestNames.of(version.text, among: try versions().map(\.text))
            throw .unknownVersion(version.text, directory: directory, nearest: nearest)
        }
        return try ProfileStore.load(path: path(of: version), .beside)
    }

    /// The profile that a person names by version or by path; see ``path(reference:)``.
    public func load(reference: String) throws(ProfileError) -> FrozenProfile {
        try ProfileStore.load(path: path(reference: reference))
    }

    /// The profile in a file.
    ///
    /// - Parameter trust: `beside` for a file that was found on a shelf and not named.
    public static func load(
        path: String, _ trust: FileTrust = .named
    ) throws(ProfileError) -> FrozenProfile {
        var profile = try FrozenProfile.decode(read(path: path, trust), name: path)
        try takeRuns(&profile, beside: path)
        return profile
    }

    /// The bytes of a profile's file, or of one that belongs to profiles and may be of another length.
    public static func read(
        path: String, _ trust: FileTrust = .named, limit: Int = maximumProfileBytes
    ) throws(ProfileError) -> [UInt8] {
        do throws(Files.ReadError) {
            return try Files.read(path, trust, limit: limit)
        } catch {
            switch error {
            case .system(let cause): throw .system(cause)
            case .tooLong(let file, let limit): throw .tooLong(file: file, limit: limit)
            }
        }
    }

    /// The file that a person means: a path as it stands, whatever its name, or one found as ``locate(reference:)`` does.
    public func path(reference: String) throws(ProfileError) -> String {
        if reference.contains("/") || reference.hasSuffix(".yaml") {
            return Files.isRegularFile(reference) ? reference : try file(named: reference)
        }
        let found = try locate(reference: reference)
        return found.store.path(of: found.version)
    }

    /// How far the place of a profile that a person means is trusted: a path is theirs, what a version's name finds on a
    /// shelf is not.
    public static func trust(reference: String) -> FileTrust {
        reference.contains("/") || reference.hasSuffix(".yaml") ? .named : .beside
    }

    /// Sentences about companions that are missing or are not those that were frozen, empty when all is as it was.
    public func damagedCompanions(of profile: FrozenProfile) -> [String] {
        profile.companions.compactMap { companion in
            do throws(SystemError) {
                let found = try SHA256.file(
                    "\(directory)/\(companion.file)", .beside, expected: companion.bytes)
                return found == (companion.sha256, companion.bytes)
                    ? nil : "'\(directory)/\(companion.file)' has changed since it was frozen."
            } catch {
                return error.description
            }
        }
    }

    private static func versionName(_ stem: String) -> VersionName? {
        do throws(ProfileError) { return try VersionName(stem) } catch { return nil }
    }
}

/// Whether a name comes before another when runs of digits are compared by value: v1.9.0 before v1.10.0.
func naturallyPrecedes(_ left: String, _ right: String) -> Bool {
    var first = Substring(left)
    var second = Substring(right)
    while let a = first.first, let b = second.first {
        if a.isNumber && b.isNumber {
            let (x, y) = (first.prefix(while: \.isNumber), second.prefix(while: \.isNumber))
            let (xDigits, yDigits) = (x.drop { $0 == "0" }, y.drop { $0 == "0" })
            if xDigits != yDigits { return (xDigits.count, xDigits) < (yDigits.count, yDigits) }
            first = first.dropFirst(x.count)
            second = second.dropFirst(y.count)
        } else if a != b {
            return a < b
        } else {
            first = first.dropFirst()
            second = second.dropFirst()
        }
    }
    return first.isEmpty && second.isEmpty ? left < right : first.isEmpty
}
