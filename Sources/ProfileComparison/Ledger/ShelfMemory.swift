internal import FrozenProfile
internal import LinuxSystem
internal import Measurement
internal import Metrics
internal import Statistics

/// What the versions of a shelf show, kept from one comparison to the next: a history makes one for each version, and each
/// learns from the thirty versions nearest to it.
public final class ShelfMemory {
    private struct Name: Hashable {
        var release, date: String
    }

    private struct Pair: Hashable {
        var kind, other: Int
    }

    private var versions: [Name: LearnedVersion] = [:]
    /// A version of each kind: those of one kind have the same machine, work and stages.
    private var kinds: [LearnedVersion.Kind] = []
    /// Why nothing is learnt from versions of one kind for those of another.
    private var mismatches: [Pair: String?] = [:]

    /// An empty memory.
    public init() {}

    /// What is known of a version.
    func version(_ profile: FrozenProfile) -> LearnedVersion {
        let name = Name(release: profile.release, date: profile.date)
        if let known = versions[name] { return known }
        let version = LearnedVersion(profile)
        version.number = kinds.firstIndex(of: version.kind) ?? kinds.count
        if version.number == kinds.count { kinds.append(version.kind) }
        versions[name] = version
        return version
    }

    /// What ``ShelfNoise/mismatch(_:with:)`` says of two versions.
    func mismatch(_ version: LearnedVersion, with from: LearnedVersion) -> String? {
        let pair = Pair(kind: version.number, other: from.number)
        if let known = mismatches[pair] { return known }
        let reason = ShelfNoise.mismatch(version.profile, with: from.profile)
        mismatches[pair] = reason
        return reason
    }
}

/// One version of a shelf and what it shows of noise.
final class LearnedVersion {
    /// What decides whether noise of one version is that of another.
    struct Kind: Equatable {
        var isOlderSchema: Bool
        var machine: MachineClass
        var work: Workload
        var stages: Set<StageName>
    }

    /// What the sessions show of one metric.
    struct Row {
        /// Logarithms of the sessions' medians; nil where there is none, or one that is not above zero.
        var medians: [Double]?
        /// Logarithms of the sessions' values.
        var logarithms: [[Double]]
    }

    let profile: FrozenProfile
    let kind: Kind
    /// The number of its kind.
    var number = 0
    let isMeasured: Bool
    private(set) lazy var side = SideEvidence(profile, countsInvalid: false)
    private(set) lazy var speed = Self.speed(of: side.sessions)
    private var rows: [NoiseLedger.Key: Row] = [:]

    init(_ profile: FrozenProfile) {
        self.profile = profile
        kind = Kind(
            isOlderSchema: profile.schema.major <= SchemaVersion.older.major,
            machine: MachineClass(profile.environment.identity), work: Workload(profile),
            stages: Set(profile.stages.map(\.stage)))
        isMeasured = profile.sessions.contains { $0.runs.contains(where: \.counts) }
    }

    func row(of metric: Metric, in stage: StageName?) -> Row {
        let key = NoiseLedger.Key(stage: stage, metric: metric)
        if let known = rows[key] { return known }
        let values = side.values(of: metric, in: stage)
        let some = values.filter { !$0.isEmpty }
        let medians = some.compactMap { FrozenProfile.median($0) }.filter { $0 > 0 }
        let row = Row(
            medians: medians.count == some.count && !medians.isEmpty ? medians.map(Logarithm.natural) : nil,
            logarithms: values.compactMap(\.logarithms))
        rows[key] = row
        return row
    }

    /// The mean logarithm of what fixed work took, over all kinds of it; nil where a session did not time it.
    private static func speed(of sessions: [Session]) -> Double? {
        let levels = sessions.map { session -> Double? in
            let medians = session.canaries.compactMap { FrozenProfile.median(MachineDrift.moments(of: $0)) }
            return medians.isEmpty ? nil : medians.reduce(0, +) / Double(medians.count)
        }
        let known = levels.compactMap(\.self)
        return known.count == levels.count && !known.isEmpty ? known.reduce(0, +) / Double(known.count) : nil
    }
}
