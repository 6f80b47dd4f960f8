import FlameGraph
import Foundation
import FoundationXML
import Measurement
import StackProfile
import TestSupport
import Testing

@Suite("Flame graph SVG")
struct FlameGraphSVGTests {
    /// What libxml2 finds in a document: its elements with their attributes, and all text.
    private final class Document: NSObject, XMLParserDelegate {
        var elements: [(name: String, attributes: [String: String])] = []
        var titles: [String] = []
        private var text = ""

        func parser(
            _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
            attributes: [String: String]
        ) {
            elements.append((name, attributes))
            text = ""
        }
        func parser(_ parser: XMLParser, foundCharacters string: String) { text += string }
        func parser(
            _ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?
        ) {
            if name == "title" { titles.append(text) }
        }
        var treeItems: [[String: String]] { elements.map(\.attributes).filter { $0["role"] == "treeitem" } }
    }

    private func parse(_ bytes: [UInt8]) throws -> Document {
        let document = Document()
        let parser = XMLParser(data: Data(bytes))
        parser.delegate = document
        try #require(parser.parse(), "\(String(describing: parser.parserError)) in line \(parser.lineNumber)")
        return document
    }

    private func layout(_ frames: [[Frame]]) throws -> FlameGraphLayout {
        var builder = StackProfileBuilder()
        for stack in frames { try builder.add(stack, weight: 1) }
        return FlameGraphLayout(builder.build())
    }

    private func captureFacts() -> CaptureFacts {
        var facts = CaptureFacts()
        facts.command = .value(
            "podcast-scraper run --feed http://127.0.0.1:8080/feed.xml --episodes 10 --output out")
        facts.version = .value("v2.6.0")
        facts.host = .value("builder-1, AMD EPYC, Linux 6.1")
        facts.sampler = .value("perf events, CPU clock")
        facts.rate = .value(997)
        facts.lost = .unavailable(reason: "the kernel did not say")
        facts.truncated = .value(31)
        facts.duration = .value(.seconds(154))
        return facts
    }

