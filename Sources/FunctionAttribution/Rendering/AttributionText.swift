internal import Measurement
internal import Statistics

/// An attribution in words and numbers, the same in every format.
public struct AttributionText: Sendable {
    private let attribution: Attribution

    /// The texts of an attribution.
    public init(_ attribution: Attribution) {
        self.attribution = attribution
    }

    /// The unit of all numbers: seconds, or percent of the stage's samples.
    public var unit: String { attribution.basis == .seconds ? "s" : "%" }

    /// What was attributed, in one sentence.
    public var title: String {
        let stage = attribution.stage?.text ?? "the whole run"
        let sides = "\(number(attribution.before.median)) to \(number(attribution.after.median)) \(unit)"
        guard attribution.basis == .seconds else {
            return "\(stage): shares of its samples; \(attribution.explanation(of: "the shift"))."
        }
        return
            "\(stage): \(sides) of CPU time a run (\(signed(attribution.change)) s); \(attribution.explanation())."
    }

    /// A value with the digits that matter.
    public func number(_ value: Double) -> String {
        value.fixed(value.magnitude >= 100 ? 1 : value.magnitude >= 1 ? 2 : 3)
    }

    /// A change with its sign.
    public func signed(_ value: Double) -> String {
        let text = number(value.magnitude)
        let isZero = text.allSatisfy { $0 == "0" || $0 == "." }
        return isZero ? text : (value > 0 ? "+" : "-") + text
    }

    /// A function's share of the stage's change in percent; nil where the stage did not change.
    public func share(_ function: FunctionChange) -> String? {
        guard attribution.change != 0, attribution.basis == .seconds else { return nil }
        let percent = 100 * function.chargedChange / attribution.change
        return percent.magnitude < 1000 ? "\(percent.fixed(0)) %" : nil
    }

    /// What is to be said of a function, in few words; empty for nothing.
    public func remark(_ function: FunctionChange) -> String {
        var words: [String] = []
        switch function.label {
        case .changed: words.append("changed")
        case .moved: words.append("moved")
        case .new: words.append("new")
        case .gone: words.append("gone")
        case nil: if function.isNotable { words.append("differs") }
        }
        if let callers = function.callers {
            words.append("from \(shown(callers.before)) to \(shown(callers.after))")
        }
        if let within = function.shiftedWithin {
            words.append("within \(shown(within)), which costs what it did")
        }
        if let p = function.pValue, function.label == .changed {
            words.append("p = \(p < 0.001 ? "<.001" : p.fixed(3))")
        }
        if !function.parts.isEmpty {
            words.append(
                "of it "
                    + function.parts.map { "\(signed($0.change)) \(unit) in \(shown($0.function))" }
                    .joined(separator: " and "))
        }
        if let interval = function.samplingInterval, function.isNotable, function.label == nil {
            words.append(
                "\(signed(interval.lowerBound)) to \(signed(interval.upperBound)) \(unit) by its \(attribution.hasReplicates ? "runs" : "samples")"
            )
        }
        if let bound = function.unseenBound {
            words.append("at most \(number(bound)) \(unit) where not seen")
        }
        return words.joined(separator: ", ").replacing("p = <", with: "p < ")
    }

    /// How many functions are shown: those with something to be said, and at least a few.
    public func shownFunctions(fewest: Int = 5, most: Int = 20) -> [FunctionChange] {
        // Native code that runs for interpreted functions alone is shown with them.
        let functions = attribution.functions.filter { function in
            function.isCharged || function.callers != nil
                || function.before.ownSamples + function.after.ownSamples == 0
        }
        let notable = functions.prefix(while: \.isNotable).count
        return Array(functions.prefix(min(max(notable, fewest), most)))
    }

    /// The rest of the stage's change, so that the column adds up: functions that are not shown, and the residual.
    public func rest(of shown: [FunctionChange]) -> (others: Int, change: Double, residual: Double) {
        let change = attribution.functions.reduce(0) { $0 + $1.chargedChange }
        return (
            attribution.functions.count(where: \.isCharged) - shown.count(where: \.isCharged),
            change - shown.reduce(0) { $0 + $1.chargedChange }, attribution.residual
        )
    }

    /// Sentences on what the numbers rest on.
    public var notes: [String] {
        let (before, after) = (attribution.before, attribution.after)
        var notes = [
            "\(before.runs) profiled run\(before.runs == 1 ? "" : "s") of \(before.samples) samples, now \(after.runs) of "
                + "\(after.samples)."
        ]
        if attribution.hasReplicates {
            notes.append(
                "\(attribution.tested) functions were tested run by run; of those called changed at most 10 % are by "
                    + "chance.")
        }
        if case .shares(let reason) = attribution.basis { notes.append("Shares only: \(reason).") }
        return notes + attribution.notes
    }

    /// The head of the column of functions: what time theirs is.
    public var column: String {
        attribution.functions.contains(where: \.isInterpreted)
            ? "function (with its native code)" : "function (self time)"
    }

    /// The table for a terminal of 80 columns.
    public func lines(suspects: (FunctionChange) -> String? = { _ in nil }) -> [String] {
        var lines = TextLines.wrapped("Why " + title, width: 80)
        let nameWidth = 36
        func row(_ cells: [String]) -> String {
            let text =
                TextLines.cut(cells[0], to: nameWidth).padded(to: nameWidth)
                + cells.dropFirst().map { "  " + $0.leftPadded(to: 9) }.joined()
            return String(text.reversed().drop { $0 == " " }.reversed())
        }
        lines.append(row([column, "from \(unit)", "to \(unit)", "change", "of it"]))
        let functions = shownFunctions()
        for function in functions {
            lines.append(
                row([
                    function.shownName, number(function.before.charged), number(function.after.charged),
                    signed(function.chargedChange), share(function) ?? "",
                ]))
            let file = suspects(function).map { "changed in \(shown($0))" }
            let remark = [remark(function), file ?? ""].filter { !$0.isEmpty }.joined(separator: "; ")
            if !remark.isEmpty { lines += TextLines.wrapped(remark, width: 76).map { "    " + $0 } }
        }
        let rest = rest(of: functions)
        if rest.others > 0 {
            let name = "\(rest.others) other function\(rest.others == 1 ? "" : "s")"
            lines.append(row([name, "", "", signed(rest.change), ""]))
        }
        lines.append(row(["medians do not add up", "", "", signed(rest.residual), ""]))
        lines.append(row(["together", "", "", signed(attribution.change), ""]))
        for note in notes { lines += TextLines.marked("-", note, width: 80) }
        return lines
    }
}

extension StackComparison {
    /// Why stages changed, for a terminal of 80 columns; empty where nothing was explained.
    public var text: String {
        var lines: [String] = []
        for attribution in attributions {
            lines += [""] + AttributionText(attribution).lines(suspects: suspectFile)
        }
        if !attributions.isEmpty, let reason = source.unavailableReason {
            lines += [""] + TextLines.wrapped("Changed source files are not shown: \(reason).", width: 80)
        }
        for sentence in refusals { lines += [""] + TextLines.wrapped(sentence, width: 80) }
        return lines.isEmpty ? "" : lines.joined(separator: "\n") + "\n"
    }
}
