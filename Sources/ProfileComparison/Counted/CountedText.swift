internal import FrozenProfile
internal import Measurement

extension CountedComparison {
    /// What the counts say in a clause, such as `crunch executes 25.0 % more instructions, all of it in load()`.
    package func clause(_ row: Row) -> String {
        let change = row.changePercent ?? 0
        let subject = row.stage.map { PlainText.sanitized($0.text) } ?? "the run"
        let amount = "\(Self.percent(change.magnitude)) % \(change < 0 ? "fewer" : "more") instructions"
        return "\(subject) executes \(amount)" + (Self.place(row).map { ", \($0)" } ?? "")
    }

    /// In which function a change is: `all of it in load()`.
    private static func place(_ row: Row) -> String? {
        guard let first = row.functions.first(where: { $0.change * row.difference > 0 }) else { return nil }
        let share = 100 * first.change / row.difference
        var name = PlainText.sanitized(first.name, maximumCharacters: 120)
        if first.isInSource, let file = first.module {
            name += " (\(PlainText.sanitized(file, maximumCharacters: 120)))"
        }
        // More than all of it: something else does less.
        if share >= 99 { return "all of it in \(name)" }
        return share >= 1 ? "\(share.fixed(0)) % of it in \(name)" : nil
    }

    /// A percentage with as many digits as counts deserve.
    package static func percent(_ value: Double) -> String {
        if value >= 9.95 { return value.fixed(1) }
        return value.fixed(value >= 0.995 ? 2 : 3)
    }

    /// The table of counts, as lines of a terminal.
    func lines(width: Int) -> [String] {
        var lines = TextLines.wrapped(title + ":", width: width)
        lines.append(cells("", "from", "to", "change", "floor", "budget", ""))
        lines.append(String(repeating: "-", count: 80))
        for row in rows {
            lines.append(
                cells(
                    TextLines.cut(row.stage.map { PlainText.sanitized($0.text) } ?? "whole run", to: 21),
                    Self.number(row.from), Self.number(row.to), Self.change(row),
                    row.floorPercent.fixed(3), "\(Self.percent(budgetPercent)) %", row.verdict?.word ?? ""))
            for function in functionsToShow(of: row).prefix(3) {
                lines.append(Self.functionLine(function, row, width: width))
            }
        }
        for row in rows {
            guard let reason = row.reason else { continue }
            let name = row.stage?.text ?? "whole run"
            lines += TextLines.marked(
                "?", "\(name): " + PlainText.sanitized(reason, maximumCharacters: 300), width: width)
        }
        for note in systemCallNotes + notes + [Self.blindSpot] {
            lines += TextLines.marked("-", PlainText.sanitized(note, maximumCharacters: 500), width: width)
        }
        return lines
    }

    private static func functionLine(_ function: Function, _ row: Row, width: Int) -> String {
        let whole = row.from?.median ?? 0
        let share = whole > 0 ? 100 * function.change / whole : 0
        let sign = function.change < 0 ? "-" : "+"
        let amount = "\(sign)\(percent(share.magnitude)) %".leftPadded(to: 12)
        let module = function.module.map { " [\(PlainText.sanitized($0))]" } ?? ""
        return TextLines.cut(
            "  \(amount)  \(PlainText.sanitized(function.name, maximumCharacters: 200))\(module)", to: width)
    }

    /// System calls of the whole run, and those that a stage makes more or fewer of: the only view of I/O that counts have.
    var systemCallNotes: [String] { [systemCallTotal].compactMap(\.self) + systemCallChanges }

    private var systemCallTotal: String? {
        guard let old = from.total.systemCallCount.value, let new = to.total.systemCallCount.value else {
            return nil
        }
        let change = old > 0 ? 100 * Double(new - old) / Double(old) : 0
        let amount =
            new == old
            ? "as before"
            : "before \(Self.grouped(Double(old))), "
                + "\(change < 0 ? "-" : "+")\(Self.percent(change.magnitude)) %"
        return "System calls of the whole run: \(Self.grouped(Double(new))), \(amount)."
    }

    private var systemCallChanges: [String] {
        rows.compactMap { row in
            guard let stage = row.stage, let old = row.from?.systemCalls.value,
                let new = row.to?.systemCalls.value
            else { return nil }
            let changes = Set(old.keys).union(new.keys).map { name in
                (name: name, from: old[name] ?? 0, to: new[name] ?? 0)
            }
            // A few more or fewer depend on how data arrived.
            let large = changes.filter { ($0.to - $0.from).magnitude > 10 + UInt64($0.from / 10) }
                .sorted { ($1.to - $1.from).magnitude < ($0.to - $0.from).magnitude }
            guard !large.isEmpty else { return nil }
            let list = large.prefix(4).map { "\($0.name) \($0.from) to \($0.to)" }.joined(separator: ", ")
            return "System calls in \(stage): \(list)."
        }
    }

