import LinuxSystem
import Measurement
import Stages
import TestSupport
import Testing

@testable import LiveMonitor

@Suite("The panel, laid out")
struct PanelTests {
    private static let plainUTF8 = PanelStyle(usesColor: false, usesUTF8: true, usesCodes: false)
    private static let plainASCII = PanelStyle(usesColor: false, usesUTF8: false, usesCodes: false)

    private func state(finished: Int = 3) -> PanelState {
        var state = PanelState(
            name: "podcast_scraper", pid: 4242, elapsed: .seconds(154),
            open: [.init(name: .summarization, elapsed: .seconds(45))],
            episode: EpisodePosition(index: 3, total: 10), remaining: .seconds(320),
            resident: .value(.mebibytes(542)), peak: .value(.mebibytes(617)), cpuPercent: .value(24.8))
        state.residentHistory = (0..<100).map { Double($0 % 40) }
        state.cpuHistory = (0..<100).map { Double(($0 * 7) % 100) }
        state.finished = (0..<finished).map { index in
            PanelState.Row(
                name: "stage_\(index)", wall: .value(.seconds(10 * (index + 1))),
                cpu: .value(.seconds(index)),
                peak: index == 1 ? .unavailable(reason: "r") : .value(.mebibytes(100)),
                averageCPU: .value(12.34))
        }
        state.logPath = "/out/.monitor.log"
        state.diskRead = .value(.mebibytes(12))
        state.diskWritten = .value(.mebibytes(340))
        state.diskRate = .value(3_565_158)
        state.diskHistory = (0..<100).map { Double(($0 * 3) % 50) }
        state.processCount = 12
        state.processLines = 5
        state.processes = (0..<5).map { (index: Int) -> BusyProcess in
            let resident: ByteCount? = index == 4 ? nil : .mebibytes(61)
            return BusyProcess(
                pid: Int32(4243 + index), name: "ffmpeg", percent: Double(90 - 20 * index), resident: resident
            )
        }
        return state
    }

    @Test(
        "Known states look as they were approved",
        arguments: [
            ("80x24", 80, 24, plainUTF8), ("80x24-ascii", 80, 24, plainASCII), ("200x50", 200, 50, plainUTF8),
            ("40x10", 40, 10, plainUTF8), ("60x12", 60, 12, plainUTF8),
        ])
    func golden(name: String, columns: Int, rows: Int, style: PanelStyle) {
        let lines = PanelFrame.render(state(), size: .init(columns: columns, rows: rows), style: style)
        let text = Array((lines.joined(separator: "\n") + "\n").utf8)
        #expect(GoldenFile.difference(between: text, and: "panel-\(name).txt") == nil)
    }

    @Test("No frame is wider or taller than its terminal, whatever is in it")
    func bounds() {
        var hostile = state(finished: 200)
        hostile.name = String(repeating: "长\u{1B}[2J", count: 100)
        hostile.open = (0..<20).compactMap { index in
            StageName(String(repeating: "宽e\u{301}", count: 20) + "\(index)").map {
                .init(name: $0, elapsed: .seconds(1))
            }
        }
        hostile.problem = String(repeating: "x", count: 500)
        for columns in [1, 2, 10, 40, 59, 60, 61, 80, 81, 120, 200, 500] {
            for rows in [1, 2, 5, 11, 12, 13, 24, 50, 100] {
                let size = Terminal.Size(columns: columns, rows: rows)
                let lines = PanelFrame.render(hostile, size: size, style: Self.plainUTF8)
                #expect(lines.count <= max(1, rows - 1), "\(columns)x\(rows)")
                #expect(lines.allSatisfy { CellWidth.of($0) <= max(1, columns - 1) }, "\(columns)x\(rows)")
                #expect(!lines.joined().unicodeScalars.contains("\u{1B}"))
            }
        }
    }

    @Test("Old stages give way when there is no room, and their number is shown")
    func overflow() {
        let lines = PanelFrame.render(
            state(finished: 40), size: .init(columns: 80, rows: 24), style: Self.plainUTF8)
        #expect(lines.contains { $0.contains("earlier") })
        #expect(lines.contains { $0.contains("stage_39") })
        #expect(lines.first?.contains("podcast_scraper") == true)
    }

