internal import Measurement
internal import StackProfile

/// Draws a layout as one self-contained SVG file.
///
/// The file loads nothing, needs no script to be read, and with its script can be searched, zoomed and driven from
/// the keyboard. The same layout and options give the same bytes. Several may stand in one HTML page.
public enum FlameGraphSVG {
    /// Which way stacks grow.
    public enum Orientation: String, Hashable, Sendable {
        /// Downwards, callers above what they call.
        case icicle
        /// Upwards.
        case flame
    }

    /// What is drawn around the rectangles.
    public struct Options: Sendable {
        /// The heading.
        public var title = "Flame graph"
        /// A line under the heading.
        public var subtitle: String?
        /// Which way stacks grow at first; a reader can turn them.
        public var orientation = Orientation.icicle
        /// How the samples were made.
        public var facts = CaptureFacts()
        /// The colours of stages; nil gives the stages of this picture colours of their own.
        public var stagePalette: StagePalette?

        /// The defaults.
        public init() {}
    }

    /// The picture as UTF-8 bytes.
    public static func render(_ layout: FlameGraphLayout, options: Options = Options()) -> [UInt8] {
        var picture = Picture(layout, options: options)
        picture.draw()
        return picture.writer.bytes
    }
}

/// The measures of the picture, in units of the view box.
enum Metrics {
    static let width = 1200.0
    static let margin = 10.0
    static let rowHeight = 18.0
    static let graphTop = 58.0
    static let footerLineHeight = 17.0
    static var graphWidth: Double { width - 2 * margin }
}

/// One picture while it is drawn.
private struct Picture {
    var writer = MarkupWriter()
    private let layout: FlameGraphLayout
    private let options: FlameGraphSVG.Options
    private let palette: StagePalette
    private let identifier: String
    private let footer: PictureFooter

    init(_ layout: FlameGraphLayout, options: FlameGraphSVG.Options) {
        self.layout = layout
        self.options = options
        palette = options.stagePalette ?? StagePalette(stages: layout.rectangles.compactMap(\.groupName))
        footer = PictureFooter(layout, options: options)
        identifier = Self.identifier(layout, title: options.title)
    }

    /// Different for different pictures, so that two in one page do not take each other's patterns.
    private static func identifier(_ layout: FlameGraphLayout, title: String) -> String {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        func add(_ value: UInt64) { hash = (hash ^ value) &* 0x100_0000_01B3 }
        title.utf8.forEach { add(UInt64($0)) }
        for rectangle in layout.rectangles {
            add(rectangle.pathHash)
            add(UInt64(bitPattern: rectangle.weight))
        }
        return "fg-" + String(hash, radix: 36)
    }

    private var graphHeight: Double {
        layout.totalWeight > 0 ? Double(layout.levels) * Metrics.rowHeight : 60
    }

    mutating func draw() {
        let height = Metrics.graphTop + graphHeight + footer.height
        writer.raw("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")
        writer.raw("<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"freeze-flamegraph\" role=\"group\"")
        writer.raw(
            " aria-labelledby=\"\(identifier)-title\" data-orientation=\"\(options.orientation.rawValue)\"")
        writer.raw(
            " data-unit=\"\(layout.unit.rawValue)\" data-levels=\"\(layout.levels)\" width=\"1200\" height=\""
        )
        writer.number(height)
        writer.raw("\" viewBox=\"0 0 1200 ")
        writer.number(height)
        writer.raw("\">\n<style>\n")
        writer.raw(PackageResources.flamegraph_css)
        drawColorRules()
        writer.raw("</style>\n")
        drawPatterns()
        writer.raw("<rect class=\"page\" width=\"100%\" height=\"100%\"/>\n")
        drawHeading()
        writer.raw(PackageResources.toolbar_xml)
        drawFrames()
        footer.draw(&writer, top: Metrics.graphTop + graphHeight, identifier: identifier)
        if layout.totalWeight > 0 {
            FunctionTableMarkup(table: layout.functions, layout: layout).draw(&writer)
        }
        writer.raw("<script><![CDATA[\n")
        writer.raw(PackageResources.flamegraph_js)
        writer.raw("]]></script>\n</svg>\n")
    }

