internal import ComparisonSimulation
internal import Measurement
internal import ProfileComparison

/// The table of noise that is learnt from the shelf.
extension SimulationTables {
    static let loneShelfPlans: [(Plan, SimulatedShelf)] = [
        (.sessions(1, runs: 12, ledger: 0), SimulatedShelf(versions: 24)),
        (.sessions(1, runs: 12, ledger: 0), SimulatedShelf(versions: 24, stepEvery: 3)),
    ]

    static let shelfPlans: [(Plan, SimulatedShelf)] = [
        (.sessions(2, runs: 6, ledger: 0), SimulatedShelf(versions: 1)),
        (.sessions(2, runs: 6, ledger: 0), SimulatedShelf(versions: 4, stepEvery: 3)),
        (.sessions(2, runs: 6, ledger: 0), SimulatedShelf(versions: 8)),
        (.sessions(2, runs: 6, ledger: 0), SimulatedShelf(versions: 8, stepEvery: 3)),
        (.sessions(3, runs: 4, ledger: 0), SimulatedShelf(versions: 1)),
        (.sessions(3, runs: 4, ledger: 0), SimulatedShelf(versions: 8, stepEvery: 3)),
    ]

    /// The shapes of noise between sessions, and occasions of measuring that differ by as much again.
    private static var shelfNoises: [(name: String, noise: NoiseModel)] {
        var noises = NoiseModel.SessionShape.allCases.map { shape in
            var noise = NoiseModel(runDeviation: 0.01, sessionDeviation: 0.01)
            noise.sessionShape = shape
            return (name: shape.rawValue, noise: noise)
        }
        var occasions = NoiseModel(runDeviation: 0.01, sessionDeviation: 0.01)
        occasions.occasionDeviation = 0.01
        noises.append((name: "normal, occasions too", noise: occasions))
        var quiet = NoiseModel(runDeviation: 0.005, sessionDeviation: 0.003)
        quiet.disturbedShare = 0
        noises.append((name: "normal, 0.3 %, no run disturbed", noise: quiet))
        return noises
    }

    /// Noise learnt from other versions, of which every third may be a step away from the one before it.
    func shelves(_ plans: [(Plan, SimulatedShelf)]) -> String {
        var lines = [
            "Noise learnt from other frozen versions, of which every third may differ by 5 to 30 % from its neighbour for good. "
                + "Times changed by exactly the budget of 3 %: false verdicts and bounds that miss; with no change: false "
                + "regressions, beside the same without the shelf; how often other changes are called right.",
            "",
            header([
                "sessions", "plan", "others on the shelf", "regressed", "unchanged or improved",
                "bounds miss", "+0 %: regressed", "(without)", "+0 %: unchanged", "(without)",
                "+10 %: regressed", "(without)",
            ]),
        ]
        for (name, noise) in Self.shelfNoises {
            for (plan, shelf) in plans { lines.append(shelfRow(name, noise, plan, shelf)) }
        }
        return lines.joined(separator: "\n")
    }

    private func shelfRow(
        _ shape: String, _ noise: NoiseModel, _ plan: Plan, _ shelf: SimulatedShelf
    ) -> String {
        func rates(_ change: Double, _ shelf: SimulatedShelf?) -> Rates {
            var simulation = Simulation(noise: noise, plan: plan, change: change)
            simulation.shelf = shelf
            return simulation.rates(comparisons, seed: seed + 11)
        }
        let budget = rates(0.03, shelf)
        let (none, large) = ([shelf, nil].map { rates(0, $0) }, [shelf, nil].map { rates(0.1, $0) })
        let misses =
            budget.statements == 0
            ? "none claimed"
            : "\((100 * Double(budget.misses) / Double(budget.statements)).fixed(1)) %"
        let steps = shelf.stepEvery.map { ", a step every \($0)" } ?? ""
        return row(
            [
                shape, name(plan), "\(shelf.versions)\(steps)", percent(budget, budget.number(.regressed)),
                percent(budget, budget.number(.unchanged) + budget.number(.improved)), misses,
            ] + none.map { percent($0, $0.number(.regressed)) }
                + none.map { percent($0, $0.number(.unchanged)) }
                + large.map { percent($0, $0.number(.regressed)) })
    }
}