    @Test("Progress is never complete before the end, and what is unknown is not zero")
    func honest() {
        var unknown = state()
        unknown.episode = EpisodePosition(index: 10, total: 10)
        unknown.cpuPercent = .unavailable(reason: "first")
        let text = PanelFrame.render(unknown, size: .init(columns: 80, rows: 24), style: Self.plainUTF8)
            .joined(separator: "\n")
        #expect(text.contains("90 %") && !text.contains("100 % ~"))
        #expect(text.contains("CPU    unknown"))
    }

    @Test("Without colour bold stays; with codes every one is undone")
    func codes() {
        let colourless = PanelStyle.fromEnvironment { ["NO_COLOR": "1", "LANG": "en_GB.UTF-8"][$0] }
        #expect(!colourless.usesColor && colourless.usesUTF8)
        #expect(colourless.codes(for: .emphasis) == "1")
        #expect(!PanelStyle.fromEnvironment { ["LC_ALL": "C", "LANG": "en_GB.UTF-8"][$0] }.usesUTF8)
        #expect(PanelStyle.fromEnvironment { _ in nil }.usesColor)
        let colourful = PanelStyle(usesColor: true, usesUTF8: true)
        for line in PanelFrame.render(state(), size: .init(columns: 80, rows: 24), style: colourful)
        where line.contains("\u{1B}") {
            #expect(line.components("\u{1B}[0m") == line.components("\u{1B}[") - line.components("\u{1B}[0m"))
        }
    }

    @Test("A pace is shown after two episodes, and begins anew with a new series")
    func pace() {
        var pace = EpisodePace()
        func at(_ index: Int, _ seconds: Int) -> Duration? {
            let position = EpisodePosition(index: index, total: 5)
            pace.update(position, elapsed: .seconds(seconds))
            return pace.remaining(position, elapsed: .seconds(seconds))
        }
        let remaining = [at(1, 0), at(2, 10), at(3, 20), at(3, 24), at(1, 30), at(2, 31)]
        #expect(remaining == [nil, nil, .seconds(30), .seconds(26), nil, nil])
    }
}

@Suite("What the terminal is sent")
struct PanelWriterTests {
    private let size = Terminal.Size(columns: 80, rows: 24)

    @Test("A frame is drawn over the one before, in one piece, and the cursor comes back in the end")
    func frames() {
        var writer = PanelWriter()
        let first = String(decoding: writer.frame(["one", "two"], size: size), as: UTF8.self)
        #expect(first == "\u{1B}[?2026h\u{1B}[?25l\rone\u{1B}[K\r\ntwo\u{1B}[K\r\n\u{1B}[J\u{1B}[?2026l")
        let second = String(decoding: writer.frame(["\u{1B}[1mx\u{1B}[0m"], size: size), as: UTF8.self)
        #expect(second.hasPrefix("\u{1B}[?2026h\r\u{1B}[2A"))
        let end = String(decoding: writer.restore(size: size, erasing: true), as: UTF8.self)
        #expect(end == "\r\u{1B}[1A\u{1B}[K\r\n\u{1B}[J\u{1B}[A\u{1B}[?2026l\u{1B}[0m\u{1B}[?25h")
        #expect(writer.restore(size: size, erasing: true).isEmpty)
    }

    @Test("A terminal that has become narrower has wrapped the old lines")
    func narrower() {
        var writer = PanelWriter()
        _ = writer.frame([String(repeating: "x", count: 79)], size: size)
        let next = String(
            decoding: writer.frame(["y"], size: .init(columns: 40, rows: 24)), as: UTF8.self)
        #expect(next.contains("\u{1B}[2A"))
    }
}

extension String {
    /// How often a text occurs.
    fileprivate func components(_ text: String) -> Int {
        var count = 0
        var rest = self[...]
        while let range = rest.firstRange(of: text) {
            count += 1
            rest = rest[range.upperBound...]
        }
        return count
    }
}
