public import FrozenProfile
internal import LinuxSystem
public import Measurement
internal import Statistics

/// How much sessions differ on this kind of machine, by what lies on the shelf: versions of the same work on the same class of
/// machine, whose sessions and neighbours show it without a calibration.
///
/// `docs/comparison-method.md` describes how, and how often verdicts that rest on it are wrong.
public struct ShelfNoise: Equatable, Sendable {
    /// The versions it was learnt from, the old side among them, oldest first.
    public let versions: [String]
    /// Their sessions.
    public let sessions: Int
    /// The first and the last day of freezing.
    public let firstDate: String
    public let lastDate: String
    /// Why other versions on the shelf have no part in it, each reason with the number of versions.
    public let leftOut: [String: Int]
    private var entries: [NoiseLedger.Key: KnownNoise] = [:]

    /// The most versions that are learnt from: the ones nearest to the old side.
    public static let mostVersions = 30

    /// What is known of a metric of a stage, or of the whole run when nil.
    public subscript(stage: StageName?, metric: Metric) -> KnownNoise? {
        entries[NoiseLedger.Key(stage: stage, metric: metric)]
    }

    /// What a shelf says about two versions on it, or beside it.
    ///
    /// - Parameters:
    ///   - shelf: Frozen versions, in any order; either side may be among them.
    ///   - from: The old side.
    ///   - to: The new side, which is never learnt from: what it changed is in question.
    ///   - leftOut: Versions that are not among them, by reason.
    ///   - memory: What other comparisons on the same shelf have learnt.
    public init(
        _ shelf: [FrozenProfile], from: FrozenProfile, to: FrozenProfile, leftOut: [String: Int] = [:],
        memory: ShelfMemory = ShelfMemory()
    ) {
        let scene = LearningScene(shelf, from: from, to: to, memory: memory)
        versions = scene.versions.map(\.profile.release)
        sessions = scene.versions.reduce(0) { $0 + $1.side.sessions.count }
        firstDate = String(scene.versions.first?.profile.date.prefix(10) ?? "")
        lastDate = String(scene.versions.last?.profile.date.prefix(10) ?? "")
        self.leftOut = leftOut.merging(scene.leftOut, uniquingKeysWith: +)
        for stage in [nil] + from.stages.map({ Optional($0.stage) }) {
            for metric in Metric.judged {
                entries[NoiseLedger.Key(stage: stage, metric: metric)] = scene.noise(of: metric, in: stage)
            }
        }
    }

    /// Whether there is anything to learn from.
    public var isEmpty: Bool { entries.isEmpty }

    /// What verdicts rest on, as sentences; empty where nothing was learnt.
    var sentences: [String] {
        let reasons = leftOut.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
        let excluded =
            reasons.isEmpty
            ? [] : ["Versions that noise was not learnt from: \(reasons.joined(separator: ", "))."]
        guard !isEmpty else { return excluded }
        let others = versions.count - 1
        let dates = firstDate == lastDate ? firstDate : "\(firstDate) to \(lastDate)"
        var text =
            "Noise between sessions: learnt from \(others) other version\(others == 1 ? "" : "s") on the shelf, with the old "
            + "side \(sessions) sessions (\(dates))"
        if let wall = self[nil, .wall] {
            let deviation = Percent.ofLogarithm(wall.variance.variance.squareRoot())
            text +=
                "; their wall times differ by \(deviation.fixed(1)) % (\(wall.variance.degreesOfFreedom) "
                + "degree\(wall.variance.degreesOfFreedom == 1 ? "" : "s") of freedom)"
            if wall.steps > 0 {
                text += ", \(wall.steps) step\(wall.steps == 1 ? "" : "s") between versions left out"
            }
        }
        return [text + ". --no-shelf leaves it out."] + excluded
    }

    /// Why nothing is learnt from a version for comparisons with another, as words that follow a number; nil where it can be.
    ///
    /// A summary will do.
    public static func mismatch(_ profile: FrozenProfile, with from: FrozenProfile) -> String? {
        guard profile.schema.major > SchemaVersion.older.major else { return "without single runs" }
        let (mine, its) = (
            MachineClass(from.environment.identity), MachineClass(profile.environment.identity)
        )
        let isSameMachine = MachineClass.keys.allSatisfy { key in
            guard let fact = mine.facts[key], let other = its.facts[key] else { return true }
            return fact == other
        }
        guard isSameMachine else { return "of another machine" }
        guard Workload(from) == Workload(profile) else { return "of other work" }
        guard Set(profile.stages.map(\.stage)) == Set(from.stages.map(\.stage)) else {
            return "with other stages"
        }
        return nil
    }
}

/// The versions that noise is learnt from.
private struct LearningScene {
    /// Oldest first.
    let versions: [LearnedVersion]
    let old: Int
    private(set) var leftOut: [String: Int] = [:]

    init(_ shelf: [FrozenProfile], from: FrozenProfile, to: FrozenProfile, memory: ShelfMemory) {
        let older = memory.version(from)
        var found = [older]
        for profile in shelf {
            if Self.isSame(profile, from) || Self.isSame(profile, to) { continue }
            let version = memory.version(profile)
            if let reason = memory.mismatch(version, with: older) {
                leftOut[reason, default: 0] += 1
            } else if version.isMeasured {
                found.append(version)
            } else {
                leftOut["without measured runs", default: 0] += 1
            }
        }
        found.sort {
            ($0.profile.date, $0.profile.release.count, $0.profile.release)
                < ($1.profile.date, $1.profile.release.count, $1.profile.release)
        }
        let place = found.firstIndex { $0 === older } ?? 0
        // Versions before the old side first: later ones may be what is in question.
        let start = max(0, min(place - (ShelfNoise.mostVersions - 1), found.count - ShelfNoise.mostVersions))
        versions = Array(found[start..<min(found.count, start + ShelfNoise.mostVersions)])
        old = place - start
    }

    private static func isSame(_ one: FrozenProfile, _ other: FrozenProfile) -> Bool {
        one.release == other.release && one.date == other.date
    }

    /// What the versions show of a metric's noise; nil where there is nothing to learn from.
    func noise(of metric: Metric, in stage: StageName?) -> KnownNoise? {
        let rows = versions.map { $0.row(of: metric, in: stage) }
        var known: [ShelfVariance.Version] = []
        var place: Int?
        for (index, version) in versions.enumerated() {
            guard let medians = rows[index].medians else { continue }
            if index == old { place = known.count }
            known.append(.init(sessions: medians, machine: metric.isMemory ? nil : version.speed))
        }
        guard let place, known.count > 1, let variance = ShelfVariance(known, own: [place]) else {
            return nil
        }
        let drift =
            metric.isMemory
            ? nil
            : MachineDrift.variance(
                of: versions.flatMap(\.side.sessions), felt: rows.flatMap(\.logarithms))
        return KnownNoise(
            variance: variance.variance, leastVariance: variance.leastVariance,
            driftVariance: drift?.variance ?? 0,
            shelf: SessionKinds.Shelf(
                sessions: known.map(\.sessions.count), old: place, steps: variance.steps))
    }
}
