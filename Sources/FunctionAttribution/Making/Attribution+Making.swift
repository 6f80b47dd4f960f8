internal import FrozenProfile
public import Measurement
internal import StackProfile

extension AttributionPair {
    /// Attributes a stage's change to functions; of the whole run when nil.
    ///
    /// - Throws: ``AttributionRefusal`` where a side has no samples of the stage.
    public func attribution(of stage: StageName?) throws(AttributionRefusal) -> Attribution {
        let tree = StageTree(union, before: before.stacks, after: after.stacks, stage: stage)
        let columns = (
            before: AttributionColumns(before.stacks, nodes: union.nodesBefore, stage: stage, in: tree),
            after: AttributionColumns(after.stacks, nodes: union.nodesAfter, stage: stage, in: tree)
        )
        for (side, part) in [(before, columns.before), (after, columns.after)] where part.runs.isEmpty {
            throw AttributionRefusal(
                "The stacks of \(shown(side.release)) have no samples of \(stage.map { "stage \($0)" } ?? "the run"), "
                    + "so its functions cannot be compared.")
        }
        var reason: String?
        for (side, part) in [(before, columns.before), (after, columns.after)] {
            for run in part.runs where reason == nil {
                reason = side.cpuSeconds(stage: stage, run: run).unavailableReason
            }
        }
        let scaled = (
            before: ScaledSide(before, columns.before, stage: stage, inSeconds: reason == nil, tree),
            after: ScaledSide(after, columns.after, stage: stage, inSeconds: reason == nil, tree)
        )
        var maker = AttributionMaker(
            tree: tree, before: scaled.before, after: scaled.after, inSeconds: reason == nil)
        let functions = maker.functions()
        return Attribution(
            stage: stage,
            basis: reason.map { .shares(reason: $0) } ?? .seconds,
            before: scaled.before.side, after: scaled.after.side, functions: functions, tested: maker.tested,
            isTestedByRanks: maker.isTestedByRanks, notes: notes + maker.notes)
    }
}

/// Weights of one side turned into seconds, or percent of the stage.
struct ScaledSide {
    let columns: AttributionColumns
    let side: Attribution.Side
    /// Seconds, or percent, that a unit of weight stands for in each run.
    let scale: [Double]
    /// What each run spent in the stage.
    let stage: [Double]
    /// Samples that a unit of weight stands for.
    let samplesPerWeight: Double
    /// The part of the stage's samples whose Python functions were not read, over all runs.
    let unreadShare: Double
    /// Which functions are interpreted, and what stands for those that were not read.
    private let kinds: [Kind]
    /// What the weight of interpreted functions is multiplied by in each run, for those that were not read.
    private let completion: [Double]

    /// What is charged to a function.
    private enum Kind {
        case native, interpreted, unread
    }

    var runs: Int { columns.runs.count }

    init(
        _ input: AttributionInput, _ columns: AttributionColumns, stage name: StageName?, inSeconds: Bool,
        _ tree: StageTree
    ) {
        self.columns = columns
        stage = columns.runs.map { run in
            inSeconds ? input.cpuSeconds(stage: name, run: run).value ?? 0 : 100
        }
        scale = zip(stage, columns.weights).map { $0 / Double($1) }
        samplesPerWeight = Self.samplesPerWeight(input.stacks)
        let kinds = tree.frames.map { frame -> Kind in
            frame == .unreadPython ? .unread : frame?.isInterpreted == true ? .interpreted : .native
        }
        self.kinds = kinds
        var (read, unread) = (
            [Int64](repeating: 0, count: columns.runs.count), [Int64](repeating: 0, count: columns.runs.count)
        )
        for (function, kind) in kinds.enumerated() where kind != .native {
            for (run, weight) in columns.charged(function).enumerated() {
                if kind == .unread { unread[run] += weight } else { read[run] += weight }
            }
        }
        completion = zip(read, unread).map { $0 > 0 ? 1 + Double($1) / Double($0) : 1 }
        unreadShare = Double(unread.reduce(0, +)) / Double(max(1, columns.weights.reduce(0, +)))
        side = Attribution.Side(
            release: input.release, runs: columns.runs.count,
            samples: Int64(Double(columns.weights.reduce(0, +)) * samplesPerWeight),
            median: FrozenProfile.median(stage) ?? 0)
    }

    /// Where weights are times and the period is not known, the smallest weight is one sample's.
    private static func samplesPerWeight(_ stacks: StackProfile) -> Double {
        switch stacks.unit {
        case .samples, .instructions, .bytes, .counts: 1
        case .nanoseconds:
            1 / Double(max(1, stacks.period?.inNanoseconds ?? stacks.samples.lazy.map(\.weight).min() ?? 1))
        }
    }

    func values(_ weights: ArraySlice<Int64>) -> [Double] { zip(weights, scale).map { Double($0) * $1 } }

    func median(_ weights: ArraySlice<Int64>) -> Double { FrozenProfile.median(values(weights)) ?? 0 }

    func samples(_ weights: ArraySlice<Int64>) -> Int64 {
        Int64((Double(weights.reduce(0, +)) * samplesPerWeight).rounded())
    }

    /// What a function is charged in each run. Of Python functions that were not read nothing is known but that they were some:
    /// they are taken to be what the others of their run are, for what keeps a reading from being proven is when the
    /// thread gets a CPU, not which function it runs.
    func charged(_ function: Int) -> [Double] {
        let weights = columns.charged(function)
        guard kinds[function] == .unread else { return completed(weights, of: function) }
        return zip(values(weights), completion).map { $1 > 1 ? 0 : $0 }
    }

    /// Weights of a function in each run, in the side's unit. Of an interpreted one those that were not read are added.
    func completed(_ weights: ArraySlice<Int64>, of function: Int) -> [Double] {
        let values = values(weights)
        return kinds[function] == .interpreted ? zip(values, completion).map { $0 * $1 } : values
    }

    /// What a function is tested by: an interpreted one by what it is charged, any other by what it spent itself.
    func judged(_ function: Int) -> [Double] {
        kinds[function] == .native ? values(columns.own(function)) : charged(function)
    }

    func cost(of function: Int) -> FunctionChange.Cost {
        let (own, total) = (columns.own(function), columns.total(function))
        return FunctionChange.Cost(
            own: median(own), total: FrozenProfile.median(completed(total, of: function)) ?? 0,
            charged: FrozenProfile.median(charged(function)) ?? 0,
            ownSamples: samples(own), totalSamples: samples(total),
            chargedSamples: samples(columns.charged(function)))
    }

    /// The variance of a weight's value, by Poisson's law for the number of its samples: at least that of one.
    func variance(samples: Int64) -> Double {
        let perSample =
            scale.reduce(0, +) / Double(max(1, scale.count)) / samplesPerWeight / Double(max(1, runs))
        return Double(max(samples, 1)) * perSample * perSample
    }
}
