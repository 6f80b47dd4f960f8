internal import FrozenProfile
internal import Measurement

/// Holds rows against what was agreed on.
struct AgreementJudge {
    let evidence: GateEvidence
    let agreements: GateAgreements

    /// What has become of an acceptance.
    enum Standing {
        case holds
        /// The cost was back once; the sentence says where.
        case lapsed(String)
        /// Its last day is over, and the cost is not back.
        case ended
        /// It costs more than was accepted.
        case exceeded
    }

    /// What the gate says of a row.
    func state(
        of row: ComparisonRow, _ target: GateAgreements.Target, countsDecide: Bool
    ) -> GateDecision.State {
        if let sentence = ceilingFailure(row, target) { return .failed(sentence) }
        if let acceptance = agreements.acceptance(of: target) {
            switch standing(of: acceptance) {
            case .holds: return .accepted(acceptance)
            case .ended:
                return .failed(
                    "\(target): the acceptance ended on \(acceptance.until), and the cost of \(acceptance.baseline) "
                        + "(\(shown(acceptance.baselineValue, target))) is not back.")
            case .exceeded:
                return .failed(
                    "\(target): \(shown(row.to?.value ?? 0, target)) is more than the accepted "
                        + "\(shown(acceptance.ceiling, target)).")
            case .lapsed: break
            }
        }
        switch row.verdict {
        case .regressed:
            let change = row.changePercent.map { " by \(Comparison.rounded($0)) %" } ?? ""
            return .failed("\(target): regressed\(change).")
        case .unchanged, .improved: return .passed
        case .inconclusive, nil:
            // What cannot have changed by as much as counts is no reason to hold a version back.
            if countsDecide || row.verdict == nil && row.isWithinFloor { return .passed }
            return .undecided("\(target): inconclusive. \(row.reason ?? row.remedy?.sentence ?? "")")
        }
    }

    private func ceilingFailure(_ row: ComparisonRow, _ target: GateAgreements.Target) -> String? {
        guard let ceiling = agreements.ceilings.first(where: { $0.target == target }),
            let value = row.to?.value, value > ceiling.maximum
        else { return nil }
        return
            "\(target): \(shown(value, target)) is more than the ceiling of \(shown(ceiling.maximum, target))."
    }

    /// What has become of an acceptance. It lapses for good at the first version after it that has the cost back: what comes
    /// later is another regression.
    func standing(of acceptance: GateAgreements.Acceptance) -> Standing {
        let target = acceptance.target
        guard
            let row = evidence.comparison.gateRow(of: target), let value = row.to?.value
        else { return .ended }
        if let version = firstBack(acceptance, row) {
            return .lapsed(
                "The acceptance of \(target) has lapsed: \(version) had the cost of \(acceptance.baseline) back. "
                    + "Remove it from the gate.")
        }
        if evidence.today > acceptance.until { return .ended }
        return value > acceptance.ceiling ? .exceeded : .holds
    }

    /// The first version after an acceptance whose cost was no more than the budget above the one that was given up.
    private func firstBack(_ acceptance: GateAgreements.Acceptance, _ row: ComparisonRow) -> String? {
        let old = acceptance.baselineValue
        let percent =
            row.budget?.effectivePercent(old: old) ?? BudgetPolicy.standardPercent(of: row.metric)
        let most = old * (1 + percent / 100)
        let accepted = evidence.shelf.first { $0.version == acceptance.version }?.date
        let newer = evidence.shelf.filter { entry in
            accepted.map { entry.date > $0 } == true && entry.date < evidence.comparison.to.date
        }
        let found = newer.sorted { $0.date < $1.date }.first { entry in
            entry.costs[acceptance.target].map { $0 <= most } == true
        }
        if let found { return found.version }
        return row.to?.value.map { $0 <= most } == true ? evidence.comparison.to.release : nil
    }

    private func shown(_ value: Double, _ target: GateAgreements.Target) -> String {
        GateText.cost(value, target.metric)
    }
}
