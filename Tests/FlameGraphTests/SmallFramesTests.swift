import FlameGraph
import StackProfile
import Testing

/// Pictures of profiles with more frames than can be drawn, and with more levels than a window is high.
@Suite(
    "Small frames and tall pictures in a browser",
    .enabled(if: BrowserPage.isAvailable, "chromium is not installed"))
struct SmallFramesTests {
    private func picture(_ folded: String) throws -> [UInt8] {
        FlameGraphSVG.render(FlameGraphLayout(try FoldedStacks.read(Array(folded.utf8)).profile))
    }

    @Test(
        "A search counts what is too small to be drawn, each sample once, and shows how much of it there is")
    func search() throws {
        // Half of all in 2,000 places of a four-thousandth each; under half of those the function calls itself.
        let lines = (0..<2_000).map { index in
            "main;f\(index);malloc\(index.isMultiple(of: 2) ? ";malloc" : "") 1\nmain;f\(index);other 1"
        }
        let found = try BrowserPage.outcome(
            of: """
                type('malloc'); out.push(status.textContent);
                type('f7'); out.push(status.textContent);
                type('absent'); out.push(status.textContent);
                type('main'); out.push(status.textContent);
                """, pictures: [try picture(lines.joined(separator: "\n"))])
        // f7, f70 to f79 and f700 to f799: 111 of 2,000 functions with two samples each.
        #expect(
            found == [
                "3,000 frames (3,000 too small to be drawn), 50.0 % of all",
                "111 frames (111 too small to be drawn), 5.5 % of all", "0 frames, 0.0 % of all",
                "1 frame, 100.0 % of all",
            ])
    }

    @Test("Five hundred levels down the tools are in the window, and turning the picture over shows its root")
    func tall() throws {
        let stack = (0..<600).map { "level\($0)" }.joined(separator: ";")
        let found = try BrowserPage.outcome(
            of: """
                const bar = a.querySelector('foreignObject'), top = () => bar.getBoundingClientRect().top;
                scrollTo(0, 9000); dispatchEvent(new Event('scroll'));
                out.push(scrollY > 8000, top() >= -1 && top() < innerHeight);
                scrollTo(0, 0); dispatchEvent(new Event('scroll'));
                key('i');
                const root = by('all').getBoundingClientRect();
                out.push(root.top >= 0 && root.bottom <= innerHeight + 1);
                """, pictures: [try picture("\(stack) 10")])
        #expect(found == ["true", "true", "true"])
    }
}
