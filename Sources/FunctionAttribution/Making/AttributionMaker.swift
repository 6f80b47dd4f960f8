internal import FrozenProfile
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
    private(set) var isTestedByRanks = true
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
    /// Below this probability, what is around a function did not cost what it did; and at most that it is not what it did and
    /// the change.
    static let shiftLevel = 0.05

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
                isInterpreted: frame?.isInterpreted ?? false,
                isInterpreter: frame.map(Interpreters.isOwn) ?? false,
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
        findParts(&changes)
        noteUnread()
        return changes.filter { $0.before.totalSamples + $0.after.totalSamples > 0 }.sorted(by: precedes)
    }

    private func precedes(_ one: FunctionChange, _ other: FunctionChange) -> Bool {
        if one.isInterpreter != other.isInterpreter { return other.isInterpreter }
        if one.isNotable != other.isNotable { return one.isNotable }
        let sizes = (one.chargedChange.magnitude, other.chargedChange.magnitude)
        if sizes.0 != sizes.1 { return sizes.0 > sizes.1 }
        let own = (one.selfChange.magnitude, other.selfChange.magnitude)
        if own.0 != own.1 { return own.0 > own.1 }
        let totals = (one.totalChange.magnitude, other.totalChange.magnitude)
        if totals.0 != totals.1 { return totals.0 > totals.1 }
        return one.function < other.function
    }

    private mutating func test(_ changes: inout [FunctionChange]) {
        let family = changes.indices.filter {
            !changes[$0].isInterpreter && changes[$0].judgedSamples >= Self.minimumSamples
        }
        let test = RunTest(
            runs: (before.runs, after.runs), tests: family.count, level: Self.falseDiscoveryRate)
        let runs = family.map { function in
            runValues(
                before.judged(function), after.judged(function), samples: changes[function].judgedSamples)
        }
        let scatter = test.usesRanks ? 0 : RunValues.scatter(runs)
        let values = runs.map {
            test.probability($0.before, $0.after, leastVariance: $0.leastVariance(scatter: scatter))
        }
        tested = family.count
        isTestedByRanks = test.usesRanks
        for (index, (p, adjusted)) in zip(family, zip(values, MultipleTesting.benjaminiHochberg(values))) {
            changes[index].pValue = p
            if adjusted <= Self.falseDiscoveryRate { changes[index].label = .changed }
        }
        guard !test.usesRanks else { return }
        notes.append(
            "So few runs cannot be tested by their ranks, so their values were tested, which takes them to be normal. With 6 "
                + "profiled runs a side ranks are tested in most stages.")
        for (index, run) in zip(family, runs) where changes[index].label == nil {
            let width = FewRunsTest(
                run.before, run.after, leastVariance: run.leastVariance(scatter: scatter))?.halfWidth
            guard let width, width.isFinite else { continue }
            let change = changes[index].judgedChange
            changes[index].samplingInterval = change - width...change + width
        }
    }

    private func runValues(_ older: [Double], _ newer: [Double], samples: Int64) -> RunValues {
        RunValues(
            before: older, after: newer, samples: samples,
            stageSamples: before.side.samples + after.side.samples)
    }

    private func interval(of change: FunctionChange) -> ClosedRange<Double> {
        let halfWidth =
            1.96
            * (before.variance(
                samples: change.isInterpreted ? change.before.chargedSamples : change.before.ownSamples)
            + after.variance(
                samples: change.isInterpreted ? change.after.chargedSamples : change.after.ownSamples))
            .squareRoot()
        return change.judgedChange - halfWidth...change.judgedChange + halfWidth
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
        let edgesOfFunction = Dictionary(grouping: tree.edges.indices) { Int(tree.edges[$0].callee) }
        let called = changes.indices.dropFirst().filter { function in
            edgesOfFunction[function] != nil
                && min(changes[function].before.totalSamples, changes[function].after.totalSamples)
                    >= Self.minimumSamples / 2
        }
        let test = RunTest(
            runs: (before.runs, after.runs), tests: called.count, level: Self.falseDiscoveryRate)
        let candidates = called.map { function in
            (function: function, move: move(of: function, edges: edgesOfFunction[function] ?? [], test))
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

    private func move(of function: Int, edges: [Int], _ test: RunTest) -> Move {
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
        // Where a stack was cut off, the caller is unknown.
        guard callers.allSatisfy({ tree.frames[Int($0)]?.isTruncationMarker != true }) else { return Move() }
        let names = callers.map { tree.frames[Int($0)]?.function ?? "the stage itself" }
        return Move(
            distance: gains.reduce(0) { $0 + max(0, $1) },
            pValue: pValue(ofEdge: edges[gained], function, test),
            callers: FunctionChange.Callers(before: names[0], after: names[1]))
    }

    /// How likely it is that a caller's share of a function differs this much by chance.
    private func pValue(ofEdge edge: Int, _ function: Int, _ test: RunTest) -> Double {
        func shares(_ side: ScaledSide) -> [Double] {
            zip(side.columns.edge(edge), side.columns.total(function)).compactMap {
                $1 > 0 ? Double($0) / Double($1) : nil
            }
        }
        func counts(_ side: ScaledSide) -> (part: Double, whole: Double) {
            (
                Double(side.samples(side.columns.edge(edge))),
                Double(side.samples(side.columns.total(function)))
            )
        }
        let (older, newer) = (counts(before), counts(after))
        guard older.whole > 0, newer.whole > 0 else { return 1 }
        let pooled = (older.part + newer.part) / (older.whole + newer.whole)
        if hasReplicates {
            let runs = Double(before.runs + after.runs)
            return test.probability(
                shares(before), shares(after),
                leastVariance: pooled * (1 - pooled) * runs / (older.whole + newer.whole))
        }
        // Of one run only the samples can be counted: four standard errors apart, or not at all.
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
            let change = changes[function].judgedChange
            let caller = Int(tree.function[Int(node)])
            guard
                isShift(
                    of: change == 0 ? changes[function].totalChange : change,
                    (
                        before.completed(weights.before[index][...], of: caller),
                        before.samples(weights.before[index][...])
                    ),
                    (
                        after.completed(weights.after[index][...], of: caller),
                        after.samples(weights.after[index][...])
                    ))
            else { continue }
            changes[function].shiftedWithin = tree.frames[caller]?.function ?? "the stage"
            if changes[function].label == .changed { changes[function].label = .moved }
        }
    }

    // MARK: - Interpreted functions

    /// A part of a function's change is shown when it is at least this share of it.
    private static let leastPart = 0.1
    private static let mostParts = 2

    private func findParts(_ changes: inout [FunctionChange]) {
        let wanted = Set(
            changes.indices.filter { changes[$0].isInterpreted && changes[$0].isNotable }.map(Int32.init))
        let parts = (
            before: before.columns.parts(of: wanted, in: tree),
            after: after.columns.parts(of: wanted, in: tree)
        )
        var found: [Int32: [FunctionChange.Part]] = [:]
        for part in Set(parts.before.keys).union(parts.after.keys) {
            let change =
                after.median(parts.after[part]?[...] ?? []) - before.median(parts.before[part]?[...] ?? [])
            let whole = changes[Int(part.owner)].chargedChange
            guard change * whole > 0, change.magnitude >= Self.leastPart * whole.magnitude,
                let frame = tree.frames[Int(part.function)], !Interpreters.isOwn(frame)
            else { continue }
            found[part.owner, default: []].append(.init(function: frame.function, change: change))
        }
        for (owner, parts) in found {
            changes[Int(owner)].parts = Array(
                parts.sorted { ($1.change.magnitude, $0.function) < ($0.change.magnitude, $1.function) }
                    .prefix(Self.mostParts))
        }
    }

    private mutating func noteUnread() {
        let shares = (before.unreadShare, after.unreadShare)
        guard max(shares.0, shares.1) >= 0.005 else { return }
        notes.append(
            "The Python functions of \((100 * shares.0).fixed(1)) % of the samples before and \((100 * shares.1).fixed(1)) "
                + "% now were not read; they are taken to be those of the others.")
    }

    /// What the nearest function around all calls of a function costs, run by run, with its samples.
    private typealias Surroundings = (values: [Double], samples: Int64)

    private func isShift(of change: Double, _ older: Surroundings, _ newer: Surroundings) -> Bool {
        if hasReplicates {
            // Each of both tests decides by itself.
            let test = RunTest(
                runs: (older.values.count, newer.values.count), tests: 1, level: Self.shiftLevel)
            let moved = older.values.map { $0 + change }
            let scatter = MeanTest.leastDeviation * MeanTest.leastDeviation
            func probability(_ values: [Double]) -> Double {
                test.probability(
                    values, newer.values,
                    leastVariance: runValues(
                        older.values, newer.values, samples: older.samples + newer.samples
                    ).leastVariance(scatter: scatter))
            }
            return probability(older.values) > Self.shiftLevel && probability(moved) <= Self.shiftLevel
        }
        let difference =
            (FrozenProfile.median(newer.values) ?? 0) - (FrozenProfile.median(older.values) ?? 0)
        let halfWidth =
            1.96
            * (before.variance(samples: older.samples) + after.variance(samples: newer.samples)).squareRoot()
        return difference.magnitude <= halfWidth && (difference - change).magnitude > halfWidth
    }
}

extension FunctionChange {
    /// Whether something is to be said of it: it has a label, or counting samples alone does not explain its change.
    public var isNotable: Bool {
        label != nil
            || samplingInterval.map { !isInterpreter && !$0.contains(0) && judgedSamples >= 40 } ?? false
    }
}
