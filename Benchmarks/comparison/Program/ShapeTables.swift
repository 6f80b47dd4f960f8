internal import ComparisonSimulation
internal import Measurement
internal import ProfileComparison

/// The tables of sessions that do not differ as the normal distribution says, and of runs that stall.
extension SimulationTables {
    private static let shapePlans: [Plan] = [
        .sessions(2, runs: 10, ledger: 0), .sessions(3, runs: 5, ledger: 0), .sessions(4, runs: 5, ledger: 0),
        .sessions(5, runs: 10, ledger: 0), .sessions(1, runs: 12, ledger: 10),
        .sessions(2, runs: 10, ledger: 10),
        .sessions(3, runs: 5, ledger: 5),
    ]

    /// Changes of exactly the budget, where each verdict but inconclusive is false, by how sessions differ.
    func shapes() -> String {
        var lines = [
            "Times changed by exactly the budget of 3 %, by how sessions differ: false verdicts, bounds that miss, and what "
                + "other rules call at no change.", "",
            header([
                "sessions", "plan", "regressed", "unchanged or improved", "bounds miss", "+0 %: regressed",
                "+0 %: benchstat", "+0 %: more than 5 %", "+25 %: regressed",
            ]),
        ]
        for shape in NoiseModel.SessionShape.allCases {
            for plan in Self.shapePlans { lines.append(shapeRow(shape, plan)) }
        }
        return lines.joined(separator: "\n")
    }

    private func shapeRow(_ shape: NoiseModel.SessionShape, _ plan: Plan) -> String {
        var noise = NoiseModel(runDeviation: 0.01, sessionDeviation: 0.01)
        noise.sessionShape = shape
        func rates(_ change: Double) -> Rates {
            Simulation(noise: noise, plan: plan, change: change).rates(comparisons, seed: seed + 7)
        }
        let (none, budget, large) = (rates(0), rates(0.03), rates(0.25))
        let misses =
            budget.statements == 0
            ? "none claimed"
            : "\((100 * Double(budget.misses) / Double(budget.statements)).fixed(1)) %"
        return row([
            shape.rawValue, name(plan), percent(budget, budget.number(.regressed)),
            percent(budget, budget.number(.unchanged) + budget.number(.improved)), misses,
            percent(none, none.number(.regressed)), percent(none, none.benchstat),
            percent(none, none.fixedPercent),
            percent(large, large.number(.regressed)),
        ])
    }

    private static let stallKinds: [(share: Double, factor: Double)] = [
        (0, 1), (0.25, 4), (0.25, 1.5), (0.1, 4), (0.1, 10), (0.05, 4),
    ]

    /// Runs of the new version that stall now and then: the typical run is the same, the mean is not.
    func stalls() -> String {
        var lines = [
            "Some runs of the new version take longer, the typical one is the same: verdicts. A chance of seeing none of the "
                + "slow kind is no verdict's fault, and is in the last column.", "",
            header([
                "plan", "slow runs", "unchanged or improved", "regressed", "inconclusive", "benchstat",
                "none seen",
            ]),
        ]
        for plan in [
            Plan.pairs(12), .pairs(20), .pairs(30), .growing(12), .pairs(60),
            .sessions(3, runs: 5, ledger: 0),
            .sessions(3, runs: 10, ledger: 0), .sessions(5, runs: 10, ledger: 0),
        ] {
            for kind in Self.stallKinds { lines.append(stallRow(plan, kind.share, kind.factor)) }
        }
        return lines.joined(separator: "\n")
    }

    private func stallRow(_ plan: Plan, _ share: Double, _ factor: Double) -> String {
        var noise = NoiseModel(runDeviation: 0.005, sessionDeviation: 0.003)
        noise.disturbedShare = 0.02
        noise.stalls = share
        noise.stallFactor = factor
        let rates = Simulation(noise: noise, plan: plan, change: 0).rates(comparisons, seed: seed + 8)
        let runs =
            switch plan {
            case .pairs(let pairs), .growing(let pairs): pairs
            case .sessions(let sessions, let runs, _): sessions * runs
            }
        let unseen = (0..<runs).reduce(1.0) { chance, _ in chance * (1 - share) }
        return row([
            name(plan), share == 0 ? "none" : "\((100 * share).fixed(0)) % take \(factor.fixed(1)) times",
            percent(rates, rates.number(.unchanged) + rates.number(.improved)),
            percent(rates, rates.number(.regressed)),
            percent(rates, rates.number(.inconclusive)), percent(rates, rates.benchstat),
            share == 0 ? "" : "\((100 * unseen).fixed(1)) %",
        ])
    }
}
