internal import ComparisonSimulation
internal import LinuxSystem
internal import Measurement
internal import ProfileComparison

// Prints, as Markdown, how often comparisons of simulated measurements end in which verdict.
// Usage: comparison-simulation [COMPARISONS [SEED [TABLE...]]]

let words = Array(CommandLine.arguments.dropFirst())
let numbers = words.prefix(2).map { UInt64($0) ?? 0 }
let chosen = Array(words.dropFirst(2))
guard words.isEmpty || numbers[0] > 0, chosen.allSatisfy(SimulationTables.names.contains) else {
    print(
        "Usage: comparison-simulation [COMPARISONS [SEED [\(SimulationTables.names.joined(separator: "|"))...]]]"
    )
    CurrentProcess.exit(64)
}
let tables = SimulationTables(
    comparisons: Int(numbers.first ?? 200), seed: numbers.dropFirst().first ?? 1)
print("\(tables.comparisons) comparisons a cell, seed \(tables.seed).")
for name in chosen.isEmpty ? SimulationTables.names : chosen { print("\n\(tables.table(name))") }
