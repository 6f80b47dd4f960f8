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
    var invalidSessions: [(id: String, reasons: [String])]
    /// Where the stages stand in the runs that count, and in the summary.
    private let index: StageIndex

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
        index = StageIndex(profile, fair)
    }

    /// The sessions given, with no question whether they are fair.
    init(_ profile: FrozenProfile, sessions: [Session]) {
        self.profile = profile
        self.sessions = sessions.filter { $0.runs.contains(where: \.counts) }
        invalidSessions = []
        index = StageIndex(profile, self.sessions)
    }

    var runs: Int { sessions.reduce(0) { $0 + $1.runs.count(where: \.counts) } }

    /// A metric's values in each session that counts, in the order of the runs; runs without a value are left out.
    func values(of metric: Metric, in stage: StageName?) -> [[Double]] {
        guard let stage else {
            return sessions.map { $0.runs.filter(\.counts).compactMap { $0.use[metric].value } }
        }
        var values = [[Double]](repeating: [], count: sessions.count)
        for entry in index.entries(of: stage) {
            guard let value = at(entry).use[metric].value else { continue }
            values[entry.session].append(value)
        }
        return values
    }

    private func at(_ entry: StageIndex.Entry) -> StageRun {
        sessions[entry.session].runs[entry.run].stages[entry.place]
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
        index.entries(of: stage).count
    }

    /// The median of all runs of sessions that count; what the summary says where there are none.
    func median(of metric: Metric, in stage: StageName?) -> Reading<Double>? {
        let summary: Reading<Double>
        if let stage {
            guard let place = index.summary(of: stage) else { return nil }
            summary = profile.stages[place].use[metric]
        } else {
            summary = profile.totals.use[metric]
        }
        return FrozenProfile.median(values(of: metric, in: stage).flatMap(\.self)).map { .value($0) }
            ?? summary
    }

    /// How often each stage was entered, of those runs that agree about it; nil where runs differ or none was counted.
    func spans(of stage: StageName) -> Int? {
        let counts = Set(index.entries(of: stage).compactMap { at($0).entered.value })
        return counts.count == 1 ? counts.first : nil
    }

    /// The time between the sampler's samples in seconds, nil where there were none.
    var samplingInterval: Double? {
        guard let rate = profile.captureQuality?.sampler.rateHz.value, rate > 0 else { return nil }
        return 1 / rate
    }
}

/// Where each stage stands, so that a table of all stages does not search every run for each of its cells.
private struct StageIndex {
    /// A stage of a run that counts.
    struct Entry {
        let session: Int
        let run: Int
        let place: Int
    }

    private var byStage: [StageName: [Entry]] = [:]
    private var summaries: [StageName: Int] = [:]

    init(_ profile: FrozenProfile, _ sessions: [Session]) {
        for (place, stage) in profile.stages.enumerated() { summaries[stage.stage] = place }
        for (session, content) in sessions.enumerated() {
            for (run, content) in content.runs.enumerated() where content.counts {
                for (place, stage) in content.stages.enumerated() {
                    byStage[stage.stage, default: []].append(Entry(session: session, run: run, place: place))
                }
            }
        }
    }

    /// The runs that entered a stage, session by session in order.
    func entries(of stage: StageName) -> [Entry] { byStage[stage] ?? [] }

    /// The place of a stage in the summary.
    func summary(of stage: StageName) -> Int? { summaries[stage] }
}

extension [Double] {
    /// The natural logarithms; nil when a value is not above zero.
    var logarithms: [Double]? {
        allSatisfy { $0 > 0 && $0.isFinite } ? map(Logarithm.natural) : nil
    }
}
