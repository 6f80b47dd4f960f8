/// One colour per stage, the same in every picture of a report.
///
/// A name alone mostly decides its colour, so that a stage keeps it from version to version; where two names of
/// one palette want the same colour, the later one takes the next that is free.
public struct StagePalette: Hashable, Sendable {
    private let indices: [String: Int]

    /// The colours as `#rrggbb`; white text on each has a contrast of at least 4.5 : 1.
    public static let colors = [
        "#2f6db3", "#b3541e", "#2e7d4f", "#8b4a9e", "#a3333d", "#53708a", "#7a6a1f", "#1f7a80", "#9a4c74",
        "#5a5fc0", "#4f7a28", "#8a5a3b",
    ]

    /// A palette for the stages of one report, in any order.
    public init(stages: some Sequence<String>) {
        var indices: [String: Int] = [:]
        var taken: Set<Int> = []
        for stage in Set(stages).sorted() {
            var hash: UInt32 = 2_166_136_261
            for byte in stage.utf8 { hash = (hash ^ UInt32(byte)) &* 16_777_619 }
            let count = Self.colors.count
            var index = Int((hash >> 16 ^ hash) % UInt32(count))
            if taken.count == count { taken = [] }
            while !taken.insert(index).inserted { index = (index + 1) % count }
            indices[stage] = index
        }
        self.indices = indices
    }

    /// The index of a stage's colour in ``colors``; 5, a grey blue, for a stage the palette was not made for.
    public func index(of stage: String) -> Int { indices[stage] ?? 5 }

    /// The colour of a stage.
    public func color(of stage: String) -> String { Self.colors[index(of: stage)] }
}
