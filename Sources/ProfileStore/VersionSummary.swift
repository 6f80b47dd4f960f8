internal import FrozenProfile
internal import Measurement
internal import YAMLDocument

/// What a list says of a version.
public struct VersionSummary: Equatable, Sendable {
    /// A file beside the profile, as the profile states it.
    public struct File: Equatable, Sendable {
        public var name: String
        public var bytes: Int64
    }

    public var release: String
    /// As the file has it.
    public var date: String
    /// The kind of machine in a few words: `x86_64 2cpu 8gb`. Machines of one class may still differ in their CPU's
    /// model; `diff` does that.
    public var hostClass: String
    public var cpuModel: String?
    public var wallSeconds: Double?
    public var peakResidentMB: Double?
    public var runs: Int?
    public var sessions: Int
    /// What speaks against its values, as words.
    public var quality: [String]
    public var companions: [File]
}

extension VersionSummary {
    /// What a list says of a profile, which needs no runs if it has a review of them.
    init(_ profile: FrozenProfile) {
        let review = CaptureQuality.Review(profile.sessions) ?? profile.captureQuality?.review
        self.init(
            release: profile.release, date: profile.date, hostClass: Self.hostClass(profile.environment),
            cpuModel: profile.environment.identity[.cpuModel].value?.description,
            wallSeconds: profile.totals.use.wallSeconds.value,
            peakResidentMB: profile.totals.use.peakResidentMB.value, runs: profile.totals.runs,
            sessions: profile.sessions.isEmpty ? review?.sessions ?? 0 : profile.sessions.count,
            quality: Self.quality(profile, review),
            companions: profile.companions.map { File(name: $0.file, bytes: $0.bytes) })
    }

    private static func hostClass(_ environment: ProfileEnvironment) -> String {
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

    private static func quality(_ profile: FrozenProfile, _ review: CaptureQuality.Review?) -> [String] {
        if profile.schema.major <= SchemaVersion.older.major { return ["one run, shares guessed"] }
        var words: [String] = []
        if profile.environment.identity[.gitDirty].value == .bool(true) { words.append("dirty") }
        if let review {
            if review.disturbedRuns > 0 { words.append("\(review.disturbedRuns) disturbed") }
            words += review.findings.map {
                PlainText.sanitized($0.replacing("_", with: " "), maximumCharacters: 40)
            }
        }
        return words
    }
}
