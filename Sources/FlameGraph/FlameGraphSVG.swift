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
        return picture.drawn()
    }
}

/// One picture while it is drawn.
private struct Picture {
    private var markup: PictureMarkup
    private let layout: FlameGraphLayout
    private let options: FlameGraphSVG.Options
    private let palette: StagePalette
    private let footer: PictureFooter
    private let hidden: HiddenFrameMarkup

    init(_ layout: FlameGraphLayout, options: FlameGraphSVG.Options) {
        self.layout = layout
        self.options = options
        palette = options.stagePalette ?? StagePalette(stages: layout.rectangles.compactMap(\.groupName))
        footer = PictureFooter(layout, options: options)
        hidden = HiddenFrameMarkup(layout)
        var hash = PictureHash()
        hash.add(options.title)
        for rectangle in layout.rectangles {
            hash.add(rectangle.pathHash)
            hash.add(UInt64(bitPattern: rectangle.weight))
        }
        markup = PictureMarkup(
            identifier: hash.identifier("fg"), levels: layout.levels, orientation: options.orientation)
    }

    private var isEmpty: Bool { layout.totalWeight == 0 }
    private var graphHeight: Double { isEmpty ? 60 : Double(layout.levels) * Metrics.rowHeight }

    /// The picture as bytes.
    mutating func drawn() -> [UInt8] {
        markup.begin(
            beginning, height: Metrics.graphTop + graphHeight + footer.height, asDocument: true)
        markup.frames(frames(), isEmpty: isEmpty)
        hidden.drawNames(&markup.writer)
        footer.draw(
            &markup.writer, top: Metrics.graphTop + graphHeight, identifier: markup.identifier)
        if !isEmpty { FunctionTableMarkup(table: layout.functions, layout: layout).draw(&markup.writer) }
        markup.end(script: PackageResources.flamegraph_js)
        return markup.writer.bytes
    }

    private var beginning: PictureMarkup.Beginning {
        let table =
            "<button type=\"button\" data-do=\"list\" aria-expanded=\"false\""
            + " title=\"Table of functions (B)\">Table</button>"
        return PictureMarkup.Beginning(
            data: [("unit", layout.unit.name)], style: colorRules,
            patterns: [("unknown", "hatch", 6, 45), ("cut", "hatch cut", 6, 45)], title: options.title,
            subtitle: options.subtitle.map { displayName($0) }, tools: isEmpty ? "" : table)
    }

    private var colorRules: String {
        let colors = Set(layout.rectangles.compactMap(\.frameColor)).sorted()
        let stages = Set(layout.rectangles.compactMap(\.groupName).map { palette.index(of: $0) }).sorted()
        return colors.map { $0.rule + "\n" }.joined()
            + stages.map { ".freeze-flamegraph .g\($0) rect{fill:\(StagePalette.colors[$0])}\n" }.joined()
    }

    private func frames() -> some Sequence<PictureMarkup.Frame> {
        var hasChildren = [Bool](repeating: false, count: layout.rectangles.count)
        for rectangle in layout.rectangles { rectangle.parent.map { hasChildren[$0] = true } }
        let labels = FrameLabels(layout)
        let hidden = hidden
        let scale = 1 / Double(layout.totalWeight)
        return layout.rectangles.indices.lazy.map { [layout, palette] index in
            let rectangle = layout.rectangles[index]
            let name = labels.name(of: rectangle)
            return PictureMarkup.Frame(
                level: rectangle.level, hasChildren: hasChildren[index],
                classes: labels.className(of: rectangle, palette: palette), name: name,
                compact: rectangle.isFunction ? LabelText.compact(name) : name,
                label: labels.label(of: rectangle), title: labels.title(of: rectangle),
                data: [
                    ("x", "\(rectangle.start)"), ("w", "\(rectangle.weight)"),
                    ("s", "\(rectangle.selfWeight)"),
                ] + (hidden.data(ofRectangle: index).map { [("h", $0)] } ?? []), pathHash: rectangle.pathHash,
                start: Double(rectangle.start) * scale,
                share: Double(rectangle.weight) * scale, pattern: rectangle.patternName,
                color: labels.color(of: rectangle, palette: palette),
                textColor: rectangle.groupName == nil ? nil : "#ffffff")
        }
    }
}
