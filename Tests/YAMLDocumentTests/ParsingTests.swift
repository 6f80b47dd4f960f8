import Testing
import YAMLDocument

@Suite("Reading YAML")
struct ParsingTests {
    @Test(
        "A plain scalar means what the core schema says",
        arguments: [
            ("null", .null), ("~", .null), ("", .null), ("Null", .null),
            ("true", .bool(true)), ("FALSE", .bool(false)),
            ("yes", .text("yes")), ("no", .text("no")), ("on", .text("on")),
            ("12", .integer(12)), ("+12", .integer(12)), ("-7", .integer(-7)), ("007", .integer(7)),
            ("0x1F", .integer(31)), ("0o17", .integer(15)), ("0o8", .text("0o8")), ("0x", .text("0x")),
            ("-9223372036854775808", .integer(.min)),
            ("1.5", .number(1.5)), (".5", .number(0.5)), ("1.", .number(1)), ("1e3", .number(1000)),
            ("-1.5E-2", .number(-0.015)), (".inf", .number(.infinity)), ("-.inf", .number(-.infinity)),
            ("1:30", .text("1:30")), ("2026-02-10", .text("2026-02-10")), ("1_000", .text("1_000")),
            ("1e", .text("1e")), (".", .text(".")), ("+", .text("+")), ("1.2.3", .text("1.2.3")),
            ("0x1p3", .text("0x1p3")), ("nan", .text("nan")), ("1e400", .number(.infinity)),
        ] as [(String, YAMLNode)])
    func plainScalars(text: String, expected: YAMLNode) throws {
        #expect(try YAMLDocument.parse(Array("a: \(text)\n".utf8))["a"] == expected)
    }

    @Test("In PyYAML's dialect a number with an exponent has a point")
    func pyYAMLDialect() throws {
        let node = try YAMLDocument.parse(Array("[39e4607, 1.5e+3, 12, 0.5]".utf8), dialect: .pyYAML)
        #expect(node == .sequence([.text("39e4607"), .number(1500), .integer(12), .number(0.5)]))
    }

    @Test("A quoted scalar is a string, whatever it looks like")
    func quotedScalars() throws {
        let node = try parse("a: '12'\nb: \"true\"\nc: |\n  1\n  2\nd: ''\n")
        #expect(node["a"] == .text("12"))
        #expect(node["b"] == .text("true"))
        #expect(node["c"] == .text("1\n2\n"))
        #expect(node["d"] == .text(""))
    }

    @Test("Mappings keep the order of their keys, and keys are text")
    func keysInOrder() throws {
        let mapping = try #require(try parse("z: 1\na: 2\n10: 3\ntrue: 4\n").asMapping)
        #expect(mapping.keys == ["z", "a", "10", "true"])
        #expect(mapping["10"] == .integer(3))
    }

    @Test("An empty document is the null value")
    func empty() throws {
        for text in ["", "\n\n", "# only a comment\n", "---\n"] { #expect(try parse(text).isNull) }
    }

    @Test("Tags of YAML's own types are obeyed")
    func coreTags() throws {
        #expect(try parse("!!str 12") == .text("12"))
        #expect(try parse("!!float 12") == .number(12))
        #expect(try parse("! 12") == .text("12"))
        #expect(try parse("!!map {a: !!seq [1]}")["a"] == .sequence([.integer(1)]))
    }

    @Test(
        "What is refused is refused with its place and a remedy",
        arguments: [
            ("a: 1\nb: 2\na: 3\n", "Line 3, column 1: the key 'a' is there twice; remove one of them."),
            (
                "a: &x 1\nb: *x\n",
                "Line 1, column 4: anchors (&name) and aliases (*name) are not read; write the value out."
            ),
            (
                "a: 1\n---\nb: 2\n",
                "Line 2, column 1: a second document begins here; keep one document in a file."
            ),
            (
                "!!python/object:os.system [x]",
                "Line 1, column 1: the tag 'tag:yaml.org,2002:python/object:os.system' is not read here; remove it."
            ),
            ("!!int x", "Line 1, column 1: 'x' is no value of the tag !!int."),
            (
                "a: 99999999999999999999",
                "Line 1, column 4: the whole number does not fit 64 bits; quote it if it is a name."
            ),
            ("? [a]\n: 1\n", "Line 1, column 3: a key must be a plain or quoted string."),
            (
                "a: [1, 2\nb: 3\n",
                "Line 2, column 2: this is not YAML (did not find expected ',' or ']')."
            ),
            ("ok\u{1}", "Line 1, column 3: this is not YAML text (control characters are not allowed)."),
        ])
    func refusals(text: String, sentence: String) {
        #expect(failure(of: text) == sentence)
    }

    @Test("Bytes that are not UTF-8 are refused with their place")
    func invalidUTF8() {
        let error = #expect(throws: YAMLError.self) {
            try YAMLDocument.parse(Array("a: 1\nb: ".utf8) + [0xFF, 0xFE, 0x0A])
        }
        #expect(error?.line == 2)
        #expect(error?.column == 4)
    }

    @Test("An alias bomb ends at its first anchor")
    func aliasBomb() {
        var text = "a: &a [x,x,x,x,x,x,x,x,x]\n"
        for (previous, name) in zip("abcdefgh", "bcdefghi") {
            text +=
                "\(name): &\(name) [" + Array(repeating: "*\(previous)", count: 9).joined(separator: ",")
                + "]\n"
        }
        #expect(failure(of: text)?.contains("anchors") == true)
    }

    @Test("Nesting is read to 64 levels and refused beyond, however deep the document")
    func depth() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + "1" + String(repeating: "]", count: depth)
        }
        _ = try parse(nested(64))
        for depth in [65, 1000, 200_000] {
            #expect(
                failure(of: nested(depth)) == "Line 1, column 66: lists and mappings nest deeper than 64.")
        }
    }

    @Test("Too many bytes and too many values are refused")
    func sizes() {
        #expect(
            #expect(throws: YAMLError.self) { try YAMLDocument.parse(Array("a: 1".utf8), limit: 3) }?
                .description
                == "Line 1, column 1: the document is longer than the 3 bytes that are read of one.")
        let many = "[" + String(repeating: "1,", count: 1_000_001) + "]"
        #expect(failure(of: many)?.hasSuffix("the document has more than 1000000 values.") == true)
    }

    @Test("A cut-off or changed document is read or refused, never more")
    func damage() {
        let whole = Array("a: [1, {b: 'x'}]\nc:\n  d: |\n    text\n  e: \"\\u00e9\"\n".utf8)
        for length in 0...whole.count { _ = Result { try YAMLDocument.parse(Array(whole.prefix(length))) } }
        var random = SystemRandomNumberGenerator()
        for _ in 0..<3000 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(
                    in: 0...255, using: &random)
            }
            _ = Result { try YAMLDocument.parse(bytes) }
        }
    }

    private func parse(_ text: String) throws(YAMLError) -> YAMLNode {
        try YAMLDocument.parse(Array(text.utf8))
    }

    private func failure(of text: String) -> String? {
        do throws(YAMLError) {
            _ = try parse(text)
            return nil
        } catch {
            return error.description
        }
    }
}
