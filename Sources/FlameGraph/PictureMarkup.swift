internal import Measurement

/// The measures of the picture, in units of the view box.
enum Metrics {
    static let width = 1200.0
    static let margin = 10.0
    static let rowHeight = 18.0
    static let graphTop = 58.0
    static let footerLineHeight = 17.0
    static var graphWidth: Double { width - 2 * margin }
}

/// What both kinds of picture are made of: the document around the frames, and the frames.
///
/// Style, tools and script are embedded, so that a picture is one file that loads nothing.
struct PictureMarkup {
    var writer = MarkupWriter()
    /// Different for different pictures, so that two in one page do not take each other's patterns.
    let identifier: String
    let levels: Int
    let orientation: FlameGraphSVG.Orientation

    /// What one kind of picture adds to the beginning of the document.
    struct Beginning {
        /// Classes beside that of all pictures.
        var kind: String?
        /// Attributes for the script; values are ours.
        var data: [(name: String, value: String)]
        /// Style sheets after the one of all pictures.
        var style: String
        /// Patterns: a name, its classes, the width of its stripes and their angle.
        var patterns: [(name: String, classes: String, width: Int, angle: Int)]
        var title: String
        var subtitle: String?
        /// Buttons beside those of all pictures.
        var tools: String
    }

    /// One frame.
    struct Frame {
        let level: Int
        let hasChildren: Bool
        let classes: String
        /// What is drawn and searched, and a shorter form of it.
        let name: String
        let compact: String
        /// What stands before the name where it is drawn.
        var sign = ""
        /// What is read aloud, and what is shown on hovering.
        let label: String
        let title: String
        /// Numbers for the script; names and values are ours.
        let data: [(name: String, value: String)]
        let pathHash: UInt64
        /// Where it is drawn, as shares of the whole width.
        let start: Double
        let share: Double
        /// The name of the pattern that fills it.
        let pattern: String?
        /// The colours of box and name where no style sheet is let in: style rules win over them.
        var color: String?
        var textColor: String?
    }

    // MARK: - The document

    mutating func begin(_ beginning: Beginning, height: Double, asDocument: Bool) {
        if asDocument { writer.raw("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n") }
        let classes = ["freeze-flamegraph", beginning.kind].compactMap { $0 }.joined(separator: " ")
        writer.raw("<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"\(classes)\" role=\"group\"")
        writer.raw(" aria-labelledby=\"\(identifier)-title\" data-orientation=\"\(orientation.rawValue)\"")
        for (name, value) in beginning.data + [("levels", "\(levels)")] {
            writer.raw(" data-\(name)=\"\(value)\"")
        }
        // Said by attribute as well: a page may let no style sheet in.
        writer.raw(
            " font-family=\"ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace\" font-size=\"12\"")
        writer.raw(" width=\"1200\" height=\"")
        writer.number(height)
        writer.raw("\" viewBox=\"0 0 1200 ")
        writer.number(height)
        writer.raw("\">\n<style>\n")
        writer.raw(PackageResources.flamegraph_css)
        writer.raw(beginning.style)
        writer.raw("</style>\n<defs>\n")
        for (name, classes, width, angle) in beginning.patterns {
            writer.raw("<pattern id=\"\(identifier)-\(name)\" class=\"\(classes)\" width=\"\(width)\"")
            writer.raw(" height=\"\(width)\" patternUnits=\"userSpaceOnUse\"")
            writer.raw(
                " patternTransform=\"rotate(\(angle))\"><rect width=\"\(width)\" height=\"\(width)\" fill=\"#f0f1f4\"/>"
            )
            writer.raw("<path d=\"M0 0V\(width)\" stroke=\"#b9bec7\" stroke-width=\"2\"/></pattern>\n")
        }
        writer.raw("</defs>\n<rect class=\"page\" width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n")
        heading(beginning.title, subtitle: beginning.subtitle)
        writer.raw(
            String(decoding: PackageResources.toolbar_xml, as: UTF8.self)
                .replacing("<!--own-->", with: beginning.tools))
    }