    private mutating func drawColorRules() {
        let colors = Set(layout.rectangles.compactMap(\.frameColor)).sorted()
        for color in colors { writer.raw(color.rule + "\n") }
        let stages = Set(layout.rectangles.compactMap(\.groupName).map { palette.index(of: $0) }).sorted()
        for index in stages {
            writer.raw(".freeze-flamegraph .g\(index) rect{fill:\(StagePalette.colors[index])}\n")
        }
    }

    private mutating func drawPatterns() {
        writer.raw("<defs>\n")
        for (name, kind) in [("unknown", "hatch"), ("cut", "hatch cut")] {
            writer.raw("<pattern id=\"\(identifier)-\(name)\" class=\"\(kind)\" width=\"6\" height=\"6\"")
            writer.raw(" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\">")
            writer.raw("<rect width=\"6\" height=\"6\"/><path d=\"M0 0V6\"/></pattern>\n")
        }
        writer.raw("</defs>\n")
    }

    private mutating func drawHeading() {
        writer.raw("<g class=\"heading\"><text id=\"\(identifier)-title\" class=\"title\" x=\"10\" y=\"26\">")
        writer.text(LabelText.cut(displayName(options.title), ifWiderThan: 110))
        writer.raw("</text>")
        if let subtitle = options.subtitle {
            writer.raw("<text class=\"subtitle\" x=\"10\" y=\"46\">")
            writer.text(LabelText.cut(displayName(subtitle), ifWiderThan: 170))
            writer.raw("</text>")
        }
        writer.raw("</g>\n")
    }

    private mutating func drawFrames() {
        writer.raw(
            "<g class=\"frames\" role=\"tree\" aria-label=\"Call tree\" transform=\"translate(0,58)\">\n")
        if layout.totalWeight == 0 {
            writer.raw("<text class=\"empty\" x=\"600\" y=\"34\" text-anchor=\"middle\">")
            writer.raw("No samples, so there is nothing to draw.</text>\n")
        } else {
            var hasChildren = [Bool](repeating: false, count: layout.rectangles.count)
            for rectangle in layout.rectangles { rectangle.parent.map { hasChildren[$0] = true } }
            let labels = FrameLabels(layout)
            for (index, rectangle) in layout.rectangles.enumerated() {
                drawFrame(rectangle, labels, hasChildren: hasChildren[index])
            }
        }
        writer.raw("</g>\n")
    }

    private mutating func drawFrame(
        _ rectangle: FlameGraphLayout.Rectangle, _ labels: FrameLabels, hasChildren: Bool
    ) {
        let scale = Metrics.graphWidth / Double(layout.totalWeight)
        let x = Metrics.margin + Double(rectangle.start) * scale
        let width = Double(rectangle.weight) * scale
        let row = options.orientation == .icicle ? rectangle.level : layout.levels - 1 - rectangle.level
        let name = labels.name(of: rectangle)
        let compact = rectangle.isFunction ? LabelText.compact(name) : name
        writer.raw("<g class=\"\(labels.className(of: rectangle, palette: palette))\" role=\"treeitem\"")
        writer.raw(" tabindex=\"\(rectangle.parent == nil ? 0 : -1)\" aria-level=\"\(rectangle.level + 1)\"")
        if hasChildren { writer.raw(" aria-expanded=\"true\"") }
        writer.raw(" aria-label=\"")
        writer.text(labels.label(of: rectangle))
        writer.raw(
            "\" data-x=\"\(rectangle.start)\" data-w=\"\(rectangle.weight)\" data-s=\"\(rectangle.selfWeight)\""
        )
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
        if let pattern = rectangle.patternName { writer.raw(" fill=\"url(#\(identifier)-\(pattern))\"") }
        writer.raw("/><text x=\"")
        writer.number(x + 3)
        writer.raw("\" y=\"")
        writer.number(Double(row) * Metrics.rowHeight + 12.5)
        writer.raw("\">")
        writer.text(LabelText.fitted(name, compact: compact, width: width))
        writer.raw("</text></g>\n")
    }
}
