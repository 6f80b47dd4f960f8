public import FrozenProfile
internal import LinuxSystem
public import Measurement
public import Statistics

/// How the cost of frozen versions went, one after the other.
public struct History: Sendable {
    /// A version's value of one metric.
    public struct Point: Equatable, Sendable {
        public var release: String
        public var date: String
        public var value: Reading<Double>
        /// Where another measurement of this version would lie (95 %), by how its sessions differ; nil with fewer than two.
        public var interval: Interval?
        /// The change from the version before on the same machine and workload, in percent; nil where there is none.
        public var changePercent: Double?
        /// Whether a new level begins here: see ``ChangePoints``.
        public var isChangePoint = false
        /// Why this version is not compared with the one before; nil where it is.
        public var breakReason: String?
        /// What a comparison with the version before says of this value; nil where none was made.
        public var outcome: Comparison.Outcome?

        /// A version's value.
        public init(release: String, date: String, value: Reading<Double>, interval: Interval? = nil) {
            self.release = release
            self.date = date
            self.value = value
            self.interval = interval
        }
    }

    /// One metric of a stage, or of the whole run, over all versions.
    public struct Trend: Equatable, Sendable {
        public var stage: StageName?
        public var metric: Metric
        public var points: [Point]
        /// What a comparison of the first version with the last one says, of those that belong together last; nil where none
        /// was made.
        public var spanOutcome: Comparison.Outcome?

        /// A trend.
        public init(stage: StageName?, metric: Metric, points: [Point]) {
            self.stage = stage
            self.metric = metric
            self.points = points
        }

        /// The parts between breaks, as ranges of ``points``.
        public var parts: [Range<Int>] {
            var starts = points.indices.filter { points[$0].breakReason != nil || $0 == 0 }
            starts.append(points.count)
            return zip(starts, starts.dropFirst()).map { $0..<$1 }
        }
    }

    /// The versions in order of date, then of name.
    public let profiles: [FrozenProfile]
    /// Why each version is not compared with the one before.
    private let breaks: [String?]
    /// Each version against the one before; nil where they are not compared.
    private var steps: [Comparison?] = []
    /// The first and the last of those versions that belong together last, and their comparison.
    private var span: (first: Int, last: Int, comparison: Comparison)?

    /// A history of some versions, in any order.
    ///
    /// - Parameter comparing: How two versions are compared, as `diff` does; nil leaves out what it would say.
    public init(
        _ profiles: [FrozenProfile],
        comparing: ((_ from: FrozenProfile, _ to: FrozenProfile) -> Comparison)? = nil
    ) {
        self.profiles = profiles.sorted {
            ($0.date, $0.release.count, $0.release) < ($1.date, $1.release.count, $1.release)
        }
        breaks = zip(self.profiles, [self.profiles.first].compactMap(\.self) + self.profiles).map {
            newer, older in
            Self.reasonForBreak(older, newer)
        }
        guard let comparing else { return }
        steps = self.profiles.indices.map { index in
            guard index > 0, breaks[index] == nil else { return nil }
            return comparing(self.profiles[index - 1], self.profiles[index])
        }
        let first = breaks.lastIndex { $0 != nil } ?? 0
        let last = self.profiles.count - 1
        guard last > first else { return }
        let whole = last == first + 1 ? steps[last] : comparing(self.profiles[first], self.profiles[last])
        span = whole.map { (first, last, $0) }
    }

    /// What a comparison says of a metric; nil where it is not judged.
    private static func outcome(
        _ comparison: Comparison?, _ metric: Metric, _ stage: StageName?
    ) -> Comparison.Outcome? {
        guard let comparison else { return nil }
        guard comparison.comparability.refusals.isEmpty else { return .notComparable }
        return comparison.rows.first { $0.metric == metric && $0.stage == stage }?.verdict.map {
            .verdict($0)
        }
    }

    /// Every stage of any version, in order of first appearance.
    public var stages: [StageName] {
        var seen: Set<StageName> = []
        return profiles.flatMap { $0.stages.map(\.stage) }.filter { seen.insert($0).inserted }
    }

