internal import ComparisonSimulation
internal import LinuxSystem
internal import Measurement
internal import ProfileComparison

// Prints, as Markdown, how often comparisons of simulated measurements end in which verdict.
// Usage: comparison-simulation [COMPARISONS [SEED]]

let arguments = CommandLine.arguments.dropFirst().map { Int($0) }
guard arguments.allSatisfy({ $0 != nil }), arguments.count <= 2, arguments.first.map({ $0 ?? 0 > 0 }) ?? true
else {
    print("Usage: comparison-simulation [COMPARISONS [SEED]]")
    CurrentProcess.exit(64)
}
let comparisons = arguments.first.flatMap(\.self) ?? 200
let seed = UInt64(max(0, arguments.dropFirst().first.flatMap(\.self) ?? 1))
print(SimulationTables(comparisons: comparisons, seed: seed).markdown())