    private mutating func heading(_ title: String, subtitle: String?) {
        writer.raw("<g class=\"heading\"><text id=\"\(identifier)-title\" class=\"title\" x=\"10\" y=\"26\">")
        writer.text(LabelText.cut(displayName(title), ifWiderThan: 110))
        writer.raw("</text>")
        if let subtitle {
            writer.raw("<text class=\"subtitle\" x=\"10\" y=\"46\">")
            writer.text(LabelText.cut(subtitle, ifWiderThan: 170))
            writer.raw("</text>")
        }
        writer.raw("</g>\n")
    }

    /// The script that every picture has and its own, in a scope of theirs.
    mutating func end(script: [UInt8]) {
        writer.raw("<script><![CDATA[\n(function () {\n'use strict';\n")
        writer.raw(PackageResources.picture_js)
        writer.raw(script)
        writer.raw("})();\n]]></script>\n</svg>\n")
    }

    // MARK: - The frames

    /// The tree of frames; none says that there is nothing to draw.
    mutating func frames(_ frames: some Sequence<Frame>, isEmpty: Bool) {
        writer.raw(
            "<g class=\"frames\" role=\"tree\" aria-label=\"Call tree\" transform=\"translate(0,58)\">\n")
        if isEmpty {
            writer.raw("<text class=\"empty\" x=\"600\" y=\"34\" text-anchor=\"middle\">")
            writer.raw("No samples, so there is nothing to draw.</text>\n")
        } else {
            for frame in frames { draw(frame) }
        }
        writer.raw("</g>\n")
    }

    private mutating func draw(_ frame: Frame) {
        writer.raw("<g class=\"f \(frame.classes)\" role=\"treeitem\"")
        writer.raw(" tabindex=\"\(frame.level == 0 ? 0 : -1)\" aria-level=\"\(frame.level + 1)\"")
        if frame.hasChildren { writer.raw(" aria-expanded=\"true\"") }
        writer.raw(" aria-label=\"")
        writer.text(frame.label)
        writer.raw("\"")
        for (name, value) in frame.data { writer.raw(" data-\(name)=\"\(value)\"") }
        writer.raw(" data-p=\"\(String(frame.pathHash, radix: 36))\"")
        if frame.compact != frame.name {
            writer.raw(" data-c=\"")
            writer.text(frame.compact)
            writer.raw("\"")
        }
        writer.raw("><title>")
        writer.text(frame.title)
        writer.raw("</title>")
        drawBox(frame)
        writer.raw("</g>\n")
    }

    private mutating func drawBox(_ frame: Frame) {
        let x = Metrics.margin + frame.start * Metrics.graphWidth
        let width = frame.share * Metrics.graphWidth
        let row = orientation == .icicle ? frame.level : levels - 1 - frame.level
        writer.raw("<rect x=\"")
        writer.number(x)
        writer.raw("\" y=\"")
        writer.number(Double(row) * Metrics.rowHeight)
        writer.raw("\" width=\"")
        // A little less than its share, so that neighbours stand apart.
        writer.number(max(width - (width > 2 ? 0.6 : 0), 0.05))
        writer.raw("\" height=\"17\"")
        if let pattern = frame.pattern {
            writer.raw(" fill=\"url(#\(identifier)-\(pattern))\"")
        } else if let color = frame.color {
            writer.raw(" fill=\"\(color)\"")
        }
        writer.raw("/><text")
        if let color = frame.textColor { writer.raw(" fill=\"\(color)\"") }
        writer.raw(" x=\"")
        writer.number(x + 3)
        writer.raw("\" y=\"")
        writer.number(Double(row) * Metrics.rowHeight + 12.5)
        writer.raw("\">")
        writer.text(
            LabelText.fitted(frame.sign + frame.name, compact: frame.sign + frame.compact, width: width))
        writer.raw("</text>")
    }
}

/// A hash that sets pictures apart: FNV-1a over what they show.
struct PictureHash {
    private var value: UInt64 = 0xCBF2_9CE4_8422_2325

    mutating func add(_ word: UInt64) { value = (value ^ word) &* 0x100_0000_01B3 }

    mutating func add(_ text: String) { text.utf8.forEach { add(UInt64($0)) } }

    /// An identifier that begins so.
    func identifier(_ prefix: String) -> String { "\(prefix)-\(String(value, radix: 36))" }
}