    private func cells(
        _ name: String, _ from: String, _ to: String, _ change: String, _ floor: String, _ budget: String,
        _ verdict: String
    ) -> String {
        let text =
            name.padded(to: 21) + from.leftPadded(to: 16) + to.leftPadded(to: 16)
            + change.leftPadded(to: 11) + floor.leftPadded(to: 8) + "  " + verdict
        return String(text.reversed().drop { $0 == " " }.reversed())
    }

    /// The words of a row for reports: stage, counts of both sides, change, floor and verdict.
    public func cells(of row: Row) -> [String] {
        [
            row.stage?.text ?? "whole run", Self.number(row.from), Self.number(row.to), Self.change(row),
            "\(row.floorPercent.fixed(3)) %", row.verdict?.word ?? "",
        ]
    }

    /// The rows whose functions are worth a look: those that are not plainly as before.
    public var rowsToExplain: [Row] { rows.filter { !functionsToShow(of: $0).isEmpty } }

    /// The functions that a row's change is in, the largest first: those that make up a hundredth of it. None of a row that is
    /// plainly as before.
    public func functionsToShow(of row: Row) -> [Function] {
        guard row.stage != nil,
            row.verdict != .unchanged || (row.changePercent ?? 0).magnitude > row.floorPercent + 0.01
        else { return [] }
        return row.functions.filter { $0.change.magnitude * 100 >= row.difference.magnitude }
    }

    /// Who counted how often, as a phrase.
    public var title: String {
        "Instructions executed, by \(from.engine) (\(from.identity)), \(from.runs) and \(to.runs) runs"
    }

    /// What is to be known beside the table, as sentences.
    public var remarks: [String] {
        let reasons = rows.compactMap { row in row.reason.map { "\(row.stage?.text ?? "whole run"): \($0)" } }
        return reasons + systemCallNotes + notes + [Self.blindSpot]
    }

    /// A function's words for reports: its name, its file, counts of both sides, and the change in percent of the stage's.
    public func cells(of function: Function, in row: Row) -> [String] {
        let whole = row.from?.median ?? 0
        let share = whole > 0 ? 100 * function.change / whole : 0
        let sign = function.change < 0 ? "-" : "+"
        return [
            function.name, function.module ?? "", Self.grouped(function.from), Self.grouped(function.to),
            "\(sign)\(Self.percent(share.magnitude)) %",
        ]
    }

    private static func number(_ part: FrozenCounts.Part?) -> String {
        guard let part else { return "-" }
        return (part.lowerBound.isEmpty ? "" : ">") + grouped(part.median)
    }

    /// A whole number with its digits in groups.
    package static func grouped(_ number: Double) -> String {
        let digits = Array(number.fixed(0))
        var text = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index).isMultiple(of: 3) { text.append(",") }
            text.append(digit)
        }
        return text
    }

    private static func change(_ row: Row) -> String {
        guard let change = row.changePercent else {
            return row.from == nil ? "added" : row.to == nil ? "removed" : "was 0"
        }
        return "\(change < 0 ? "-" : "+")\(percent(change.magnitude)) %"
    }
}

extension Comparison {
    /// The sentence at the top where counts decide; nil where they do not.
    ///
    /// Joined are the counts, the functions, and what time has to say of the same stage.
    var countedHeadline: String? {
        guard let counted = counted?.value else { return nil }
        switch counted.verdict {
        case .regressed, .improved:
            let rows = counted.rows(with: counted.verdict)
            guard let first = rows.first else { return nil }
            let others = rows.dropFirst().count { $0.stage != nil }
            let more = others == 0 ? "" : "; \(others) more stage\(others == 1 ? "" : "s") likewise"
            let word = counted.verdict == .regressed ? "Regressed" : "Improved"
            return "\(word): \(counted.clause(first))\(more)\(timeClause(of: first.stage))."
        case .unchanged:
            // What time proves beyond doubt comes first.
            guard timeDoesNotDecide else { return nil }
            let change = counted.rows.first?.changePercent ?? 0
            return "Unchanged: the run executes as many instructions as before "
                + "(\(change < 0 ? "-" : "+")\(CountedComparison.percent(change.magnitude)) %, no stage beyond its budget)"
                + "\(timeClause(of: nil))."
        case .inconclusive: return nil
        }
    }

    /// Whether time alone has no verdict: then that of the counts stands.
    var timeDoesNotDecide: Bool {
        switch timeOutcome {
        case .notComparable, .verdict(.inconclusive): true
        case .verdict: false
        }
    }

    /// What CPU time did in the same stage: `; CPU time +25 %, which one session a side cannot confirm`.
    private func timeClause(of stage: StageName?) -> String {
        guard let row = rows(of: stage).first(where: { $0.metric == .cpu }), let change = row.changePercent
        else {
            if case .notComparable = timeOutcome { return "; time is not compared" }
            return ""
        }
        let amount = "; CPU time \(Self.signed(change)) %"
        switch row.verdict {
        case .regressed, .improved, .unchanged: return amount
        case .inconclusive, nil:
            let sessions = max(from.sessions, to.sessions)
            let words = sessions == 1 ? "one session" : "\(sessions) sessions"
            return "\(amount), which \(words) a side cannot confirm"
        }
    }
}
