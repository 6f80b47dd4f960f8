import Measurement
import Testing

@Suite("Numbers as text")
struct NumberTextTests {
    @Test(
        "A number has the asked-for decimals, rounded half away from zero",
        arguments: [
            (0.05, 1, "0.1"), (1.005, 0, "1"), (-2.5, 0, "-3"), (-0.04, 1, "0.0"), (12.0, 3, "12.000"),
            (.nan, 1, "nan"), (.infinity, 1, "inf"), (-.infinity, 1, "-inf"), (0, 2, "0.00"),
        ])
    func fixed(value: Double, decimals: Int, text: String) {
        #expect(value.fixed(decimals) == text)
    }

    @Test("A number too large for fixed notation is still printed, and reads back as itself")
    func huge() {
        #expect(Double(1e300.fixed(3)) == 1e300)
    }

    @Test("Padding fills up to a width and never cuts")
    func padding() {
        #expect(7.zeroPadded(to: 3) == "007")
        #expect((-7).zeroPadded(to: 3) == "-007")
        #expect(1234.zeroPadded(to: 3) == "1234")
        #expect("ab".padded(to: 4) == "ab  ")
        #expect("ab".leftPadded(to: 4) == "  ab")
        #expect("abcdef".padded(to: 4) == "abcdef")
    }
}

@Suite("Amounts")
struct AmountTests {
    @Test("Bytes are printed in the largest binary unit that keeps them above one")
    func bytes() {
        #expect("\(ByteCount(bytes: 0))" == "0 B")
        #expect("\(ByteCount(bytes: 1023))" == "1023 B")
        #expect("\(ByteCount.kibibytes(1))" == "1.0 KiB")
        #expect("\(ByteCount.mebibytes(617))" == "617 MiB")
        #expect("\(ByteCount(bytes: 3 << 40))" == "3.0 TiB")
        #expect("\(ByteCount(bytes: -2048))" == "-2.0 KiB")
        #expect(ByteCount.mebibytes(1.5).bytes == 1_572_864)
    }

    @Test(
        "A duration is printed as a person would write it",
        arguments: [
            (Int64(850_000_000), "850 ms"), (12_300_000_000, "12.3 s"), (245_000_000_000, "4:05"),
            (7_384_000_000_000, "2:03:04"), (0, "0 ms"),
        ])
    func duration(nanoseconds: Int64, text: String) {
        #expect(Duration(nanosecondCount: nanoseconds).readable == text)
    }

    @Test("Nanoseconds survive the way through a duration, negative ones too")
    func nanoseconds() {
        for count: Int64 in [0, 1, -1, 999_999_999, -1_500_000_000, 9_000_000_000_000_000_001] {
            #expect(Duration(nanosecondCount: count).inNanoseconds == count)
        }
    }

    @Test("A reading without a value has a reason, and is never zero")
    func reading() {
        let missing = Reading<Int>.unavailable(reason: "nobody looked")
        #expect(missing.value == nil)
        #expect(missing.unavailableReason == "nobody looked")
        #expect(missing.map { $0 + 1 } == .unavailable(reason: "nobody looked"))
        #expect(Reading.value(1).map { $0 + 1 }.value == 2)
        #expect(Reading.value(0) != missing)
    }
}

@Suite("Moments")
struct TimestampTests {
    @Test(
        "A moment prints in UTC",
        // Oracle: date -u -d @SECONDS
        arguments: [
            (Int64(0), "1970-01-01T00:00:00Z"), (951_782_400, "2000-02-29T00:00:00Z"),
            (1_770_732_181, "2026-02-10T14:03:01Z"), (4_107_542_399, "2100-02-28T23:59:59Z"),
            (-1, "1969-12-31T23:59:59Z"),
        ])
    func iso(seconds: Int64, text: String) {
        #expect(Timestamp(nanosecondsSinceEpoch: seconds * 1_000_000_000).iso8601WithoutFraction == text)
    }

