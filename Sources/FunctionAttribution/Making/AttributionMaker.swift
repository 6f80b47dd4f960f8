internal import Measurement
internal import StackProfile
internal import Statistics

/// Judges the functions of one stage.
struct AttributionMaker {
    let tree: StageTree
    let before: ScaledSide
    let after: ScaledSide
    let inSeconds: Bool
    private(set) var tested = 0
    private(set) var notes: [String] = []

    /// Benjamini-Hochberg's rate: of the functions that are named, at most this share is named by chance.
    static let falseDiscoveryRate = 0.10
    /// Functions with fewer samples on both sides together say nothing: 20 a side. Counted together, because a
    /// threshold on one side alone would leave out just those that grew.
    static let minimumSamples: Int64 = 40
    /// A new or gone function is in at least this share of the runs of its side.
    static let minimumPresence = 0.8
    /// A function has moved when at least this share of its total has other callers.
    static let minimumMove = 0.25

    init(
        tree: StageTree, before: ScaledSide, after: ScaledSide, inSeconds: Bool
    ) {
        self.tree = tree
        self.before = before
        self.after = after
        self.inSeconds = inSeconds
    }

    private var hasReplicates: Bool { before.runs > 1 && after.runs > 1 }

    mutating func functions() -> [FunctionChange] {
        var changes = (0..<tree.functionCount).map { function in
            let frame = tree.frames[function]
            return FunctionChange(
                function: frame?.function ?? "[no stack]", module: frame?.module, file: frame?.file,
                before: before.cost(of: function), after: after.cost(of: function))
        }
        if hasReplicates {
            test(&changes)
        } else {
            notes.append(
                "One run a side: intervals are those of counting samples and do not hold how much runs differ, so no "
                    + "change is called significant.")
            for index in changes.indices { changes[index].samplingInterval = interval(of: changes[index]) }
        }
        markPresence(&changes)
        markMoves(&changes)
        markShifts(&changes)
        return changes.filter { $0.before.totalSamples + $0.after.totalSamples > 0 }.sorted(by: precedes)
    }

    private func precedes(_ one: FunctionChange, _ other: FunctionChange) -> Bool {
        if one.isNotable != other.isNotable { return one.isNotable }
        let sizes = (one.selfChange.magnitude, other.selfChange.magnitude)
        if sizes.0 != sizes.1 { return sizes.0 > sizes.1 }
        let totals = (one.totalChange.magnitude, other.totalChange.magnitude)
        if totals.0 != totals.1 { return totals.0 > totals.1 }
        return one.function < other.function
    }

    private mutating func test(_ changes: inout [FunctionChange]) {
        let family = changes.indices.filter {
            changes[$0].before.ownSamples + changes[$0].after.ownSamples >= Self.minimumSamples
        }
        let values = family.map { function in
            AttributionStatistics.pValue(
                before.values(before.columns.own(function)), after.values(after.columns.own(function)))
        }
        tested = family.count
        for (index, (p, adjusted)) in zip(family, zip(values, MultipleTesting.benjaminiHochberg(values))) {
            changes[index].pValue = p
            if adjusted <= Self.falseDiscoveryRate { changes[index].label = .changed }
        }
    }

    private func interval(of change: FunctionChange) -> ClosedRange<Double> {
        let halfWidth =
            1.96
            * (before.variance(samples: change.before.ownSamples)
            + after.variance(samples: change.after.ownSamples)).squareRoot()
        return change.selfChange - halfWidth...change.selfChange + halfWidth
    }

    // MARK: - New and gone

    private func markPresence(_ changes: inout [FunctionChange]) {
        for function in changes.indices.dropFirst() {
            let counts = (changes[function].before.totalSamples, changes[function].after.totalSamples)
            if counts.0 == 0, isPresent(function, in: after, but: before) {
                changes[function].label = .new
                changes[function].unseenBound = bound(before)
            } else if counts.1 == 0, isPresent(function, in: before, but: after) {
                changes[function].label = .gone
                changes[function].unseenBound = bound(after)
            }
        }
    }

    /// In most runs, and often enough that the other side would have seen it.
    private func isPresent(_ function: Int, in side: ScaledSide, but other: ScaledSide) -> Bool {
        let weights = side.columns.total(function)
        let presence = Double(weights.count { $0 > 0 }) / Double(side.runs)
        let samples = side.samples(weights)
        let expected = Double(samples) / Double(max(1, side.side.samples)) * Double(other.side.samples)
        return presence >= Self.minimumPresence && samples >= Self.minimumSamples / 2 && expected >= 3
    }

    /// What never occurs in N samples has a share of at most 3/N, at 95 %.
    private func bound(_ side: ScaledSide) -> Double {
        min(1, 3 / Double(max(1, side.side.samples))) * side.side.median
    }

    // MARK: - Moved

