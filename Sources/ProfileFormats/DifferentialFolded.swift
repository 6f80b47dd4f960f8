internal import StackProfile

/// Folded stacks of two profiles in one text, `a;b 5 3`, as `difffolded.pl` writes them.
enum DifferentialFolded {
    /// Whether every line of a text ends in two weights, and one has more than a frame.
    static func isLikely(_ buffer: UnsafeRawBufferPointer) -> Bool {
        var lines = TextLines(buffer)
        var (found, isDeep) = (0, false)
        while let line = lines.next() {
            if buffer.trimmed(line).isEmpty || buffer.starts(line, with: "# ") { continue }
            guard let parts = parts(buffer, line) else { return false }
            found += 1
            isDeep = isDeep || buffer.firstIndex(of: UInt8(ascii: ";"), in: parts.stack) != nil
        }
        return found > 0 && isDeep
    }

    /// The stacks of the two sides.
    static func read(
        _ buffer: UnsafeRawBufferPointer
    ) throws(FoldedStacks.ReadError) -> (before: FoldedStacks.Outcome, after: FoldedStacks.Outcome) {
        var (before, after): ([UInt8], [UInt8]) = ([], [])
        var lines = TextLines(buffer)
        while let line = lines.next() {
            guard let parts = parts(buffer, line) else { continue }
            for (side, weight) in [(0, parts.before), (1, parts.after)] {
                let text = buffer[parts.stack] + [0x20] + buffer[weight] + [0x0A]
                if side == 0 { before += text } else { after += text }
            }
        }
        return (try FoldedStacks.read(before), try FoldedStacks.read(after))
    }

    private static func parts(
        _ buffer: UnsafeRawBufferPointer, _ line: Range<Int>
    ) -> (stack: Range<Int>, before: Range<Int>, after: Range<Int>)? {
        let line = buffer.trimmed(line)
        guard let after = lastWord(buffer, line), isNumber(buffer, after) else { return nil }
        let rest = buffer.trimmed(line.lowerBound..<after.lowerBound)
        guard let before = lastWord(buffer, rest), isNumber(buffer, before) else { return nil }
        let stack = buffer.trimmed(rest.lowerBound..<before.lowerBound)
        return stack.isEmpty ? nil : (stack, before, after)
    }

    private static func lastWord(_ buffer: UnsafeRawBufferPointer, _ place: Range<Int>) -> Range<Int>? {
        var start = place.upperBound
        while start > place.lowerBound, !buffer[start - 1].isBlank { start -= 1 }
        return start == place.upperBound ? nil : start..<place.upperBound
    }

    private static func isNumber(_ buffer: UnsafeRawBufferPointer, _ word: Range<Int>) -> Bool {
        buffer[word.lowerBound].isDigit && word.allSatisfy { buffer[$0].isDigit || buffer[$0] == 0x2E }
    }
}
