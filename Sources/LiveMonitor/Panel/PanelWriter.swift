internal import LinuxSystem
internal import Measurement

/// Turns frames into what a terminal is sent. Pure: bytes out.
///
/// A frame is drawn over the one before it, at the place where that began, and leaves the cursor on the line below.
struct PanelWriter {
    private var drawn: [Int] = []
    private var isCursorHidden = false

    /// Erases from the beginning of a line on. Not in one go: tmux takes the screen erased from its first line on for one
    /// to be kept in the history, where a frame would stay behind.
    private static let erase = "\u{1B}[K\r\n\u{1B}[J\u{1B}[A"

    /// The bytes that replace the frame before by this one.
    ///
    /// - Parameters:
    ///   - lines: The frame.
    ///   - size: The terminal's size now. One that has become narrower has wrapped the old lines.
    ///   - above: A line that takes the frame's place and stays, the frame going on below it.
    mutating func frame(_ lines: [String], size: Terminal.Size, above: String? = nil) -> [UInt8] {
        var text = "\u{1B}[?2026h"
        if !isCursorHidden { text += "\u{1B}[?25l" }
        isCursorHidden = true
        text += goToStart(size)
        if let above { text += "\(drawn.isEmpty ? "\u{1B}[J" : Self.erase)\(above)\u{1B}[0m\r\n" }
        for line in lines { text += "\(line)\u{1B}[K\r\n" }
        text += "\u{1B}[J\u{1B}[?2026l"
        drawn = lines.map(Self.cells)
        return Array(text.utf8)
    }

    /// The bytes that take the frame away and give the terminal back as it was; empty when nothing was drawn.
    mutating func restore(size: Terminal.Size, erasing: Bool) -> [UInt8] {
        guard isCursorHidden || !drawn.isEmpty else { return [] }
        let text =
            (erasing ? goToStart(size) + (drawn.isEmpty ? "\u{1B}[J" : Self.erase) : "")
            + "\u{1B}[?2026l\u{1B}[0m\u{1B}[?25h"
        isCursorHidden = false
        drawn = []
        return Array(text.utf8)
    }

    private func goToStart(_ size: Terminal.Size) -> String {
        let columns = max(1, size.columns)
        let rows = drawn.reduce(0) { $0 + max(1, ($1 + columns - 1) / columns) }
        return rows > 0 ? "\r\u{1B}[\(min(rows, max(1, size.rows - 1)))A" : "\r"
    }

    /// The cells of a rendered line, its codes not counted.
    private static func cells(_ line: String) -> Int {
        var cells = 0
        var isCode = false
        for scalar in line.unicodeScalars {
            if scalar == "\u{1B}" { isCode = true }
            if !isCode { cells += CellWidth.of(scalar) }
            if isCode, scalar == "m" { isCode = false }
        }
        return cells
    }
}
