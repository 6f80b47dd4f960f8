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
        public var profile: FrozenProfile?
        /// Why it could not be read, as sentences.
        public var problem: String?
        /// Sentences about what is wrong with it or its companions.
        public var damage: [String]

        /// When it was frozen, where the file tells so in the form of this project; else nil.
        public var date: String? {
            guard let date = profile?.date, isDay(date.prefix(10)) else { return nil }
            return date
        }

        /// The day of ``date``.
        public var day: String? { date.map { String($0.prefix(10)) } }
    }

    /// By date, then by name with numbers in it by value; those without a date first.
    public var entries: [Entry]

    /// A catalogue of entries.
    public init(entries: [Entry]) {
        self.entries = entries
    }

    /// The profiles of a store, each read whole. One that cannot be read is an entry with the problem.
    ///
    /// - Parameter verifies: Whether each is verified with its companions, which reads those too.
    public init(_ store: ProfileStore, verifies: Bool = false) throws(ProfileError) {
        entries = try store.versions().map { version in
            do throws(ProfileError) {
                guard verifies else {
                    return Entry(version: version, profile: try store.load(version), problem: nil, damage: [])
                }
                let found = try Verification.verify(path: store.path(of: version), .beside)
                return Entry(
                    version: version, profile: found.profile, problem: nil,
                    damage: found.verification.findings.map(\.description))
            } catch {
                return Entry(version: version, profile: nil, problem: error.description, damage: [])
            }
        }
        entries.sort { left, right in
            let (first, second) = (left.date ?? "", right.date ?? "")
            return first == second ? naturallyPrecedes(left.version.text, right.version.text) : first < second
        }
    }
}

/// Whether text is a day such as `2026-02-10`.
private func isDay(_ text: Substring) -> Bool {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    return parts.map(\.count) == [4, 2, 2]
        && parts.allSatisfy { $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }
}

extension ProfileCatalogue.Entry {
    /// The kind of machine in a few words: `x86_64 2cpu 8gb`. Machines of one class may still differ in their CPU's
    /// model; `diff` tells.
    public var hostClass: String {
        guard let environment = profile?.environment else { return "unknown" }
        let identity = environment.identity
        func older(_ key: String) -> String? { environment.other[key]?.asNumber.map { $0.fixed(0) } }
        let architecture =
            identity[.architecture].value?.description
            ?? identity[.cpuModel].value.map { PlainText.sanitized($0.description, maximumCharacters: 12) }
        let cpus = identity[.usableCPUs].value?.description ?? older("cpu_cores_logical")
        let memory = identity[.memoryClass].value?.description ?? older("ram_total_gb")
        let parts = [
            architecture, cpus.map { "\($0)cpu" }, memory.map { "\($0)gb" },
        ].compactMap(\.self)
        return parts.isEmpty ? "unknown" : parts.joined(separator: " ")
    }

    /// How far its values can be trusted, as words; `good` when nothing speaks against them.
    public var quality: [String] {
        guard let profile else { return ["unreadable"] }
        var words: [String] = []
        if !damage.isEmpty { words.append("damaged") }
        if profile.schema.major <= SchemaVersion.older.major { return words + ["one run, shares guessed"] }
        if profile.environment.identity[.gitDirty].value == .bool(true) { words.append("dirty") }
        let disturbed = profile.measuredRuns.filter { $0.disturbance != nil }.count
        if disturbed > 0 { words.append("\(disturbed) disturbed") }
        var kinds: [NoiseReview.Kind] = []
        for session in profile.sessions {
            for finding in NoiseReview(session).findings where !kinds.contains(finding.kind) {
                kinds.append(finding.kind)
            }
        }
        // A profile of several sessions may have few runs in each.
        if profile.measuredRuns.count >= NoiseReview.Limits().runs { kinds.removeAll { $0 == .fewRuns } }
        words += kinds.map { $0.rawValue.replacing("_", with: " ") }
        return words.isEmpty ? ["good"] : words
    }
}
