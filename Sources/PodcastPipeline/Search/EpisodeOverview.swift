internal import JSONDocument
internal import LinuxSystem
internal import Measurement

/// A finished episode as a person reads it.
public struct EpisodeOverview: Sendable {
    private let record: EpisodeRecord
    private let output: OutputFiles

    /// The name that its files share.
    public var fileName: String { record.name }
    public var title: String { record.title }

    /// The finished episodes of an output directory.
    public static func all(in directory: String) throws(PipelineFailure) -> [EpisodeOverview] {
        let output = OutputFiles(directory: directory)
        guard Files.isDirectory(directory + "/episodes") else {
            throw PipelineFailure(
                .input,
                "There are no episodes in '\(PlainText.sanitized(directory))'. Give the --output-dir of a run."
            )
        }
        return try EpisodeCatalogue(output).records.map { EpisodeOverview(record: $0, output: output) }
    }

    /// Whether a text is a part of the title or the file name.
    public func matches(_ text: String) -> Bool {
        let wanted = text.lowercased()
        return title.lowercased().contains(wanted) || fileName.contains(wanted)
    }

    /// Title, date, speakers, summary, insights and transcript.
    public func text() throws(PipelineFailure) -> String {
        var lines = [PlainText.sanitized(title)]
        var facts: [String] = []
        if let published = record.published { facts.append(published.dateOnly) }
        if let audio = record.audio { facts.append("\(audio.readable) of audio") }
        facts.append(
            "\(record.words) words from the \(record.source == "feed" ? "feed's transcript" : "audio")")
        lines.append(facts.joined(separator: ", "))
        if !record.speakers.isEmpty { lines += ["", "Speakers"] }
        for speaker in record.speakers {
            let evidence = speaker.evidence.isEmpty ? "" : ": \(speaker.evidence)"
            lines.append(
                PlainText.sanitized(
                    "  \(speaker.name), \(speaker.role.rawValue) (\(speaker.source.rawValue)\(evidence))"))
        }
        lines += ["", "Summary"] + indented(try read(.summary))
        lines += ["", "Insights"]
        let insights = JSONValue.parse(Array(try read(.insights).utf8))?.object?["insights"]?.array ?? []
        for insight in insights.compactMap(\.object) {
            let start = insight["start_s"]?.number ?? 0
            lines.append(
                PlainText.sanitized(
                    "  \(start.fixed(1)) s, \(insight["kind"]?.string ?? ""): \(insight["quote"]?.string ?? "")"
                ))
        }
        lines += ["", "Transcript"] + indented(try read(.transcript))
        return lines.joined(separator: "\n")
    }

    private func indented(_ text: String) -> [String] {
        text.split(separator: "\n").map { "  " + PlainText.sanitized($0, maximumCharacters: 10_000) }
    }

    private func read(_ kind: OutputFiles.Kind) throws(PipelineFailure) -> String {
        do throws(Files.ReadError) {
            return String(
                decoding: try Files.read(output.path(kind, record.name), limit: 64 << 20), as: UTF8.self)
        } catch {
            throw PipelineFailure(.input, PlainText.sanitized("\(error)"))
        }
    }
}
