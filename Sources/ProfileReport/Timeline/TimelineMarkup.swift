internal import FlameGraph
internal import FrozenProfile
internal import Measurement

/// Draws runs in time, one above the other on one scale: stage bands, then memory and CPU.
///
/// All is there without the script: bands and curves are pictures, and a table holds the spans' sums. The script adds
/// hovering, intervals and zoom, by mouse and by keys.
struct TimelineMarkup {
    /// A run and whose it is.
    struct Row {
        var name: String
        var timeline: RunTimeline
    }

    private let rows: [Row]
    private let palette: StagePalette
    /// The length of the axis in seconds.
    private let length: Double

    init(_ rows: [Row]) {
        self.rows = rows
        palette = StagePalette(stages: rows.flatMap { $0.timeline.spans.map(\.stage.text) })
        length = max(rows.map(\.timeline.duration).max() ?? 0, 1e-6)
    }

    func draw(_ writer: inout HTMLWriter) {
        writer.element(
            "div",
            "class=\"timeline\" data-length=\"\(length.fixed(6))\" tabindex=\"0\" role=\"group\" "
                + "aria-label=\"Timeline. Left and right move the moment, shift selects an interval, Enter zooms into it, "
                + "Escape shows the whole run.\""
        ) { box in
            box.raw(
                "<p class=\"moment soft\" role=\"status\">Point at a moment, or drag over an interval.</p>\n")
            for row in rows { draw(row, &box) }
            drawAxis(&box)
            box.raw("<div class=\"interval\" hidden></div>\n")
        }
        drawLegend(&writer)
        for row in rows {
            for note in row.timeline.notes { writer.element("p", "class=\"soft\"", note) }
        }
    }

    // MARK: Tracks

    private func draw(_ row: Row, _ box: inout HTMLWriter) {
        if rows.count > 1 { box.element("h3", "", row.name) }
        let height = max(row.timeline.lanes, 1) * 20
        openTrack("bands", height: height, label: "Stages of \(row.name)", &box)
        for span in row.timeline.spans {
            let width = max(span.end - span.start, length / 4000)
            let episode = span.episode.map { ", episode \($0)" } ?? ""
            box.raw(
                "<rect x=\"\(span.start.fixed(6))\" y=\"\(span.lane * 20 + 1)\" width=\"\(width.fixed(6))\"")
            box.raw(" height=\"18\" fill=\"\(palette.color(of: span.stage.text))\" data-s=\"")
            box.plain(span.stage.text)
            box.raw("\" data-e=\"\(span.end.fixed(6))\"><title>")
            box.plain(
                "\(span.stage.text)\(episode): \(Self.seconds(span.start)) to \(Self.seconds(span.end)), "
                    + Self.seconds(span.end - span.start))
            box.raw("</title></rect>")
        }
        box.raw("</svg></div>\n")
        drawCurve(row, "resident", "memory, MiB", \.resident, color: "#2f6db3", &box)
        drawCurve(row, "cpu", "CPU, % of a core", \.cpu, color: "#b3541e", &box)
    }

    private func openTrack(_ kind: String, height: Int, label: String, _ box: inout HTMLWriter) {
        box.raw(
            "<div class=\"track \(kind)\"><svg viewBox=\"0 0 \(length.fixed(6)) \(height)\" height=\"\(height)\""
        )
        box.raw(" width=\"100%\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"")
        box.plain(label)
        box.raw("\">")
    }

    private func drawCurve(
        _ row: Row, _ kind: String, _ title: String, _ key: KeyPath<RunTimeline.Tick, Double?>, color: String,
        _ box: inout HTMLWriter
    ) {
        let points = row.timeline.ticks.compactMap { tick in tick[keyPath: key].map { (tick.time, $0) } }
        guard points.count > 1, let most = points.map(\.1).max(), most > 0 else { return }
        box.raw("<p class=\"scale soft\">")
        box.plain("\(title): at most \(most.fixed(most < 10 ? 1 : 0))")
        box.raw("</p>\n")
        openTrack(kind, height: 48, label: "\(title) of \(row.name), at most \(most.fixed(1))", &box)
        let text = points.map { "\($0.0.fixed(3)),\((46 - 44 * $0.1 / most).fixed(2))" }.joined(
            separator: " ")
        box.raw(
            "<polyline fill=\"none\" stroke=\"\(color)\" stroke-width=\"1.5\" vector-effect=\"non-scaling-stroke\""
        )
        box.raw(" data-most=\"\(most.fixed(3))\" points=\"\(text)\"/></svg></div>\n")
    }

    private func drawAxis(_ box: inout HTMLWriter) {
        box.raw("<div class=\"axis soft\" aria-hidden=\"true\">")
        for quarter in 0...4 { box.element("span", "", Self.seconds(length * Double(quarter) / 4)) }
        box.raw("</div>\n")
    }

    private func drawLegend(_ writer: inout HTMLWriter) {
        var order: [String] = []
        for span in rows.flatMap(\.timeline.spans) where !order.contains(span.stage.text) {
            order.append(span.stage.text)
        }
        guard !order.isEmpty else { return }
        writer.element("ul", "class=\"legend\"") { list in
            for stage in order.prefix(100) {
                list.element("li", "") { item in
                    item.raw(
                        "<svg width=\"12\" height=\"12\" aria-hidden=\"true\"><rect width=\"12\" height=\"12\""
                    )
                    item.raw(" fill=\"\(palette.color(of: stage))\"/></svg> ")
                    item.plain(stage)
                }
            }
        }
    }

    /// A moment or a length for a person: `0.8 ms`, `12.3 s`, `4:05`.
    static func seconds(_ value: Double) -> String {
        if value >= 100 {
            let whole = Int(value.rounded())
            let seconds = whole % 60
            return "\(whole / 60):\(seconds < 10 ? "0" : "")\(seconds)"
        }
        if value >= 10 { return "\(value.fixed(1)) s" }
        return value >= 1 || value == 0
            ? "\(value.fixed(value == 0 ? 0 : 2)) s" : "\((1000 * value).fixed(1)) ms"
    }
}
