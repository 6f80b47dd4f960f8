import FlameGraph
import LinuxProcess
import LinuxSystem
import Measurement
import StackProfile
import TestSupport
import Testing

@Suite("Differential flame graph")
struct DifferentialTests {
    private typealias Stacks = [(path: [String], weight: Int64)]

    private func profile(_ stacks: Stacks) throws -> StackProfile {
        var builder = StackProfileBuilder(period: .milliseconds(1))
        for (path, weight) in stacks {
            try builder.add(path.map { Frame($0, module: "pipeline") }, weight: weight)
        }
        return builder.build()
    }

    private func layout(_ before: Stacks, _ after: Stacks, scale: Double = 1) throws -> DifferentialLayout {
        DifferentialLayout(
            before: .init(name: "v1", profile: try profile(before), valuePerWeight: scale),
            after: .init(name: "v2", profile: try profile(after), valuePerWeight: scale))
    }

    private let older: Stacks = [
        (["main", "decode"], 300), (["main", "decode", "search"], 500), (["main", "parse"], 200),
    ]
    private let newer: Stacks = [
        (["main", "decode"], 310), (["main", "decode", "search"], 800), (["main", "verify"], 90),
    ]

    private func random(_ generator: inout SeededGenerator) -> Stacks {
        (0..<Int.random(in: 1...40, using: &generator)).map { _ in
            let depth = Int.random(in: 1...6, using: &generator)
            let path = (0..<depth).map { "f\($0)_\(Int.random(in: 0..<3, using: &generator))" }
            return (path, Int64.random(in: 1...500, using: &generator))
        }
    }

    private func name(_ rectangle: DifferentialLayout.Rectangle) -> String {
        if case .frame(let frame) = rectangle.content { frame.function } else { "\(rectangle.content)" }
    }

    @Test("Vanished and new functions have their place, and what has changed is marked")
    func kinds() throws {
        let layout = try layout(older, newer)
        var changes: [String: DifferentialLayout.Change] = [:]
        for rectangle in layout.rectangles {
            changes[name(rectangle)] = layout.change(of: rectangle, .absolute)
        }
        #expect(changes["parse"] == .gone)
        #expect(changes["verify"] == .new)
        #expect(changes["search"] == .step(3))
        let places = layout.places(.absolute)
        #expect(layout.rectangles.indices.allSatisfy { places[$0].width > 0 })
        #expect(layout.totals == (1000, 1200))
    }

