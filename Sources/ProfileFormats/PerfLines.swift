internal import StackProfile

/// The line that begins a sample in the text of `perf script`.
struct PerfEventLine {
    /// The command's name; may hold blanks.
    private(set) var comm = 0..<0
    /// `tid` or `pid/tid`.
    private(set) var thread: Range<Int>?
    /// How much the sample stands for; nil where it is not known.
    private(set) var period: Int64?
    /// The event without the colon behind it; nil where it is not known.
    private(set) var name: Range<Int>?
    /// A frame on the same line, as without call graphs.
    private(set) var frame: Range<Int>?
    /// Whether no other kind of text has such a line.
    private(set) var isCertain = false
    /// Whether it is a record of something other than a sample, such as a fork.
    private(set) var isRecord = false

    /// The parts of a line; nil where it begins no sample.
    init?(_ buffer: UnsafeRawBufferPointer, _ line: Range<Int>) {
        guard line.count <= 1 << 14 else { return nil }
        // Nearly all lines are frames, which begin with a blank and have no colon where a time has it.
        let isIndented = buffer[line.lowerBound].isBlank
        let words = buffer.words(line)
        guard words.count >= 2 else { return nil }
        guard let time = words.indices.dropFirst().first(where: { Self.isTime(buffer, words[$0]) }) else {
            guard !isIndented, readWithoutTime(buffer, words) else { return nil }
            return
        }
        let thread = words[..<time].lastIndex { Self.isThread(buffer, $0) }
        guard let thread, thread > 0 else { return nil }
        comm = buffer.trimmed(words[0].lowerBound..<words[thread].lowerBound)
        self.thread = words[thread]
        var next = time + 1
        if next < words.count, let number = buffer.wholeNumber(words[next]) {
            period = number
            next += 1
        }
        isCertain = true
        guard next < words.count else { return }
        let event = words[next]
        isRecord = buffer.starts(event, with: "PERF_RECORD_")
        guard buffer[event.upperBound - 1] == UInt8(ascii: ":") else {
            // Without the event's name a frame may follow at once.
            frame = isRecord ? nil : event.lowerBound..<line.upperBound
            return
        }
        name = event.lowerBound..<event.upperBound - 1
        let rest = buffer.trimmed(event.upperBound..<line.upperBound)
        frame = PerfFrameLine.isFrame(buffer, rest) ? rest : nil
    }

    /// `comm tid event:`, as with `-F comm,tid,event,ip,sym`.
    private mutating func readWithoutTime(_ buffer: UnsafeRawBufferPointer, _ words: [Range<Int>]) -> Bool {
        guard let last = words.last, last.count > 1, buffer[last.upperBound - 1] == UInt8(ascii: ":"),
            let thread = words.indices.dropFirst().first(where: { Self.isThread(buffer, words[$0]) })
        else { return false }
        comm = buffer.trimmed(words[0].lowerBound..<words[thread].lowerBound)
        self.thread = words[thread]
        name = last.lowerBound..<last.upperBound - 1
        let before = words.count - 2
        period = before > thread ? buffer.wholeNumber(words[before]) : nil
        return true
    }

    /// `4183.017263:`.
    private static func isTime(_ buffer: UnsafeRawBufferPointer, _ word: Range<Int>) -> Bool {
        guard word.count >= 4, buffer[word.upperBound - 1] == UInt8(ascii: ":"),
            buffer[word.lowerBound].isDigit
        else { return false }
        var points = 0
        for position in word.dropLast() {
            if buffer[position] == UInt8(ascii: ".") {
                points += 1
            } else if !buffer[position].isDigit {
                return false
            }
        }
        return points == 1
    }

    /// `12` or `12/13`; `-1` of what belongs to no thread.
    private static func isThread(_ buffer: UnsafeRawBufferPointer, _ word: Range<Int>) -> Bool {
        var word = word
        if buffer[word.lowerBound] == UInt8(ascii: "-") {
            word = word.dropFirst().startIndex..<word.upperBound
        }
        guard let slash = buffer.firstIndex(of: UInt8(ascii: "/"), in: word) else {
            return buffer.wholeNumber(word) != nil
        }
        return buffer.wholeNumber(word.lowerBound..<slash) != nil
            && buffer.wholeNumber(slash + 1..<word.upperBound) != nil
    }
}

