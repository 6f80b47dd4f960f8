internal import LinuxSystem
internal import Measurement
internal import Stages

/// Lays the panel out. Pure: state, size and style in, lines out.
enum PanelFrame {
    /// Below this there is one status line instead.
    static let smallest = Terminal.Size(columns: 60, rows: 12)

    /// The lines for a terminal: never taller than one row less than it has, each one cell narrower.
    static func render(_ state: PanelState, size: Terminal.Size, style: PanelStyle) -> [String] {
        let width = max(1, size.columns - 1)
        let lines =
            size.columns < smallest.columns || size.rows < smallest.rows
            ? [statusLine(state)] : panel(state, width: width, rows: size.rows - 1, style: style)
        return lines.map { $0.rendered(cells: width, style: style) }
    }

    /// The table that stays when the panel is gone.
    static func summary(
        name: String, rows: [PanelState.Row], total: PanelState.Row, endings: [String], width: Int,
        style: PanelStyle
    ) -> [String] {
        var lines = [StyledLine("\(PlainText.sanitized(name, maximumCharacters: 128)): summary", .title)]
        lines.append(tableHeader(width: width))
        lines += rows.map { tableRow($0, width: width, look: .plain) }
        lines.append(tableRow(total, width: width, look: .emphasis))
        // Sentences are for reading to their end, however long.
        let sentences = endings.flatMap { TextLines.wrapped(PlainText.sanitized($0), width: width) }.map {
            StyledLine($0, .warning)
        }
        return (lines + sentences).map { $0.rendered(cells: width, style: style) }
    }

    private static func panel(_ state: PanelState, width: Int, rows: Int, style: PanelStyle) -> [StyledLine] {
        var head = [title(state, style: style)]
        head += stageLines(state, width: width, style: style)
        head.append(StyledLine())
        let peak = state.peak.value.map { "peak \($0)" } ?? "peak unknown"
        head.append(
            gauge(
                "RSS", state.resident.value.map { "\($0)" } ?? "unknown", peak, state.residentHistory,
                width: width, style: style))
        head.append(
            gauge(
                "CPU", state.cpuPercent.value.map { "\($0.fixed(1)) %" } ?? "unknown", "100 % = one core",
                state.cpuHistory, width: width, style: style))
        // Where there is hardly room for the stages, they come first.
        if rows >= 14 { head.append(disk(state, width: width, style: style)) }
        var foot: [StyledLine] = []
        if let problem = state.problem {
            foot.append(StyledLine(" " + PlainText.sanitized(problem), .warning))
        }
        if state.isHeapCaptured {
            foot.append(
                StyledLine(" heap capture is on: times and memory are those of the profiler too", .label))
        }
        if let path = state.logPath { foot.append(StyledLine(" log " + PlainText.sanitized(path), .label)) }
        if let remark = state.remark { foot.append(StyledLine(" " + PlainText.sanitized(remark), .label)) }
        let room = rows - head.count - foot.count
        // The table of stages comes first: the processes get what it leaves.
        let table = state.finished.isEmpty ? 0 : min(room, state.finished.count + 2)
        let left = room - table >= 3 ? min(room - table, 7) : room >= 14 ? 5 : 0
        let busy = processes(state, width: width, room: left)
        return head + busy + history(state, width: width, room: room - busy.count) + foot
    }

    private static func disk(_ state: PanelState, width: Int, style: PanelStyle) -> StyledLine {
        let moved = state.diskRead.value.flatMap { read in
            state.diskWritten.value.map { "\(read) in, \($0) out" }
        }
        let speed = state.diskRate.value.map { "\(ByteCount(bytes: Int64($0)))/s" }
        return gauge(
            "I/O", speed ?? "unknown", moved ?? "", state.diskHistory, width: width, style: style)
    }

    /// The busiest processes, where there are several.
    private static func processes(_ state: PanelState, width: Int, room: Int) -> [StyledLine] {
        guard state.processLines > 0, room >= 3 else { return [] }
        let title = CellWidth.fitted(
            "Busiest of \(state.processCount) process\(state.processCount == 1 ? "" : "es")",
            to: nameWidth(width))
        let columns = ["Process", "CPU", "RSS"].map { $0.leftPadded(to: 10) }.joined()
        var lines = [StyledLine(), StyledLine(" " + title + columns, .label)]
        let height = min(state.processLines, room - 2)
        for process in state.processes.prefix(height) {
            let values = [
                "\(process.pid)", "\(process.percent.fixed(1)) %",
                process.resident.map { "\($0)" } ?? "ended",
            ].map { $0.leftPadded(to: 10) }.joined()
            let name = CellWidth.fitted(PlainText.sanitized(process.name), to: nameWidth(width))
            lines.append(StyledLine(" " + name + values))
        }
        return lines + Array(repeating: StyledLine(), count: max(0, height + 2 - lines.count))
    }

