public import FrozenProfile
internal import Measurement
public import ProfileComparison

/// The first page of a shelf: every version with what its comparison with the one before says, and how costs went.
public struct ShelfIndex {
    /// A version, or a file that could not be read.
    public struct Row {
        public var profile: FrozenProfile
        /// The version's page.
        public var page: String
        /// The page of its comparison with the version before; nil for the first.
        public var comparisonPage: String?
        public var outcome: Comparison.Outcome?
        /// What the comparison says, in a sentence, with the function where one was found.
        public var headline: String?

        /// A version with its pages.
        public init(
            _ profile: FrozenProfile, page: String, comparisonPage: String? = nil,
            outcome: Comparison.Outcome? = nil, headline: String? = nil
        ) {
            self.profile = profile
            self.page = page
            self.comparisonPage = comparisonPage
            self.outcome = outcome
            self.headline = headline
        }
    }

    /// Stages beyond the costliest so many have no picture here.
    public static let mostStages = 12
    /// Instructions first: they repeat, and where they were counted they are what verdicts rest on.
    private static let metrics: [Metric] = [.instructions, .wall, .cpu, .peakResident]

    private let rows: [Row]
    private let history: History
    /// What could not be read, as sentences.
    private let problems: [String]

    /// The page of some versions, oldest first.
    public init(_ rows: [Row], history: History, problems: [String]) {
        self.rows = rows
        self.history = history
        self.problems = problems
    }

    /// The page's bytes.
    public func render(source: String, tool: String) -> [UInt8] {
        var page = HTMLPage(
            title: "Frozen profiles", place: PagePlace(links: [], source: source), summary: sentence)
        page.add { writer in
            writer.element("p", "class=\"headline \(rows.last.map(outcomeClass) ?? "")\"", sentence)
            writer.sentences("Left out", problems)
            writer.element("h2", "", "Versions")
            // Without its script the box would do nothing.
            writer.raw(
                "<p hidden><label>Narrow: <input id=\"narrow\" type=\"search\" placeholder=\"version, stage, function\"></label> "
            )
            writer.raw("<output id=\"narrowed\"></output></p>\n")
            table(&writer)
            writer.element("h2", "", "How costs went")
            for (index, trend) in measured.enumerated() { picture(of: trend, isOpen: index == 0, &writer) }
        }
        return page.finished(tool: tool)
    }

    private var sentence: String {
        guard let last = rows.last else { return "There are no versions." }
        let versions = "\(rows.count) version\(rows.count == 1 ? "" : "s"), the last \(last.profile.release)."
        return versions + (last.headline.map { " \($0)" } ?? "")
    }

    private func outcomeClass(_ row: Row) -> String {
        switch row.outcome {
        case .verdict(let verdict): verdict.rawValue
        case .notComparable: "not-comparable"
        case nil: ""
        }
    }

    private func table(_ writer: inout HTMLWriter) {
        let trends = measured
        // The history's points are in the order of its profiles, which is that of the rows.
        // The newest first, as it is what a visitor comes for.
        writer.table(
            caption: "Medians of the whole run; each version against the one before",
            columns: [
                .init(title: "version"), .init(title: "against the one before"), .init(title: "frozen"),
            ] + trends.map { .init(title: ReportNumbers.title($0.metric), isNumber: true) },
            rows: rows.enumerated().reversed().map { index, row in
                (
                    "",
                    [
                        HTMLWriter.Cell(markup: link(row.profile.release, row.page)),
                        HTMLWriter.Cell(markup: comparison(row), attributes: "class=\"sentence\""),
                        .text(String(row.profile.date.prefix(10)), attributes: "class=\"date\""),
                    ] + trends.map { .reading($0.points[index].value, $0.metric) }
                )
            })
    }

    private func comparison(_ row: Row) -> String {
        guard let file = row.comparisonPage else { return "the first" }
        let link = link(row.headline ?? "compared", file)
        return "<span class=\"verdict-\(outcomeClass(row))\">\(link)</span>"
    }

    /// The whole run over all versions, by the metrics that any version has.
    private var measured: [History.Trend] {
        Self.metrics.map { history.trend(of: $0, in: nil) }.filter { trend in
            trend.points.contains { $0.value.value != nil }
        }
    }

    private func link(_ text: String, _ file: String) -> String {
        "<a href=\"\(HTMLText.escaped(file))\">\(HTMLText.escaped(text))</a>"
    }

    private func picture(of whole: History.Trend, isOpen: Bool, _ writer: inout HTMLWriter) {
        let metric = whole.metric
        let stages = history.stages.map { history.trend(of: metric, in: $0) }
            .map { trend in (trend: trend, most: trend.points.compactMap(\.value.value).max() ?? 0) }
            .sorted { $0.most > $1.most }
        let drawn = stages.prefix(Self.mostStages).map(\.trend)
        let picture = String(
            decoding: HistorySVG.render([whole] + drawn, title: ReportNumbers.title(metric)), as: UTF8.self)
        writer.element("details", isOpen ? "open" : "") { details in
            details.element("summary", "", ReportNumbers.title(metric))
            details.raw("<div class=\"wide\">")
            details.raw(
                String(picture[(picture.firstRange(of: "<svg")?.lowerBound ?? picture.startIndex)...]))
            details.raw("</div>\n")
            if stages.count > drawn.count {
                details.element(
                    "p", "class=\"soft\"",
                    "\(stages.count - drawn.count) stages that cost less are not drawn; 'freeze-profile history STAGE' shows each."
                )
            }
        }
    }
}
