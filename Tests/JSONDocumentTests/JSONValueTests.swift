import Glibc
import JSONDocument
import Testing

@Suite("JSON from outside")
struct JSONValueTests {
    @Test(
        "What is not one JSON text is nothing",
        arguments: [
            "", " ", "{", "}", "[", "[1,]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "nul", "tru", "1 2",
            "\"", "\"\\", "\"\\u12\"", "\"\\x\"", "--1",
            "1e999",
            "NaN", "\"a\nb\"", "\u{1}", "[1 2]", "{\"a\" 1}", "{\"a\":1 \"b\":2}", "'a'",
        ])
    func garbage(text: String) {
        #expect(JSONValue.parse(Array(text.utf8)) == nil)
    }

    @Test("Half of a surrogate pair stands for a byte that was no text; in evidence it is refused")
    func surrogates() {
        for (text, value) in [(#""x\uD800""#, "x\u{FFFD}"), (#""\uDCE9\u0041""#, "\u{FFFD}A")] {
            #expect(JSONValue.parse(Array(text.utf8)) == .string(value))
            #expect(throws: JSONError.self) { try JSONValue.read(Array(text.utf8)) }
        }
    }

    @Test("Values come out as they were written")
    func values() {
        let text = #" {"a": [1, -2.5e3, true, false, null], "b": {"c": "x\n\"\\\/\u00e9\uD83D\uDE00"}} "#
        #expect(
            JSONValue.parse(Array(text.utf8))
                == .object([
                    "a": .array([.number(1), .number(-2500), .bool(true), .bool(false), .null]),
                    "b": .object(["c": .string("x\n\"\\/é😀")]),
                ]))
    }

    @Test("A member that is stepped over is null, and what follows it is read")
    func skipped() {
        let rows = (0..<50).map { #"{"a": "}]\\", "n": [\#($0), {"x": "\""}]}"# }.joined(separator: ",")
        for value in ["[\(rows)]", "{\"b\": [\(rows)]}", "[]", "{}", "7"] {
            let text = Array("{\"s\": 1, \"history\": \(value), \"t\": [{\"history\": 2}]}".utf8)
            let whole = JSONValue.parse(text)?.object
            let skipped = JSONValue.parse(text, skipping: "history")?.object
            #expect(whole?["t"] == .array([.object(["history": .number(2)])]))
            #expect(skipped?["s"] == whole?["s"] && skipped?["t"] == whole?["t"])
            #expect(skipped?["history"] == (value == "7" ? .number(7) : .null))
            // Cut off anywhere it is nothing.
            for length in 0..<text.count where JSONValue.parse(Array(text[..<length])) == nil {
                #expect(JSONValue.parse(Array(text[..<length]), skipping: "history") == nil)
            }
        }
    }

    @Test("Numbers are the doubles nearest to their decimals, as the C library finds them")
    func numbers() {
        var generator = SystemRandomNumberGenerator()
        var texts = [
            "0", "-0", "0.1", "999999999999999", "1000000000000000", "0.000001", "123456789.123456", "5e-324",
        ]
        for _ in 0..<5000 {
            let digits = (0..<Int.random(in: 1...17, using: &generator)).map { _ in
                "\(Int.random(in: 0...9, using: &generator))"
            }.joined()
            let point = Int.random(in: 1...digits.count, using: &generator)
            let fraction = digits.dropFirst(point)
            texts.append(
                (Bool.random(using: &generator) ? "-" : "") + digits.prefix(point)
                    + (fraction.isEmpty ? "" : ".\(fraction)"))
        }
        for text in texts {
            let value = JSONValue.parse(Array(text.utf8))?.number
            #expect(value?.bitPattern == strtod(text, nil).bitPattern, "\(text)")
        }
        for text in ["-", ".", "-.", "1-", "1+1", "1.1.1", "+"] {
            #expect(JSONValue.parse(Array(text.utf8)) == nil, "\(text)")
        }
    }

    @Test("Nesting is bounded, so that no text can exhaust the stack")
    func depth() {
        func nested(_ depth: Int) -> [UInt8] {
            Array((String(repeating: "[", count: depth) + String(repeating: "]", count: depth)).utf8)
        }
        #expect(JSONValue.parse(nested(16)) != nil)
        #expect(JSONValue.parse(nested(18)) == nil)
        #expect(JSONValue.parse(nested(1_000_000)) == nil)
    }

    @Test("Every cut of a good text is nothing, and random bytes do no harm")
    func cuts() {
        let text = Array(#"{"pid": 1, "stage": "a\u00e9", "history": [{"x": -1.5e2}], "n": null}"#.utf8)
        #expect(JSONValue.parse(text) != nil)
        for length in 0..<text.count { #expect(JSONValue.parse(Array(text[..<length])) == nil) }
        for _ in 0..<3000 {
            var damaged = text
            damaged[Int.random(in: 0..<text.count)] = UInt8.random(in: 0...255)
            _ = JSONValue.parse(damaged)
        }
    }

    @Test("Text written as JSON reads back as itself")
    func roundTrip() {
        for text in ["", "plain", "a\"b\\c\nd\te\u{1}f\u{7F}", "é😀\u{2028}", "\u{0}"] {
            #expect(JSONValue.parse(Array(text.asJSON.utf8)) == .string(text))
        }
    }

    @Test(
        "For a file that is evidence, the error says where and why it is not JSON",
        arguments: [
            ("", "Line 1: it ends in the middle of a value; it was cut off."),
            ("{\n\"a\": 1,\n", "Line 3: it ends in the middle of a value; it was cut off."),
            ("{\n\"a\": 1,\n\"b\": 2,\n\"a\": 3}", "Line 4: the name 'a' is there twice; remove one."),
            ("{\n\"a\": NaN}", "Line 2: this is not JSON."), ("{} {}", "Line 1: this is not JSON."),
            (String(repeating: "[", count: 40), "Line 1: it is nested deeper than 16."),
        ])
    func reasons(text: String, sentence: String) {
        #expect(refusal(Array(text.utf8)) == sentence)
    }

    @Test("Bytes that are not UTF-8 are refused, and what is well formed is read")
    func strictReading() throws {
        #expect(refusal([0x22, 0xFF, 0x22]) == "It is not UTF-8 text.")
        #expect(try JSONValue.read(Array("{\"a\": [1]}".utf8)) == .object(["a": .array([.number(1)])]))
    }

    private func refusal(_ bytes: [UInt8]) -> String? {
        do throws(JSONError) {
            _ = try JSONValue.read(bytes)
            return nil
        } catch {
            return error.description
        }
    }
}