    @Test(
        "Widths add up, and no rectangle leaves the one around it",
        arguments: DifferentialLayout.Normalization.allCases)
    func widths(normalization: DifferentialLayout.Normalization) throws {
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<60 {
            let layout = try layout(random(&generator), random(&generator))
            let places = layout.places(normalization)
            let factors = layout.factors(normalization)
            var inner = layout.rectangles.map {
                max($0.selfBefore * factors.before, $0.selfAfter * factors.after)
            }
            let scale = 1 / inner.reduce(0, +)
            inner = inner.map { $0 * scale }
            for index in layout.rectangles.indices.reversed() {
                #expect((places[index].width - inner[index]).magnitude < 1e-9)
                guard let parent = layout.rectangles[index].parent else { continue }
                inner[parent] += places[index].width
                #expect(places[index].start >= places[parent].start - 1e-9)
                #expect(
                    places[index].start + places[index].width
                        <= places[parent].start + places[parent].width + 1e-9)
            }
            #expect((places[0].width - 1).magnitude < 1e-9)
        }
    }

    @Test(
        "Swapping the sides negates every change and moves nothing",
        arguments: DifferentialLayout.Normalization.allCases)
    func swapped(normalization: DifferentialLayout.Normalization) throws {
        var generator = SeededGenerator(seed: 11)
        for _ in 0..<60 {
            let (one, other) = (random(&generator), random(&generator))
            let (forth, back) = (try layout(one, other), try layout(other, one))
            #expect(forth.rectangles.map(\.pathHash) == back.rectangles.map(\.pathHash))
            for ((left, right), (here, there)) in zip(
                zip(forth.rectangles, back.rectangles),
                zip(forth.places(normalization), back.places(normalization)))
            {
                let sum = forth.points(of: left, normalization) + back.points(of: right, normalization)
                #expect(sum.magnitude < 1e-9)
                #expect((here.start - there.start).magnitude < 1e-9)
                switch (forth.change(of: left, normalization), back.change(of: right, normalization)) {
                case (.neutral, .neutral), (.new, .gone), (.gone, .new): break
                case (.step(let up), .step(let down)): #expect(up == -down)
                case (let up, let down): Issue.record("\(up) against \(down)")
                }
            }
        }
    }

    @Test("A run twice as long changes everything absolutely, and nothing as shares")
    func normalization() throws {
        let layout = try layout(older, older.map { ($0.path, 2 * $0.weight) })
        for rectangle in layout.rectangles {
            #expect(layout.change(of: rectangle, .share) == .neutral)
            #expect(layout.points(of: rectangle, .share).magnitude < 1e-9)
            #expect(layout.points(of: rectangle, .absolute) > 0)
        }
        #expect(layout.change(of: layout.rectangles[0], .absolute) == .step(3))
    }

    @Test("Functions too small on both sides stand together, and add up")
    func smallFunctions() throws {
        let many: Stacks = (0..<2000).map { (["main", "f\($0)"], 1) } + [(["main", "big"], 5000)]
        let layout = try layout(many, many)
        #expect(layout.rectangles.count == 4)
        #expect(layout.smallFrameCount == 2000)
        #expect(layout.rectangles.last?.before == 2000)
    }

    @Test("The picture is well-formed XML, escapes hostile names, and needs no colour")
    func picture() throws {
        let hostile = "<script>alert(1)</script>]]>&\"'\u{1B}[31m\u{0}"
        let layout = try layout(older + [([hostile], 50)], newer)
        var options = DifferentialSVG.Options()
        options.title = hostile
        options.warnings = [hostile]
        options.unit = .samples
        let bytes = DifferentialSVG.render(layout, options: options)
        #expect(bytes == DifferentialSVG.render(layout, options: options))
        let text = String(decoding: bytes, as: UTF8.self)
        #expect(!text.contains("<script>alert"))
        #expect(!text.contains("\u{1B}"))
        #expect(text.contains(">gone: parse<") || text.contains(">gone: "))
        #expect(
            text.contains("1,000 samples → v2: 1,200 samples")
                || text.contains("1,050 samples → v2: 1,200 samples"))
        #expect(text.contains("500 samples → 800 samples (+25.00 points, +60.0 %, 500 → 800 samples)"))
        let directory = try TemporaryDirectory()
        try Files.replace("\(directory.path)/a.svg", with: bytes)
        let check = try runCommand([
            "python3", "-c",
            "import sys, xml.dom.minidom as m; print(len(m.parse(sys.argv[1]).getElementsByTagName('title')))",
            "\(directory.path)/a.svg",
        ])
        #expect(check.standardOutput == "\(layout.rectangles.count)\n", "\(check.standardError)")
    }

    @Test("No samples on both sides are a picture that says so")
    func empty() throws {
        let layout = try layout([], [])
        let text = String(decoding: DifferentialSVG.render(layout), as: UTF8.self)
        #expect(text.contains("No samples, so there is nothing to draw."))
    }

    @Test(
        "In a browser shares are shown on demand, matches are summed, and two pictures keep apart",
        .enabled(if: BrowserPage.isAvailable, "chromium is not installed"))
    func browser() throws {
        let layout = try layout(older, newer)
        let pictures = ["", "2"].map { identity in
            var options = DifferentialSVG.Options()
            options.identity = identity
            return DifferentialSVG.render(layout, options: options, asDocument: false)
        }
        let lines = try BrowserPage.outcome(
            of: """
                out.push(by('search').getAttribute('aria-label'));
                a.querySelector('[data-do=mode]').click();
                out.push(by('search').getAttribute('aria-label'));
                out.push(by('search', b).getAttribute('aria-label'));
                out.push(location.hash);
                type('SEA'); out.push(status.textContent);
                click(by('decode')); out.push(status.textContent);
                out.push(isHidden('parse'), by('parse', b).hasAttribute('display'));
                key('ArrowDown'); out.push(here());
                key('Backspace'); out.push(here());
                history.back(); await moment();
                const ids = [...document.querySelectorAll('[id]')].map((e) => e.id);
                out.push(ids.length === new Set(ids).size);
                """, pictures: pictures)
        #expect(
            lines == [
                "+ search, 500 samples → 800 samples (+25.00 points, +60.0 %, 500 → 800 samples)",
                "+ search, 500 samples → 800 samples (+16.67 points, +60.0 %, 500 → 800 samples)",
                "+ search, 500 samples → 800 samples (+25.00 points, +60.0 %, 500 → 800 samples)",
                "#1.m=share",
                "1 frame, 500 samples → 800 samples (50.0 % → 66.7 % of all)",
                "1 frame, 500 samples → 800 samples (50.0 % → 66.7 % of all), 500 samples → 800 samples "
                    + "(62.5 % → 72.1 % of view)", "true", "false",
                "+ search, 500 samples → 800 samples (+16.67 points, +60.0 %, 500 → 800 samples)",
                "+ decode, 800 samples → 1,110 samples (+12.50 points, +38.8 %, 800 → 1,110 samples)",
                "true",
            ])
    }
}
