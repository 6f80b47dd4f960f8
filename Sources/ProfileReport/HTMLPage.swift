internal import FrozenProfile
internal import Measurement

/// A page that needs nothing but itself: no network, no fonts, no scripts from elsewhere.
struct HTMLPage {
    private(set) var writer = HTMLWriter()

    /// - Parameters:
    ///   - title: The page's title and heading.
    ///   - place: Where it stands among other pages; nil for a page by itself.
    ///   - summary: What the page says, in a sentence.
    init(title: String, place: PagePlace? = nil, summary: String? = nil) {
        writer.raw("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")
        writer.raw("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; ")
        writer.raw("style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:\">\n")
        writer.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n")
        if let place {
            writer.raw("<meta name=\"\(PagePlace.mark)\" content=\"\(HTMLText.escaped(place.source))\">\n")
        }
        if let summary {
            writer.raw("<meta name=\"description\" content=\"\(HTMLText.escaped(summary))\">\n")
        }
        writer.element("title", "", title)
        writer.raw(
            "\n<style>\n\(String(decoding: PackageResources.report_css, as: UTF8.self))</style>\n</head>\n<body>\n<main>\n"
        )
        if let links = place?.links, !links.isEmpty {
            writer.element("nav", "class=\"soft\"") { nav in
                for (index, link) in links.enumerated() {
                    if index > 0 { nav.raw(" · ") }
                    nav.element("a", "href=\"\(HTMLText.escaped(link.file))\"", link.text)
                }
            }
        }
        writer.element("h1", "", title)
        writer.raw("\n")
    }

    mutating func add(_ fill: (inout HTMLWriter) -> Void) { fill(&writer) }

    /// The page's bytes.
    ///
    /// - Parameter tool: Who made it.
    func finished(tool: String) -> [UInt8] {
        var writer = writer
        writer.element("p", "class=\"soft\"", "Made by \(tool).")
        writer.raw("</main>\n<script>\n")
        for script in [
            PackageResources.report_js, PackageResources.timeline_js, PackageResources.sampled_js,
            PackageResources.shelf_js,
        ] {
            writer.raw(String(decoding: script, as: UTF8.self))
        }
        writer.raw("</script>\n</body>\n</html>\n")
        return Array(writer.text.utf8)
    }
}

extension HTMLWriter {
    /// A column of a table.
    struct Column {
        var title: String
        var isNumber = false
    }

    /// A cell of a table: text or markup of ours, and the number to sort by.
    struct Cell {
        var markup: String
        var value: Double?
        var attributes = ""

        /// Text from anywhere.
        static func text(_ text: String, value: Double? = nil, attributes: String = "") -> Cell {
            Cell(markup: HTMLText.escaped(text), value: value, attributes: attributes)
        }

        /// A metric's reading. The reason for a missing one is shown under the pointer and below the table; see
        /// ``HTMLWriter/missing(_:)``.
        static func reading(_ reading: Reading<Double>?, _ metric: Metric) -> Cell {
            guard let reading else { return .text("–") }
            guard let reason = reading.unavailableReason else {
                return .text(ReportNumbers.reading(reading, metric), value: reading.value)
            }
            return .text("n/a", attributes: "title=\"\(HTMLText.escaped(reason))\"")
        }
    }

    /// A table that can be sorted by its headings. The first cell of each row is its heading.
    mutating func table(caption: String, columns: [Column], rows: [(attributes: String, cells: [Cell])]) {
        raw("<div class=\"wide\"><table class=\"sortable\">")
        element("caption", "", caption)
        raw("<thead><tr>")
        for column in columns {
            element("th", column.isNumber ? "scope=\"col\" class=\"number\"" : "scope=\"col\"", column.title)
        }
        raw("</tr></thead>\n<tbody>\n")
        for row in rows {
            raw(row.attributes.isEmpty ? "<tr>" : "<tr \(row.attributes)>")
            for (index, cell) in row.cells.enumerated() {
                let name = index == 0 ? "th scope=\"row\"" : "td"
                let number = columns[index].isNumber ? " class=\"number\"" : ""
                let value = cell.value.map { " data-v=\"\($0.isFinite ? $0.fixed(9) : "0")\"" } ?? ""
                let more = cell.attributes.isEmpty ? "" : " " + cell.attributes
                raw("<\(name)\(number)\(value)\(more)>\(cell.markup)</\(index == 0 ? "th" : "td")>")
            }
            raw("</tr>\n")
        }
        raw("</tbody></table></div>\n")
    }

    /// What is missing in the table above, and why: each reason once, with the metrics it is of.
    mutating func missing(_ readings: [(metric: Metric, reading: Reading<Double>)]) {
        var metrics: [String: [String]] = [:]
        var order: [String] = []
        for (metric, reading) in readings {
            guard let reason = reading.unavailableReason else { continue }
            if metrics[reason] == nil { order.append(reason) }
            if metrics[reason]?.contains(metric.title) != true {
                metrics[reason, default: []].append(metric.title)
            }
        }
        guard !order.isEmpty else { return }
        let sentences = order.map { "\((metrics[$0] ?? []).joined(separator: ", ")): \($0)" }
        element("p", "class=\"soft\"", "n/a is not available. " + sentences.joined(separator: "; ") + ".")
    }

    /// The metrics that have no column because every value was 0.
    mutating func zeros(_ metrics: [Metric]) {
        guard !metrics.isEmpty else { return }
        element("p", "class=\"soft\"", "Always 0: \(metrics.map(\.title).joined(separator: ", ")).")
    }

    /// A list of sentences under a heading; nothing for none.
    mutating func sentences(_ title: String, _ sentences: [String]) {
        guard !sentences.isEmpty else { return }
        element("h3", "", title)
        element("ul") { list in
            for sentence in sentences { list.element("li", "", sentence) }
        }
    }

    /// What one or two profiles were measured on.
    mutating func environment(_ profiles: [FrozenProfile]) {
        let names = profiles.map(\.release)
        func shown(_ reading: Reading<Fact>) -> String {
            switch reading {
            case .value(let fact): fact.description
            case .unavailable(let reason): "unavailable (\(reason))"
            }
        }
        let identity = IdentityKey.allCases.filter { key in
            profiles.contains { $0.environment.identity.facts[key] != nil }
        }.map { key in
            let values = profiles.map { shown($0.environment.identity[key]) }
            let differs = Set(values).count > 1
            return (
                differs ? "class=\"differs\"" : "",
                [Cell.text(key.rawValue + (differs ? " (differs)" : ""))] + values.map { Cell.text($0) }
            )
        }
        element("h2", "", "Environment")
        table(
            caption: "What must be the same, and what the source was",
            columns: [Column(title: "key")] + names.map { Column(title: $0) }, rows: identity)
        let observed = ObservedKey.allCases.filter { key in
            profiles.contains { $0.environment.observed.values[key] != nil }
        }.map { key in
            (
                "",
                [Cell.text(key.rawValue)]
                    + profiles.map { profile in
                        switch profile.environment.observed[key] {
                        case .value(let value): Cell.text(value.fixed(2), value: value)
                        case .unavailable(let reason): Cell.text("unavailable (\(reason))")
                        }
                    }
            )
        }
        if !observed.isEmpty {
            table(
                caption: "The machine when measuring began",
                columns: [Column(title: "key")] + names.map { Column(title: $0, isNumber: true) },
                rows: observed)
        }
    }
}
