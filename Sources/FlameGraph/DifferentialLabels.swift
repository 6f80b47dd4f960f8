internal import Measurement
internal import StackProfile

/// The texts of a differential picture.
struct DifferentialLabels {
    private let layout: DifferentialLayout
    private let options: DifferentialSVG.Options

    init(_ layout: DifferentialLayout, options: DifferentialSVG.Options) {
        self.layout = layout
        self.options = options
    }

    /// Which side is which, with both totals.
    var subtitle: String {
        let names = [layout.names.before, layout.names.after].map { displayName($0, maximumCharacters: 60) }
        let totals = layout.totals
        let subject = options.subject.map { displayName($0, maximumCharacters: 80) + " · " } ?? ""
        return "\(subject)\(names[0]): \(amount(totals.before)) → \(names[1]): \(amount(totals.after))"
            + (relative(totals.before, totals.after).map { " (\($0))" } ?? "")
    }

    func name(of rectangle: DifferentialLayout.Rectangle) -> String {
        switch rectangle.content {
        case .root: "all"
        case .frame(let frame): displayName(frame.function)
        case .smallFrames(let count):
            "\(LabelText.grouped(Int64(count))) \(count == 1 ? "function" : "functions") < "
                + LabelText.percent(layout.minimumShare)
        }
    }

    func className(of rectangle: DifferentialLayout.Rectangle, _ change: DifferentialLayout.Change) -> String
    {
        if rectangle.parent == nil { return "root" }
        if case .smallFrames = rectangle.content { return "small" }
        return switch change {
        case .neutral: "same"
        case .step(let step): step > 0 ? "more\(step)" : "less\(-step)"
        case .new: "new"
        case .gone: "gone"
        }
    }

    /// What stands before the name, so that the change is read without colour.
    func sign(of change: DifferentialLayout.Change) -> String {
        switch change {
        case .neutral: ""
        case .step(let step): step > 0 ? "+ " : "− "
        case .new: "new: "
        case .gone: "gone: "
        }
    }

    /// What is read aloud.
    func label(of rectangle: DifferentialLayout.Rectangle) -> String {
        "\(sign(of: layout.change(of: rectangle, options.normalization)))\(name(of: rectangle)), \(values(of: rectangle))"
    }

    /// What is shown on hovering: the name alone in the first line and where it is from in the last.
    func title(of rectangle: DifferentialLayout.Rectangle) -> String {
        var lines = [name(of: rectangle), values(of: rectangle)]
        lines.append("self \(amount(rectangle.selfBefore)) → \(amount(rectangle.selfAfter))")
        if case .frame(let frame) = rectangle.content {
            let origin = [frame.module, frame.file].compactMap { $0.map { displayName($0) } }
            lines.append(origin.joined(separator: " · "))
        }
        return lines.joined(separator: "\n")
    }

    /// `before -> after (delta points, delta %, n samples)`.
    private func values(of rectangle: DifferentialLayout.Rectangle) -> String {
        let points = layout.points(of: rectangle, options.normalization)
        let delta = relative(rectangle.before, rectangle.after) ?? (rectangle.before > 0 ? "gone" : "new")
        let samples =
            "\(LabelText.grouped(rectangle.samplesBefore)) → \(LabelText.grouped(rectangle.samplesAfter)) samples"
        return "\(amount(rectangle.before)) → \(amount(rectangle.after)) "
            + "(\(Self.signed(points, 2)) points, \(delta), \(samples))"
    }

    func amount(_ value: Double) -> String {
        switch options.unit {
        case .seconds:
            value >= 100
                ? "\(value.fixed(1)) s" : value >= 1 ? "\(value.fixed(2)) s" : "\((1000 * value).fixed(1)) ms"
        case .samples: "\(LabelText.grouped(Int64(value.rounded()))) samples"
        case .bytes: LabelText.bytes(Int64(value.rounded()))
        case .weight: LabelText.grouped(Int64(value.rounded()))
        }
    }

    /// The change in percent; nil where one side has nothing.
    private func relative(_ before: Double, _ after: Double) -> String? {
        guard before > 0, after > 0 else { return nil }
        return "\(Self.signed(100 * (after - before) / before, 1)) %"
    }

    static func signed(_ value: Double, _ decimals: Int) -> String {
        let text = value.magnitude.fixed(decimals)
        let isZero = text.allSatisfy { $0 == "0" || $0 == "." }
        return (isZero ? "±" : value > 0 ? "+" : "−") + text
    }
}

/// What stands under a differential picture.
struct DifferentialFooter {
    private let lines: [String]
    private let legend: [(kind: String, text: String)]

    init(_ layout: DifferentialLayout, options: DifferentialSVG.Options) {
        let steps = DifferentialLayout.steps.map { $0.fixed($0 == $0.rounded() ? 0 : 1) }
        legend = [
            ("less3", "− \(steps[2])"), ("less2", "− \(steps[1])"), ("less1", "− \(steps[0])"),
            ("same", "same, or too few samples to tell"), ("more1", "+ \(steps[0])"),
            ("more2", "+ \(steps[1])"),
            ("more3", "+ \(steps[2]) points and more"), ("new", "new"), ("gone", "gone"),
        ]
        var texts = options.facts.map { "\($0.label): \($0.text)" }
        if layout.smallFrameCount > 0 {
            texts.append(
                "not drawn singly: \(LabelText.grouped(Int64(layout.smallFrameCount))) functions below "
                    + LabelText.percent(layout.minimumShare) + " on both sides")
        }
        lines = texts.map { displayName($0) } + options.warnings.map { "! " + displayName($0) }
    }

    var height: Double { 14 + Double(lines.count + 1) * Metrics.footerLineHeight + 8 }

    func draw(_ writer: inout MarkupWriter, top: Double, identifier: String) {
        writer.raw("<g class=\"footer\" transform=\"translate(0,")
        writer.number(top)
        writer.raw(")\">\n")
        var x = Metrics.margin
        for (kind, text) in legend {
            writer.raw("<g class=\"f \(kind)\"><rect x=\"")
            writer.number(x)
            writer.raw("\" y=\"15\" width=\"18\" height=\"12\"")
            if kind == "new" || kind == "gone" { writer.raw(" fill=\"url(#\(identifier)-\(kind))\"") }
            writer.raw("/></g><text x=\"")
            writer.number(x + 24)
            writer.raw("\" y=\"25\">\(text)</text>\n")
            x += 24 + Double(LabelText.cells(text) + 3) * 6.63
        }
        for (index, line) in lines.enumerated() {
            writer.raw("<text x=\"10\" y=\"")
            writer.number(25 + Double(index + 1) * Metrics.footerLineHeight)
            writer.raw("\">")
            writer.text(LabelText.cut(line, ifWiderThan: 175))
            writer.raw("</text>\n")
        }
        writer.raw("</g>\n")
    }
}
