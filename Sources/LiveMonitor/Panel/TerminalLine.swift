/// A line of the pipeline's own output on its way to the terminal that the panel is on.
enum TerminalLine {
    /// The longest line that is shown, in bytes.
    static let limit = 1 << 14

    /// The line as a terminal would leave it, without what could move the cursor into the panel.
    ///
    /// Kept are text, tabs and colours (`ESC [ … m`). Of a progress bar that overwrites itself with carriage returns
    /// the last state counts.
    static func shown(_ line: String) -> String {
        var scalars = Array(line.unicodeScalars.prefix(limit))
        while scalars.last == "\r" { scalars.removeLast() }
        if let last = scalars.lastIndex(of: "\r") { scalars.removeSubrange(...last) }
        var result = String.UnicodeScalarView()
        var index = 0
        while index < scalars.count {
            if scalars[index] == "\u{1B}" {
                let (end, isColour) = sequence(in: scalars, from: index)
                if isColour { result.append(contentsOf: scalars[index..<end]) }
                index = end
                continue
            }
            let value = scalars[index].value
            if value == 9 || (value >= 0x20 && !(0x7F...0x9F).contains(value)) {
                result.append(scalars[index])
            }
            index += 1
        }
        return String(result)
    }

    /// Where the escape sequence that begins at an index ends, and whether it is a colour.
    private static func sequence(in scalars: [Unicode.Scalar], from start: Int) -> (end: Int, isColour: Bool)
    {
        guard start + 1 < scalars.count, scalars[start + 1] == "[" else {
            return (min(start + 2, scalars.count), false)
        }
        var index = start + 2
        var isPlain = true
        while index < scalars.count {
            let value = scalars[index].value
            index += 1
            if (0x40...0x7E).contains(value) { return (index, isPlain && value == 0x6D) }
            if !(0x30...0x3B).contains(value) { isPlain = false }
        }
        return (index, false)
    }
}
