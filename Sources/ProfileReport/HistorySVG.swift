internal import FrozenProfile
internal import Measurement
public import ProfileComparison
internal import Statistics

/// A history drawn: a panel for each trend, the versions from left to right.
///
/// Lines end where machine or work changed; whiskers show where another measurement of a version would lie; dashed
/// lines mark where a new level begins.
public enum HistorySVG {
    private static let width = 960.0
    private static let left = 70.0
    private static let right = 20.0
    private static let header = 44.0

    /// The picture as UTF-8 bytes.
    ///
    /// - Parameter title: The heading.
    public static func render(_ trends: [History.Trend], title: String) -> [UInt8] {
        let panel = trends.count == 1 ? 320.0 : 130.0
        let height = header + panel * Double(max(1, trends.count)) + 40
        var writer = HTMLWriter()
        writer.raw("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\" ")
        writer.raw(
            "class=\"freeze-history\" role=\"img\" width=\"\(width.fixed(0))\" height=\"\(height.fixed(0))\" "
        )
        writer.raw("viewBox=\"0 0 \(width.fixed(0)) \(height.fixed(0))\" aria-label=\"")
        writer.plain(title)
        writer.raw("\">\n<style>\n\(style)</style>\n<rect class=\"page\" width=\"100%\" height=\"100%\"/>\n")
        writer.raw("<text class=\"title\" x=\"10\" y=\"26\">")
        writer.plain(title)
        writer.raw("</text>\n")
        if trends.allSatisfy({ $0.points.isEmpty }) {
            writer.raw("<text x=\"10\" y=\"60\">No versions, so there is nothing to draw.</text>\n")
        }
        for (index, trend) in trends.enumerated() where !trend.points.isEmpty {
            draw(trend, top: header + Double(index) * panel, height: panel, &writer)
        }
        if let points = trends.first?.points, let first = points.first, let last = points.last {
            label(first.release + "  " + first.date.prefix(10), x: left, y: height - 14, "start", &writer)
            label(
                last.release + "  " + last.date.prefix(10), x: width - right, y: height - 14, "end", &writer)
        }
        writer.raw("</svg>\n")
        return Array(writer.text.utf8)
    }

    private static let style = """
        .freeze-history { color-scheme: light dark; font: 12px system-ui, "DejaVu Sans", sans-serif; }
        .freeze-history .page { fill: #ffffff; fill: light-dark(#ffffff, #15171c); }
        .freeze-history text { fill: #16181d; fill: light-dark(#16181d, #eceef2); }
        .freeze-history .title { font-size: 16px; font-weight: 600; }
        .freeze-history .soft { fill: #555b66; fill: light-dark(#555b66, #a9b0bd); font-size: 11px; }
        .freeze-history .axis { stroke: #c5cad3; stroke: light-dark(#c5cad3, #3a404a); }
        .freeze-history .line { fill: none; stroke: #2f6db3; stroke: light-dark(#2f6db3, #8fc0f2); stroke-width: 1.5; }
        .freeze-history .point { fill: #2f6db3; fill: light-dark(#2f6db3, #8fc0f2); }
        .freeze-history .whisker { stroke: #2f6db3; stroke: light-dark(#2f6db3, #8fc0f2); opacity: 0.5; }
        .freeze-history .step { stroke: #b3541e; stroke: light-dark(#b3541e, #f0a860); stroke-dasharray: 5 3; }
        .freeze-history .break { stroke: #8a8f99; stroke-dasharray: 1 3; stroke-width: 2; }

        """

    private static func label(
        _ text: String, x: Double, y: Double, _ anchor: String, _ writer: inout HTMLWriter
    ) {
        writer.raw("<text class=\"soft\" x=\"\(x.fixed(1))\" y=\"\(y.fixed(1))\" text-anchor=\"\(anchor)\">")
        writer.plain(text)
        writer.raw("</text>\n")
    }

    /// Where values and versions of a panel stand.
    private struct Scale {
        let count: Int
        let top: Double
        let bottom: Double
        let least: Double
        let most: Double

        func x(_ index: Int) -> Double {
            let room = HistorySVG.width - HistorySVG.left - HistorySVG.right
            return HistorySVG.left + (count > 1 ? room * Double(index) / Double(count - 1) : room / 2)
        }

        func y(_ value: Double) -> Double {
            most > least ? bottom - (bottom - top) * (value - least) / (most - least) : (top + bottom) / 2
        }
    }

