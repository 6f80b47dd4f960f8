internal import FrozenProfile
internal import Measurement
internal import ProfileComparison

/// What both versions execute, in the reports of a comparison.
enum CountedTables {
    private static let columns = ["stage", "from", "to", "change", "floor", "verdict"]
    private static let functionColumns = ["function", "file", "from", "to", "of the stage"]
    /// The most functions of a stage.
    private static let maximumFunctions = 10

    /// The lines of Markdown, folded unless something has regressed; none where nothing was counted.
    static func markdown(_ comparison: Comparison) -> [String] {
        switch comparison.counted {
        case nil: return []
        case .unavailable(let reason):
            return ["- Instructions are not compared: \(MarkdownText.escaped(reason))", ""]
        case .value(let counted):
            let isOpen = counted.verdict == .regressed ? " open" : ""
            var lines = ["<details\(isOpen)><summary>\(MarkdownText.escaped(counted.title))</summary>", ""]
            lines += table(
                columns, numbers: 1...4,
                counted.rows.map { counted.cells(of: $0).map { MarkdownText.escaped($0) } })
            for row in counted.rowsToExplain {
                let functions = counted.functionsToShow(of: row).prefix(maximumFunctions).map { function in
                    let cells = counted.cells(of: function, in: row)
                    return [MarkdownText.code(cells[0])] + cells.dropFirst().map { MarkdownText.escaped($0) }
                }
                let name = MarkdownText.escaped(row.stage?.text ?? "")
                lines +=
                    ["", "Where the instructions of \(name) changed:", ""]
                    + table(functionColumns, numbers: 2...4, functions)
            }
            lines += [""] + counted.remarks.map { "- " + MarkdownText.escaped($0) }
            return lines + ["", "</details>", ""]
        }
    }

    private static func table(
        _ columns: [String], numbers: ClosedRange<Int>, _ rows: [[String]]
    ) -> [String] {
        func line(_ cells: [String]) -> String { "| " + cells.joined(separator: " | ") + " |" }
        let rule = columns.indices.map { numbers.contains($0) ? "--:|" : "---|" }.joined()
        return [line(columns), "|" + rule] + rows.map(line)
    }

    /// The section of the page; nothing where nothing was counted.
    static func html(_ comparison: Comparison, _ writer: inout HTMLWriter) {
        switch comparison.counted {
        case nil: return
        case .unavailable(let reason):
            writer.element("p", "class=\"soft\"", "Instructions are not compared: \(reason)")
        case .value(let counted):
            writer.element("h2", "", "Instructions")
            writer.table(
                caption: counted.title, columns: numbered(columns, from: 1, to: 4),
                rows: counted.rows.map { row in
                    let attributes =
                        switch row.verdict {
                        case .regressed: "class=\"verdict-regressed\""
                        case .improved: "class=\"verdict-improved\""
                        default: ""
                        }
                    let values = [
                        nil, row.from?.median, row.to?.median, row.changePercent, row.floorPercent, nil,
                    ]
                    let cells = zip(counted.cells(of: row), values).enumerated().map { place, cell in
                        HTMLWriter.Cell.text(cell.0, value: cell.1, attributes: place == 5 ? attributes : "")
                    }
                    return ("", cells)
                })
            for row in counted.rowsToExplain {
                writer.table(
                    caption: "Where the instructions of \(row.stage?.text ?? "") changed",
                    columns: numbered(functionColumns, from: 2, to: 4),
                    rows: counted.functionsToShow(of: row).map { function in
                        let values = [nil, nil, function.from, function.to, function.change]
                        return (
                            "", zip(counted.cells(of: function, in: row), values).map { .text($0, value: $1) }
                        )
                    })
            }
            writer.sentences("What counts say, and do not", counted.remarks)
        }
    }

    /// The section of one version's page; nothing where nothing was to be counted.
    static func html(_ profile: FrozenProfile, _ writer: inout HTMLWriter) {
        guard let reading = profile.counts else { return }
        writer.element("h2", "", "Instructions executed")
        guard let counts = reading.value else {
            writer.element(
                "p", "class=\"soft\"",
                "They are unavailable: \(reading.unavailableReason ?? "no reason given").")
            return
        }
        let whole = counts.total.median
        let parts =
            counts.stages.map { (name: $0.name.text, part: $0.part) } + [("outside stages", counts.outside)]
            + [("whole run", counts.total)]
        writer.table(
            caption:
                "In user space, by \(counts.engine), the middle of \(counts.runs) run\(counts.runs == 1 ? "" : "s")",
            columns: numbered(
                ["stage", "instructions", "share", "runs apart", "system calls", ""], from: 1, to: 4),
            rows: parts.map { name, part in
                let share = whole > 0 ? part.median / whole : 0
                let least = part.lowerBound.isEmpty ? "" : ">"
                return (
                    "",
                    [
                        .text(name),
                        .text(least + CountedComparison.grouped(part.median), value: part.median),
                        .text("\((100 * share).fixed(1)) %", value: share),
                        part.floorPercent.value.map { .text("\($0.fixed(3)) %", value: $0) } ?? .text("n/a"),
                        part.systemCallCount.value.map {
                            .text(CountedComparison.grouped(Double($0)), value: Double($0))
                        }
                            ?? .text("n/a"),
                        .text(
                            part.lowerBound.isEmpty
                                ? "" : "at least: " + part.lowerBound.joined(separator: "; ")),
                    ]
                )
            })
        writer.element(
            "p", "class=\"soft\"",
            "Blind to caches, waiting and the kernel; the same work executes the same number on any machine.")
    }

    private static func numbered(_ titles: [String], from: Int, to: Int) -> [HTMLWriter.Column] {
        titles.enumerated().map { .init(title: $1, isNumber: (from...to).contains($0)) }
    }
}
