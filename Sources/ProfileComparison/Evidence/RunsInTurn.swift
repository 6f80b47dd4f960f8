internal import FrozenProfile
internal import LinuxSystem
internal import Measurement
internal import Metrics
internal import Statistics

/// The values of runs made in turn, on one machine or on several.
///
/// On several, a pair's two runs were made on one of them, and sessions of both sides that have the same name are its runs. The
/// test of the typical run compares runs of one machine only. For what is said of all runs together, the values of each
/// machine are scaled so that the means of the logarithms of all machines are equal.
struct RunsInTurn {
    /// By machine: the old command's values and the new one's.
    private let machines: [MannWhitney.Stratum]
    /// All values, of several machines scaled.
    let older: [Double]
    let newer: [Double]

    init(
        _ from: SideEvidence, _ to: SideEvidence, _ metric: Metric, _ stage: StageName?,
        _ judged: ([[Double]]) -> [[Double]]
    ) {
        let olds = judged(from.values(of: metric, in: stage))
        let news = judged(to.values(of: metric, in: stage))
        guard from.sessions.count > 1, to.sessions.count > 1 else {
            machines = [(olds.flatMap(\.self), news.flatMap(\.self))]
            (older, newer) = machines[0]
            return
        }
        let byName = Dictionary(zip(to.sessions.map(\.id), news)) { first, _ in first }
        machines = zip(from.sessions.map(\.id), olds).compactMap { name, old in
            guard let new = byName[name], !new.isEmpty, !old.isEmpty else { return nil }
            return (old, new)
        }
        let centers = machines.map { machine in
            (RunsInTurn.center(machine.first) + RunsInTurn.center(machine.second)) / 2
        }
        let grand = centers.reduce(0, +) / Double(max(1, centers.count))
        let factors = centers.map { Mathematics.exponential(grand - $0) }
        older = zip(machines, factors).flatMap { machine, factor in machine.first.map { $0 * factor } }
        newer = zip(machines, factors).flatMap { machine, factor in machine.second.map { $0 * factor } }
    }

    private static func center(_ values: [Double]) -> Double {
        values.reduce(0) { $0 + Logarithm.natural($1) } / Double(values.count)
    }

    /// The logarithms by machine; nil where a value has none.
    var strata: [MannWhitney.Stratum]? {
        var strata: [MannWhitney.Stratum] = []
        for machine in machines {
            guard let old = machine.first.logarithms, let new = machine.second.logarithms else { return nil }
            strata.append((old, new))
        }
        return strata
    }

    /// The differences of the logarithms of each pair; nil where a run of a pair has no value.
    var differences: [Double]? {
        guard let strata, strata.allSatisfy({ $0.first.count == $0.second.count }) else { return nil }
        return strata.flatMap { zip($0.first, $0.second).map { $1 - $0 } }
    }
}
