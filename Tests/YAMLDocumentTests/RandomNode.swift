import YAMLDocument

/// Nodes with whatever a document may hold, hostile strings above all.
enum RandomNode {
    static func make(using random: inout some RandomNumberGenerator, depth: Int = 0) -> YAMLNode {
        switch Int.random(in: 0..<(depth < 4 ? 12 : 8), using: &random) {
        case 0: return .null
        case 1: return .bool(.random(using: &random))
        case 2: return .integer(integers.randomElement(using: &random) ?? 0)
        case 3: return .number(number(using: &random))
        case 4...7: return .text(text(using: &random))
        case 8, 9:
            return .sequence(
                (0..<Int.random(in: 0..<5, using: &random)).map { _ in make(using: &random, depth: depth + 1)
                })
        default:
            var mapping = YAMLMapping()
            for _ in 0..<Int.random(in: 0..<5, using: &random) {
                mapping[text(using: &random)] = make(using: &random, depth: depth + 1)
            }
            return .mapping(mapping)
        }
    }

    static let hostile = [
        "", " ", "~", "null", "Null", "true", "no", "No", "on", "off", "y", "N", "YES", "=", "<<", "1:30",
        "190:20:30",
        "1e3", "1.5e+3", "0x10", "0o7", "017", "0b11", "1_000", "+1", "-1", ".5", "5.", "-.inf", ".nan",
        ".NaN", "nan",
        "2026-02-10", "2026-02-10T10:00:00Z", "2026-02-10 10:00:00", "v1.0", "1.2.3", "- a", "-", "--- a",
        "---", "...",
        "? a", "?", ": a", ":", "a: b", "a:", "a #b", "#", "!tag", "&anchor", "*alias", "%YAML", "@at",
        "`tick", "|", ">",
        "{a: b}", "[a]", "a, b", "'", "\"", "it's", "say \"x\"", "\\n", " lead", "trail ", "two\nlines", "\n",
        "end\n",
        "\n\n x\n\n", "tab\tin", "\ttab", "\r", "\r\n", "\u{0}", "\u{1B}[31m", "\u{7F}", "\u{85}", "\u{A0}",
        "\u{2028}",
        "\u{FEFF}x", "x\u{FEFF}", "\u{FFFD}", "\u{FFFE}", "é", "日本語", "🙂", "a🙂", "\u{10FFFF}", "e\u{301}",
        "ß: ü",
        "/path/to file", "_x", "C:\\x", String(repeating: "k", count: 130),
        String(repeating: "w x ", count: 200),
    ]
    private static let integers: [Int64] = [0, 1, -1, 12, 255, 100_000, .max, .min, 1 << 53]
    private static let alphabet = Array("ab1:#-? ,[]{}&*!|>'\"%@`~\n\t\\é🙂\u{85}\u{7}.=_/0")

    private static func text(using random: inout some RandomNumberGenerator) -> String {
        if Bool.random(using: &random) { return hostile.randomElement(using: &random) ?? "" }
        return String(
            (0..<Int.random(in: 0..<12, using: &random)).compactMap { _ in
                alphabet.randomElement(using: &random)
            })
    }

    private static func number(using random: inout some RandomNumberGenerator) -> Double {
        switch Int.random(in: 0..<4, using: &random) {
        case 0: Double(bitPattern: UInt64.random(in: 0...UInt64.max, using: &random))
        case 1: Double.random(in: -1e-5...1e-5, using: &random)
        case 2: (Double.random(in: 0...1e5, using: &random) * 1e6).rounded() / 1e6
        default:
            [0, -0.0, 1, 1e15, 1e16, 1e22, .nan, .infinity, -.infinity].randomElement(using: &random) ?? 0
        }
    }
}

/// A node as one line of text with every type and value, the same in Swift and in oracle.py.
enum Canonical {
    static func text(_ node: YAMLNode) -> String {
        switch node {
        case .null: "n"
        case .bool(let value): value ? "b1" : "b0"
        case .integer(let value): "i\(value)"
        case .number(let value): value.isNaN ? "fnan" : "f\(String(value.bitPattern, radix: 16))"
        case .text(let value): "s" + hex(value)
        case .sequence(let items): "[" + items.map(text).joined(separator: ",") + "]"
        case .mapping(let mapping):
            "{" + mapping.entries.map { hex($0.key) + "=" + text($0.value) }.joined(separator: ",") + "}"
        }
    }

    private static func hex(_ text: String) -> String {
        text.utf8.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
