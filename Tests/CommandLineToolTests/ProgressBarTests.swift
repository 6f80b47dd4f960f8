import CommandLineTool
import Testing

@Suite("Progress of long work")
struct ProgressBarTests {
    private static let second: Int64 = 1_000_000_000

    @Test("A bar is as full as the share is large, and no fuller")
    func bar() {
        #expect(ProgressBar.text(0) == "[....................]")
        #expect(ProgressBar.text(0.5) == "[##########..........]")
        #expect(ProgressBar.text(0.999) == "[###################.]")
        #expect(ProgressBar.text(1) == "[####################]")
        #expect(ProgressBar.text(-1) == ProgressBar.text(0) && ProgressBar.text(7) == ProgressBar.text(1))
    }

    @Test("Nothing is shown of work that takes less than a second")
    func short() {
        var bar = PatientBar("naming")
        #expect(bar.drawing(of: 0, atNanoseconds: 5 * Self.second, columns: 80) == nil)
        #expect(bar.drawing(of: 0.9, atNanoseconds: 6 * Self.second - 1, columns: 80) == nil)
        #expect(bar.drawing(of: 1, atNanoseconds: 9 * Self.second, columns: 80) == nil)
    }

    @Test("After a second the bar comes, moves ten times a second at most, and goes")
    func long() {
        var bar = PatientBar("naming")
        #expect(bar.drawing(of: 0, atNanoseconds: Self.second, columns: 80) == nil)
        #expect(
            bar.drawing(of: 0.25, atNanoseconds: 2 * Self.second, columns: 80)
                == "\r" + "naming [#####...............] 25 %, about 3.0 s left\u{1B}[K")
        #expect(bar.drawing(of: 0.3, atNanoseconds: 2 * Self.second + 99_000_000, columns: 80) == nil)
        #expect(
            bar.drawing(of: 0.5, atNanoseconds: 3 * Self.second, columns: 20)
                == "\r" + "naming [##########..".prefix(19) + "\u{1B}[K")
        #expect(bar.drawing(of: 1, atNanoseconds: 3 * Self.second, columns: 80) == "\r\u{1B}[K")
        // The next work is patient again.
        #expect(bar.drawing(of: 0.5, atNanoseconds: 4 * Self.second, columns: 80) == nil)
    }
}
