internal import Capture
internal import FrozenProfile
internal import Measurement
internal import ProfileComparison
internal import Statistics

/// The search by time: runs of two commits in turn, and a posterior over the commits at which time may have changed.
struct TimedSearch {
    private let request: BlameRequest
    private var skipped: [Int: String] = [:]

    /// The probability with which a commit is named.
    private static let confidence = 0.95
    /// Pairs of the search itself, at most, in multiples of those at an end.
    private static let mostRounds = 10

    init(_ request: BlameRequest) {
        self.request = request
    }

    /// A row that changed between the ends.
    private struct Target {
        var stage: StageName?
        var metric: Metric
        /// The logarithm of the new by the old.
        var change: Double
        /// The scale of the difference of two runs' logarithms.
        var scale: Double
    }

    mutating func run(_ bench: inout CommitBench, notes: [String]) throws(CaptureError) -> BlameReport {
        let last = bench.line.count
        let ends: PairedRuns
        switch try bench.pairs(0, last, count: request.pairs) {
        case .runs(let runs): ends = runs
        case .obstacle(let place, let obstacle): throw try bench.refusal(place, obstacle)
        }
        let comparison = try compare(ends)
        guard let target = target(in: comparison, ends) else {
            return try report(&bench, comparison, ends, found: [], target: nil, notes: notes)
        }
        var found: [Found] = []
        if last == 1 {
            found = [Found(from: 0, to: 1, probability: 1)]
        } else {
            found = try locate(target, ends, &bench)
        }
        return try report(&bench, comparison, ends, found: found, target: target, notes: notes)
    }

    private func compare(_ runs: PairedRuns) throws(CaptureError) -> Comparison {
        do throws(ProfileError) {
            let older = try FrozenProfile(records: runs.from, release: try VersionName("from"))
            let newer = try FrozenProfile(records: runs.to, release: try VersionName("to"))
            return Comparison(interleaved: older, with: newer, settings: request.settings)
        } catch {
            throw .measurementFailed(error.description)
        }
    }

    /// The row that changed most, measured by its own scatter; nil where none has.
    private func target(in comparison: Comparison, _ ends: PairedRuns) -> Target? {
        let rows = comparison.rows.filter { row in
            (row.metric == .wall || row.metric == .cpu)
                && (request.stage == nil || row.stage == request.stage)
                && (row.verdict == .regressed || row.verdict == .improved)
        }
        let targets = rows.compactMap { row -> Target? in
            let differences = ends.logarithms(row.metric, row.stage)
            guard let change = FrozenProfile.median(differences), change != 0,
                let spread = FrozenProfile.median(differences.map { abs($0 - change) })
            else { return nil }
            // Few runs may agree by chance, and clocks tick.
            return Target(
                stage: row.stage, metric: row.metric, change: change,
                scale: max(1.4826 * spread, abs(change) / 20, 1e-4))
        }
        return targets.max { abs($0.change) / $0.scale < abs($1.change) / $1.scale }
    }

    // MARK: - Where it changed

    /// A commit, or several of which one, at which time changed.
    private struct Found {
        /// The last place before, and the first place after it.
        var from: Int
        var to: Int
        var probability: Double
    }

    private mutating func locate(
        _ target: Target, _ ends: PairedRuns, _ bench: inout CommitBench
    ) throws(CaptureError) -> [Found] {
        var posterior = StepPosterior(count: bench.line.count, change: target.change, scale: target.scale)
        var seen: [Int: Int] = [:]
        func observe(_ runs: PairedRuns, at place: Int) {
            let differences = runs.logarithms(target.metric, target.stage)
            for difference in differences.dropFirst(seen[place] ?? 0) {
                posterior.observe(difference, at: place)
            }
            seen[place] = differences.count
        }
        for place in 1..<bench.line.count { observe(try bench.keptPairs(0, place), at: place) }
        for _ in 0..<Self.mostRounds * request.pairs {
            let found = groups(posterior)
            if found.allSatisfy({ $0.probability >= Self.confidence }) { return found }
            guard let place = posterior.next(built: bench.builtPlaces, skipped: Set(skipped.keys)) else {
                break
            }
            switch try bench.pairs(0, place, count: try bench.keptPairs(0, place).count + 1) {
            case .runs(let runs): observe(runs, at: place)
            case .obstacle(let place, let obstacle):
                guard place != 0 else { throw try bench.refusal(0, obstacle) }
                skipped[place] = obstacle.reason
            }
        }
        return groups(posterior)
    }

