internal import FrozenProfile
internal import LinuxSystem
internal import Measurement
internal import Statistics

/// What a profile has to say about its metrics, session by session.
struct SideEvidence {
    let profile: FrozenProfile
    /// Sessions that count.
    let sessions: [Session]
    /// Sessions that do not, with the reasons.
    let invalidSessions: [(id: String, reasons: [String])]

    /// The sessions of a profile that are fair measurements.
    ///
    /// - Parameter countsInvalid: Whether sessions count that are no fair measurement.
    init(_ profile: FrozenProfile, countsInvalid: Bool) {
        self.profile = profile
        var fair: [Session] = []
        var unfair: [(id: String, reasons: [String])] = []
        for session in profile.sessions where session.runs.contains(where: \.counts) {
            let problems = SessionValidity.problems(of: session, among: profile.sessions)
            if !problems.isEmpty { unfair.append((session.id, problems)) }
            if problems.isEmpty || countsInvalid { fair.append(session) }
        }
        sessions = fair
        invalidSessions = unfair
    }

    /// The sessions given, with no question whether they are fair.
    init(_ profile: FrozenProfile, sessions: [Session]) {
        self.profile = profile
        self.sessions = sessions.filter { $0.runs.contains(where: \.counts) }
        invalidSessions = []
    }

    var runs: Int { sessions.reduce(0) { $0 + $1.runs.count(where: \.counts) } }

    /// A metric's values in each session that counts, in the order of the runs; runs without a value are left out.
    func values(of metric: Metric, in stage: StageName?) -> [[Double]] {
        sessions.map { session in
            session.runs.filter(\.counts).compactMap { run in
                guard let stage else { return run.use[metric].value }
                return run.stages.first { $0.stage == stage }?.use[metric].value
            }
        }
    }

    /// A metric's typical run as it is judged: of sessions the geometric mean of their medians, of runs made in turn their
    /// median; what the summary says where there are no runs.
    func typical(of metric: Metric, in stage: StageName?, _ design: Comparison.Design) -> Reading<Double>? {
        let sessions = values(of: metric, in: stage).filter { !$0.isEmpty }
        guard design == .sessions, !sessions.isEmpty,
            sessions.allSatisfy({ FrozenProfile.median($0) ?? 0 > 0 })
        else { return median(of: metric, in: stage) }
        // One session's median as it is, without the detour that costs its last digit.
        guard sessions.count > 1 else { return FrozenProfile.median(sessions[0]).map { .value($0) } }
        return .value(RowEvidence.level(of: sessions, .typical))
    }

    /// How many runs entered a stage.
    func runs(with stage: StageName) -> Int {
        sessions.reduce(0) { sum, session in
            sum + session.runs.count { $0.counts && $0.stages.contains { $0.stage == stage } }
        }
    }

    /// The median of all runs of sessions that count; what the summary says where there are none.
    func median(of metric: Metric, in stage: StageName?) -> Reading<Double>? {
        let summary: Reading<Double>
        if let stage {
            guard let found = profile.stages.first(where: { $0.stage == stage }) else { return nil }
            summary = found.use[metric]
        } else {
            summary = profile.totals.use[metric]
        }
        return FrozenProfile.median(values(of: metric, in: stage).flatMap(\.self)).map { .value($0) }
            ?? summary
    }

    /// How often each stage was entered, of those runs that agree about it; nil where runs differ or nobody counted.
    func spans(of stage: StageName) -> Int? {
        let counts = Set(
            sessions.flatMap(\.runs).filter(\.counts)
                .compactMap { run in run.stages.first { $0.stage == stage }?.entered.value })
        return counts.count == 1 ? counts.first : nil
    }

    /// The time between the sampler's samples in seconds, nil where there were none.
    var samplingInterval: Double? {
        guard let rate = profile.captureQuality?.sampler.rateHz.value, rate > 0 else { return nil }
        return 1 / rate
    }
}

extension [Double] {
    /// The natural logarithms; nil when a value is not above zero.
    var logarithms: [Double]? {
        allSatisfy { $0 > 0 && $0.isFinite } ? map(Logarithm.natural) : nil
    }
}
