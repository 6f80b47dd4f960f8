internal import Measurement
internal import StackProfile

/// Draws a differential layout as one self-contained SVG file.
///
/// Every function is as wide as the larger of its two sides, so what vanished is seen too; colour tells the change in
/// percentage points, and signs, hatching and outlines tell it without colour. The same layout and options give the
/// same bytes. Several may stand in one HTML page.
public enum DifferentialSVG {
    /// What the values of a layout are.
    public enum Unit: String, Sendable {
        case seconds, samples
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
        picture.draw(asDocument: asDocument)
        return picture.writer.bytes
    }
}

/// One picture while it is drawn.
private struct DifferentialPicture {
    var writer = MarkupWriter()
    private let layout: DifferentialLayout
    private let options: DifferentialSVG.Options
    private let labels: DifferentialLabels
    private let identifier: String
    private let footer: DifferentialFooter

    init(_ layout: DifferentialLayout, options: DifferentialSVG.Options) {
        self.layout = layout
        self.options = options
        labels = DifferentialLabels(layout, options: options)
        footer = DifferentialFooter(layout, options: options)
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        func add(_ value: UInt64) { hash = (hash ^ value) &* 0x100_0000_01B3 }
        (options.title + "\n" + (options.subject ?? "") + "\n" + options.identity).utf8.forEach {
            add(UInt64($0))
        }
        for rectangle in layout.rectangles {
            add(rectangle.pathHash)
            add(rectangle.before.bitPattern)
            add(rectangle.after.bitPattern)
        }
        identifier = "fd-" + String(hash, radix: 36)
    }

    private var isEmpty: Bool { layout.totals.before <= 0 && layout.totals.after <= 0 }
    private var graphHeight: Double { isEmpty ? 60 : Double(layout.levels) * Metrics.rowHeight }

    mutating func draw(asDocument: Bool) {
        let height = Metrics.graphTop + graphHeight + footer.height
        if asDocument { writer.raw("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n") }
        writer.raw(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"freeze-flamegraph differential\" role=\"group\""
        )
        writer.raw(
            " aria-labelledby=\"\(identifier)-title\" data-orientation=\"\(options.orientation.rawValue)\"")
        writer.raw(" data-unit=\"\(options.unit.rawValue)\" data-levels=\"\(layout.levels)\"")
        writer.raw(" data-mode=\"\(options.normalization.rawValue)\" data-patterns=\"\(identifier)\"")
        writer.raw(" data-steps=\"\(DifferentialLayout.steps.map { "\($0)" }.joined(separator: " "))\"")
        writer.raw(" data-fewest=\"\(DifferentialLayout.fewestSamples)\" width=\"1200\" height=\"")
        writer.number(height)
        writer.raw("\" viewBox=\"0 0 1200 ")
        writer.number(height)
        writer.raw("\">\n<style>\n")
        writer.raw(PackageResources.flamegraph_css)
        writer.raw(PackageResources.differential_css)
        writer.raw("</style>\n")
        drawPatterns()
        writer.raw("<rect class=\"page\" width=\"100%\" height=\"100%\"/>\n")
        drawHeading()
        writer.raw(PackageResources.differential_xml)
        drawFrames()
        footer.draw(&writer, top: Metrics.graphTop + graphHeight, identifier: identifier)
        writer.raw("<script><![CDATA[\n")
        writer.raw(PackageResources.differential_js)
        writer.raw("]]></script>\n</svg>\n")
    }

    private mutating func drawPatterns() {
        writer.raw("<defs>\n")
        for kind in ["new", "gone"] {
            writer.raw(
                "<pattern id=\"\(identifier)-\(kind)\" class=\"stripes \(kind)\" width=\"8\" height=\"8\"")
            // Stripes of new functions rise, those of gone ones fall.
            writer.raw(
                " patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(\(kind == "new" ? 45 : -45))\">")
            writer.raw("<rect width=\"8\" height=\"8\"/><path d=\"M0 0V8\"/></pattern>\n")
        }
        writer.raw("</defs>\n")
    }

