internal import StackProfile

/// Reads JSON from left to right without making values of what is not asked for: a trace of a gigabyte costs no tree.
///
/// The reader is copied to remember a place: `var members = reader` reads the same value again.
struct JSONReader {
    /// Why there is no value where one was asked for.
    enum Failure: Error, Equatable {
        /// The text is no JSON, or not of the kind that was asked for, at a byte.
        case malformed(at: Int)
        /// Values are nested too deeply.
        case tooDeep
        /// The values are no profile: why, as the end of a sentence.
        case unfit(String)
        /// The file is not read for another reason.
        case refused(FormatError)
    }

    /// What kind of value comes next.
    enum Kind: Equatable {
        case object, array, string, number, bool, null, nothing
    }

    static let depthLimit = 1000

    private let buffer: UnsafeRawBufferPointer
    private(set) var position: Int
    /// How many objects and arrays are open.
    private var depth = 0

    /// A reader of a text, which has to outlive it.
    init(_ buffer: UnsafeRawBufferPointer, at position: Int = 0) {
        self.buffer = buffer
        self.position = position
    }

    private func byte(at position: Int) -> UInt8? { position < buffer.count ? buffer[position] : nil }

    mutating func skipSpace() {
        while let byte = byte(at: position), byte == 0x20 || (0x09...0x0D).contains(byte) { position += 1 }
    }

    /// The kind of the next value.
    mutating func kind() -> Kind {
        skipSpace()
        return switch byte(at: position) {
        case UInt8(ascii: "{"): .object
        case UInt8(ascii: "["): .array
        case UInt8(ascii: "\""): .string
        case UInt8(ascii: "t"), UInt8(ascii: "f"): .bool
        case UInt8(ascii: "n"): .null
        case let byte? where byte == UInt8(ascii: "-") || byte.isDigit: .number
        default: .nothing
        }
    }

    private mutating func accept(_ expected: UInt8) -> Bool {
        skipSpace()
        guard byte(at: position) == expected else { return false }
        position += 1
        return true
    }

    private mutating func expect(_ expected: UInt8) throws(Failure) {
        guard accept(expected) else { throw .malformed(at: position) }
    }

    private mutating func enter() throws(Failure) {
        depth += 1
        guard depth <= Self.depthLimit else { throw .tooDeep }
    }

    /// Calls back at the value of each member; whatever the body leaves unread is skipped.
    mutating func forEachMember(
        _ body: (_ name: String, _ reader: inout JSONReader) throws(Failure) -> Void
    ) throws(Failure) {
        try enter()
        try expect(UInt8(ascii: "{"))
        if accept(UInt8(ascii: "}")) {
            depth -= 1
            return
        }
        while true {
            let name = try string()
            try expect(UInt8(ascii: ":"))
            try each { (reader) throws(Failure) in try body(name, &reader) }
            if accept(UInt8(ascii: ",")) { continue }
            try expect(UInt8(ascii: "}"))
            depth -= 1
            return
        }
    }

    /// Calls back at each element of an array; whatever the body leaves unread is skipped.
    mutating func forEachElement(
        _ body: (_ reader: inout JSONReader) throws(Failure) -> Void
    ) throws(Failure) {
        try enter()
        try expect(UInt8(ascii: "["))
        if accept(UInt8(ascii: "]")) {
            depth -= 1
            return
        }
        while true {
            try each(body)
            if accept(UInt8(ascii: ",")) { continue }
            try expect(UInt8(ascii: "]"))
            depth -= 1
            return
        }
    }

    private mutating func each(
        _ body: (_ reader: inout JSONReader) throws(Failure) -> Void
    ) throws(Failure) {
        skipSpace()
        let start = position
        try body(&self)
        if position == start { try skip() }
    }

    /// The places of an object's members, for members that have to be read in another order. Of a name that is there twice
    /// the last counts.
    mutating func members() throws(Failure) -> [String: JSONReader] {
        var members: [String: JSONReader] = [:]
        try forEachMember { (name, reader) throws(Failure) in
            reader.skipSpace()
            if members.count < 1000 { members[name] = reader }
        }
        return members
    }

    /// Skips a value of any kind.
    mutating func skip() throws(Failure) {
        var open = 0
        repeat {
            switch kind() {
            case .object, .array:
                position += 1
                open += 1
                guard depth + open <= Self.depthLimit else { throw .tooDeep }
            case .string: try skipString()
            case .number: _ = try number()
            case .bool, .null: try skipWord()
            case .nothing:
                // Between values: the commas, colons and ends of what is open.
                guard open > 0, let byte = byte(at: position) else { throw .malformed(at: position) }
                switch byte {
                case UInt8(ascii: ","), UInt8(ascii: ":"): break
                case UInt8(ascii: "}"), UInt8(ascii: "]"): open -= 1
                default: throw .malformed(at: position)
                }
                position += 1
            }
        } while open > 0
    }

    private mutating func skipWord() throws(Failure) {
        for word in ["true", "false", "null"] where starts(with: word) {
            position += word.utf8.count
            return
        }
        throw .malformed(at: position)
    }

    private func starts(with word: String) -> Bool {
        buffer.count - position >= word.utf8.count
            && buffer[position..<position + word.utf8.count].elementsEqual(word.utf8)
    }

    private mutating func skipString() throws(Failure) {
        position += 1
        while let byte = byte(at: position) {
            position += 1
            if byte == UInt8(ascii: "\"") { return }
            if byte == UInt8(ascii: "\\") { position += 1 }
        }
        throw .malformed(at: min(position, buffer.count))
    }

