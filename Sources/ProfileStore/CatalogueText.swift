internal import FrozenProfile
internal import JSONDocument
internal import Measurement

extension ProfileCatalogue {
    private static let headings = ["version", "date", "host", "wall s", "peak MB", "runs", "quality"]
    private static let rightAligned: Set = [3, 4, 5]

    /// The catalogue as a table for a terminal.
    ///
    /// - Parameter width: Columns, at least 72; nil for as many as there are. Names and words that do not fit are cut and end
    ///   in `…`.
    public func table(width: Int? = 80) -> String {
        let rows = [Self.headings] + entries.map(Self.cells)
        var widths = Self.headings.indices.map { column in rows.map { CellWidth.of($0[column]) }.max() ?? 0 }
        // What is long is cut where it says least.
        let gaps = 2 * (widths.count - 1)
        for (column, least) in [(0, 24), (6, 14), (2, 12), (6, 7), (0, 12)] {
            let excess = width.map { widths.reduce(gaps, +) - max(72, $0) } ?? 0
            if excess > 0 { widths[column] = max(min(least, widths[column]), widths[column] - excess) }
        }
        return rows.map { row in
            let cells = row.enumerated().map { column, cell -> String in
                let cut = TextLines.cut(cell, to: widths[column])
                return Self.rightAligned.contains(column)
                    ? cut.leftPadded(to: widths[column]) : cut.padded(to: widths[column])
            }
            var line = cells.joined(separator: "  ")
            while line.hasSuffix(" ") { line.removeLast() }
            return line
        }.joined(separator: "\n") + "\n"
    }

    /// The catalogue as a table in Markdown.
    public var markdown: String {
        let dashes = Self.headings.indices.map { Self.rightAligned.contains($0) ? "---:" : "---" }
        let rows = entries.map { entry in Self.cells(entry).map(Self.escaped) }
        return ([Self.headings, dashes] + rows).map { "| \($0.joined(separator: " | ")) |" }
            .joined(separator: "\n") + "\n"
    }

    /// The catalogue for a program: one JSON object.
    public var json: String {
        let list = entries.map { entry in
            let summary = entry.summary
            let fields: [(String, String)] = [
                ("version", entry.version.text.asJSON),
                ("release", summary.map { Self.clean($0.release).asJSON } ?? "null"),
                ("date", summary.map { Self.clean($0.date).asJSON } ?? "null"),
                ("host_class", (summary?.hostClass ?? "unknown").asJSON),
                ("cpu_model", summary?.cpuModel.map { Self.clean($0).asJSON } ?? "null"),
                ("wall_time_s", Self.number(summary?.wallSeconds, decimals: 6)),
                ("peak_rss_mb", Self.number(summary?.peakResidentMB, decimals: 3)),
                ("runs", summary?.runs.map { "\($0)" } ?? "null"),
                ("sessions", summary.map { "\($0.sessions)" } ?? "null"),
                ("quality", "[\(entry.quality.map(\.asJSON).joined(separator: ", "))]"),
                (
                    "damage",
                    "[\((entry.damage + [entry.problem].compactMap(\.self)).map { Self.clean($0).asJSON }.joined(separator: ", "))]"
                ),
            ]
            return "    {" + fields.map { "\($0.0.asJSON): \($0.1)" }.joined(separator: ", ") + "}"
        }
        let body = list.isEmpty ? "[]" : "[\n\(list.joined(separator: ",\n"))\n  ]"
        return "{\n  \"schema_version\": 1,\n  \"profiles\": \(body)\n}\n"
    }

    private static func cells(_ entry: Entry) -> [String] {
        let summary = entry.summary
        return [
            entry.version.text, entry.day ?? "-", summary?.hostClass ?? "unknown",
            summary?.wallSeconds?.fixed(2) ?? "-", summary?.peakResidentMB?.fixed(0) ?? "-",
            summary?.runs.map { "\($0)" } ?? "-", entry.quality.joined(separator: ", "),
        ]
    }

    private static func escaped(_ text: String) -> String {
        var result = ""
        for character in PlainText.sanitized(text) {
            if "\\`*_{}[]<>|#&".contains(character) { result.append("\\") }
            result.append(character)
        }
        return result
    }

    private static func clean(_ text: String) -> String { PlainText.sanitized(text, maximumCharacters: 500) }

    private static func number(_ value: Double?, decimals: Int) -> String {
        value.map { JSONLine.number($0, decimals: decimals) } ?? "null"
    }
}

/// A part of a text file that is kept by a program, between two lines of its own.
public enum MarkedSection {
    public static let begin = "<!-- profiles: kept by freeze-profile list -->"
    public static let end = "<!-- end of profiles -->"

    /// The text with another content between the marks; everything else stays, byte by byte.
    ///
    /// - Parameters:
    ///   - text: The file's text.
    ///   - content: Lines for between the marks.
    ///   - name: The file's name, for messages.
    public static func replace(in text: String, with content: String, name: String) throws(LifecycleError)
        -> String
    {
        let starts = text.ranges(of: begin)
        let ends = text.ranges(of: end)
        guard starts.count == 1, ends.count == 1, starts[0].upperBound <= ends[0].lowerBound else {
            throw .noInput(
                "'\(PlainText.sanitized(name, maximumCharacters: 300))' does not have the two lines '\(begin)' and "
                    + "'\(end)' once each, in this order. Put them where the table belongs.")
        }
        let tail = content.hasSuffix("\n") ? "" : "\n"
        return text[..<starts[0].upperBound] + "\n\n" + content + tail + "\n" + text[ends[0].lowerBound...]
    }
}
