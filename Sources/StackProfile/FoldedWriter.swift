extension FoldedStacks {
    /// How much of a frame is written.
    public enum FrameDetail: Hashable, Sendable {
        /// `function`: stacks that differ only in lines become one.
        case function
        /// `function (file:line)` where both are known.
        case functionAndLine
    }

    /// Writes folded stacks: sorted by bytes, one line per stack, whole numbers, each line ended by a line feed.
    ///
    /// `;` in a name becomes `:`, and control characters are left out. Group the profile first
    /// (``StackProfile/grouped(by:)``) to have the stage as the outermost frame. Samples of weight 0 are left out.
    ///
    /// - Parameters:
    ///   - profile: The stacks.
    ///   - detail: How much of each frame is written.
    public static func write(_ profile: StackProfile, detail: FrameDetail = .function) -> [UInt8] {
        var text: [UInt8] = []
        for (line, weight) in weights(profile, detail).sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }
        ) {
            text += line
            text += Array(" \(weight)\n".utf8)
        }
        return text
    }

    /// Writes the stacks of two profiles with two weights a line, as `difffolded.pl` does: the older one's first.
    public static func write(before: StackProfile, after: StackProfile) -> [UInt8] {
        let (older, newer) = (weights(before, .function), weights(after, .function))
        var text: [UInt8] = []
        for line in Set(older.keys).union(newer.keys).sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            text += line
            text += Array(" \(older[line] ?? 0) \(newer[line] ?? 0)\n".utf8)
        }
        return text
    }

    /// The weight of each stack as it is written.
    private static func weights(_ profile: StackProfile, _ detail: FrameDetail) -> [[UInt8]: Int64] {
        let names = profile.frames.map { $0.folded(detail) }
        var weights: [[UInt8]: Int64] = [:]
        for sample in profile.samples where sample.weight > 0 {
            var line: [UInt8] = []
            for frame in profile.stacks.frames(of: sample.stack) {
                if !line.isEmpty { line.append(UInt8(ascii: ";")) }
                line += names[frame.position]
            }
            if line.isEmpty { line = Array("[no stack]".utf8) }
            // A line that begins like this would be read as a comment.
            if line.starts(with: "# ".utf8) || line == Array("#".utf8) {
                line.insert(UInt8(ascii: "_"), at: 1)
            }
            weights[line, default: 0] += sample.weight
        }
        return weights
    }
}
