internal import FrozenProfile
internal import Measurement

extension ProfileComparison {
    /// The comparison as plain text: the table, then footnotes, warnings and notes.
    ///
    /// - Parameter width: The columns of the terminal; at least 64 are used, and names are cut to fit.
    public func render(width: Int = 80) -> String {
        let width = max(width, 64)
        var footnotes = Footnotes()
        // Metric 11, two values of 12 and a change of 9 columns, with two spaces between.
        let stageWidth = min(max(longestStage, 5), width - (11 + 12 + 12 + 9 + 4 * 2))
        var lines = sides(width: width)
        lines.append(
            line(
                [
                    "stage", "metric", columnTitle(fromRelease, "from"), columnTitle(toRelease, "to"),
                    "change",
                ], stageWidth))
        lines.append(String(repeating: "-", count: stageWidth + 52))
        var previous: StageName??
        for row in rows {
            let isFirst = previous != .some(row.stage)
            if isFirst && row.stage == nil && lines.count > 4 {
                lines.append(String(repeating: "-", count: stageWidth + 52))
            }
            previous = .some(row.stage)
            let stage = isFirst ? cut(row.stage?.text ?? "total", to: stageWidth) : ""
            let from = value(row.from, row.metric, &footnotes)
            let to = value(row.to, row.metric, &footnotes)
            lines.append(line([stage, row.metric.title, from, to, change(row)], stageWidth))
        }
        lines += paragraph(footnotes.texts, title: "", width: width)
        lines += paragraph(
            warnings.map { ("!", $0) }, title: "What differs besides the version:", width: width)
        lines += paragraph(notes.map { ("", $0) }, title: "", width: width)
        return lines.joined(separator: "\n") + "\n"
    }

    private var longestStage: Int { rows.map { $0.stage?.text.count ?? 5 }.max() ?? 5 }

    /// Which side is which, in full, so that nobody reads the change backwards.
    private func sides(width: Int) -> [String] {
        [
            "from: \(cut(PlainText.sanitized(fromRelease), to: width - 6))",
            "to:   \(cut(PlainText.sanitized(toRelease), to: width - 6))", "",
        ]
    }

    private func columnTitle(_ release: String, _ otherwise: String) -> String {
        let title = PlainText.sanitized(release)
        return title.count <= 12 ? title : otherwise
    }

    private func line(_ cells: [String], _ stageWidth: Int) -> String {
        let text = [
            cells[0].padded(to: stageWidth), cells[1].padded(to: 11), cells[2].leftPadded(to: 12),
            cells[3].leftPadded(to: 12), cells[4].leftPadded(to: 9),
        ].joined(separator: "  ")
        return String(text.reversed().drop { $0 == " " }.reversed())
    }

    private func value(_ reading: Reading<Double>?, _ metric: Metric, _ footnotes: inout Footnotes) -> String
    {
        switch reading {
        case nil: "-"
        case .value(let value)?: shown(value, metric)
        case .unavailable(let reason)?: "n/a (\(footnotes.number(of: reason)))"
        }
    }

    /// A value with the digits that matter: milliseconds below a hundred seconds, tenths above.
    private func shown(_ value: Double, _ metric: Metric) -> String {
        let text =
            switch metric {
            case .wall, .cpu: value.fixed(value < 100 ? 3 : 1)
            default: value.fixed(1)
            }
        return text.count <= 12 ? text : ">99999999999"
    }

    private func change(_ row: Row) -> String {
        switch row.presence {
        case .added: return "added"
        case .removed: return "removed"
        case .both: break
        }
        guard let percent = row.changePercent else {
            return row.from?.value == 0 && row.to?.value != nil ? "was 0" : "n/a"
        }
        if percent > 9999 { return ">9999 %" }
        let text = percent.fixed(1)
        return (percent >= 0.05 ? "+" : "") + text + " %"
    }

    private func cut(_ text: String, to width: Int) -> String {
        text.count <= width ? text : text.prefix(width - 1) + "…"
    }

    /// Texts wrapped at a width, each after its mark, below an empty line and a title; nothing for no texts.
    private func paragraph(_ texts: [(mark: String, text: String)], title: String, width: Int) -> [String] {
        guard !texts.isEmpty else { return [] }
        var lines = title.isEmpty ? [""] : ["", title]
        for (mark, text) in texts {
            let indent = mark.isEmpty ? 0 : mark.count + 1
            var current = mark.isEmpty ? "" : mark
            for word in text.split(separator: " ") {
                let word = cut(String(word), to: width - indent)
                if current.count + 1 + word.count > width {
                    lines.append(current)
                    current = String(repeating: " ", count: indent) + word
                } else {
                    current += (current.isEmpty ? "" : " ") + word
                }
            }
            lines.append(current)
        }
        return lines
    }
}

/// Reasons, each with a number, in order of first mention.
private struct Footnotes {
    private var reasons: [String] = []

    mutating func number(of reason: String) -> Int {
        let reason = PlainText.sanitized(reason, maximumCharacters: 300)
        if let index = reasons.firstIndex(of: reason) { return index + 1 }
        reasons.append(reason)
        return reasons.count
    }

    var texts: [(mark: String, text: String)] {
        reasons.enumerated().map { ("(\($0.offset + 1))", "Not available: \($0.element).") }
    }
}
