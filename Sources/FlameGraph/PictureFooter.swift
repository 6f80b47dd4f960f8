internal import Measurement
internal import StackProfile

/// What stands under the rectangles: a legend of what is unusual in them, and how the samples were made.
struct PictureFooter {
    private struct Entry {
        let label: String
        let text: String
        /// The width in character cells of the small font.
        var cells: Int { LabelText.cells(label) + LabelText.cells(text) + 1 }
    }

    private let legend: [(kind: String, text: String)]
    private let lines: [[Entry]]

    /// The small font's monospace advance at 11 units, and what is left between two facts.
    private static let cellWidth = 6.63
    private static let gap = 3

    init(_ layout: FlameGraphLayout, options: FlameGraphSVG.Options) {
        legend = Self.legend(layout)
        var facts = options.facts
        if facts.samples == nil, layout.unit == .samples { facts.samples = .value(layout.totalWeight) }
        var entries = facts.lines.map { Entry(label: displayName($0.label), text: displayName($0.text)) }
        switch layout.unknownFrameShare {
        case .value(let share): entries.append(Entry(label: "unknown frames", text: LabelText.percent(share)))
        case .unavailable(let reason):
            entries.append(Entry(label: "unknown frames", text: "unavailable (\(reason))"))
        }
        if layout.smallFrameCount > 0 {
            let count = LabelText.grouped(Int64(layout.smallFrameCount))
            entries.append(
                Entry(
                    label: "not drawn singly",
                    text: "\(count) frames below \(LabelText.percent(layout.minimumShare))"))
        }
        lines = Self.wrapped(entries)
    }

    /// The height of the footer with the space around it.
    var height: Double {
        14 + Double(lines.count + (legend.isEmpty ? 0 : 1)) * Metrics.footerLineHeight + 8
    }

    /// The facts in lines that fit, a fact longer than a line cut.
    private static func wrapped(_ entries: [Entry]) -> [[Entry]] {
        let room = Int(Metrics.graphWidth / cellWidth)
        var lines: [[Entry]] = []
        var used = 0
        for entry in entries {
            let text = LabelText.cut(entry.text, ifWiderThan: room - LabelText.cells(entry.label) - 1)
            let fitted = Entry(label: LabelText.cut(entry.label, ifWiderThan: 40), text: text)
            if lines.isEmpty || used + gap + fitted.cells > room {
                lines.append([])
                used = 0
            }
            used += fitted.cells + (used > 0 ? gap : 0)
            lines[lines.count - 1].append(fitted)
        }
        return lines
    }

    private static func legend(_ layout: FlameGraphLayout) -> [(kind: String, text: String)] {
        let frames = layout.rectangles.lazy.compactMap(\.frame)
        var legend: [(kind: String, text: String)] = []
        if frames.contains(where: \.isUnknown) { legend.append(("unknown", "function not known")) }
        if frames.contains(where: \.isGuessed) { legend.append(("guessed", "frame guessed")) }
        if frames.contains(where: \.isTruncationMarker) { legend.append(("marker", "stack cut off here")) }
        if layout.smallFrameCount > 0 {
            legend.append(("small", "frames too small to be drawn singly, together"))
        }
        return legend
    }

    func draw(_ writer: inout MarkupWriter, top: Double, identifier: String) {
        writer.raw("<g class=\"footer\" transform=\"translate(0,")
        writer.number(top)
        writer.raw(")\">\n")
        var y = 14.0
        if !legend.isEmpty {
            drawLegend(&writer, y: y, identifier: identifier)
            y += Metrics.footerLineHeight
        }
        for line in lines {
            var x = Metrics.margin
            for entry in line {
                writer.raw("<text x=\"")
                writer.number(x)
                writer.raw("\" y=\"")
                writer.number(y + 11)
                writer.raw("\"><tspan class=\"label\">")
                writer.text(entry.label)
                writer.raw("</tspan> ")
                writer.text(entry.text)
                writer.raw("</text>\n")
                x += Double(entry.cells + Self.gap) * Self.cellWidth
            }
            y += Metrics.footerLineHeight
        }
        writer.raw("</g>\n")
    }

    private func drawLegend(_ writer: inout MarkupWriter, y: Double, identifier: String) {
        var x = Metrics.margin
        for (kind, text) in legend {
            let pattern = ["unknown": "unknown", "marker": "cut"][kind]
            writer.raw("<g class=\"\(kind)\"><rect x=\"")
            writer.number(x)
            writer.raw("\" y=\"")
            writer.number(y + 1)
            writer.raw("\" width=\"18\" height=\"12\"")
            if let pattern { writer.raw(" fill=\"url(#\(identifier)-\(pattern))\"") }
            writer.raw("/></g><text x=\"")
            writer.number(x + 24)
            writer.raw("\" y=\"")
            writer.number(y + 11)
            writer.raw("\">\(text)</text>\n")
            x += 24 + Double(LabelText.cells(text) + 4) * Self.cellWidth
        }
    }
}
