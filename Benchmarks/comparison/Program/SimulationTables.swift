internal import ComparisonSimulation
internal import Measurement
internal import ProfileComparison

/// The tables of `docs/comparison-rates.md`.
struct SimulationTables {
    let comparisons: Int
    let seed: UInt64

    /// The tables by name, in the order in which they are printed.
    static let names = [
        "alarms", "boundary", "power", "turns", "drift", "growth", "shapes", "stalls", "shelf",
        "shelf-lone",
    ]

    /// A table as Markdown.
    func table(_ name: String) -> String {
        switch name {
        case "alarms": falseAlarms()
        case "boundary": boundary()
        case "power": power()
        case "turns": interleaved()
        case "drift": drifting()
        case "growth": growing()
        case "shapes": shapes()
        case "stalls": stalls()
        case "shelf": shelves(Self.shelfPlans)
        default: shelves(Self.loneShelfPlans)
        }
    }

    private static let sessionPlans: [Plan] = [
        .sessions(1, runs: 10, ledger: 0), .sessions(1, runs: 10, ledger: 10),
        .sessions(2, runs: 10, ledger: 0),
        .sessions(3, runs: 5, ledger: 0), .sessions(3, runs: 10, ledger: 0),
        .sessions(3, runs: 10, ledger: 10),
        .sessions(5, runs: 10, ledger: 0),
    ]

    func name(_ plan: Plan) -> String {
        switch plan {
        case .sessions(let sessions, let runs, let ledger):
            "\(sessions) x \(runs)" + (ledger > 0 ? ", ledger" : "")
        case .pairs(let pairs): "\(pairs) pairs"
        case .growing(let pairs):
            InterleavedPlan(pairs: pairs, seed: 0, grows: true).looks.map { "\($0.pairs)" }.joined(
                separator: ", ")
                + " pairs"
        }
    }

    func row(_ cells: [String]) -> String { "| " + cells.joined(separator: " | ") + " |" }

    func header(_ cells: [String]) -> String {
        row(cells) + "\n" + row(cells.map { _ in "---" })
    }

    /// Nothing changed: how often is something called a regression?
    private func falseAlarms() -> String {
        var lines = [
            "Two measurements of the same version, runs scattering by 1 %: comparisons that call a regression.",
            "",
            header(["sessions by runs", "sessions scatter by", "ours", "benchstat's rule", "more than 5 %"]),
        ]
        for plan in Self.sessionPlans {
            for deviation in [0, 0.005, 0.01, 0.02] {
                let noise = NoiseModel(runDeviation: 0.01, sessionDeviation: deviation)
                let rates = Simulation(noise: noise, plan: plan, change: 0).rates(comparisons, seed: seed)
                lines.append(
                    row([
                        name(plan), "\((100 * deviation).fixed(1)) %",
                        percent(rates, rates.number(.regressed)),
                        percent(rates, rates.benchstat), percent(rates, rates.fixedPercent),
                    ]))
            }
        }
        return lines.joined(separator: "\n")
    }

    /// The change is exactly the budget: neither verdict may be given often.
    private func boundary() -> String {
        var lines = [
            "Times changed by exactly the budget of 3 %, where a call of a regression and a call of ok are both false.",
            "", header(["plan", "sessions scatter by", "regressed", "ok or improved"]),
        ]
        for plan in Self.sessionPlans.dropFirst() + [.pairs(12), .pairs(20)] {
            let deviation = if case .pairs = plan { 0.0 } else { 0.01 }
            let noise = NoiseModel(
                runDeviation: 0.01, sessionDeviation: deviation, drift: deviation == 0 ? 0.02 : 0)
            let rates = Simulation(noise: noise, plan: plan, change: 0.03).rates(comparisons, seed: seed + 1)
            lines.append(
                row([
                    name(plan), "\((100 * deviation).fixed(1)) %", percent(rates, rates.number(.regressed)),
                    percent(rates, rates.number(.unchanged) + rates.number(.improved)),
                ]))
        }
        for plan in [Plan.sessions(3, runs: 10, ledger: 0), .pairs(12)] {
            let noise = NoiseModel(runDeviation: 0.01, sessionDeviation: 0.01, drift: 0.02)
            var simulation = Simulation(noise: noise, plan: plan, change: 0.03)
            simulation.stages = 8
            let rates = simulation.rates(comparisons, seed: seed + 4)
            lines.append(
                row([
                    name(plan) + ", run and 8 stages", "1.0 %", percent(rates, rates.number(.regressed)),
                    percent(rates, rates.number(.unchanged) + rates.number(.improved)),
                ]))
        }
        return lines.joined(separator: "\n")
    }

    private static let changes = [0.03, 0.05, 0.10, 0.25]

    /// Times changed: how often is it called a regression, with a budget of 3 % (and of 1 %)?
    private func power() -> String {
        var lines = [
            "Frozen against frozen, runs and sessions scattering by 1 %: comparisons that call a change of times a "
                + "regression, with a budget of 3 % (of 1 %).", "",
            header(["sessions by runs", "+3 %", "+5 %", "+10 %", "+25 %", "+0 %: ok"]),
        ]
        for plan in Self.sessionPlans {
            lines.append(powerRow(plan, NoiseModel(runDeviation: 0.01, sessionDeviation: 0.01)))
        }
        return lines.joined(separator: "\n")
    }

    private func interleaved() -> String {
        var lines = [
            "Runs in turn, drifting by 2 % from first to last, the same.", "",
            header([
                "pairs, runs scattering by", "+3 %", "+5 %", "+10 %", "+25 %", "+0 %: ok", "+0 %: regressed",
            ]),
        ]
        for deviation in [0.005, 0.01, 0.02] {
            for pairs in [8, 12, 20, 30] {
                let noise = NoiseModel(runDeviation: deviation, sessionDeviation: 0, drift: 0.02)
                let none = Simulation(noise: noise, plan: .pairs(pairs), change: 0).rates(
                    comparisons, seed: seed)
                lines.append(
                    powerRow(.pairs(pairs), noise, label: ", \((100 * deviation).fixed(1)) %")
                        + " \(percent(none, none.number(.regressed))) |")
            }
        }
        return lines.joined(separator: "\n")
    }

    private func powerRow(_ plan: Plan, _ noise: NoiseModel, label: String = "") -> String {
        let detections = Self.changes.map { change in
            [3.0, 1].map { budget in
                let simulation = Simulation(noise: noise, plan: plan, change: change, budgetPercent: budget)
                let rates = simulation.rates(comparisons, seed: seed + 2)
                return rates.percent(rates.number(.regressed)).fixed(0)
            }
        }
        let none = Simulation(noise: noise, plan: plan, change: 0).rates(comparisons, seed: seed + 3)
        return row(
            [name(plan) + label] + detections.map { "\($0[0]) (\($0[1]))" }
                + [none.percent(none.number(.unchanged) + none.number(.improved)).fixed(0)])
    }

    func percent(_ rates: Rates, _ number: Int) -> String { "\(rates.percent(number).fixed(1)) %" }
}