    private static func draw(_ trend: History.Trend, top: Double, height: Double, _ writer: inout HTMLWriter)
    {
        label(
            "\(trend.stage?.text ?? "whole run"), \(trend.metric.title)", x: left, y: top + 14, "start",
            &writer)
        guard let (least, most) = range(of: trend) else {
            label("not measured", x: left, y: top + height / 2, "start", &writer)
            return
        }
        let scale = Scale(
            count: trend.points.count, top: top + 24, bottom: top + height - 14, least: least, most: most)
        for value in Set([least, most]).sorted() {
            let y = scale.y(value)
            line("axis", left, y, width - right, y, &writer)
            label(axisText(value), x: left - 6, y: y + 4, "end", &writer)
        }
        for (index, point) in trend.points.enumerated() {
            let x = scale.x(index)
            if let reason = point.breakReason { mark("break", x, scale, "not compared: \(reason)", &writer) }
            if point.isChangePoint {
                mark("step", x, scale, "a new level begins with \(point.release)", &writer)
            }
        }
        for part in trend.parts {
            drawLine(part.filter { trend.points[$0].value.value != nil }, trend, scale, &writer)
        }
        drawPoints(trend, scale, &writer)
    }

    /// A value in the room beside an axis.
    private static func axisText(_ value: Double) -> String {
        for (scale, letter) in [(1e12, "T"), (1e9, "G"), (1e6, "M")] where value >= scale {
            return "\((value / scale).fixed(1)) \(letter)"
        }
        return value.fixed(value < 100 ? 3 : 1)
    }

    /// The values that a panel shows. Whiskers have room around the values, but two sessions can have one that is a hundred
    /// times as long, beside which all versions would look alike.
    private static func range(of trend: History.Trend) -> (least: Double, most: Double)? {
        let values = trend.points.compactMap(\.value.value)
        guard let low = values.min(), let high = values.max() else { return nil }
        let room = max(high - low, high / 10)
        let ends = trend.points.compactMap(\.interval)
        return (
            least: min(low, max(low - room, ends.map(\.lower).min() ?? low)),
            most: max(high, min(high + room, ends.map(\.upper).max() ?? high))
        )
    }

    private static func drawLine(
        _ indices: [Int], _ trend: History.Trend, _ scale: Scale, _ writer: inout HTMLWriter
    ) {
        guard indices.count > 1 else { return }
        let places = indices.map { index in
            "\(scale.x(index).fixed(1)),\(scale.y(trend.points[index].value.value ?? 0).fixed(1))"
        }
        writer.raw("<polyline class=\"line\" points=\"\(places.joined(separator: " "))\"/>\n")
    }

    private static func drawPoints(_ trend: History.Trend, _ scale: Scale, _ writer: inout HTMLWriter) {
        for (index, point) in trend.points.enumerated() {
            guard let value = point.value.value else { continue }
            let x = scale.x(index)
            if let interval = point.interval {
                line(
                    "whisker", x, scale.y(max(interval.lower, scale.least)), x,
                    scale.y(min(interval.upper, scale.most)), &writer)
            }
            let radius = trend.points.count > 200 ? 1.2 : 3
            writer.raw(
                "<circle class=\"point\" cx=\"\(x.fixed(1))\" cy=\"\(scale.y(value).fixed(1))\" r=\"\(radius.fixed(1))\">"
            )
            let change = point.changePercent.map { ", " + ReportNumbers.signed($0) } ?? ""
            let bounds =
                point.interval.map { ", another session \($0.lower.fixed(3)) to \($0.upper.fixed(3))" } ?? ""
            writer.element(
                "title", "", "\(point.release) (\(point.date)): \(value.fixed(3))\(change)\(bounds)")
            writer.raw("</circle>\n")
        }
    }

    private static func mark(
        _ kind: String, _ x: Double, _ scale: Scale, _ title: String, _ writer: inout HTMLWriter
    ) {
        writer.raw("<g>")
        writer.element("title", "", title)
        line(kind, x, scale.top - 6, x, scale.bottom, &writer)
        writer.raw("</g>\n")
    }

    private static func line(
        _ kind: String, _ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ writer: inout HTMLWriter
    ) {
        writer.raw(
            "<line class=\"\(kind)\" x1=\"\(x1.fixed(1))\" y1=\"\(y1.fixed(1))\" x2=\"\(x2.fixed(1))\" y2=\"\(y2.fixed(1))\"/>\n"
        )
    }
}