    /// A metric of a stage, or of the whole run when nil, over all versions.
    ///
    /// Instructions are those of counted runs where any version has such: they do not depend on the machine. Only counted runs
    /// have system calls.
    public func trend(of metric: Metric, in stage: StageName?) -> Trend {
        let isCounted = metric == .systemCalls || profiles.contains { $0.counts?.value != nil }
        if [.instructions, .systemCalls].contains(metric), isCounted {
            return countedTrend(of: metric, in: stage)
        }
        var trend = Trend(stage: stage, metric: metric, points: [])
        var previous: Double?
        for (index, (profile, breakReason)) in zip(profiles, breaks).enumerated() {
            let value =
                if let stage {
                    profile.stages.first { $0.stage == stage }?.use[metric]
                        ?? .unavailable(reason: "the stage was not entered")
                } else {
                    profile.totals.use[metric]
                }
            var point = Point(release: profile.release, date: profile.date, value: value)
            point.interval = Self.interval(profile, metric, stage)
            point.breakReason = breakReason
            if breakReason != nil { previous = nil }
            if let older = previous, older > 0, let newer = value.value {
                point.changePercent = 100 * (newer - older) / older
                if steps.indices.contains(index), trend.points.last?.value.value != nil {
                    point.outcome = Self.outcome(steps[index], metric, stage)
                }
            }
            // A version without a value is stepped over, one on another machine is not.
            previous = value.value ?? previous
            trend.points.append(point)
        }
        Self.markChangePoints(&trend)
        if let span, [span.first, span.last].allSatisfy({ trend.points[$0].value.value != nil }) {
            trend.spanOutcome = Self.outcome(span.comparison, metric, stage)
        }
        return trend
    }

    private func countedTrend(of metric: Metric, in stage: StageName?) -> Trend {
        var trend = Trend(stage: stage, metric: metric, points: [])
        var previous: (count: Double, profile: FrozenProfile)?
        for profile in profiles {
            var point = Point(
                release: profile.release, date: profile.date, value: Self.counted(metric, profile, stage))
            if let count = point.value.value {
                if let older = previous {
                    point.breakReason = Self.reasonForBreakOfCounts(older.profile, profile)
                    if point.breakReason == nil, older.count > 0 {
                        point.changePercent = 100 * (count - older.count) / older.count
                    }
                }
                previous = (count, profile)
            }
            trend.points.append(point)
        }
        Self.markChangePoints(&trend)
        return trend
    }

    private static func counted(
        _ metric: Metric, _ profile: FrozenProfile, _ stage: StageName?
    ) -> Reading<Double> {
        guard let reading = profile.counts else { return .unavailable(reason: "no counted run was made") }
        guard let counts = reading.value else {
            return .unavailable(reason: reading.unavailableReason ?? "no counted run was made")
        }
        return counts.reading(of: metric, in: stage)
    }

    /// Why the counts of two versions are not to be compared: another emulator, or another command in the place of the
    /// profile's own.
    private static func reasonForBreakOfCounts(_ older: FrozenProfile, _ newer: FrozenProfile) -> String? {
        guard let before = older.counts?.value, let after = newer.counts?.value else { return nil }
        if before.identity != after.identity {
            return
                "counted by \(PlainText.sanitized(after.identity)), before by \(PlainText.sanitized(before.identity))"
        }
        let areOwn =
            before.command == older.recipe?.arguments && after.command == newer.recipe?.arguments
        return areOwn || before.command == after.command ? nil : "another command was counted"
    }

    private static func markChangePoints(_ trend: inout Trend) {
        for part in trend.parts {
            let known = part.filter { trend.points[$0].value.value ?? 0 > 0 }
            let logarithms = known.map { Logarithm.natural(trend.points[$0].value.value ?? 1) }
            for index in ChangePoints.indices(in: logarithms) {
                trend.points[known[index]].isChangePoint = true
            }
        }
    }

    /// Why two versions are not to be compared: another machine, or other work.
    private static func reasonForBreak(_ older: FrozenProfile, _ newer: FrozenProfile) -> String? {
        let identities = (older.environment.identity, newer.environment.identity)
        for key in MachineClass.keys + [.inputDigest] {
            guard let before = identities.0[key].value, let after = identities.1[key].value else { continue }
            if before != after { return "\(key.rawValue) was \(before), now \(after)" }
        }
        if let before = older.datasetID.value, let after = newer.datasetID.value, before != after {
            return
                "dataset_id was \(PlainText.sanitized(before, maximumCharacters: 200)), now \(PlainText.sanitized(after, maximumCharacters: 200))"
        }
        return nil
    }

    /// By Student's t from the medians of the sessions, on the scale of logarithms.
    private static func interval(_ profile: FrozenProfile, _ metric: Metric, _ stage: StageName?) -> Interval?
    {
        let medians = profile.samples(of: metric, in: stage).compactMap { session in
            FrozenProfile.median(session.compactMap(\.value))
        }.filter { $0 > 0 }.map(Logarithm.natural)
        guard medians.count >= 2, let student = StudentT(degreesOfFreedom: Double(medians.count - 1)) else {
            return nil
        }
        let count = Double(medians.count)
        let mean = medians.reduce(0, +) / count
        let variance = medians.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (count - 1)
        // Of another measurement of one session, whose own noise comes on top of the mean's.
        let halfWidth = student.quantile(upperTail: 0.025) * (variance * (1 + 1 / count)).squareRoot()
        return Interval(
            lower: Mathematics.exponential(mean - halfWidth), upper: Mathematics.exponential(mean + halfWidth)
        )
    }
}
