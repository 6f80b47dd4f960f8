internal import JSONDocument
internal import LiveMonitor
internal import Measurement

extension JobRun {
    /// The run as tables for a terminal.
    public func text(steps: [StepComparison]) -> String {
        var lines = ["\(report.name): \(seconds(report.totals.wall)) s, CPU \(seconds(report.totals.cpu)) s"]
        lines.append("")
        lines += table(
            [["stage", "wall s", "work s", "CPU s", "peak MB", "nodes"]]
                + report.stages.map { stage in
                    [
                        PlainText.sanitized(stage.name.text, maximumCharacters: 40), seconds(stage.wall),
                        seconds(stage.work), seconds(stage.cpu),
                        mebibytes(stage.peakResident, stage.peakMethod),
                        stageNodes(stage.name),
                    ]
                })
        lines.append("")
        lines += table(
            [["node", "tasks", "CPU s", "peak MB", "clock ahead s", "known within ms"]]
                + nodes.map { node in
                    [
                        PlainText.sanitized(node.name, maximumCharacters: 40), "\(node.tasks)",
                        seconds(node.cpu),
                        mebibytes(node.peakResident, node.peakMethod),
                        node.clockAhead.map { $0.inSeconds.fixed(6) } ?? "unknown",
                        node.clockBound.map { ($0.inSeconds * 1000).fixed(3) } ?? "unknown",
                    ]
                })
        if !steps.isEmpty { lines += [""] + steps.map(\.sentence) }
        return lines.joined(separator: "\n") + "\n"
    }

    private func stageNodes(_ stage: StageName) -> String {
        let names = Set(report.transitions.filter { $0.stage == stage }.compactMap(\.node)).sorted()
        return names.prefix(8).joined(separator: " ") + (names.count > 8 ? " ..." : "")
    }

    private func seconds(_ reading: Reading<Duration>) -> String {
        reading.value.map { $0.inSeconds.fixed(3) } ?? "unavailable"
    }

    private func mebibytes(_ reading: Reading<ByteCount>, _ method: MonitorReport.PeakMethod?) -> String {
        guard let size = reading.value else { return "unavailable" }
        let mark =
            switch method {
            case .atMost: "<= "
            case .atLeast, .sampled: ">= "
            case .highWaterMark, nil: ""
            }
        return mark + size.mebibytes.fixed(1)
    }

    /// Cells in columns, the first and the last to the left.
    private func table(_ rows: [[String]]) -> [String] {
        let widths = (0..<(rows.first?.count ?? 0)).map { column in
            rows.map { CellWidth.of($0[column]) }.max() ?? 0
        }
        return rows.map { row in
            let cells = row.enumerated().map { column, cell in
                let space = String(repeating: " ", count: max(0, widths[column] - CellWidth.of(cell)))
                return column == 0 || (column == row.count - 1 && Double(cell) == nil)
                    ? cell + space : space + cell
            }
            var line = cells.joined(separator: "  ")
            while line.last == " " { line.removeLast() }
            return line
        }
    }

    /// The run as JSON: the nodes, the tasks, Slurm's figures, and the account in the form of any monitor's.
    public func json(steps: [StepComparison]) -> String {
        func seconds(_ duration: Duration?) -> String {
            duration.map { JSONText.number($0.inSeconds, decimals: 9) } ?? "null"
        }
        let nodes = nodes.map { node in
            JSONText.object([
                ("node", node.name.asJSON), ("host", node.host.asJSON), ("tasks", "\(node.tasks)"),
                ("cpu_s", JSONText.reading(node.cpu) { JSONText.number($0.inSeconds) }),
                ("peak_rss_bytes", JSONText.reading(node.peakResident) { "\($0.bytes)" }),
                ("peak_method", node.peakMethod?.rawValue.asJSON ?? "null"),
                ("clock_ahead_s", seconds(node.clockAhead)), ("clock_bound_s", seconds(node.clockBound)),
                ("wall_clock_ahead_s", seconds(node.wallClockAhead)),
            ])
        }
        let tasks = tasks.map { task in
            JSONText.object([
                ("task", task.header.name.asJSON), ("node", task.header.node.asJSON),
                ("program", task.header.program.asJSON),
                (
                    "cpu_s",
                    JSONText.reading(task.report.flatMap(\.totals.cpu)) { JSONText.number($0.inSeconds) }
                ),
                (
                    "wall_s",
                    JSONText.reading(task.report.flatMap(\.totals.wall)) { JSONText.number($0.inSeconds) }
                ),
                (
                    "peak_rss_bytes",
                    JSONText.reading(task.report.flatMap(\.totals.peakResident)) { "\($0.bytes)" }
                ),
            ])
        }
        let steps = steps.map { step in
            JSONText.object([
                ("step", "\(step.job).\(step.step)".asJSON), ("sacct_cpu_s", seconds(step.cpu)),
                ("cpu_s", seconds(step.ourCPU)), ("monitor_cpu_s", seconds(step.monitorCPU)),
                ("sacct_max_rss_bytes", step.peakResident.map { "\($0.bytes)" } ?? "null"),
                ("peak_rss_bytes", step.ourPeakResident.map { "\($0.bytes)" } ?? "null"),
                ("agrees", step.agrees.map { "\($0)" } ?? "null"),
            ])
        }
        return JSONText.object([
            ("schema", "freeze-profile.job-run".asJSON), ("schema_version", "1.0".asJSON),
            ("run", report.name.asJSON), ("clock_bound_s", seconds(clockBound)),
            ("nodes", JSONText.lines(nodes)), ("tasks", JSONText.lines(tasks)),
            ("steps", JSONText.lines(steps)),
            ("report", report.json),
        ]) + "\n"
    }
}
