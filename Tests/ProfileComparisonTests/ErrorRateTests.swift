import ComparisonSimulation
import ProfileComparison
import TestSupport
import Testing

/// Fewer comparisons than `comparison-simulation` makes, with bounds that a true rate of 5 % keeps in all but one case of a
/// thousand.
@Suite("The verdicts' error rates, simulated")
struct ErrorRateTests {
    /// The most of 150 comparisons that a rate of 5 % explains: a binomial count exceeds 17 with probability 0.0006.
    private static let mostOf150 = 17

    @Test(
        "Where the truth lies at the budget, neither a regression nor an ok is called too often",
        arguments: [Plan.sessions(2, runs: 5, ledger: 0), .sessions(1, runs: 5, ledger: 8), .pairs(12)])
    func boundary(plan: Plan) {
        let noise = NoiseModel(runDeviation: 0.01, sessionDeviation: 0.01, drift: 0.02)
        let rates = Simulation(noise: noise, plan: plan, change: 0.03).rates(150, seed: 20)
        #expect(rates.number(.regressed) <= Self.mostOf150)
        #expect(rates.number(.ok) + rates.number(.improved) <= Self.mostOf150)
    }

    @Test(
        "Sessions that differ as much as runs: a plain test of all runs cries wolf, and the verdict does not")
    func falseAlarms() {
        let noise = NoiseModel(runDeviation: 0.01, sessionDeviation: 0.01)
        let rates = Simulation(noise: noise, plan: .sessions(2, runs: 8, ledger: 0), change: 0).rates(
            150, seed: 21)
        #expect(rates.number(.regressed) <= Self.mostOf150)
        // The bound can fail: the rule that takes runs for replicates breaks it by far.
        #expect(rates.benchstat > 3 * Self.mostOf150)
    }

    @Test("A change of 10 % is found in runs made in turn, and in three sessions a side with a ledger")
    func power() {
        let noise = NoiseModel(runDeviation: 0.01, sessionDeviation: 0.01, drift: 0.02)
        for plan in [Plan.pairs(12), .sessions(3, runs: 5, ledger: 8)] {
            let rates = Simulation(noise: noise, plan: plan, change: 0.1).rates(40, seed: 22)
            #expect(rates.number(.regressed) >= 38)
        }
    }
}
