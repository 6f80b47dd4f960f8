public import FrozenProfile
internal import LinuxSystem
internal import Measurement
internal import YAMLDocument

/// The versions of a directory with what a table says about each, oldest first.
public struct ProfileCatalogue: Sendable {
    /// One version.
    public struct Entry: Sendable {
        public var version: VersionName
        /// Nil when it could not be read.
        public var summary: VersionSummary?
        /// Why it could not be read, as sentences.
        public var problem: String?
        /// Sentences about what is wrong with it or its companions.
        public var damage: [String]

        /// When it was frozen, where the file says so in the form of this project; else nil.
        public var date: String? {
            guard let date = summary?.date, isDay(date.prefix(10)) else { return nil }
            return date
        }

        /// The day of ``date``.
        public var day: String? { date.map { String($0.prefix(10)) } }

        /// How far its values can be trusted, as words; `good` when nothing speaks against them.
        public var quality: [String] {
            guard let summary else { return ["unreadable"] }
            let words = (damage.isEmpty ? [] : ["damaged"]) + summary.quality
            return words.isEmpty ? ["good"] : words
        }
    }

    /// By date, then by name with numbers in it by value; those without a date first.
    public var entries: [Entry]

    /// A catalogue of entries.
    public init(entries: [Entry]) {
        self.entries = entries
    }

    /// The profiles of a store. One that cannot be read is an entry with the problem.
    ///
    /// Read is what the entries say, and not the runs. Companions have to be there with the length that the profile states.
    ///
    /// - Parameters:
    ///   - verifies: Whether each is read whole and verified with its companions.
    ///   - cache: A directory for an index of what was read before; nil for none. Files that have changed since are
    ///     read again.
    public init(_ store: ProfileStore, verifies: Bool = false, cache: String? = nil) throws(ProfileError) {
        if verifies {
            entries = try store.versions().map { Self.verified($0, in: store) }
        } else {
            entries = try Self.listed(store, CatalogueIndex(of: store.directory, in: cache))
        }
        entries.sort { left, right in
            let (first, second) = (left.date ?? "", right.date ?? "")
            return first == second ? naturallyPrecedes(left.version.text, right.version.text) : first < second
        }
    }

    private static func verified(_ version: VersionName, in store: ProfileStore) -> Entry {
        do throws(ProfileError) {
            let found = try Verification.verify(path: store.path(of: version), .beside)
            return Entry(
                version: version, summary: VersionSummary(found.profile), problem: nil,
                damage: found.verification.findings.map(\.description))
        } catch {
            return Entry(version: version, summary: nil, problem: error.description, damage: [])
        }
    }

    private static func listed(
        _ store: ProfileStore, _ index: CatalogueIndex
    ) throws(ProfileError) -> [Entry] {
        var entries: [Entry] = []
        var seen: [CatalogueIndex.Line] = []
        for version in try store.versionNames() {
            let path = store.path(of: version)
            let identity = Files.identity(path)
            do throws(ProfileError) {
                var summary = identity.flatMap { index.summary(of: version, $0) }
                if summary == nil {
                    // Other YAML files belong to the user.
                    guard ProfileStore.isProfile(path) else { continue }
                    summary = VersionSummary(try ProfileStore.loadListed(path: path))
                }
                if let summary, let identity {
                    seen.append(.init(version: version.text, identity: identity, summary: summary))
                }
                entries.append(
                    Entry(
                        version: version, summary: summary, problem: nil,
                        damage: (summary?.companions ?? []).flatMap { store.findings(about: $0) }))
            } catch {
                entries.append(Entry(version: version, summary: nil, problem: error.description, damage: []))
            }
        }
        index.replace(with: seen)
        return entries
    }
}

/// Whether text is a day such as `2026-02-10`.
private func isDay(_ text: Substring) -> Bool {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    return parts.map(\.count) == [4, 2, 2]
        && parts.allSatisfy { $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }
}