    /// A number; nothing else will do.
    mutating func number() throws(Failure) -> Double {
        skipSpace()
        let start = position
        // Whole numbers of up to 15 digits, which nearly all are, need no conversion of text.
        var value: Int64 = 0
        let isNegative = byte(at: position) == UInt8(ascii: "-")
        if isNegative { position += 1 }
        let first = position
        while position - first < 15, let byte = byte(at: position), case let digit = byte &- 0x30, digit < 10
        {
            value = value * 10 + Int64(digit)
            position += 1
        }
        if position > first, !isNumberByte(byte(at: position)) { return Double(isNegative ? -value : value) }
        while isNumberByte(byte(at: position)) { position += 1 }
        guard position - start <= 400,
            let number = Double(String(decoding: buffer[start..<position], as: UTF8.self)), number.isFinite
        else { throw .malformed(at: start) }
        return number
    }

    private func isNumberByte(_ byte: UInt8?) -> Bool {
        guard let byte else { return false }
        return byte.isDigit || [0x2E, 0x65, 0x45, 0x2B, 0x2D].contains(byte)
    }

    /// A whole number that is not negative, such as an index; nil for any other value, which is skipped.
    mutating func index() throws(Failure) -> Int? {
        guard kind() == .number else {
            try skip()
            return nil
        }
        return Int(exactly: try number()).flatMap { $0 >= 0 ? $0 : nil }
    }

    /// A number; nil for a value of any other kind, which is skipped.
    mutating func optionalNumber() throws(Failure) -> Double? {
        guard kind() == .number else {
            try skip()
            return nil
        }
        return try number()
    }

    /// A text; nil for a value of any other kind, which is skipped.
    mutating func optionalString() throws(Failure) -> String? {
        guard kind() == .string else {
            try skip()
            return nil
        }
        return try string()
    }

    /// A text; nothing else will do. Cut at ``FormatLimits/nameBytes``.
    mutating func string() throws(Failure) -> String {
        skipSpace()
        guard byte(at: position) == UInt8(ascii: "\"") else { throw .malformed(at: position) }
        let start = position + 1
        try skipString()
        let end = position - 1
        let content = buffer[start..<min(end, start + FormatLimits.nameBytes)]
        guard content.contains(UInt8(ascii: "\\")) else { return String(decoding: content, as: UTF8.self) }
        return unescaped(content)
    }

    /// The second half of a character, if it is what a text's next escape says.
    private static func lowHalf(_ text: Slice<UnsafeRawBufferPointer>) -> UInt32? {
        guard text.count == 6, text.starts(with: "\\u".utf8),
            let unit = UInt32(String(decoding: text.dropFirst(2), as: UTF8.self), radix: 16)
        else { return nil }
        return (0xDC00..<0xE000).contains(unit) ? unit : nil
    }

    private func append(_ scalar: UInt32, to text: inout [UInt8]) {
        text += Array(String(Unicode.Scalar(scalar) ?? "\u{FFFD}").utf8)
    }

    /// A text without its escapes; one that is no escape stays as it is.
    private func unescaped(_ content: Slice<UnsafeRawBufferPointer>) -> String {
        var text: [UInt8] = []
        var index = content.startIndex
        while index < content.endIndex {
            let byte = content[index]
            index += 1
            guard byte == UInt8(ascii: "\\"), index < content.endIndex else {
                text.append(byte)
                continue
            }
            let escape = content[index]
            index += 1
            switch escape {
            case UInt8(ascii: "n"): text.append(0x0A)
            case UInt8(ascii: "t"): text.append(0x09)
            case UInt8(ascii: "r"): text.append(0x0D)
            case UInt8(ascii: "b"): text.append(0x08)
            case UInt8(ascii: "f"): text.append(0x0C)
            case UInt8(ascii: "u"):
                let digits = String(
                    decoding: content[index..<min(index + 4, content.endIndex)], as: UTF8.self)
                guard let unit = UInt32(digits, radix: 16), digits.utf8.count == 4 else { continue }
                index += 4
                // The halves of a character beyond U+FFFF; a half alone becomes U+FFFD.
                let next = content[index...].prefix(6)
                if (0xD800..<0xDC00).contains(unit), let low = Self.lowHalf(next) {
                    index += 6
                    append(0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00), to: &text)
                } else {
                    append(unit, to: &text)
                }
            default: text.append(escape)
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}

extension FormatError {
    /// The file is JSON of a known kind, and damaged.
    static func damaged(_ kind: String, _ failure: JSONReader.Failure) -> FormatError {
        switch failure {
        case .malformed(let position):
            .damaged(kind, "it breaks off or is malformed at byte \(position)")
        case .tooDeep: .damaged(kind, "its values are nested deeper than \(JSONReader.depthLimit)")
        case .unfit(let what): .damaged(kind, what)
        case .refused(let error): error
        }
    }
}

extension StackProfileBuilder {
    /// Adds a sample whose weight stands in a JSON file, in the profile's unit.
    mutating func add(read weight: Double, _ stack: StackID, labels: Int) throws(JSONReader.Failure) {
        let rounded = weight.rounded()
        guard rounded >= 0, rounded <= Double(StackProfile.weightLimit) else {
            throw .unfit("a weight is negative or too large")
        }
        do throws(StackProfileError) {
            try add(stack, weight: Int64(rounded), labels: labels)
        } catch {
            throw .unfit("its weights add up to more than \(StackProfile.weightLimit)")
        }
        guard stackCount <= FormatLimits.stacks else {
            throw .unfit("it has more than \(FormatLimits.stacks) different stacks")
        }
    }
}
