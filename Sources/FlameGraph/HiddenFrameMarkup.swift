/// Writes the frames that are too small to be drawn, as the script's search reads them: for each rectangle that stands for
/// some, `name.weight.depth` of each in base 36, and the names once for all.
struct HiddenFrameMarkup {
    private let layout: FlameGraphLayout
    private var numbers: [Int32: Int] = [:]
    private var names: [String] = []

    init(_ layout: FlameGraphLayout) {
        self.layout = layout
        let labels = FrameLabels(layout)
        for index in layout.hidden.nodes.keys.sorted() {
            for node in layout.hidden.nodes[index] ?? [] where numbers[node.frame] == nil {
                numbers[node.frame] = names.count
                names.append(labels.searched(layout.hidden.frames[Int(node.frame)]))
            }
        }
    }

    /// What a rectangle stands for; nil for one that is a frame itself.
    func data(ofRectangle index: Int) -> String? {
        guard let nodes = layout.hidden.nodes[index], !nodes.isEmpty else { return nil }
        return nodes.map { node in
            [Int64(numbers[node.frame] ?? 0), node.weight, Int64(node.depth)]
                .map { String($0, radix: 36) }.joined(separator: ".")
        }.joined(separator: ",")
    }

    func drawNames(_ writer: inout MarkupWriter) {
        guard !names.isEmpty else { return }
        writer.raw("<metadata class=\"names\" data-omitted=\"\(layout.hidden.omitted)\">")
        writer.text(names.joined(separator: "\n"))
        writer.raw("</metadata>\n")
    }
}
