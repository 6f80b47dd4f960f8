import FlameGraph
import Measurement
import StackProfile
import TestSupport
import Testing

@Suite("Flame graph layout")
struct FlameGraphLayoutTests {
    private func layout(_ text: String, minimumShare: Double = 0) throws -> FlameGraphLayout {
        var options = FlameGraphLayout.Options()
        options.minimumShare = minimumShare
        return FlameGraphLayout(try FoldedStacks.read(Array(text.utf8)).profile, options: options)
    }

    private func names(_ layout: FlameGraphLayout) -> [String] {
        layout.rectangles.map {
            switch $0.content {
            case .root: "all"
            case .frame(let frame): frame.function
            case .smallFrames(let count): "\(count) small"
            }
        }
    }

    /// What is wrong with the widths, by the definition: children stand side by side, and with the parent's own weight
    /// they fill it.
    private func flaw(in layout: FlameGraphLayout) -> String? {
        var filled = layout.rectangles.map(\.selfWeight)
        var end = layout.rectangles.map(\.start)
        for (index, rectangle) in layout.rectangles.enumerated() {
            guard let parent = rectangle.parent else {
                if index != 0 || rectangle.level != 0 { return "\(index) has no parent" }
                continue
            }
            if parent >= index { return "\(index) stands before its parent" }
            if rectangle.level != layout.rectangles[parent].level + 1 {
                return "\(index) is on a wrong level"
            }
            if rectangle.start != end[parent] { return "\(index) does not begin where its sibling ends" }
            end[parent] += rectangle.weight
            filled[parent] += rectangle.weight
        }
        for (index, rectangle) in layout.rectangles.enumerated() {
            if case .smallFrames = rectangle.content { continue }
            if filled[index] != rectangle.weight { return "\(index) is not filled" }
        }
        return nil
    }

    @Test("Siblings stand in order of their names, and self weight is what is left")
    func order() throws {
        let layout = try layout("main;b;x 2\nmain;a 3\nmain 4\nother 1\n")
        #expect(names(layout) == ["all", "main", "a", "b", "x", "other"])
        #expect(layout.rectangles.map(\.start) == [0, 0, 0, 3, 3, 9])
        #expect(layout.rectangles.map(\.weight) == [10, 9, 3, 2, 2, 1])
        #expect(layout.rectangles.map(\.selfWeight) == [0, 4, 3, 0, 2, 1])
        #expect(layout.rectangles.map(\.level) == [0, 1, 2, 2, 3, 1])
        #expect(layout.levels == 4)
        #expect(flaw(in: layout) == nil)
    }

    @Test("Small frames are one rectangle, so that widths add up")
    func smallFrames() throws {
        let layout = try layout("m;a 900\nm;b;c 40\nm;d 40\nm 20\n", minimumShare: 0.05)
        #expect(names(layout) == ["all", "m", "a", "3 small"])
        #expect(layout.rectangles.map(\.weight) == [1000, 1000, 900, 80])
        #expect(layout.smallFrameCount == 3)
        #expect(flaw(in: layout) == nil)
    }

    @Test("A stage is drawn however short it was")
    func shortStage() throws {
        var builder = StackProfileBuilder()
        try builder.add([Frame("work")], weight: 1_000_000, labels: SampleLabels(stage: .transcription))
        try builder.add([Frame("work")], weight: 1, labels: SampleLabels(stage: .vectorIndexing))
        let layout = FlameGraphLayout(builder.build().grouped(by: [.stage]))
        #expect(names(layout) == ["all", "transcription", "work", "vector_indexing", "1 small"])
    }

    @Test("Lines of one function are one rectangle; its line is shown only when there is one")
    func linesAreJoined() throws {
        let layout = try layout("main;f (a.py:3);g 1\nmain;f (a.py:9);g 2\nmain;h (a.py:5) 1\n")
        #expect(names(layout) == ["all", "main", "f", "g", "h"])
        #expect(layout.rectangles[2].weight == 3)
        guard case .frame(let f) = layout.rectangles[2].content,
            case .frame(let h) = layout.rectangles[4].content
        else {
            Issue.record("no frames")
            return
        }
        #expect(f.line == nil)
        #expect(h.line == 5)
    }

    @Test("Widths add up in random profiles, at any minimum share and limit")
    func randomProfiles() throws {
        var random = SeededGenerator(seed: 5)
        for _ in 0..<60 {
            var builder = StackProfileBuilder()
            for _ in 0..<200 {
                let frames = (0..<Int.random(in: 0...12, using: &random)).map { _ in
                    Frame(
                        "f\(Int.random(in: 0..<6, using: &random))", file: "x",
                        line: .random(in: 1...3, using: &random)
                    )
                }
                try builder.add(frames, weight: .random(in: 0...50, using: &random))
            }
            var options = FlameGraphLayout.Options()
            options.minimumShare = [0, 0.001, 0.02, 1].randomElement(using: &random) ?? 0
            options.maximumRectangles = [50, 100_000].randomElement(using: &random) ?? 1
            let layout = FlameGraphLayout(builder.build(), options: options)
            #expect(flaw(in: layout) == nil)
            #expect(layout.rectangles.count <= 2 * options.maximumRectangles)
            #expect(layout.totalWeight == layout.rectangles[0].weight)
        }
    }

    @Test("A path has the same hash in every picture")
    func pathHashes() throws {
        let one = try layout("main;a;b 2\nmain;c 3\n")
        let other = try layout("main;a;a2 1\nmain;a;b 9\nzzz 4\n")
        func hash(_ layout: FlameGraphLayout, _ name: String) -> UInt64? {
            zip(names(layout), layout.rectangles).first { $0.0 == name }?.1.pathHash
        }
        #expect(hash(one, "b") == hash(other, "b"))
        #expect(Set(one.rectangles.map(\.pathHash)).count == one.rectangles.count)
    }

    @Test("Stacks of 2000 frames are laid out and drawn")
    func deepStacks() throws {
        let stack = (0..<2000).map { "frame\($0)" }.joined(separator: ";")
        let layout = try layout("\(stack) 7\nframe0;other 3\n")
        #expect(layout.levels == 2001)
        #expect(flaw(in: layout) == nil)
        #expect(FlameGraphSVG.render(layout).count > 2000 * 100)
    }

    @Test("Nothing becomes a root of weight zero")
    func empty() throws {
        let layout = FlameGraphLayout(.empty())
        #expect(names(layout) == ["all"])
        #expect(layout.totalWeight == 0)
    }
}