    private mutating func drawHeading() {
        writer.raw("<g class=\"heading\"><text id=\"\(identifier)-title\" class=\"title\" x=\"10\" y=\"26\">")
        writer.text(LabelText.cut(displayName(options.title), ifWiderThan: 110))
        writer.raw("</text><text class=\"subtitle\" x=\"10\" y=\"46\">")
        writer.text(LabelText.cut(labels.subtitle, ifWiderThan: 170))
        writer.raw("</text></g>\n")
    }

    private mutating func drawFrames() {
        writer.raw(
            "<g class=\"frames\" role=\"tree\" aria-label=\"Call tree\" transform=\"translate(0,58)\">\n")
        if isEmpty {
            writer.raw("<text class=\"empty\" x=\"600\" y=\"34\" text-anchor=\"middle\">")
            writer.raw("No samples, so there is nothing to draw.</text>\n")
        } else {
            var hasChildren = [Bool](repeating: false, count: layout.rectangles.count)
            for rectangle in layout.rectangles { rectangle.parent.map { hasChildren[$0] = true } }
            let places = layout.places(options.normalization)
            for (index, rectangle) in layout.rectangles.enumerated() {
                drawFrame(rectangle, places[index], hasChildren: hasChildren[index])
            }
        }
        writer.raw("</g>\n")
    }

    private mutating func drawFrame(
        _ rectangle: DifferentialLayout.Rectangle, _ place: DifferentialLayout.Place, hasChildren: Bool
    ) {
        let x = Metrics.margin + place.start * Metrics.graphWidth
        let width = place.width * Metrics.graphWidth
        let row = options.orientation == .icicle ? rectangle.level : layout.levels - 1 - rectangle.level
        let change = layout.change(of: rectangle, options.normalization)
        let name = labels.name(of: rectangle)
        let compact = LabelText.compact(name)
        writer.raw("<g class=\"f \(labels.className(of: rectangle, change))\" role=\"treeitem\"")
        writer.raw(" tabindex=\"\(rectangle.parent == nil ? 0 : -1)\" aria-level=\"\(rectangle.level + 1)\"")
        if hasChildren { writer.raw(" aria-expanded=\"true\"") }
        writer.raw(" aria-label=\"")
        writer.text(labels.label(of: rectangle))
        writer.raw("\" data-b=\"")
        writer.value(rectangle.before)
        writer.raw("\" data-a=\"")
        writer.value(rectangle.after)
        writer.raw("\" data-sb=\"")
        writer.value(rectangle.selfBefore)
        writer.raw("\" data-sa=\"")
        writer.value(rectangle.selfAfter)
        writer.raw("\" data-nb=\"\(rectangle.samplesBefore)\" data-na=\"\(rectangle.samplesAfter)\"")
        writer.raw(" data-p=\"\(String(rectangle.pathHash, radix: 36))\"")
        if compact != name {
            writer.raw(" data-c=\"")
            writer.text(compact)
            writer.raw("\"")
        }
        writer.raw("><title>")
        writer.text(labels.title(of: rectangle))
        writer.raw("</title><rect x=\"")
        writer.number(x)
        writer.raw("\" y=\"")
        writer.number(Double(row) * Metrics.rowHeight)
        writer.raw("\" width=\"")
        writer.number(max(width - (width > 2 ? 0.6 : 0), 0.05))
        writer.raw("\" height=\"17\"")
        switch change {
        case .new: writer.raw(" fill=\"url(#\(identifier)-new)\"")
        case .gone: writer.raw(" fill=\"url(#\(identifier)-gone)\"")
        case .neutral, .step: break
        }
        writer.raw("/><text x=\"")
        writer.number(x + 3)
        writer.raw("\" y=\"")
        writer.number(Double(row) * Metrics.rowHeight + 12.5)
        writer.raw("\">")
        let sign = labels.sign(of: change)
        writer.text(LabelText.fitted(sign + name, compact: sign + compact, width: width))
        writer.raw("</text></g>\n")
    }
}

extension MarkupWriter {
    /// A value with nine decimals at most and no trailing zeros.
    mutating func value(_ value: Double) {
        var text = Substring(value.fixed(9))
        while text.last == "0" { text = text.dropLast() }
        if text.last == "." { text = text.dropLast() }
        raw(String(text))
    }
}