    @Test("Milliseconds are cut, not rounded, so that no moment lies in the future")
    func milliseconds() {
        #expect(Timestamp(nanosecondsSinceEpoch: 1_999_999).iso8601 == "1970-01-01T00:00:00.001Z")
        #expect(Timestamp(nanosecondsSinceEpoch: -1).iso8601 == "1969-12-31T23:59:59.999Z")
        #expect(Timestamp(nanosecondsSinceEpoch: 0).dateOnly == "1970-01-01")
    }

    @Test("Seconds from outside make a moment only within reason")
    func seconds() {
        for wrong in [Double.nan, .infinity, -1, 1e300] {
            #expect(Timestamp(secondsSinceEpoch: wrong) == nil)
        }
        #expect(Timestamp(secondsSinceEpoch: 1.5)?.nanosecondsSinceEpoch == 1_500_000_000)
    }
}

@Suite("Text from outside")
struct PlainTextTests {
    @Test("Nothing that could steer a terminal is left")
    func control() {
        let hostile = "a\u{1B}[2Jb\u{07}\r\nc\u{9B}31md\u{7F}\u{202E}e\u{2028}f"
        let shown = PlainText.sanitized(hostile)
        #expect(!shown.unicodeScalars.contains { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) })
        #expect(!shown.unicodeScalars.contains("\u{202E}"))
        #expect(shown.hasPrefix("a\u{FFFD}[2Jb"))
    }

    @Test(
        "What takes no room is shown, so that names that look alike differ",
        arguments: [
            ("tran\u{200B}scribe", "tran⟨200B⟩scribe"), ("a\u{E0041}\u{E007F}", "a⟨E0041⟩⟨E007F⟩"),
            ("\u{FEFF}a\u{AD}b", "⟨FEFF⟩a⟨AD⟩b"), ("a\u{200D}b\u{FE0F}", "a⟨200D⟩b⟨FE0F⟩"),
            ("\u{2060}", "⟨2060⟩"),
            // They do their work in emoji and in Persian.
            ("\u{1F468}\u{200D}\u{1F469}", "\u{1F468}\u{200D}\u{1F469}"),
            ("می\u{200C}خواهم", "می\u{200C}خواهم"),
            ("❤\u{FE0F}", "❤\u{FE0F}"), ("e\u{301}é", "e\u{301}é"),
        ])
    func invisible(_ text: String, _ shown: String) { #expect(PlainText.sanitized(text) == shown) }

    @Test("Length is bounded in characters, and a character's marks are bounded too")
    func length() {
        #expect(PlainText.sanitized(String(repeating: "x", count: 100), maximumCharacters: 3) == "xxx…")
        let piled = "e" + String(repeating: "\u{301}", count: 100_000)
        #expect(PlainText.sanitized(piled).unicodeScalars.count <= 8)
    }

    @Test("A stage's name is trimmed, cut and cleaned; one of nothing is none")
    func stageName() {
        #expect(StageName("  transcription ")?.text == "transcription")
        #expect(StageName("") == nil)
        #expect(StageName("   ") == nil)
        #expect(StageName(String(repeating: "n", count: 1024))?.text.count == 1024)
        #expect(StageName("a\nb")?.text == "a\u{FFFD}b")
        #expect(StageName("done") == .done)
    }

    @Test("Names of more than 1,024 bytes are shortened to that, and two that differ stay two")
    func longStageNames() throws {
        for stem in [String(repeating: "n", count: 1100), String(repeating: "é", count: 600)] {
            let one = try #require(StageName(stem + "1"))
            let two = try #require(StageName(stem + "2"))
            #expect(one != two)
            #expect((1020...1024).contains(one.text.utf8.count))
            // Read back from where it was written it is itself.
            #expect(StageName(one.text) == one)
        }
        // A control character takes three bytes once it is replaced.
        #expect(try #require(StageName(String(repeating: "\u{1}", count: 1000))).text.utf8.count <= 1024)
    }
}

@Suite("Names that were mistyped")
struct NearestNameTests {
    @Test("The nearest name is offered only when it is near")
    func nearestName() {
        #expect(NearestName.to("v1.2.1", among: ["v1.2.0", "v2.9.9"]) == "v1.2.0")
        #expect(NearestName.to("captrue", among: ["capture", "diff"]) == "capture")
        #expect(NearestName.to("something", among: ["capture", "diff"]) == nil)
    }
}
