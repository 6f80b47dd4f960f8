public import FrozenProfile
internal import Measurement
internal import Statistics

extension NoiseLedger {
    /// Whether it is about the machine and the workload of a profile.
    ///
    /// What either side does not know is no difference.
    public func applies(to profile: FrozenProfile) -> Bool {
        let other = MachineClass(profile.environment.identity)
        let isSameMachine = MachineClass.keys.allSatisfy { key in
            guard let mine = machine.facts[key], let its = other.facts[key] else { return true }
            return mine == its
        }
        return isSameMachine && workload == Workload(profile)
    }

    /// Adds what the sessions of one version say about noise: the variance between them, pooled with what is known.
    ///
    /// Sessions of different versions are never thrown together: a version's change is no noise. A metric with a value of zero
    /// has no logarithm and is left out, and so is one that fewer than two fair sessions have.
    ///
    /// - Parameters:
    ///   - profile: The version, with at least two sessions.
    ///   - date: The day of measuring, as `2026-02-10`.
    public mutating func learn(from profile: FrozenProfile, date: String) {
        let evidence = SideEvidence(profile, countsInvalid: false)
        for stage in [nil] + profile.stages.map({ Optional($0.stage) }) {
            for metric in Metric.judged {
                let values = evidence.values(of: metric, in: stage).filter { !$0.isEmpty }
                let medians = values.compactMap { $0.logarithms.flatMap(FrozenProfile.median) }
                guard medians.count == values.count, let variance = VarianceEstimate(of: medians) else {
                    continue
                }
                add(
                    variance, sessions: medians.count, runs: values.map(\.count).min() ?? 0, date, stage,
                    metric,
                    drift: metric.isMemory
                        ? 0
                        : MachineDrift.variance(
                            of: evidence.sessions, felt: values.compactMap(\.logarithms))?.variance ?? 0)
            }
        }
    }

    private mutating func add(
        _ variance: VarianceEstimate, sessions: Int, runs: Int, _ date: String, _ stage: StageName?,
        _ metric: Metric, drift: Double
    ) {
        guard var entry = self[stage, metric] else {
            self[stage, metric] = Entry(
                sessions: variance, sessionCount: sessions, runsPerSession: runs, firstDate: date,
                lastDate: date)
            self[stage, metric]?.driftVariance = drift
            return
        }
        let degrees = (Double(entry.sessions.degreesOfFreedom), Double(variance.degreesOfFreedom))
        entry.driftVariance =
            (entry.driftVariance * degrees.0 + drift * degrees.1) / (degrees.0 + degrees.1)
        entry.sessions = VarianceEstimate.pooled([entry.sessions, variance]) ?? entry.sessions
        entry.sessionCount += sessions
        entry.runsPerSession = min(entry.runsPerSession, runs)
        entry.firstDate = min(entry.firstDate, date)
        entry.lastDate = max(entry.lastDate, date)
        self[stage, metric] = entry
    }

    /// Sets the budgets that the noise allows to test with so many sessions a side: twice the half-width of the interval that
    /// such a comparison would have, and never less than the standard budget.
    ///
    /// - Parameter sessions: The sessions a side that comparisons will have.
    public mutating func proposeBudgets(sessions: Int, errorRate: Double = 0.05) {
        let families = Dictionary(grouping: entries.keys) { $0.stage == nil }.mapValues(\.count)
        for (key, entry) in entries {
            let familySize = families[key.stage == nil] ?? 1
            // The comparison's own sessions add to what is known of the variance.
            let degrees = entry.sessions.degreesOfFreedom + 2 * (sessions - 1)
            guard let distribution = StudentT(degreesOfFreedom: Double(degrees)) else { continue }
            let reach =
                distribution.quantile(upperTail: errorRate / Double(familySize))
                * (entry.sessions.variance * 2 / Double(sessions)).squareRoot()
            let percent = max(BudgetPolicy.standardPercent(of: key.metric), Percent.ofLogarithm(2 * reach))
            // Beyond a doubling a budget is none: such noise leaves verdicts undecided instead.
            entries[key]?.proposedBudgetPercent = min(Self.largestProposal, (percent * 10).rounded(.up) / 10)
        }
    }

    /// The largest budget that is proposed, in percent.
    private static let largestProposal = 100.0

    /// Why the ledger should not be relied on without a look, as a sentence; nil when it is recent.
    ///
    /// - Parameter today: The day, as `2026-02-10`.
    public func staleness(today: String) -> String? {
        guard let last = entries.values.map(\.lastDate).max(), let then = Day(last), let now = Day(today),
            now.number - then.number > Self.daysUntilStale
        else { return nil }
        return
            "The noise ledger '\(file)' was last measured on \(last): calibrate again after \(Self.daysUntilStale) "
            + "days, and after any change of the machine or the toolchain."
    }

    private static let daysUntilStale = 90
}

/// A day of the Gregorian calendar.
private struct Day {
    /// Days since an epoch.
    let number: Int

    init?(_ text: String) {
        let parts = text.prefix(10).split(separator: "-").compactMap { Int($0) }
        guard parts.count == 3, (1...9999).contains(parts[0]), (1...12).contains(parts[1]),
            (1...31).contains(parts[2])
        else { return nil }
        // Years begin in March, so that the leap day is their last.
        let year = parts[1] > 2 ? parts[0] : parts[0] - 1
        let month = (parts[1] + 9) % 12
        number = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + parts[2] - 1
    }
}