/// A frame in the text of `perf script`: `address symbol+offset (file)`.
enum PerfFrameLine {
    static func isFrame(_ buffer: UnsafeRawBufferPointer, _ line: Range<Int>) -> Bool {
        guard let word = buffer.words(line, atMost: 1).first else { return false }
        return buffer.hexadecimal(word) != nil && word.count >= 4
    }

    /// What follows the address.
    static func withoutAddress(_ buffer: UnsafeRawBufferPointer, _ line: Range<Int>) -> Range<Int> {
        let line = buffer.trimmed(line)
        guard let word = buffer.words(line, atMost: 1).first, buffer.hexadecimal(word) != nil else {
            return line
        }
        let rest = buffer.trimmed(word.upperBound..<line.upperBound)
        // Without addresses, a function may be called `add`.
        return rest.isEmpty || buffer[rest.lowerBound] == UInt8(ascii: "(") ? line : rest
    }

    /// The frames of a line without its address, innermost first. Source lines, which `-F +srcline` puts between frames,
    /// have none.
    static func frames(_ text: String) -> [Frame] {
        guard let (symbol, file) = parts(text), !symbol.hasPrefix("(") else { return [] }
        let module = file.flatMap(module(of:))
        let function = withoutOffset(symbol)
        if function == "[unknown]" { return [unknown(module)] }
        // What a compiler of Java inlined: `outer->inner`.
        let inlined = function.split(separator: "->", omittingEmptySubsequences: false)
        guard inlined.count > 1, inlined.allSatisfy({ !$0.isEmpty && !$0.hasSuffix("operator") }) else {
            return [Frame(function, module: module)]
        }
        return inlined.reversed().map { Frame(String($0), module: module) }
    }

    /// The symbol and the file in parentheses at the end; a file's name may hold blanks and parentheses.
    private static func parts(_ text: String) -> (symbol: String, file: String?)? {
        let bytes = Array(text.utf8)
        guard bytes.last == UInt8(ascii: ")") else {
            // A symbol alone, as with `-F ip,sym`; a source line otherwise.
            return text.isEmpty || isSourceLine(bytes) ? nil : (text, nil)
        }
        var depth = 0
        for index in bytes.indices.reversed() {
            if bytes[index] == UInt8(ascii: ")") { depth += 1 }
            if bytes[index] == UInt8(ascii: "(") { depth -= 1 }
            guard depth == 0 else { continue }
            guard index > 0, bytes[index - 1] == 0x20 else { break }
            return (
                String(decoding: bytes[..<(index - 1)], as: UTF8.self),
                String(decoding: bytes[(index + 1)..<(bytes.count - 1)], as: UTF8.self)
            )
        }
        return (text, nil)
    }

    private static func isSourceLine(_ bytes: [UInt8]) -> Bool {
        guard let colon = bytes.lastIndex(of: UInt8(ascii: ":")), colon + 1 < bytes.count else {
            return false
        }
        return bytes[(colon + 1)...].allSatisfy(\.isDigit)
    }

    private static func module(of file: String) -> String? {
        var name = file[...]
        if name.hasSuffix(" (deleted)") { name = name.dropLast(10) }
        if name == "[unknown]" || name == "inlined" || name.isEmpty { return nil }
        if let slash = name.utf8.lastIndex(of: UInt8(ascii: "/")) {
            name = name[name.utf8.index(after: slash)...]
        }
        return name.isEmpty ? nil : String(name)
    }

    private static func unknown(_ module: String?) -> Frame {
        guard let module, module.hasPrefix("["), module.hasSuffix("]") else {
            return .unknown(module: module)
        }
        return Frame(module, module: module, traits: .unknown)
    }

    /// `work+0x1f` to `work`.
    private static func withoutOffset(_ symbol: String) -> String {
        guard let plus = symbol.utf8.lastIndex(of: UInt8(ascii: "+")), plus > symbol.startIndex else {
            return symbol
        }
        let rest = symbol.utf8[plus...].dropFirst()
        guard rest.starts(with: "0x".utf8), rest.count > 2,
            rest.dropFirst(2).allSatisfy({ $0.isDigit || ($0 | 0x20) &- 0x61 < 6 })
        else { return symbol }
        return String(symbol[..<plus])
    }
}
