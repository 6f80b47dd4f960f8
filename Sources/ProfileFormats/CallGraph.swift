internal import StackProfile

/// Functions with their own costs and the costs of their calls, and the stacks that these stand for.
struct CallGraph {
    /// The functions, in order of appearance.
    private(set) var functions: [Frame] = []
    private var own: [Double] = []
    private var calls: [[(target: Int, cost: Double)]] = []
    /// The place of a call among its caller's, by both functions.
    private var places: [SIMD2<Int>: Int] = [:]

    /// Adds a function.
    mutating func add(_ frame: Frame) -> Int {
        functions.append(frame)
        own.append(0)
        calls.append([])
        return functions.count - 1
    }

    /// Adds to what a function cost itself.
    mutating func add(cost: Int64, to function: Int) { own[function] += Double(cost) }

    /// Adds to what calls of a function cost, with all that they called.
    mutating func add(call target: Int, from caller: Int, cost: Int64) {
        let key = SIMD2(caller, target)
        if let place = places[key] {
            calls[caller][place].cost += Double(cost)
        } else {
            places[key] = calls[caller].count
            calls[caller].append((target, Double(cost)))
        }
    }

    /// The stacks. Their weights add up to the functions' own costs.
    ///
    /// Stacks below a ten-thousandth of the whole are not followed further: their weight stays with the caller.
    func profile(unit: WeightUnit) throws(FormatError) -> StackProfile {
        var builder = StackProfileBuilder(unit: unit)
        let ids = functions.map { builder.id(of: $0) }
        var weights: [(stack: StackID, weight: Double)] = []
        let total = own.reduce(0, +)
        guard total > 0 else { return builder.build() }
        let incoming = incomingCosts()
        let inclusive = functions.indices.map { function in
            own[function] + calls[function].reduce(0) { $0 + ($1.target == function ? 0 : $1.cost) }
        }
        // A function costs what it was called for; what is beyond that had no caller in the file.
        var given = [Double](repeating: 0, count: functions.count)
        var shares = Shares(graph: self, inclusive: inclusive, smallest: total / 10_000)
        for function in functions.indices where inclusive[function] > incoming[function] {
            let weight = inclusive[function] - incoming[function]
            shares.visit(function, weight: weight, under: .empty, ids, &builder, &weights, &given)
        }
        // What only a circle of calls reaches, or what rounding left over, is kept where it was spent.
        for function in functions.indices where own[function] - given[function] > 0.5 {
            weights.append((builder.stack([ids[function]]), own[function] - given[function]))
        }
        for (stack, weight) in weights {
            let rounded = weight.rounded()
            guard rounded <= Double(StackProfile.weightLimit) else {
                throw FormatError("Its costs are too large.")
            }
            try FormatError.adding { () throws(StackProfileError) in
                try builder.add(stack, weight: Int64(rounded))
            }
        }
        return builder.build()
    }

    private func incomingCosts() -> [Double] {
        var incoming = [Double](repeating: 0, count: functions.count)
        for (caller, list) in calls.enumerated() {
            for call in list where call.target != caller { incoming[call.target] += call.cost }
        }
        return incoming
    }

    /// Shares costs out along the calls.
    private struct Shares {
        let graph: CallGraph
        let inclusive: [Double]
        let smallest: Double
        private var isOpen: [Bool]
        private var visits = 0

        init(graph: CallGraph, inclusive: [Double], smallest: Double) {
            self.graph = graph
            self.inclusive = inclusive
            self.smallest = smallest
            isOpen = [Bool](repeating: false, count: inclusive.count)
        }

        private struct Step {
            var function: Int
            var weight: Double
            var stack: StackID
            var next = 0
            /// What is not handed on to calls.
            var rest: Double
        }

        mutating func visit(
            _ root: Int, weight: Double, under caller: StackID, _ ids: [FrameID],
            _ builder: inout StackProfileBuilder, _ weights: inout [(stack: StackID, weight: Double)],
            _ given: inout [Double]
        ) {
            var path = [
                Step(
                    function: root, weight: weight, stack: builder.stack(under: caller, ids[root]),
                    rest: weight)
            ]
            isOpen[root] = true
            while var step = path.popLast() {
                let list = graph.calls[step.function]
                guard step.next < list.count else {
                    isOpen[step.function] = false
                    given[step.function] += step.rest
                    if step.rest > 0 { weights.append((step.stack, step.rest)) }
                    continue
                }
                let call = list[step.next]
                step.next += 1
                let share = step.weight * call.cost / max(inclusive[step.function], 1)
                // A call within itself, or one too small to be seen, stays with its caller.
                let isFollowed =
                    !isOpen[call.target] && share >= smallest && path.count < FormatLimits.depth
                    && visits < 1 << 20
                guard isFollowed else {
                    path.append(step)
                    continue
                }
                visits += 1
                step.rest -= share
                path.append(step)
                isOpen[call.target] = true
                path.append(
                    Step(
                        function: call.target, weight: share,
                        stack: builder.stack(under: step.stack, ids[call.target]), rest: share))
            }
        }
    }
}