    @Test("The picture of a pipeline is the one that was looked at")
    func golden() throws {
        var options = FlameGraphSVG.Options()
        options.title = "podcast-scraper v2.6.0"
        options.subtitle = "on-CPU time per stage"
        options.facts = captureFacts()
        let layout = FlameGraphLayout(try SamplePipeline.profile().grouped(by: [.stage]))
        let bytes = FlameGraphSVG.render(layout, options: options)
        #expect(GoldenFile.difference(between: bytes, and: "pipeline.svg") == nil)
        options.orientation = .flame
        #expect(
            GoldenFile.difference(
                between: FlameGraphSVG.render(layout, options: options), and: "pipeline-flame.svg")
                == nil)
    }

    @Test("The same profile gives the same bytes")
    func deterministic() throws {
        let one = FlameGraphSVG.render(FlameGraphLayout(try SamplePipeline.profile()))
        let other = FlameGraphSVG.render(FlameGraphLayout(try SamplePipeline.profile()))
        #expect(one == other)
    }

    @Test("Every rectangle says its name, share and weight, and stands in a tree")
    func accessibility() throws {
        let layout = FlameGraphLayout(try SamplePipeline.profile().grouped(by: [.stage]))
        let document = try parse(FlameGraphSVG.render(layout))
        #expect(document.elements.filter { $0.attributes["role"] == "tree" }.count == 1)
        let items = document.treeItems
        #expect(items.count == layout.rectangles.count)
        for (item, rectangle) in zip(items, layout.rectangles) {
            #expect(item["aria-level"] == "\(rectangle.level + 1)")
            #expect(item["data-w"] == "\(rectangle.weight)")
            let label = try #require(item["aria-label"])
            #expect(label.contains(/^.+, [0-9.]+ %, [0-9,]+ samples?(, guessed)?$/))
        }
        #expect(items.filter { $0["tabindex"] == "0" }.count == 1)
        #expect(document.titles.count == items.count)
        #expect(document.elements.contains { $0.attributes["aria-live"] == "polite" })
    }

    @Test(
        "The table has each function's own and total weight, recursion counted once, and says what it leaves out"
    )
    func table() throws {
        let profile = try SamplePipeline.profile()
        let layout = FlameGraphLayout(profile.grouped(by: [.stage]))
        let costs = profile.functionCosts()
        #expect(Set(layout.functions.rows) == Set(costs) && layout.functions.omitted == 0)
        #expect(layout.functions.rows.map(\.selfWeight) == costs.map(\.selfWeight).sorted(by: >))
        let document = try parse(FlameGraphSVG.render(layout))
        let rows = document.elements.filter { $0.name == "tr" }.compactMap { $0.attributes["data-total"] }
        #expect(rows.compactMap { Int64($0) } == layout.functions.rows.map(\.totalWeight))
        #expect(document.elements.contains { $0.name == "caption" })
        #expect(document.elements.filter { $0.name == "th" && $0.attributes["scope"] == "col" }.count == 6)

        var builder = StackProfileBuilder()
        for index in 1...2000 {
            try builder.add([Frame("caller \(index)"), Frame("leaf \(index)")], weight: Int64(index))
        }
        let many = FlameGraphLayout(builder.build())
        // The 250 of either order, which are callers and leaves here.
        #expect(many.functions.rows.count + many.functions.omitted == 4000)
        #expect((250...500).contains(many.functions.rows.count))
        #expect(many.functions.rows.first?.function == "leaf 2000")
        let text = String(decoding: FlameGraphSVG.render(many), as: UTF8.self)
        #expect(text.contains("what they call, of 4,000</caption>"))
    }

    @Test("An empty profile is a valid picture with a message")
    func empty() throws {
        let bytes = FlameGraphSVG.render(FlameGraphLayout(.empty()))
        #expect(try parse(bytes).treeItems.isEmpty)
        #expect(String(decoding: bytes, as: UTF8.self).contains("No samples, so there is nothing to draw."))
    }

    static let hostileNames = [
        "</script><script>alert(1)</script>", "]]>", "<![CDATA[", "a\"b'c&d<e>f", "x\" onload=\"alert(1)",
        "\u{202E}gnitirw\u{2066}", "nul\u{0}bell\u{7}esc\u{1B}[31m", "\u{FFFE}\u{FFFF}",
        "line\nbreak\r\u{2028}",
        "&#0;&lt;&bogus;", String(repeating: "A", count: 10_000), String(repeating: "é\u{301}", count: 9_000),
        "a" + String(repeating: "\u{301}", count: 50_000), "<title>", "-->", "url(#x)", "operator<",
        "f((((<<<<", "",
        "𝕏😀漢字",
    ]

    @Test("No name can break out of the text it stands in", arguments: hostileNames)
    func hostile(name: String) throws {
        var options = FlameGraphSVG.Options()
        options.title = name
        options.subtitle = name
        options.facts.command = .value(name)
        options.facts.lost = .unavailable(reason: name)
        options.facts.further = [(name, name)]
        let frame = Frame(name, module: name, file: name, line: 1)
        let layout = try layout([[frame, Frame(name, traits: .stage)], [.unknown(module: name)]])
        let bytes = FlameGraphSVG.render(layout, options: options)
        let document = try parse(bytes)
        let harmless = try parse(
            FlameGraphSVG.render(try self.layout([[Frame("f"), Frame("g")], [.unknown()]])))
        #expect(document.elements.filter { $0.name == "script" }.count == 1)
        let known = Set(harmless.elements.flatMap(\.attributes.keys)).union(["data-c"])
        #expect(Set(document.elements.flatMap(\.attributes.keys)).isSubset(of: known))
        // Style, script and tools are 50,000 of these.
        #expect(bytes.count < 64_000)
        let text = String(decoding: bytes, as: UTF8.self)
        #expect(!text.contains("\u{202E}") && !text.contains("\u{1B}"))
    }

    @Test("The file loads nothing from anywhere")
    func selfContained() throws {
        let text = String(decoding: FlameGraphSVG.render(FlameGraphLayout(.empty())), as: UTF8.self)
        let addresses = text.matches(of: /https?:[^"' )]*/).map { String($0.output) }
        #expect(Set(addresses) == ["http://www.w3.org/2000/svg", "http://www.w3.org/1999/xhtml"])
        for word in ["@import", "xlink", "<image", "fetch(", "XMLHttpRequest", "eval(", "innerHTML", " on"] {
            let found = text.contains(word == " on" ? " onclick=" : word)
            #expect(!found, "\(word)")
        }
    }

    @Test("Two pictures in one page share no identifier")
    func identifiers() throws {
        let one = try parse(FlameGraphSVG.render(try layout([[Frame("a")]])))
        let other = try parse(FlameGraphSVG.render(try layout([[Frame("b")]])))
        func ids(_ document: Document) -> [String] { document.elements.compactMap { $0.attributes["id"] } }
        #expect(ids(one).count == 3)
        #expect(Set(ids(one) + ids(other)).count == 6)
    }

    @Test("A missing fact is shown with its reason, and nanoseconds as time")
    func missingFacts() throws {
        var builder = StackProfileBuilder(unit: .nanoseconds)
        try builder.add([Frame("f")], weight: 1_500_000_000)
        var options = FlameGraphSVG.Options()
        options.facts = captureFacts()
        let bytes = FlameGraphSVG.render(FlameGraphLayout(builder.build()), options: options)
        let text = String(decoding: bytes, as: UTF8.self)
        #expect(text.contains("unavailable (the kernel did not say)"))
        #expect(text.contains("aria-label=\"f, 100.0 %, 1.5 s\""))
        #expect(text.contains(">unknown frames</tspan> 0.0 %"))
    }

    @Test("Text on every stage's colour has a contrast of at least 4.5")
    func contrast() throws {
        func luminance(_ hex: String) throws -> Double {
            let value = try #require(Int(hex.dropFirst(), radix: 16))
            let channels = [value >> 16, value >> 8 & 255, value & 255].map { channel -> Double in
                let share = Double(channel) / 255
                return share <= 0.03928 ? share / 12.92 : pow((share + 0.055) / 1.055, 2.4)
            }
            return 0.2126 * channels[0] + 0.7152 * channels[1] + 0.0722 * channels[2]
        }
        for color in StagePalette.colors { #expect(1.05 / (try luminance(color) + 0.05) >= 4.5, "\(color)") }
        let text = String(
            decoding: FlameGraphSVG.render(FlameGraphLayout(try SamplePipeline.profile())), as: UTF8.self)
        let pairs = text.matches(of: /\.c[0-9]+-[0-9] rect\{.*light-dark\((#......),(#......)\)/)
        #expect(pairs.count > 5)
        let (dark, light) = (try luminance("#16181d"), try luminance("#eceef2"))
        for pair in pairs {
            #expect((try luminance(String(pair.1)) + 0.05) / (dark + 0.05) >= 4.5)
            #expect((light + 0.05) / (try luminance(String(pair.2)) + 0.05) >= 4.5)
        }
    }

    @Test("Stages keep their colours apart, and mostly from version to version")
    func palette() {
        let stages = [
            "rss_feed_fetch", "transcription", "summarization", "vector_indexing", "media_download",
        ]
        let palette = StagePalette(stages: stages)
        #expect(Set(stages.map { palette.index(of: $0) }).count == stages.count)
        let alone = StagePalette(stages: ["transcription"])
        #expect(
            StagePalette(stages: ["transcription"].reversed()).color(of: "transcription")
                == alone.color(of: "transcription"))
        let many = StagePalette(stages: (0..<40).map { "stage\($0)" })
        #expect((0..<40).allSatisfy { StagePalette.colors.indices.contains(many.index(of: "stage\($0)")) })
    }
}
