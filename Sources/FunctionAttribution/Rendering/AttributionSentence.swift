internal import Measurement

extension Attribution {
    /// The functions that the stage's change is mostly made of: those with a change that is more than noise and in the
    /// direction of the stage's, the largest first, until they make up half of it, at most three.
    public var leaders: [FunctionChange] {
        guard change != 0 else { return [] }
        let sameWay = functions.filter { function in
            function.isNotable && !function.isInterpreter && function.label != .moved
                && function.shiftedWithin == nil
                && function.chargedChange * change > 0
        }.sorted { $0.chargedChange.magnitude > $1.chargedChange.magnitude }
        var leaders: [FunctionChange] = []
        var sum = 0.0
        for function in sameWay.prefix(3) where sum < change.magnitude / 2 {
            leaders.append(function)
            sum += function.chargedChange.magnitude
        }
        // A function that makes up less than a twentieth explains nothing.
        return sum >= change.magnitude / 20 ? leaders : []
    }

    /// What the reader is to know of functions that are named without being called changed.
    private func reserve(_ leaders: [FunctionChange]) -> String {
        guard hasReplicates else { return " (one run a side)" }
        guard leaders.contains(where: { $0.label == nil }) else { return "" }
        let fewest = min(before.runs, after.runs)
        return " (\(fewest) runs a side, too few to call it changed)"
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
        let sum = leaders.reduce(0) { $0 + $1.chargedChange }
        let names = leaders.map(\.shownName)
        let subject =
            names.count == 1
            ? "\(names[0]) accounts"
            : names.dropLast().joined(separator: ", ") + " and \(names[names.count - 1]) account"
        let percent = (100 * sum / change).fixed(0)
        return "\(subject) for \(percent) % of \(whole)" + reserve(leaders)
    }
}

extension FunctionChange {
    /// The function's name for a person; of an interpreted function with its file: `score_pairs (pairs.py)`.
    public var shownName: String {
        guard isInterpreted, let file else { return shown(function) }
        return "\(shown(function)) (\(shown(file)))"
    }
}
