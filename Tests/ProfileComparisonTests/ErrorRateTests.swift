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
        arguments: [
            Plan.sessions(2, runs: 5, ledger: 0), .sessions(1, runs: 5, ledger: 8), .pairs(12), .growing(12),
        ])
    func boundary(plan: Plan) {
        let noise = NoiseModel(runDeviation: 0.01, sessionDeviation: 0.01, drift: 0.02)
        let rates = Simulation(noise: noise, plan: plan, change: 0.03).rates(150, seed: 20)
        #expect(rates.number(.regressed) <= Self.mostOf150)
        #expect(rates.number(.unchanged) + rates.number(.improved) <= Self.mostOf150)
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

    @Test(
        "However sessions differ, neither verdict is false too often at the budget, and bounds hold what they claim",
        arguments: NoiseModel.SessionShape.allCases)
    func shapes(shape: NoiseModel.SessionShape) {
        var noise = NoiseModel(runDeviation: 0.005, sessionDeviation: 0.01)
        noise.sessionShape = shape
        let plan = Plan.sessions(4, runs: 4, ledger: 0)
        let rates = Simulation(noise: noise, plan: plan, change: 0.03).rates(60, seed: 27)
        // A rate of 5 % makes more than 9 of 60 with probability 0.001.
        #expect(rates.number(.regressed) <= 9)
        #expect(rates.number(.unchanged) + rates.number(.improved) <= 9)
        #expect(rates.misses <= 9 && rates.statements == 60)
    }

    @Test("Three sessions of one run each: bounds hold what their heading claims, 90 %")
    func coverage() {
        let noise = NoiseModel(runDeviation: 0.01, sessionDeviation: 0.02)
        let rates = Simulation(noise: noise, plan: .sessions(3, runs: 1, ledger: 0), change: 0).rates(
            150, seed: 29)
        #expect(rates.statements == 150)
        // A rate of 10 % makes more than 28 of 150 with probability 0.0007.
        #expect(rates.misses <= 28)
    }

    @Test(
        "Runs that stall are not called unchanged",
        arguments: [Plan.pairs(12), .sessions(3, runs: 5, ledger: 0)])
    func stalls(plan: Plan) {
        var noise = NoiseModel(runDeviation: 0.005, sessionDeviation: 0.003)
        noise.disturbedShare = 0
        noise.stalls = 0.25
        let rates = Simulation(noise: noise, plan: plan, change: 0).rates(100, seed: 28)
        #expect(rates.number(.unchanged) + rates.number(.improved) <= 13)
        // The bound can fail: without the stalls most are.
        noise.stalls = 0
        let quiet = Simulation(noise: noise, plan: plan, change: 0).rates(20, seed: 28)
        #expect(quiet.number(.unchanged) > 10)
    }

    @Test(
        "A machine that drifts while the ledger was learnt on a quiet one turns no verdict more often than is stated"
    )
    func driftingMachine() {
        var noise = NoiseModel(runDeviation: 0.01, sessionDeviation: 0.01)
        noise.wander = 0.2
        var simulation = Simulation(noise: noise, plan: .sessions(1, runs: 5, ledger: 30), change: 0.03)
        simulation.oldWander = 0
        simulation.ledgerWander = 0
        // A rate of 5 % makes more than 13 of 100 with probability 0.0005.
        #expect(simulation.rates(100, seed: 23).number(.regressed) <= 13)
        // The bound can fail: with no eye for the drift it is broken by far.
        simulation.ignoresDrift = true
        #expect(simulation.rates(100, seed: 23).number(.regressed) > 16)
    }

    @Test("Sessions that drift count, and find what they can")
    func driftCosts() {
        var noise = NoiseModel(runDeviation: 0.01, sessionDeviation: 0.01)
        noise.wander = 0.05
        let rates = Simulation(noise: noise, plan: .sessions(3, runs: 5, ledger: 8), change: 0.25).rates(
            40, seed: 24)
        #expect(rates.number(.regressed) >= 36)
    }

    @Test("Runs in turn that grow stop early where the change is plain, and go on where it is not")
    func growth() {
        let noise = NoiseModel(runDeviation: 0.02, sessionDeviation: 0, drift: 0.02)
        let plain = Simulation(noise: noise, plan: .growing(12), change: 0.25).rates(40, seed: 25)
        #expect(plain.number(.regressed) >= 38 && plain.meanRuns < 15)
        let fine = Simulation(noise: noise, plan: .growing(12), change: 0).rates(40, seed: 26)
        let fixed = Simulation(noise: noise, plan: .pairs(12), change: 0).rates(40, seed: 26)
        #expect(fine.number(.unchanged) > fixed.number(.unchanged) && fine.meanRuns > 15)
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
