public import StackProfile

/// The functions of a profile as rows: what the picture shows as areas, for eyes and ears that prefer numbers.
public struct FunctionTable: Sendable {
    /// The rows, the largest own weight first.
    public let rows: [FunctionCost]
    /// The number of functions that have no row.
    public let omitted: Int

    /// The most rows for each of the two orders; a table holds the first of both.
    static let rowsOfEachOrder = 250

    /// The functions of a profile that weigh most, in themselves or with what they call.
    init(_ profile: StackProfile, totals: [Int64]) {
        let costs = profile.functionCosts(totals: totals)
        let order: (FunctionCost, FunctionCost) -> Bool = { one, other in
            if one.selfWeight != other.selfWeight { return one.selfWeight > other.selfWeight }
            return one.totalWeight > other.totalWeight
        }
        guard costs.count > Self.rowsOfEachOrder else {
            rows = costs.stable(sortedBy: order)
            omitted = 0
            return
        }
        let largestTotal = costs.prefix(Self.rowsOfEachOrder)
        let largestSelf = costs.stable(sortedBy: order).prefix(Self.rowsOfEachOrder)
        rows = Array(Set(largestTotal).union(largestSelf))
            .sorted { ($0.function, $0.module ?? "") < ($1.function, $1.module ?? "") }
            .stable(sortedBy: order)
        omitted = costs.count - rows.count
    }
}

extension Array {
    /// Sorted, with equal elements in the order they had.
    fileprivate func stable(sortedBy precedes: (Element, Element) -> Bool) -> [Element] {
        enumerated().sorted {
            if precedes($0.element, $1.element) { return true }
            if precedes($1.element, $0.element) { return false }
            return $0.offset < $1.offset
        }.map(\.element)
    }
}

/// Writes the table below a picture, hidden until the reader asks for it.
struct FunctionTableMarkup {
    let table: FunctionTable
    let layout: FlameGraphLayout

    private static let columns = [
        ("function", "Function", "text"), ("module", "Module", "text"), ("self", "Self", "number"),
        ("self-share", "Self %", "number"), ("total", "Total", "number"),
        ("total-share", "Total %", "number"),
    ]

    func draw(_ writer: inout MarkupWriter) {
        writer.raw("<foreignObject class=\"list\" x=\"10\" y=\"0\" width=\"1180\" height=\"0\">")
        writer.raw(
            "<div xmlns=\"http://www.w3.org/1999/xhtml\" class=\"scroll\" tabindex=\"0\" role=\"region\"")
        writer.raw(" aria-label=\"Functions\"><table><caption>")
        writer.text(caption)
        writer.raw("</caption>\n<thead><tr>")
        for (name, title, kind) in Self.columns {
            let isSorted = name == "self"
            writer.raw("<th scope=\"col\" class=\"\(kind)\" data-key=\"\(name)\"")
            writer.raw(" aria-sort=\"\(isSorted ? "descending" : "none")\">")
            writer.raw("<button type=\"button\" data-sort=\"\(name)\">\(title)</button></th>")
        }
        writer.raw("</tr></thead>\n<tbody>\n")
        for row in table.rows { draw(row, &writer) }
        writer.raw("</tbody></table></div></foreignObject>\n")
    }

    private var caption: String {
        let shown = LabelText.grouped(Int64(table.rows.count))
        guard table.omitted > 0 else { return "\(shown) \(table.rows.count == 1 ? "function" : "functions")" }
        return "The \(shown) functions that weigh most, in themselves or with what they call, of "
            + LabelText.grouped(Int64(table.rows.count + table.omitted))
    }

    private func draw(_ row: FunctionCost, _ writer: inout MarkupWriter) {
        writer.raw("<tr data-self=\"\(row.selfWeight)\" data-total=\"\(row.totalWeight)\"><th scope=\"row\">")
        writer.raw("<button type=\"button\" data-find=\"\">")
        writer.text(displayName(row.function))
        writer.raw("</button></th><td class=\"text\">")
        writer.text(row.module.map { displayName($0) } ?? "")
        writer.raw("</td>")
        for weight in [row.selfWeight, row.totalWeight] {
            writer.raw("<td>")
            writer.text(LabelText.amount(weight, layout.unit))
            writer.raw("</td><td>")
            writer.text(LabelText.percent(Double(weight) / Double(max(layout.totalWeight, 1))))
            writer.raw("</td>")
        }
        writer.raw("</tr>\n")
    }
}
