internal import FlameGraph
internal import Measurement

/// Draws a profiled run: a row a thread, coloured by stage, and the flamegraph of the time that the reader selects.
struct SampledRunMarkup {
    private let run: SampledRun
    private let palette: StagePalette

    init(_ run: SampledRun) {
        self.run = run
        palette = StagePalette(stages: run.tracks.flatMap { $0.stretches.map(\.stage) })
    }

    func draw(_ writer: inout HTMLWriter) {
        writer.element("h2", "", "A profiled run, thread by thread")
        writer.element(
            "p", "class=\"soft\"",
            "\(run.moments) samples" + (run.run.map { " of run \($0)" } ?? "")
                + ". A row is a thread, its colour the stage, its strength the share of the time for which it ran. "
                + "Drag over an interval, or select one with Shift and the arrow keys, to see its flamegraph."
        )
        writer.element(
            "div",
            "class=\"timeline sampled\" data-length=\"\(run.duration.fixed(6))\" tabindex=\"0\" role=\"group\" "
                + "aria-label=\"Threads of a profiled run. Left and right move the moment, shift selects an interval.\""
        ) { box in
            box.raw(
                "<p class=\"moment soft\" role=\"status\">Point at a moment, or drag over an interval.</p>\n")
            for track in run.tracks { draw(track, &box) }
            box.raw("<div class=\"axis soft\" aria-hidden=\"true\">")
            for quarter in 0...4 {
                box.element("span", "", TimelineMarkup.seconds(run.duration * Double(quarter) / 4))
            }
            box.raw("</div>\n<div class=\"interval\" hidden></div>\n")
            box.raw("<div class=\"flame\" role=\"img\" aria-label=\"Flamegraph of the interval\"></div>\n")
            // `<` within a script element could end it.
            box.raw("<script type=\"application/json\" class=\"samples\">")
            box.raw(run.json().replacing("<", with: "\\u003c"))
            box.raw("</script>\n")
        }
        if run.otherThreads > 0 {
            writer.element(
                "p", "class=\"soft\"", "\(run.otherThreads) threads with fewer samples have no row.")
        }
    }

    private func draw(_ track: SampledRun.Track, _ box: inout HTMLWriter) {
        box.element("p", "class=\"scale soft\"", track.name)
        box.raw(
            "<div class=\"track bands\"><svg viewBox=\"0 0 \(run.duration.fixed(6)) 16\" height=\"16\" width=\"100%\""
        )
        box.raw(" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"")
        box.plain("Thread \(track.name)")
        box.raw("\">")
        for stretch in track.stretches {
            let color = stretch.stage.isEmpty ? "#8a919c" : palette.color(of: stretch.stage)
            box.raw("<rect x=\"\(stretch.start.fixed(6))\" y=\"1\" height=\"14\"")
            box.raw(" width=\"\((stretch.end - stretch.start).fixed(6))\" fill=\"\(color)\"")
            box.raw(" fill-opacity=\"\((0.25 + 0.75 * stretch.load).fixed(2))\" data-s=\"")
            box.plain(stretch.stage.isEmpty ? "no stage" : stretch.stage)
            box.raw("\" data-e=\"\(stretch.end.fixed(6))\"/>")
        }
        box.raw("</svg></div>\n")
    }
}
