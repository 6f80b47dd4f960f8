internal import Measurement

extension Attribution {
    /// The functions that the stage's change is mostly made of: those with a change that is more than noise and in the
    /// direction of the stage's, the largest first, until they make up half of it, at most three.
    public var leaders: [FunctionChange] {
        guard change != 0 else { return [] }
        let sameWay = functions.filter { function in
            function.isNotable && function.label != .moved && function.shiftedWithin == nil
                && function.selfChange * change > 0
        }.sorted { $0.selfChange.magnitude > $1.selfChange.magnitude }
        var leaders: [FunctionChange] = []
        var sum = 0.0
        for function in sameWay.prefix(3) where sum < change.magnitude / 2 {
            leaders.append(function)
            sum += function.selfChange.magnitude
        }
        // A function that makes up less than a twentieth explains nothing.
        return sum >= change.magnitude / 20 ? leaders : []
    }

    /// What the change comes from, as the end of a sentence about it: `ngram_search accounts for 71 % of it`.
    ///
    /// - Parameter whole: What the parts are parts of.
    public func explanation(of whole: String = "it") -> String {
        let leaders = leaders
        guard !leaders.isEmpty else {
            return hasReplicates
                ? "no single function's change is more than noise"
                : "no single function accounts for it in one run a side"
        }
        let sum = leaders.reduce(0) { $0 + $1.selfChange }
        let names = leaders.map { shown($0.function) }
        let subject =
            names.count == 1
            ? "\(names[0]) accounts"
            : names.dropLast().joined(separator: ", ") + " and \(names[names.count - 1]) account"
        let percent = (100 * sum / change).fixed(0)
        return "\(subject) for \(percent) % of \(whole)" + (hasReplicates ? "" : " (one run a side)")
    }
}
