internal import Capture
internal import FrozenProfile
internal import Measurement
internal import ProfileComparison

/// The search by counted instructions: single runs decide, so each commit is measured once.
struct CountedSearch {
    /// What the ends say.
    enum Ends {
        case changed
        case unchanged
        /// The reason, as a sentence.
        case notCounted(String)
    }

    private let request: BlameRequest
    private var search: SegmentSearch<FrozenCounts>?

    init(_ request: BlameRequest) {
        self.request = request
    }

    /// Counts both ends.
    mutating func measureEnds(_ bench: inout CommitBench) throws(CaptureError) -> Ends {
        let last = bench.line.count
        var ends: [FrozenCounts] = []
        for place in [0, last] {
            switch try bench.count(place) {
            case .counts(let counts): ends.append(counts)
            case .obstacle(let obstacle):
                guard obstacle.isOfCounting else {
                    throw try bench.refusal(place, obstacle)
                }
                return .notCounted("\(try bench.describe(place).shortName) \(obstacle.reason)")
            }
        }
        try requireStage(ends)
        let (budget, stage) = (request.countBudgetPercent, request.stage)
        let search = SegmentSearch(from: ends[0], to: ends[1], count: last) { older, newer in
            Self.change(older, newer, stage: stage, budgetPercent: budget)
        }
        self.search = search
        return search.segments[0].isChanged ? .changed : .unchanged
    }

    private func requireStage(_ ends: [FrozenCounts]) throws(CaptureError) {
        guard let stage = request.stage else { return }
        let known = ends.flatMap { $0.stages.map(\.name.text) }
        guard !known.contains(stage.text) else { return }
        let names = Set(known).sorted().joined(separator: ", ")
        throw .wrongUsage(
            "Neither end has a stage '\(stage)'."
                + (names.isEmpty ? " None was entered." : " There are \(names)."))
    }

    /// How many instructions the changed rows differ by; 0 where none has changed.
    static func change(
        _ older: FrozenCounts, _ newer: FrozenCounts, stage: StageName?, budgetPercent: Double
    ) -> Double {
        let comparison = CountedComparison(older, newer, budgetPercent: budgetPercent)
        let whole = max(older.total.median, newer.total.median)
        return comparison.rows.filter { stage == nil || $0.stage == stage }.map { row in
            let difference = abs((row.to?.median ?? 0) - (row.from?.median ?? 0))
            switch row.verdict {
            case .regressed, .improved: return difference
            case .unchanged, .inconclusive: return 0
            // A stage that only one of them has.
            case nil: return difference >= CountedComparison.smallestShare / 100 * whole ? difference : 0
            }
        }.max() ?? 0
    }

    /// Halves what changed until each change is one commit's.
    mutating func run(_ bench: inout CommitBench) throws(CaptureError) -> BlameReport {
        guard var search else { throw .measurementFailed("The ends were not counted.") }
        if request.measuresAll {
            for place in 1..<max(1, bench.line.count) { search.record(place, try attempt(place, &bench)) }
        }
        while let place = search.next { search.record(place, try attempt(place, &bench)) }
        return try invoice(search, &bench)
    }

    private func attempt(
        _ place: Int, _ bench: inout CommitBench
    ) throws(CaptureError) -> SegmentSearch<FrozenCounts>.Attempt {
        switch try bench.count(place) {
        case .counts(let counts): .value(counts)
        case .obstacle(let obstacle): .skipped(obstacle.reason)
        }
    }

    // MARK: - The invoice

    private func invoice(
        _ search: SegmentSearch<FrozenCounts>, _ bench: inout CommitBench
    ) throws(CaptureError) -> BlameReport {
        let last = bench.line.count
        guard let from = search.values[0], let to = search.values[last] else {
            throw .measurementFailed("The ends were not counted.")
        }
        let changed = search.segments.filter(\.isChanged)
        var culprits: [BlameReport.Culprit] = []
        var notes = [CountedComparison.blindSpot]
        for segment in changed {
            guard let older = search.values[segment.from], let newer = search.values[segment.to] else {
                continue
            }
            let comparison = try bench.comparison(segment.from, segment.to, older, newer)
            var culprit = BlameReport.Culprit(
                commits: try bench.commits(after: segment.from, through: segment.to))
            culprit.functions = comparison.rows.filter { $0.verdict != .unchanged && !$0.functions.isEmpty }
                .map { row in
                    BlameReport.StageFunctions(
                        stage: row.stage, base: row.from?.median ?? 0,
                        functions: row.functions.prefix(5).map { function in
                            BlameReport.Function(
                                name: function.name, module: function.module, from: function.from,
                                to: function.to)
                        })
                }
            for note in comparison.notes where !notes.contains(note) { notes.append(note) }
            culprits.append(culprit)
        }
        let whole = CountedComparison(from, to, budgetPercent: request.countBudgetPercent)
        let frozen = frozenPercents()
        let lines = whole.rows.map { row in
            BlameReport.Line(
                stage: row.stage, from: row.from?.median ?? 0, to: row.to?.median ?? 0,
                shares: changed.map { segment in
                    (search.values[segment.to]?.part(of: row.stage)?.median ?? 0)
                        - (search.values[segment.from]?.part(of: row.stage)?.median ?? 0)
                }, verdict: row.verdict, frozenPercent: frozen[row.stage])
        }
        let judged = whole.rows.filter { request.stage == nil || $0.stage == request.stage }
        return BlameReport(
            from: try bench.end(request.from, at: 0), to: try bench.end(request.to, at: last), commits: last,
            builds: bench.builds, reused: bench.reused.count,
            basis: .counts(engine: from.engine, identity: from.identity, runs: request.countRuns),
            verdict: Verdict.overall(judged.compactMap(\.verdict)) ?? .inconclusive, culprits: culprits,
            lines: lines, skipped: try bench.skipped(search.skipped), notes: notes)
    }

    /// The changes in percent that the frozen versions had; none where they were not counted alike.
    private func frozenPercents() -> [StageName?: Double] {
        guard let older = request.from.frozen?.counts?.value, let newer = request.to.frozen?.counts?.value,
            older.identity == newer.identity
        else { return [:] }
        var percents: [StageName?: Double] = [:]
        for row in CountedComparison(older, newer, budgetPercent: request.countBudgetPercent).rows {
            if let change = row.changePercent { percents[row.stage] = change }
        }
        return percents
    }
}
