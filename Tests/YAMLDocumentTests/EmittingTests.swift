import Testing
import YAMLDocument

@Suite("Writing YAML")
struct EmittingTests {
    @Test("A document is written in block style, one value a line")
    func blockStyle() {
        let node: YAMLNode = .mapping([
            "release": .text("v1.2.0"), "date": .text("2026-02-10"), "episodes": .integer(5),
            "stages": .mapping([
                "rss_feed_fetch": .mapping(["wall_time_s": .number(1.25), "peak_rss_mb": .number(100)])
            ]),
            "argv": .sequence([.text("run"), .text("--no"), .text("no"), .text("")]),
            "nothing": .null, "empty": .mapping([:]), "none": .sequence([]), "yes": .bool(true),
        ])
        let expected = """
            # A comment
            #
            # of two
            release: v1.2.0
            date: '2026-02-10'
            episodes: 5
            stages:
              rss_feed_fetch:
                wall_time_s: 1.25
                peak_rss_mb: 100.0
            argv:
            - run
            - '--no'
            - 'no'
            - ''
            nothing: null
            empty: {}
            none: []
            'yes': true

            """
        let bytes = YAMLDocument.emit(node, comment: "A comment\n\nof two")
        #expect(String(decoding: bytes, as: UTF8.self) == expected)
        #expect(YAMLDocument.emit(node, comment: "A comment\n\nof two") == bytes)
    }

    @Test(
        "A number is written short and with a point",
        arguments: [
            (0.1, "0.1"), (0, "0.0"), (-0.0, "-0.0"), (5, "5.0"), (1.0 / 3, "0.3333333333333333"),
            (0.000015, "0.000015"), (-1e-7, "-0.0000001"), (2e-12, "2.0e-12"), (1e16, "1.0e+16"),
            (123456789.125, "123456789.125"), (.nan, ".nan"), (-.infinity, "-.inf"),
            (.leastNonzeroMagnitude, "5.0e-324"),
        ] as [(Double, String)])
    func numbers(value: Double, text: String) {
        #expect(
            String(decoding: YAMLDocument.emit(.sequence([.number(value)])), as: UTF8.self) == "- \(text)\n")
    }

    @Test("A number of given decimals is rounded to them")
    func decimals() {
        #expect(YAMLNode.number(1.23456789, decimals: 6) == .number(1.234568))
        #expect(YAMLNode.number(0.1 + 0.2, decimals: 6) == .number(0.3))
        #expect(YAMLNode.number(1e300, decimals: 6) == .number(1e300))
    }

    @Test("A comment cannot smuggle in a line")
    func hostileComment() throws {
        let bytes = YAMLDocument.emit(.mapping(["a": .integer(1)]), comment: "x\r b: 2\u{85}c: 3\u{2028}d: 4")
        #expect(try YAMLDocument.parse(bytes) == .mapping(["a": .integer(1)]))
    }

    @Test("What is written is read back as it was")
    func roundTrip() throws {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            let node = RandomNode.make(using: &random)
            let bytes = YAMLDocument.emit(node)
            let back = try YAMLDocument.parse(bytes)
            #expect(Canonical.text(back) == Canonical.text(node), "\(String(decoding: bytes, as: UTF8.self))")
            #expect(YAMLDocument.emit(back) == bytes)
        }
    }
}
