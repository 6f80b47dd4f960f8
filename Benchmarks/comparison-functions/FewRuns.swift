import FunctionAttribution
import LinuxSystem
import Measurement
import StackProfile
import Statistics

/// How often functions are named that did not change, and that did, where few runs a side were sampled: simulated archives of 40
/// functions, judged by the code that judges real ones.
enum FewRuns {
    /// How a function's time differs from run to run, besides the counting of its samples and 1 % of the whole run.
    private enum Scatter: String, CaseIterable {
        case quiet = "0.2 %"
        case two = "2 %"
        case five = "5 %"
        case unequal = "0.3 to 20 %, by function"
        case heavy = "2 %, heavy tails"
        case disturbed = "5 % of runs take half as much again"
        case oneInTen = "one function in ten of two kinds"
        case all = "runs of two kinds, 15 % apart"
        case skewed = "3 %, skewed"
    }

    private static let functions = 40
    /// The one that is changed, of 1,500 samples a run.
    private static let changed = 5

    static func run(comparisons: Int) throws {
        print(
            "\(comparisons) comparisons a cell: any function named where none changed, beside Student's test with the runs' own variance; "
                + "one function of \(functions) that takes more: how often it is called changed."
        )
        print("")
        print(
            "| scatter from run to run | runs a side | +0 %: any named | +0 %: plain test | +25 % | +50 % | twice |"
        )
        print("| --- | --- | --- | --- | --- | --- | --- |")
        for scatter in Scatter.allCases {
            for runs in 2...5 { try row(scatter, runs, comparisons) }
        }
    }

    private static func row(_ scatter: Scatter, _ runs: Int, _ comparisons: Int) throws {
        var random = Random(state: UInt64(runs))
        var (named, plain) = (0, 0)
        var found = [0, 0, 0]
        for _ in 0..<comparisons {
            let world = World(scatter, &random)
            let before = world.side(runs, factor: 1, &random)
            let same = world.side(runs, factor: 1, &random)
            if try attribution(before, same).functions.contains(where: { $0.label != nil }) { named += 1 }
            if isNamedByPlainTest(before, same) { plain += 1 }
            for (index, factor) in [1.25, 1.5, 2].enumerated() {
                let after = world.side(runs, factor: factor, &random)
                let result = try attribution(before, after)
                if result.functions.contains(where: { $0.function == "f\(changed)" && $0.label == .changed })
                {
                    found[index] += 1
                }
            }
        }
        func percent(_ count: Int) -> String { "\((100 * Double(count) / Double(comparisons)).fixed(1)) %" }
        print(
            "| \(scatter.rawValue) | \(runs) | \(percent(named)) | \(percent(plain)) | "
                + found.map(percent).joined(separator: " | ") + " |")
    }

    /// A program: what its functions take, and by how much each differs from run to run.
    private struct World {
        let scatter: Scatter
        var samples: [Double]
        var own: [Double]

        init(_ scatter: Scatter, _ random: inout Random) {
            self.scatter = scatter
            samples = (0..<functions).map { _ in random.uniform(between: 30, and: 3000) }
            own = (0..<functions).map { _ in random.uniform(between: 0.003, and: 0.2) }
            samples[changed] = 1500
            own[changed] = 0.02
        }

        /// The samples of each function in each run.
        func side(_ runs: Int, factor: Double, _ random: inout Random) -> [[Int64]] {
            (0..<runs).map { _ in
                let whole = 1 + 0.01 * random.normal()
                let slow = random.fraction() < 0.5
                return samples.indices.map { function in
                    let expected =
                        samples[function] * (function == changed ? factor : 1) * whole
                        * max(0, differing(function, slow, &random))
                    return max(0, Int64((expected + expected.squareRoot() * random.normal()).rounded()))
                }
            }
        }

        private func differing(_ function: Int, _ isSlow: Bool, _ random: inout Random) -> Double {
            switch scatter {
            case .quiet: return 1 + 0.002 * random.normal()
            case .two: return 1 + 0.02 * random.normal()
            case .five: return 1 + 0.05 * random.normal()
            case .unequal: return 1 + own[function] * random.normal()
            case .heavy:
                // Student's t with two degrees of freedom.
                let half = -Logarithm.natural(max(1e-300, random.fraction()))
                return 1 + 0.02 * random.normal() / half.squareRoot()
            case .disturbed: return (random.fraction() < 0.05 ? 1.5 : 1) + 0.01 * random.normal()
            case .oneInTen:
                let isOdd = function % 10 == 0 && random.fraction() < 0.5
                return (isOdd ? 1.15 : 1) + 0.01 * random.normal()
            case .all: return (isSlow ? 1.15 : 1) + 0.01 * random.normal()
            case .skewed: return 1 - 0.03 * Logarithm.natural(max(1e-300, random.fraction()))
            }
        }
    }

    private static func attribution(_ before: [[Int64]], _ after: [[Int64]]) throws -> Attribution {
        func input(_ release: String, _ runs: [[Int64]]) throws -> AttributionInput {
            var builder = StackProfileBuilder(period: .milliseconds(1))
            var cpu = AttributionInput.StageCPU(otherwise: .unavailable(reason: "not measured"))
            for (run, counts) in runs.enumerated() {
                let label = "s1/\(run + 1)"
                for (function, count) in counts.enumerated() where count > 0 {
                    try builder.add(
                        [Frame("main", module: "p"), Frame("f\(function)", module: "p")], weight: count,
                        labels: SampleLabels(run: label))
                }
                // The samples of a CPU clock stand for the CPU time.
                cpu.byRun[label] = Double(counts.reduce(0, +)) / 1000
            }
            return AttributionInput(release: release, stacks: builder.build(), stageCPU: [:], totalCPU: cpu)
        }
        return try AttributionPair(before: input("v1", before), after: input("v2", after)).attribution(
            of: nil)
    }

    private static func isNamedByPlainTest(_ before: [[Int64]], _ after: [[Int64]]) -> Bool {
        let probabilities = (0..<functions).compactMap { function -> Double? in
            let (older, newer) = (before.map { Double($0[function]) }, after.map { Double($0[function]) })
            guard (older + newer).reduce(0, +) >= 40 else { return nil }
            return FewRunsTest(older, newer, leastVariance: 0)?.probability
        }
        return MultipleTesting.benjaminiHochberg(probabilities).contains { $0 <= 0.1 }
    }
}

extension Random {
    /// From 0 to 1.
    mutating func fraction() -> Double { Double(next() >> 11) / Double(1 << 53) }

    /// As many in each octave.
    mutating func uniform(between low: Double, and high: Double) -> Double {
        low * Mathematics.exponential(fraction() * Logarithm.natural(high / low))
    }

    /// Of the standard normal distribution, by Box and Muller.
    mutating func normal() -> Double {
        let radius = (-2 * Logarithm.natural(max(1e-300, fraction()))).squareRoot()
        return radius * Mathematics.cosine(2 * Double.pi * fraction())
    }
}
