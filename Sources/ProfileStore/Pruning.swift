internal import FrozenProfile
internal import LinuxSystem
public import Measurement

/// What is to be removed from a directory of profiles: old versions, and what a freeze that was killed left behind.
///
/// References are never among it, nor is the newest version, nor a profile that cannot be read or has no date: its age
/// is not known.
public struct Pruning: Sendable {
    /// Which versions are old.
    public struct Rule: Sendable {
        /// So many of the newest are kept; nil keeps all.
        public var keep: Int?
        /// Those frozen before are removed; nil removes none.
        public var before: Timestamp?
        /// Whether run records go that no capture is at work on, also those of versions that stay.
        public var removesRecords: Bool

        /// A rule. With both of the first parts, only versions that both call old are removed.
        public init(keep: Int? = nil, before: Timestamp? = nil, removesRecords: Bool = false) {
            self.keep = keep
            self.before = before
            self.removesRecords = removesRecords
        }
    }

    /// A version or a leftover that is removed.
    public struct Item: Equatable, Sendable {
        /// What it is, for a person: `v1.0.0 of 2026-02-10`.
        public var name: String
        /// Paths, the profile first.
        public var files: [String]
        /// Together.
        public var bytes: Int64
    }

    public let items: [Item]
    /// What was left alone although it may be old, in sentences.
    public let notes: [String]

    private let store: ProfileStore

    /// Finds what is to be removed. Removes nothing.
    public init(_ store: ProfileStore, rule: Rule) throws(LifecycleError) {
        self.store = store
        guard !store.isReferences else {
            throw .refused(
                "'\(store.directory)' holds references, which are kept for ever. Remove one by hand if it must be."
            )
        }
        let catalogue: ProfileCatalogue
        do throws(ProfileError) {
            catalogue = try ProfileCatalogue(store)
        } catch {
            throw LifecycleError(error)
        }
        let dated = catalogue.entries.filter { $0.day != nil }
        var old = dated.dropLast()[...]
        if let keep = rule.keep { old = old.prefix(max(0, dated.count - keep)) }
        if let before = rule.before { old = old.prefix { ($0.date ?? "") < before.iso8601WithoutFraction } }
        if rule.keep == nil && rule.before == nil { old = [] }
        var items: [Item] = []
        do throws(SystemError) {
            for entry in old {
                let files = store.files(
                    of: entry.version, listed: entry.summary?.companions.map(\.name) ?? []
                )
                .map { "\(store.directory)/\($0)" }
                var bytes: Int64 = 0
                for file in files { bytes += try Files.size(file) }
                items.append(
                    Item(name: "\(entry.version) of \(entry.day ?? "")", files: files, bytes: bytes))
            }
            items += try Pruning.leftovers(in: store)
            items += try Pruning.records(
                in: store, of: rule.removesRecords ? nil : Set(old.map(\.version.text)))
        } catch {
            throw .noInput(error.description)
        }
        self.items = items
        notes = catalogue.entries.filter { $0.day == nil }.map { entry in
            "\(entry.version) was left alone: "
                + (entry.problem ?? "its date is not one, so whether it is old is not known.")
        }
    }

    /// Removes what was found.
    public func perform() throws(LifecycleError) {
        do throws(SystemError) {
            guard !items.isEmpty else { return }
            let turn = try FileDescriptor.open(store.directory, .directory)
            try turn.lockExclusively()
            // What was written whole is finished, whatever else is tidied away.
            try store.recoverInTurn()
            // The profile first: what is left when this is cut short is companions without one, which no command reads.
            for item in items {
                for file in item.files { try Files.removeTree(file) }
            }
            try turn.synchronize()
        } catch {
            throw .cannotWrite(error.description)
        }
    }

    /// Directories in which a freeze was at work that is not any more.
    ///
    /// A process that freezes holds the lock of the store for as long as its own directory is there. This holds the lock, so
    /// each that is there was left by a process that has ended.
    private static func leftovers(in store: ProfileStore) throws(SystemError) -> [Item] {
        guard Files.isDirectory(store.directory) else { return [] }
        let turn = try FileDescriptor.open(store.directory, .directory)
        try turn.lockExclusively()
        var items: [Item] = []
        for name in try Files.names(inDirectory: store.directory)
        where name.hasPrefix(ProfileStore.stagingPrefix) && Files.isDirectory("\(store.directory)/\(name)") {
            let path = "\(store.directory)/\(name)"
            if try ProfileStore.isComplete(path) { continue }
            items.append(
                Item(
                    name: "left over by a freeze that was killed", files: [path],
                    bytes: try size(ofTree: path)))
        }
        return items
    }

    /// The run records of some versions, or of all when nil, session by session, without those that a living capture
    /// has locked.
    private static func records(in store: ProfileStore, of versions: Set<String>?) throws(SystemError)
        -> [Item]
    {
        let base = "\(store.directory)/\(ProfileStore.recordsName)"
        guard Files.isDirectory(base) else { return [] }
        var items: [Item] = []
        for version in try Files.names(inDirectory: base) where versions?.contains(version) ?? true {
            guard Files.isDirectory("\(base)/\(version)") else { continue }
            for session in try Files.names(inDirectory: "\(base)/\(version)") {
                let path = "\(base)/\(version)/\(session)"
                guard Files.isDirectory(path),
                    try FileDescriptor.open(path, .directory).tryLockExclusively()
                else { continue }
                items.append(
                    Item(
                        name:
                            "run records of \(PlainText.sanitized(version)), session \(PlainText.sanitized(session))",
                        files: [path], bytes: try size(ofTree: path)))
            }
        }
        return items
    }

    private static func size(ofTree path: String) throws(SystemError) -> Int64 {
        guard Files.isDirectory(path) else { return try Files.size(path) }
        var bytes: Int64 = 0
        for name in try Files.names(inDirectory: path) { bytes += try size(ofTree: "\(path)/\(name)") }
        return bytes
    }
}
