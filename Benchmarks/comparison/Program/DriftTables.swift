internal import ComparisonSimulation
internal import Measurement
internal import ProfileComparison

/// The tables of drifting machines and of measuring in several looks.
extension SimulationTables {
    /// A machine whose speed wanders within sessions, as fixed work timed beside them shows.
    func drifting() -> String {
        var lines = [
            "Frozen against frozen, runs scattering by 1 %, sessions by 1 % and by a machine whose speed wanders: by how much "
                + "until a session's end, in the sessions of the old version, of the new one, and of the ledger. Regressions "
                + "called without a change and with one of exactly the budget (and if drift were ignored), and with more.",
            "",
            header([
                "sessions by runs", "old, new, ledger", "+0 %", "+3 %", "+10 %", "+25 %", "+0 %: ok",
                "refused",
            ]),
        ]
        for plan in [
            Plan.sessions(1, runs: 10, ledger: 10), .sessions(2, runs: 10, ledger: 0),
            .sessions(3, runs: 10, ledger: 0), .sessions(3, runs: 10, ledger: 10),
        ] {
            for wander in Self.wanders {
                if case .sessions(_, _, ledger: 0) = plan, wander.ledger != wander.new { continue }
                lines.append(driftRow(plan, wander))
            }
        }
        return lines.joined(separator: "\n")
    }

    private struct Wander {
        var old: Double
        var new: Double
        var ledger: Double
    }

    private static let wanders = [
        Wander(old: 0, new: 0, ledger: 0), Wander(old: 0.05, new: 0.05, ledger: 0.05),
        Wander(old: 0.05, new: 0.05, ledger: 0), Wander(old: 0, new: 0.05, ledger: 0),
        Wander(old: 0.2, new: 0.2, ledger: 0.2), Wander(old: 0, new: 0.2, ledger: 0.2),
        Wander(old: 0.2, new: 0.2, ledger: 0), Wander(old: 0, new: 0.2, ledger: 0),
    ]

    private func driftRow(_ plan: Plan, _ wander: Wander) -> String {
        func rates(_ change: Double, ignoring: Bool = false) -> Rates {
            var noise = NoiseModel(runDeviation: 0.01, sessionDeviation: 0.01)
            noise.wander = wander.new
            var simulation = Simulation(noise: noise, plan: plan, change: change)
            simulation.oldWander = wander.old
            simulation.ledgerWander = wander.ledger
            simulation.ignoresDrift = ignoring
            return simulation.rates(comparisons, seed: seed + 5)
        }
        let none = rates(0)
        func called(_ change: Double, _ ours: Rates) -> String {
            let naive = rates(change, ignoring: true)
            return "\(percent(ours, ours.number(.regressed))) (\(percent(naive, naive.number(.regressed))))"
        }
        let percents = [wander.old, wander.new, wander.ledger].map { "\((100 * $0).fixed(0))" }
        let found = [0.1, 0.25].map { change in
            let rates = rates(change)
            return rates.percent(rates.number(.regressed)).fixed(0)
        }
        return row(
            [name(plan), percents.joined(separator: ", ") + " %", called(0, none), called(0.03, rates(0.03))]
                + found + [
                    none.percent(none.number(.unchanged) + none.number(.improved)).fixed(0),
                    percent(none, none.refused),
                ])
    }

    /// Runs in turn in up to three looks, beside as many runs fixed beforehand.
    func growing() -> String {
        var lines = [
            "Runs in turn, drifting by 2 %, fixed beforehand or growing: regressions called, runs a side that it took.",
            "",
            header([
                "pairs, runs scattering by", "+0 %", "+3 %", "+5 %", "+10 %", "+0 %: ok", "+3 %: ok",
                "runs at +0 %", "runs at +5 %",
            ]),
        ]
        for deviation in [0.005, 0.01, 0.02] {
            for plan in [Plan.pairs(12), .growing(12), .pairs(30)] {
                lines.append(growthRow(plan, deviation))
            }
        }
        return lines.joined(separator: "\n")
    }

    private func growthRow(_ plan: Plan, _ deviation: Double) -> String {
        let noise = NoiseModel(runDeviation: deviation, sessionDeviation: 0, drift: 0.02)
        let rates = [0, 0.03, 0.05, 0.1].map { change in
            Simulation(noise: noise, plan: plan, change: change).rates(comparisons, seed: seed + 6)
        }
        func fine(_ rates: Rates) -> String {
            percent(rates, rates.number(.unchanged) + rates.number(.improved))
        }
        return row(
            [name(plan) + ", \((100 * deviation).fixed(1)) %"]
                + rates.map { percent($0, $0.number(.regressed)) }
                + [fine(rates[0]), fine(rates[1]), rates[0].meanRuns.fixed(1), rates[2].meanRuns.fixed(1)])
    }
}
