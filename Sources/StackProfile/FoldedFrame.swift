extension Frame {
    /// A frame from its name in folded text.
    ///
    /// Understood are `function (file:line)` as py-spy writes it, `[module]` and hexadecimal addresses for unknown
    /// functions as `perf script` gives them, and `[truncated]`.
    init(folded name: String) {
        self.init(name)
        let bytes = name.utf8
        if bytes.first == UInt8(ascii: "["), bytes.last == UInt8(ascii: "]"), bytes.count > 2 {
            if name == Frame.truncationMarker.function {
                traits = .truncationMarker
            } else {
                traits = .unknown
                module = name == "[unknown]" ? nil : String(name.dropFirst().dropLast())
            }
        } else if bytes.count > 2, bytes.starts(with: "0x".utf8), bytes.dropFirst(2).allSatisfy(\.isHexDigit)
        {
            traits = .unknown
        } else if let location = Self.location(in: name) {
            self = location
        }
    }

    /// `function (file:line)` taken apart.
    private static func location(in name: String) -> Frame? {
        let bytes = name.utf8
        guard bytes.last == UInt8(ascii: ")"),
            let colon = bytes.lastIndex(of: UInt8(ascii: ":")),
            let open = bytes[..<colon].lastIndex(of: UInt8(ascii: "(")), open > bytes.startIndex
        else { return nil }
        let beforeOpen = bytes.index(before: open)
        let digits = bytes[bytes.index(after: colon)...].dropLast()
        guard bytes[beforeOpen] == UInt8(ascii: " "), beforeOpen > bytes.startIndex,
            bytes.index(after: open) < colon, let first = digits.first, first != UInt8(ascii: "0"),
            digits.count <= 9, digits.allSatisfy({ (0x30...0x39).contains($0) }),
            let line = Int(Substring(digits))
        else { return nil }
        return Frame(
            String(name[..<beforeOpen]), file: String(name[bytes.index(after: open)..<colon]), line: line)
    }

    /// The frame's name in folded text: never empty, free of `;` and of control characters.
    func folded(_ detail: FoldedStacks.FrameDetail) -> [UInt8] {
        var text = function
        if detail == .functionAndLine, let file, let line, line > 0 { text += " (\(file):\(line))" }
        var bytes: [UInt8] = []
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0...0x1F, 0x7F...0x9F: continue
            case 0x3B: bytes.append(UInt8(ascii: ":"))
            default: bytes += UTF8.encode(scalar).map { Array($0) } ?? []
            }
        }
        // A reader trims the line, so blanks at the ends would make two frames of one.
        while bytes.last == 0x20 { bytes.removeLast() }
        let leading = bytes.prefix { $0 == 0x20 }.count
        bytes.removeFirst(leading)
        return bytes.isEmpty ? Array("[unknown]".utf8) : bytes
    }
}

extension UInt8 {
    /// True for a digit of a hexadecimal number.
    var isHexDigit: Bool {
        switch self {
        case 0x30...0x39, 0x41...0x46, 0x61...0x66: true
        default: false
        }
    }
}
