internal import FrozenProfile
internal import Measurement
internal import StackProfile

/// Where the counted runs of one command part: a pipeline that does other work each time has stages whose counts no comparison
/// can use, and functions that show why. Pure.
enum CountSpread {
    /// From how far apart runs are said to part: in percent of the stage, and in percent of the whole run.
    private static let tellingPercent = 0.1
    private static let tellingPercentOfRun = 0.01
    /// The most functions named of a stage.
    private static let functionsNamed = 2

    /// A sentence for each stage whose counts are apart.
    ///
    /// - Parameter functions: What the runs executed by function, labelled by run; nil where that is not known.
    static func notes(_ counts: FrozenCounts, _ functions: StackProfile?) -> [String] {
        let parts = counts.stages.map { (name: Optional($0.name), part: $0.part) } + [(nil, counts.outside)]
        return parts.compactMap { name, part in
            guard let percent = part.floorPercent.value, percent > tellingPercent,
                let least = part.instructions.min(), let most = part.instructions.max(),
                100 * Double(most - least) > tellingPercentOfRun * counts.total.median
            else { return nil }
            let found = functions.map { apart(in: name, of: $0, atLeast: (most - least) / 10) } ?? []
            let place =
                found.isEmpty
                ? ""
                : ", most of it in "
                    + found.map { PlainText.sanitized($0, maximumCharacters: 100) }.joined(separator: " and ")
            return "Counted runs of the same command are \(percent.fixed(2)) % apart "
                + "\(name.map { "in \($0)" } ?? "outside of all stages")\(place): smaller changes of it are not seen."
        }
    }

    /// The functions of a stage whose own instructions differ most from run to run.
    private static func apart(
        in stage: StageName?, of profile: StackProfile, atLeast least: Int64
    ) -> [String] {
        var sums: [String: [String: Int64]] = [:]
        var runs: Set<String> = []
        for sample in profile.samples {
            let labels = profile.labels(of: sample)
            guard let run = labels.run else { continue }
            runs.insert(run)
            guard labels.stage == stage, let function = profile.frames(of: sample).last?.function else {
                continue
            }
            sums[function, default: [:]][run, default: 0] += sample.weight
        }
        let spreads = sums.mapValues { byRun in
            let values = runs.map { byRun[$0] ?? 0 }
            return (values.max() ?? 0) - (values.min() ?? 0)
        }
        return spreads.filter { $0.value >= max(1, least) }
            .sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(functionsNamed).map(\.key)
    }
}