    /// The finished stages, as many as there is room for; the oldest give way.
    private static func history(_ state: PanelState, width: Int, room: Int) -> [StyledLine] {
        // An empty line, the header, and at least one row.
        guard !state.finished.isEmpty, room >= 3 else { return [] }
        var lines = [StyledLine(), tableHeader(width: width)]
        var rows = state.finished[...]
        if rows.count > room - 2 {
            let shown = max(0, room - 3)
            lines.append(StyledLine(" +\(rows.count - shown) earlier", .label))
            rows = rows.suffix(shown)
        }
        return lines + rows.map { tableRow($0, width: width, look: .plain) }
    }

    private static func title(_ state: PanelState, style: PanelStyle) -> StyledLine {
        let separator = style.usesUTF8 ? " · " : " - "
        var line = StyledLine(" " + PlainText.sanitized(state.name, maximumCharacters: 128), .title)
        line.append("\(separator)pid \(state.pid)\(separator)\(state.elapsed.readable)", .label)
        return line
    }

    private static func stageLines(_ state: PanelState, width: Int, style: PanelStyle) -> [StyledLine] {
        guard let current = state.open.first else {
            return [StyledLine(" waiting for a stage", .label)]
        }
        var line = StyledLine(" \(shown(current.name.text, style: style))", .emphasis)
        line.append("  \(current.elapsed.readable)")
        if let episode = state.episode {
            line.append("  episode \(episode.index)\(episode.total.map { "/\($0)" } ?? "")")
            let left = state.remaining.map { "  ~\($0.readable) left" } ?? ""
            if let total = episode.total, total > 0 {
                let room = min(30, width - line.cells - left.count - 8)
                let done = min(0.99, max(0, Double(episode.index - 1) / Double(total)))
                if room >= 5 { line.append("  " + bar(done, cells: room, style: style), .gauge) }
                line.append(" \((done * 100).fixed(0)) %")
            }
            line.append(left, .label)
        }
        var lines = [line]
        if state.open.count > 1 {
            let others = state.open.dropFirst().map {
                "\(shown($0.name.text, style: style)) \($0.elapsed.readable)"
            }
            lines.append(StyledLine(" sharing with \(others.joined(separator: ", "))", .label))
        }
        return lines
    }

    private static func gauge(
        _ label: String, _ value: String, _ remark: String, _ history: [Double], width: Int, style: PanelStyle
    ) -> StyledLine {
        var line = StyledLine(" \(label) ", .label)
        line.append(value.leftPadded(to: 10), .title)
        line.append("  \(remark.padded(to: 24))", .label)
        line.append(
            "  " + sparkline(history.suffix(max(0, min(60, width - line.cells - 2))), style: style), .gauge)
        return line
    }

    /// The line for a terminal too small for the panel.
    static func statusLine(_ state: PanelState) -> StyledLine {
        var parts = [state.elapsed.readable]
        if let stage = state.open.first { parts.insert(stage.name.text, at: 0) }
        if let episode = state.episode {
            parts.append("\(episode.index)\(episode.total.map { "/\($0)" } ?? "")")
        }
        if let resident = state.resident.value { parts.append("\(resident)") }
        if let percent = state.cpuPercent.value { parts.append("\(percent.fixed(0))%") }
        return StyledLine(parts.joined(separator: " "))
    }

    // Wall, CPU, peak and average CPU, each right-aligned in ten cells; the average gives way first.
    private static func tableHeader(width: Int) -> StyledLine {
        let columns = ["Wall", "CPU", "Peak", "Avg CPU"].map { $0.leftPadded(to: 10) }.joined()
        return StyledLine(" " + CellWidth.fitted("Stage", to: nameWidth(width)) + columns, .label)
    }

    private static func tableRow(_ row: PanelState.Row, width: Int, look: StyledLine.Look) -> StyledLine {
        let columns = [
            row.wall.value?.readable, row.cpu.value?.readable, row.peak.value.map { "\($0)" },
            row.averageCPU.value.map { "\($0.fixed(1)) %" },
        ].map { ($0 ?? "?").leftPadded(to: 10) }.joined()
        let name = PlainText.sanitized(row.name) + (row.isShared ? " (shared)" : "")
        return StyledLine(" " + CellWidth.fitted(name, to: nameWidth(width)) + columns, look)
    }

    private static func nameWidth(_ width: Int) -> Int { min(40, max(8, width - 41)) }

    private static func bar(_ fraction: Double, cells: Int, style: PanelStyle) -> String {
        let full = Int((fraction * Double(cells)).rounded(.down))
        return String(repeating: style.usesUTF8 ? "█" : "#", count: full)
            + String(repeating: style.usesUTF8 ? "░" : ".", count: cells - full)
    }

    /// One glyph a value, the largest the tallest.
    static func sparkline(_ values: some Collection<Double>, style: PanelStyle) -> String {
        let glyphs = Array(style.usesUTF8 ? "▁▂▃▄▅▆▇█" : "_.-:=+*#")
        let top = values.max() ?? 0
        return String(
            values.map { value in
                let level = top > 0 ? Int(max(0, value) / top * Double(glyphs.count - 1) + 0.5) : 0
                return glyphs[min(level, glyphs.count - 1)]
            })
    }

    private static func shown(_ name: String, style: PanelStyle) -> String {
        style.usesUTF8 ? name : String(name.map { $0.isASCII ? $0 : "?" })
    }
}
