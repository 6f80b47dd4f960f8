internal import Measurement
internal import StackProfile

/// The texts of a picture's rectangles.
struct FrameLabels {
    private let layout: FlameGraphLayout
    private let limit: String

    init(_ layout: FlameGraphLayout) {
        self.layout = layout
        limit = LabelText.percent(layout.minimumShare)
    }

    /// The name that is drawn and searched.
    func name(of rectangle: FlameGraphLayout.Rectangle) -> String {
        switch rectangle.content {
        case .root: "all"
        case .frame(let frame): displayName(frame.function)
        case .smallFrames(let count):
            "\(LabelText.grouped(Int64(count))) \(count == 1 ? "frame" : "frames") < \(limit)"
        }
    }

    /// What is read aloud: `name, 12.3 %, 456 samples`.
    func label(of rectangle: FlameGraphLayout.Rectangle) -> String {
        let frame = rectangle.frame
        let mark =
            (frame?.isInlined == true ? ", inlined" : "") + (frame?.isGuessed == true ? ", guessed" : "")
        return "\(name(of: rectangle)), \(share(of: rectangle)), \(amount(rectangle.weight))\(mark)"
    }

    /// What is shown on hovering: the name alone in the first line and where it is from in the third.
    func title(of rectangle: FlameGraphLayout.Rectangle) -> String {
        var lines = [name(of: rectangle)]
        lines.append(
            "\(share(of: rectangle)), \(amount(rectangle.weight)), self \(amount(rectangle.selfWeight))")
        if let origin = rectangle.frame.map(origin(of:)), !origin.isEmpty { lines.append(origin) }
        return lines.joined(separator: "\n")
    }

    /// What a search looks at of a frame that is not drawn: its name and where it is from, a tab between.
    func searched(_ frame: Frame) -> String { displayName(frame.function) + "\t" + origin(of: frame) }

    private func origin(of frame: Frame) -> String {
        var origin = frame.module.map { displayName($0) } ?? ""
        if let file = frame.file {
            origin +=
                (origin.isEmpty ? "" : " · ") + displayName(file) + (frame.line.map { ":\($0)" } ?? "")
        }
        if frame.isInlined { origin += (origin.isEmpty ? "" : " · ") + "inlined" }
        if frame.isGuessed { origin += (origin.isEmpty ? "" : " · ") + "guessed" }
        return origin
    }

    func className(of rectangle: FlameGraphLayout.Rectangle, palette: StagePalette) -> String {
        switch rectangle.content {
        case .root: "root"
        case .smallFrames: "small"
        case .frame(let frame):
            if frame.isGroup {
                "group g\(palette.index(of: frame.function))"
            } else if frame.isTruncationMarker {
                "marker"
            } else if frame.isUnknown {
                frame.isGuessed ? "unknown guessed" : "unknown"
            } else {
                "\(FrameColor(frame).className)\(frame.isGuessed ? " guessed" : "")"
            }
        }
    }

    /// The colour where no style sheet is let in: that of a bright page.
    func color(of rectangle: FlameGraphLayout.Rectangle, palette: StagePalette) -> String? {
        if let group = rectangle.groupName { return StagePalette.colors[palette.index(of: group)] }
        if let color = rectangle.frameColor { return FrameColor.hex(color.light) }
        return rectangle.parent == nil ? "#dcdfe5" : "#eceef1"
    }

    private func share(of rectangle: FlameGraphLayout.Rectangle) -> String {
        LabelText.percent(Double(rectangle.weight) / Double(layout.totalWeight))
    }

    func amount(_ weight: Int64) -> String { LabelText.amount(weight, layout.unit) }
}

extension LabelText {
    /// A weight for a person: `1,234 samples`, `12.3 s`.
    static func amount(_ weight: Int64, _ unit: WeightUnit) -> String {
        switch unit {
        case .samples: "\(grouped(weight)) \(weight == 1 ? "sample" : "samples")"
        case .nanoseconds: Duration(nanosecondCount: weight).readable
        case .instructions: "\(grouped(weight)) \(weight == 1 ? "instruction" : "instructions")"
        case .bytes: bytes(weight)
        case .counts(let what): "\(grouped(weight)) \(displayName(what, maximumCharacters: 40))"
        }
    }

    /// A number of bytes: `512 B`, `1.5 MiB`.
    static func bytes(_ count: Int64) -> String {
        var (value, unit) = (Double(count), 0)
        while value >= 1024, unit < 4 { (value, unit) = (value / 1024, unit + 1) }
        return "\(unit == 0 ? grouped(count) : value.fixed(1)) \(["B", "KiB", "MiB", "GiB", "TiB"][unit])"
    }

    /// The text, cut where it takes more cells than there are.
    static func cut(_ text: String, ifWiderThan room: Int) -> String {
        cells(text) > room ? cut(text, cells: room) : text
    }
}

extension FlameGraphLayout.Rectangle {
    var frame: Frame? { if case .frame(let frame) = content { frame } else { nil } }

    /// The name of a stage, thread, process or state, which has a colour of its own.
    var groupName: String? { frame.flatMap { $0.isGroup ? $0.function : nil } }

    var isFunction: Bool { frame.map { !$0.isGroup && !$0.isUnknown && !$0.isTruncationMarker } ?? false }

    var frameColor: FrameColor? { frame.flatMap { isFunction ? FrameColor($0) : nil } }

    /// The pattern that fills it where a colour would claim knowledge.
    var patternName: String? {
        guard let frame, !frame.isGroup else { return nil }
        return frame.isTruncationMarker ? "cut" : frame.isUnknown ? "unknown" : nil
    }
}