    /// Functions that are called from elsewhere now.
    private func markMoves(_ changes: inout [FunctionChange]) {
        var candidates: [(function: Int, move: Move)] = []
        let edgesOfFunction = Dictionary(grouping: tree.edges.indices) { Int(tree.edges[$0].callee) }
        for function in changes.indices.dropFirst() {
            guard let edges = edgesOfFunction[function],
                min(changes[function].before.totalSamples, changes[function].after.totalSamples)
                    >= Self.minimumSamples / 2
            else { continue }
            candidates.append((function, move(of: function, edges: edges)))
        }
        let significance = MultipleTesting.benjaminiHochberg(candidates.map(\.move.pValue))
        for ((function, move), adjusted) in zip(candidates, significance) {
            guard move.distance >= Self.minimumMove, adjusted <= Self.falseDiscoveryRate,
                let callers = move.callers
            else { continue }
            if changes[function].label == nil { changes[function].label = .moved }
            changes[function].callers = callers
        }
    }

    private struct Move {
        /// The share of the function's total that has other callers now: 0 to 1.
        var distance = 0.0
        var pValue = 1.0
        var callers: FunctionChange.Callers?
    }

    private func move(of function: Int, edges: [Int]) -> Move {
        guard edges.count > 1 else { return Move() }
        let all = (
            before: Double(before.columns.total(function).reduce(0, +)),
            after: Double(after.columns.total(function).reduce(0, +))
        )
        let gains = edges.map { edge in
            Double(after.columns.edge(edge).reduce(0, +)) / all.after
                - Double(before.columns.edge(edge).reduce(0, +)) / all.before
        }
        guard let gained = gains.indices.max(by: { gains[$0] < gains[$1] }),
            let lost = gains.indices.min(by: { gains[$0] < gains[$1] }), gains[gained] > 0
        else { return Move() }
        let callers = [lost, gained].map { tree.edges[edges[$0]].caller }
        // Where a stack was cut off nobody knows who called.
        guard callers.allSatisfy({ tree.frames[Int($0)]?.isTruncationMarker != true }) else { return Move() }
        let names = callers.map { tree.frames[Int($0)]?.function ?? "the stage itself" }
        return Move(
            distance: gains.reduce(0) { $0 + max(0, $1) }, pValue: pValue(ofEdge: edges[gained], function),
            callers: FunctionChange.Callers(before: names[0], after: names[1]))
    }

    /// How likely it is that a caller's share of a function differs this much by chance.
    private func pValue(ofEdge edge: Int, _ function: Int) -> Double {
        func shares(_ side: ScaledSide) -> [Double] {
            zip(side.columns.edge(edge), side.columns.total(function)).compactMap {
                $1 > 0 ? Double($0) / Double($1) : nil
            }
        }
        if hasReplicates { return AttributionStatistics.pValue(shares(before), shares(after)) }
        // Of one run only the samples can be counted: four standard errors apart, or not at all.
        func counts(_ side: ScaledSide) -> (part: Double, whole: Double) {
            (
                Double(side.samples(side.columns.edge(edge))),
                Double(side.samples(side.columns.total(function)))
            )
        }
        let (older, newer) = (counts(before), counts(after))
        guard older.whole > 0, newer.whole > 0 else { return 1 }
        let pooled = (older.part + newer.part) / (older.whole + newer.whole)
        let error = (pooled * (1 - pooled) * (1 / older.whole + 1 / newer.whole)).squareRoot()
        return (newer.part / newer.whole - older.part / older.whole).magnitude > 4 * error ? 0 : 1
    }

    // MARK: - Shifted

    /// Functions whose change is made up for by what is around them: the nearest function around all its calls costs
    /// what it did, and not what it did and the change.
    private func markShifts(_ changes: inout [FunctionChange]) {
        let wanted = changes.indices.dropFirst().filter {
            changes[$0].isNotable && changes[$0].label != .moved
        }
        let around = tree.nearestCommonCallers(of: Set(wanted.map(Int32.init)))
        let nodes = Set(around.values).sorted()
        let weights = (
            before: before.columns.weights(under: nodes, in: tree),
            after: after.columns.weights(under: nodes, in: tree)
        )
        for function in wanted {
            guard let node = around[Int32(function)], let index = nodes.firstIndex(of: node),
                // A share of the whole is always the whole.
                inSeconds || node != 0
            else { continue }
            let change = changes[function].selfChange
            guard
                isShift(
                    of: change == 0 ? changes[function].totalChange : change,
                    (weights.before[index][...], weights.after[index][...]))
            else { continue }
            changes[function].shiftedWithin =
                tree.frames[Int(tree.function[Int(node)])]?.function ?? "the stage"
            if changes[function].label == .changed { changes[function].label = .moved }
        }
    }

    private func isShift(of change: Double, _ around: (before: ArraySlice<Int64>, after: ArraySlice<Int64>))
        -> Bool
    {
        if hasReplicates {
            let (older, newer) = (before.values(around.before), after.values(around.after))
            return AttributionStatistics.pValue(older, newer) > 0.05
                && AttributionStatistics.pValue(older.map { $0 + change }, newer) <= 0.05
        }
        let difference = after.median(around.after) - before.median(around.before)
        let halfWidth =
            1.96
            * (before.variance(samples: before.samples(around.before))
            + after.variance(samples: after.samples(around.after))).squareRoot()
        return difference.magnitude <= halfWidth && (difference - change).magnitude > halfWidth
    }
}

extension FunctionChange {
    /// Whether something is to be said of it: it has a label, or counting samples alone does not explain its change.
    public var isNotable: Bool {
        label != nil
            || samplingInterval.map { !$0.contains(0) && before.ownSamples + after.ownSamples >= 40 } ?? false
    }
}
