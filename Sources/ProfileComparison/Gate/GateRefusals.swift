internal import FrozenProfile
internal import Measurement

/// Looks for whatever makes a decision worthless. In doubt there is none: a gate that passes by mistake is worse than none.
struct GateRefusals {
    let evidence: GateEvidence
    let agreements: GateAgreements

    private var comparison: Comparison { evidence.comparison }

    /// The reasons, in sentences; empty where a decision may rest on the evidence.
    var sentences: [String] {
        evidence.damage + comparison.comparability.refusals.map(\.sentence) + baseline + vanished + agreed
            + ancestry
    }

    /// The old version is another one, older, and not too old.
    private var baseline: [String] {
        var found: [String] = []
        let (from, to) = (comparison.from, comparison.to)
        if from.release == to.release { found.append("Both sides are \(from.release): nothing is compared.") }
        guard let older = CalendarDay(beginningOf: from.date), let newer = CalendarDay(beginningOf: to.date)
        else {
            return found + ["The dates '\(from.date)' and '\(to.date)' do not say which version is older."]
        }
        if from.date > to.date {
            found.append("\(from.release) is newer than \(to.release): the sides are swapped.")
        }
        if newer > evidence.today {
            found.append("\(to.release) is of \(newer), which is yet to come.")
        }
        let age = older.days(to: newer)
        if age > agreements.maximumBaselineAge {
            found.append(
                "\(from.release) is \(age) days older than \(to.release), more than "
                    + "\(agreements.maximumBaselineAge): compare with a newer version, or raise "
                    + "baseline_max_age_days in the gate.")
        }
        for side in [from, to] where side.runs == 0 {
            found.append("\(side.release) has no measured run.")
        }
        return found
    }

    /// What one side has and the other has not.
    private var vanished: [String] {
        var found: [String] = []
        for stage in comparison.removedStages where !evidence.removed.contains(stage) {
            found.append(
                "Stage \(stage) has vanished. If it is gone on purpose, say so: --removed \(stage).")
        }
        for row in comparison.rows where row.family != .derived && row.presence == .both {
            let target = GateAgreements.Target(stage: row.stage, metric: row.metric)
            switch (row.from?.value, row.to?.value) {
            case (nil, nil) where row.stage == nil:
                found.append("Neither version has a value of \(target).")
            case (nil, nil): break
            case (nil, _): found.append("\(comparison.from.release) has no value of \(target).")
            case (_, nil): found.append("\(comparison.to.release) has no value of \(target).")
            case (let from?, let to?):
                if !from.isFinite || !to.isFinite || from < 0 || to < 0 {
                    found.append("\(target) is not a number.")
                } else if to == 0, from > row.budget?.floor ?? 0 {
                    found.append("\(target) is 0 in \(comparison.to.release), which no run can cost.")
                } else if from == 0, to > row.budget?.floor ?? 0 {
                    found.append("\(target) is 0 in \(comparison.from.release), which no run can cost.")
                }
            }
        }
        if !comparison.rows.contains(where: { $0.family == .total }),
            comparison.comparability.refusals.isEmpty
        {
            found.append("There is no row to judge.")
        }
        if let reason = comparison.counted?.unavailableReason {
            found.append("Executed instructions were counted, but cannot be compared: \(reason).")
        }
        return found
    }

    /// Agreements about something that is not there, or that are not what they seem.
    private var agreed: [String] {
        var found: [String] = []
        let present = Set(
            comparison.gateRows.filter { $0.to?.value != nil }.map {
                GateAgreements.Target(stage: $0.stage, metric: $0.metric)
            })
        for ceiling in agreements.ceilings where !present.contains(ceiling.target) {
            found.append(
                "The gate has a ceiling of \(ceiling.target), of which \(comparison.to.release) has no value."
            )
        }
        for acceptance in agreements.acceptances {
            let target = acceptance.target
            if !present.contains(target) {
                found.append("The gate accepts \(target), of which \(comparison.to.release) has no value.")
            }
            if evidence.today.days(to: acceptance.until) > Self.longestAcceptance {
                found.append(
                    "The acceptance of \(target) ends on \(acceptance.until), more than "
                        + "\(Self.longestAcceptance) days from now.")
            }
            guard let entry = evidence.shelf.first(where: { $0.version == acceptance.baseline }) else {
                found.append(
                    "\(acceptance.baseline), the baseline of the acceptance of \(target), is not frozen here."
                )
                continue
            }
            if !evidence.shelf.contains(where: { $0.version == acceptance.version }) {
                found.append("\(acceptance.version), for which \(target) was accepted, is not frozen here.")
            }
            guard let cost = entry.costs[target] else {
                found.append(
                    "The acceptance of \(target) rests on \(entry.version), which has no value of it.")
                continue
            }
            if (cost - acceptance.baselineValue).magnitude > 0.005 * cost {
                found.append(
                    "The acceptance of \(target) says that \(entry.version) cost "
                        + "\(GateText.cost(acceptance.baselineValue, target.metric)), but it cost "
                        + "\(GateText.cost(cost, target.metric)).")
            }
        }
        return found
    }

    /// For how many days from today something may be accepted.
    static let longestAcceptance = 366

    /// A version that was regressed itself is a baseline only as far as that was accepted.
    private var ancestry: [String] {
        guard let before = evidence.ancestry else { return [] }
        let judge = AgreementJudge(evidence: evidence, agreements: agreements)
        var found: [String] = []
        for row in before.gateRows where row.verdict == .regressed && row.family != .derived {
            let target = GateAgreements.Target(stage: row.stage, metric: row.metric)
            // An acceptance that has ended fails as a row, with its own sentence; one that has lapsed covers nothing.
            if let acceptance = agreements.acceptance(of: target) {
                guard case .lapsed = judge.standing(of: acceptance) else { continue }
            }
            let change = row.changePercent.map { " by \(Comparison.rounded($0)) %" } ?? ""
            found.append(
                "\(before.to.release) is itself regressed against \(before.from.release): \(target)\(change). That was "
                    + "not accepted, so it is no baseline. Compare with \(before.from.release).")
        }
        return found
    }
}
