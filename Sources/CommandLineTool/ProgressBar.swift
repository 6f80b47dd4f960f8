internal import LinuxSystem
internal import Measurement

/// A bar that reports how far something is.
public enum ProgressBar {
    /// A bar of 20 characters for a share from 0 to 1.
    public static func text(_ share: Double) -> String {
        let full = Int(20 * min(max(share, 0), 1))
        return "[" + String(repeating: "#", count: full) + String(repeating: ".", count: 20 - full) + "]"
    }
}

/// A bar on a line of its own for work that is mostly too short to be worth one: it comes after a second, and goes when the
/// work is done.
public struct PatientBar {
    private let what: String
    private var begin: Int64?
    private var lastDrawn: Int64?

    /// How long nothing is shown, and how long the bar stands still, in nanoseconds.
    private static let (patience, pause) = (Int64(1_000_000_000), Int64(100_000_000))

    /// A bar for some work, which is named in front of it.
    public init(_ what: String) {
        self.what = what
    }

    /// What is to be written to the terminal; nil for nothing.
    ///
    /// - Parameters:
    ///   - share: How far the work is, from 0 to 1; at 1 the line is cleared and the next work may begin.
    ///   - now: The monotonic clock, in nanoseconds.
    ///   - columns: The terminal's width: a line that wraps could not be drawn over.
    public mutating func drawing(of share: Double, atNanoseconds now: Int64, columns: Int) -> String? {
        guard share < 1 else {
            defer { (begin, lastDrawn) = (nil, nil) }
            return lastDrawn == nil ? nil : "\r\u{1B}[K"
        }
        let begin = begin ?? now
        self.begin = begin
        guard now - begin >= Self.patience, now - (lastDrawn ?? 0) >= Self.pause else { return nil }
        lastDrawn = now
        // What is left is shown once there is something to estimate it from.
        let left = Duration(nanosecondCount: Int64(Double(now - begin) * (1 - share) / max(share, 0.05)))
        let time = share < 0.05 ? "" : ", about \(left.readable) left"
        let text = "\(what) \(ProgressBar.text(share)) \(Int(100 * share)) %\(time)"
        return "\r\(text.prefix(max(0, columns - 1)))\u{1B}[K"
    }
}

/// A patient bar on standard error, where that is a terminal that can move its cursor; elsewhere nothing.
public final class TerminalProgress {
    private var bar: PatientBar
    private let isShown =
        Terminal.isTerminal(Terminal.standardError) && Terminal.isForeground(Terminal.standardError)
        && CurrentProcess.environmentVariable("TERM") ?? "dumb" != "dumb"

    /// A bar for some work, which is named in front of it.
    public init(_ what: String) {
        bar = PatientBar(what)
    }

    /// Shows how far the work is, from 0 to 1.
    public func show(_ share: Double) {
        guard isShown else { return }
        let columns = Terminal.size(Terminal.standardError).columns
        guard
            let drawing = bar.drawing(
                of: share, atNanoseconds: SystemClock.monotonicNanoseconds, columns: columns)
        else { return }
        Console.draw(drawing)
    }
}