    /// The steps of the most probable answer, each with those commits beside it that cannot be distinguished from it.
    private func groups(_ posterior: StepPosterior) -> [Found] {
        let marginals = posterior.marginals
        var found: [Found] = []
        for step in posterior.mostProbable {
            var from = step - 1
            var to = step
            while from > 0, skipped[from] != nil { from -= 1 }
            while to < posterior.count, skipped[to] != nil { to += 1 }
            guard found.last?.to != to else { continue }
            found.append(
                Found(from: from, to: to, probability: min(1, marginals[from + 1...to].reduce(0, +))))
        }
        return found
    }

    // MARK: - The invoice

    private mutating func report(
        _ bench: inout CommitBench, _ comparison: Comparison, _ ends: PairedRuns, found: [Found],
        target: Target?,
        notes: [String]
    ) throws(CaptureError) -> BlameReport {
        var culprits: [BlameReport.Culprit] = []
        var around: [PairedRuns] = []
        var notes = notes
        for one in found {
            let runs: PairedRuns
            switch try bench.pairs(one.from, one.to, count: request.pairs) {
            case .runs(let made): runs = made
            case .obstacle(let place, let obstacle): throw try bench.refusal(place, obstacle)
            }
            culprits.append(try culprit(one, runs, target, &bench, &notes))
            around.append(runs)
        }
        let metric = target?.metric ?? .cpu
        var lines: [BlameReport.Line] = []
        for row in comparison.rows where row.metric == metric && row.presence == .both {
            if let line = line(row, ends, around) {
                lines.append(line)
            } else {
                let name = row.stage.map { PlainText.sanitized($0.text) } ?? "the whole run"
                notes.append("No pair of runs has a \(metric.words) above 0 of \(name), so it has no line.")
            }
        }
        let judged = comparison.rows.filter { request.stage == nil || $0.stage == request.stage }
        let asked =
            request.stage == nil ? comparison.timeVerdict : Verdict.overall(judged.compactMap(\.verdict))
        let last = bench.line.count
        return BlameReport(
            from: try bench.end(request.from, at: 0), to: try bench.end(request.to, at: last), commits: last,
            builds: bench.builds, reused: bench.reused.count, basis: .time(metric, pairs: ends.count),
            verdict: found.isEmpty
                ? asked ?? .inconclusive
                : target.map { $0.change > 0 ? .regressed : .improved } ?? .inconclusive,
            culprits: culprits, lines: lines, skipped: try bench.skipped(skipped), notes: notes)
    }

    /// What is known of the commits around which pairs of runs were made.
    private func culprit(
        _ one: Found, _ runs: PairedRuns, _ target: Target?, _ bench: inout CommitBench,
        _ notes: inout [String]
    ) throws(CaptureError) -> BlameReport.Culprit {
        var culprit = BlameReport.Culprit(
            commits: try bench.commits(after: one.from, through: one.to), probability: one.probability)
        culprit.isConfirmed = false
        guard let target else { return culprit }
        let changed = try compare(runs).rows.filter { $0.verdict == .regressed || $0.verdict == .improved }
        culprit.isConfirmed = changed.contains { $0.stage == target.stage && $0.metric == target.metric }
        var stages = [target.stage]
        for row in changed where row.metric == .wall || row.metric == .cpu {
            guard request.stage == nil || row.stage == request.stage, !stages.contains(row.stage) else {
                continue
            }
            stages.append(row.stage)
        }
        let explained = try TimedFunctions(one.from, one.to, stages: stages, &bench)
        culprit.functions = explained.functions
        notes += explained.reasons
        return culprit
    }

    /// The line of a row; nil where the pairs at the ends or around a commit have no values of it.
    private func line(_ row: ComparisonRow, _ ends: PairedRuns, _ around: [PairedRuns]) -> BlameReport.Line? {
        let shares = around.compactMap { shift($0.values(row.metric, row.stage)) }
        let values = ends.values(row.metric, row.stage)
        guard shares.count == around.count, let from = FrozenProfile.median(values.map(\.from)),
            let change = shift(values)
        else { return nil }
        return BlameReport.Line(
            stage: row.stage, from: from, to: from + change, shares: shares, verdict: row.verdict)
    }

    /// By how much the new runs lie above the old ones, in seconds; nil where there are none.
    private func shift(_ values: [(from: Double, to: Double)]) -> Double? {
        ShiftEstimate(from: values.map(\.from), to: values.map(\.to))?.hodgesLehmann
    }
}

extension Comparison {
    /// The verdict of the measured runs; nil where they may not be compared.
    fileprivate var timeVerdict: Verdict? {
        if case .verdict(let verdict) = timeOutcome { return verdict }
        return nil
    }
}
