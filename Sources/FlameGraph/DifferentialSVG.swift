internal import Measurement
internal import StackProfile

/// Draws a differential layout as one self-contained SVG file.
///
/// Every function is as wide as the larger of its two sides, so what vanished is seen too; colour shows the change in
/// percentage points, and signs, hatching and outlines show it without colour. The same layout and options give the
/// same bytes. Several may stand in one HTML page.
public enum DifferentialSVG {
    /// What the values of a layout are.
    public enum Unit: String, Sendable {
        case seconds, samples, bytes
        /// Of something else that is counted.
        case weight
    }

    /// What is drawn around the rectangles.
    public struct Options: Sendable {
        /// The heading.
        public var title = "Differential flame graph"
        /// What was compared, under the heading and before the totals: a stage.
        public var subject: String?
        public var unit = Unit.samples
        /// What both sides are measured by at first; a reader can change it.
        public var normalization = DifferentialLayout.Normalization.absolute
        /// Which way stacks grow at first; a reader can turn them.
        public var orientation = FlameGraphSVG.Orientation.icicle
        /// Facts under the picture: a label and a text each.
        public var facts: [(label: String, text: String)] = []
        /// Sentences on what speaks against comparing the two sides.
        public var warnings: [String] = []
        /// Set apart from other pictures in one page that would look the same.
        public var identity = ""

        /// The defaults.
        public init() {}
    }

    /// The picture as UTF-8 bytes.
    ///
    /// - Parameter asDocument: With the XML declaration, as a file of its own; without it, to stand in a page.
    public static func render(
        _ layout: DifferentialLayout, options: Options = Options(), asDocument: Bool = true
    ) -> [UInt8] {
        var picture = DifferentialPicture(layout, options: options)
        return picture.drawn(asDocument: asDocument)
    }
}

/// One picture while it is drawn.
private struct DifferentialPicture {
    private var markup: PictureMarkup
    private let layout: DifferentialLayout
    private let options: DifferentialSVG.Options
    private let labels: DifferentialLabels
    private let footer: DifferentialFooter

    init(_ layout: DifferentialLayout, options: DifferentialSVG.Options) {
        self.layout = layout
        self.options = options
        labels = DifferentialLabels(layout, options: options)
        footer = DifferentialFooter(layout, options: options)
        var hash = PictureHash()
        hash.add(options.title + "\n" + (options.subject ?? "") + "\n" + options.identity)
        for rectangle in layout.rectangles {
            hash.add(rectangle.pathHash)
            hash.add(rectangle.before.bitPattern)
            hash.add(rectangle.after.bitPattern)
        }
        markup = PictureMarkup(
            identifier: hash.identifier("fd"), levels: layout.levels, orientation: options.orientation)
    }

    private var isEmpty: Bool { layout.totals.before <= 0 && layout.totals.after <= 0 }
    private var graphHeight: Double { isEmpty ? 60 : Double(layout.levels) * Metrics.rowHeight }

    /// The picture as bytes.
    mutating func drawn(asDocument: Bool) -> [UInt8] {
        markup.begin(
            beginning, height: Metrics.graphTop + graphHeight + footer.height, asDocument: asDocument)
        markup.frames(frames(), isEmpty: isEmpty)
        footer.draw(
            &markup.writer, top: Metrics.graphTop + graphHeight, identifier: markup.identifier)
        markup.end(script: PackageResources.differential_js)
        return markup.writer.bytes
    }

    private var beginning: PictureMarkup.Beginning {
        let isAbsolute = options.unit.rawValue.prefix(1).uppercased() + options.unit.rawValue.dropFirst()
        return PictureMarkup.Beginning(
            kind: "differential",
            data: [
                ("unit", options.unit.rawValue), ("mode", options.normalization.rawValue),
                ("patterns", markup.identifier),
                ("steps", DifferentialLayout.steps.map { "\($0)" }.joined(separator: " ")),
                ("fewest", "\(DifferentialLayout.fewestSamples)"),
            ], style: String(decoding: PackageResources.differential_css, as: UTF8.self),
            // Stripes of new functions rise, those of gone ones fall.
            patterns: [("new", "stripes new", 8, 45), ("gone", "stripes gone", 8, -45)],
            title: options.title, subtitle: labels.subtitle,
            tools: "<button type=\"button\" data-do=\"mode\" aria-pressed=\"false\""
                + " title=\"\(isAbsolute), or shares of each side (M)\">Shares</button>")
    }

    private func frames() -> some Sequence<PictureMarkup.Frame> {
        var hasChildren = [Bool](repeating: false, count: layout.rectangles.count)
        for rectangle in layout.rectangles { rectangle.parent.map { hasChildren[$0] = true } }
        let places = layout.places(options.normalization)
        return layout.rectangles.indices.lazy.map { [self] index in
            frame(layout.rectangles[index], places[index], hasChildren: hasChildren[index])
        }
    }

    private func frame(
        _ rectangle: DifferentialLayout.Rectangle, _ place: DifferentialLayout.Place, hasChildren: Bool
    ) -> PictureMarkup.Frame {
        let change = layout.change(of: rectangle, options.normalization)
        let name = labels.name(of: rectangle)
        let numbers = [
            ("b", rectangle.before), ("a", rectangle.after), ("sb", rectangle.selfBefore),
            ("sa", rectangle.selfAfter),
        ]
        let pattern: String? =
            switch change {
            case .new: "new"
            case .gone: "gone"
            case .neutral, .step: nil
            }
        return PictureMarkup.Frame(
            level: rectangle.level, hasChildren: hasChildren,
            classes: labels.className(of: rectangle, change),
            name: name, compact: LabelText.compact(name), sign: labels.sign(of: change),
            label: labels.label(of: rectangle), title: labels.title(of: rectangle),
            data: numbers.map { ($0.0, $0.1.shortText) }
                + [("nb", "\(rectangle.samplesBefore)"), ("na", "\(rectangle.samplesAfter)")],
            pathHash: rectangle.pathHash, start: place.start, share: place.width, pattern: pattern,
            color: rectangle.parent == nil ? "#dcdfe5" : Self.color(of: change))
    }
}

extension DifferentialPicture {
    /// The colour where no style sheet is let in: that of differential.css on a bright page.
    fileprivate static func color(of change: DifferentialLayout.Change) -> String? {
        switch change {
        case .neutral: "#e9ebef"
        case .step(let step):
            step > 0
                ? ["#fbdcc0", "#f6b178", "#ec8a3a"][step - 1] : ["#d5e6f8", "#9dc6ee", "#62a3e0"][-step - 1]
        case .new, .gone: nil
        }
    }
}

extension Double {
    /// The value with nine decimals at most and no trailing zeros.
    fileprivate var shortText: String {
        var text = Substring(fixed(9))
        while text.last == "0" { text = text.dropLast() }
        if text.last == "." { text = text.dropLast() }
        return String(text)
    }
}
