internal import JSONDocument
internal import Measurement

/// Transcripts as feeds offer them: SRT, WebVTT, JSON of the podcast namespace, HTML and plain text.
/// (https://podcasting2.org/docs/podcast-namespace/tags/transcript)
package enum TranscriptFile {
    /// The formats, the best first: those with times before those without.
    package enum Format: Int, CaseIterable {
        case json, vtt, srt, html, text

        /// The format of an offer, by its media type and its address; nil for one that is not read.
        init?(type: String, address: String) {
            let path = address.prefix { $0 != "?" && $0 != "#" }.lowercased()
            let type = type.prefix { $0 != ";" }
            switch type {
            case "application/json", "text/json": self = .json
            case "text/vtt": self = .vtt
            case "application/srt", "text/srt", "application/x-subrip": self = .srt
            case "text/html": self = .html
            case "text/plain": self = path.hasSuffix(".srt") ? .srt : path.hasSuffix(".vtt") ? .vtt : .text
            default:
                guard let ending = path.split(separator: ".").last,
                    let format = ["json": Self.json, "vtt": .vtt, "srt": .srt, "html": .html, "txt": .text][
                        ending]
                else { return nil }
                self = format
            }
        }
    }

    /// The transcript in a file, nil when nothing in it is said.
    package static func parse(_ bytes: [UInt8], format: Format) -> Transcript? {
        let segments: [Transcript.Segment]
        switch format {
        case .json: segments = json(bytes)
        case .vtt, .srt: segments = cues(String(decoding: bytes, as: UTF8.self))
        case .html: segments = paragraphs(Markup.removed(from: String(decoding: bytes, as: UTF8.self)))
        case .text: segments = paragraphs(String(decoding: bytes, as: UTF8.self))
        }
        let said = segments.filter { !$0.words.isEmpty }
        return said.isEmpty ? nil : Transcript(segments: TranscriptCleaning.marked(said))
    }

    /// A segment whose words begin at moments in proportion to the letters before them.
    static func segment(_ text: String, from start: Double, to end: Double, speaker: String?)
        -> Transcript.Segment
    {
        let text = PlainText.sanitized(
            text.split(whereSeparator: \.isWhitespace).joined(separator: " "), maximumCharacters: 4000)
        let words = Transcript.words(of: text)
        let letters = max(1, words.reduce(0) { $0 + $1.count })
        var before = 0
        let starts = words.map { word in
            defer { before += word.count }
            return start + (end - start) * Double(before) / Double(letters)
        }
        return Transcript.Segment(
            startSeconds: start, endSeconds: end, words: words, wordStarts: starts, text: text,
            speaker: speaker.map { PlainText.sanitized($0, maximumCharacters: 80) })
    }

    private static func json(_ bytes: [UInt8]) -> [Transcript.Segment] {
        let entries = JSONValue.parse(bytes)?.object?["segments"]?.array ?? []
        return entries.compactMap { entry in
            guard let fields = entry.object, let body = fields["body"]?.string ?? fields["text"]?.string
            else { return nil }
            let start = bounded(fields["startTime"]?.number ?? fields["start"]?.number ?? 0)
            let end = bounded(fields["endTime"]?.number ?? fields["end"]?.number ?? start)
            var read = segment(body, from: start, to: max(start, end), speaker: fields["speaker"]?.string)
            // Written by this program: the decoder's own times of words.
            if let words = fields["words"]?.array?.compactMap(\.string),
                let starts = fields["word_starts"]?.array?.compactMap(\.number), words.count == starts.count
            {
                (read.words, read.wordStarts) = (words, starts.map(bounded))
            }
            return read
        }
    }

    private static func cues(_ text: String) -> [Transcript.Segment] {
        var segments: [Transcript.Segment] = []
        var span: (start: Double, end: Double)?
        var lines: [Substring] = []
        func finish() {
            guard let span, !lines.isEmpty else { return }
            var body = Markup.removed(from: lines.joined(separator: " "))
            var speaker: String?
            // WebVTT says who speaks in <v Name>, and many files as "Name: ".
            if let voice = lines.first(where: { $0.hasPrefix("<v ") }) {
                speaker = String(voice.dropFirst(3).prefix { $0 != ">" })
            } else if let colon = body.firstIndex(of: ":"),
                body.distance(from: body.startIndex, to: colon) < 40,
                body[..<colon].split(separator: " ").count <= 4, body[..<colon].first?.isUppercase == true
            {
                speaker = String(body[..<colon])
                body = String(body[body.index(after: colon)...])
            }
            segments.append(segment(body, from: span.start, to: span.end, speaker: speaker))
        }
        for line in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
            if let times = times(in: line) {
                finish()
                (span, lines) = (times, [])
            } else if line.allSatisfy(\.isWhitespace) {
                finish()
                (span, lines) = (nil, [])
            } else if span != nil {
                lines.append(line)
            }
        }
        finish()
        return segments
    }

    /// The span in a line such as `00:01.000 --> 00:05,500 align:left`.
    private static func times(in line: Substring) -> (start: Double, end: Double)? {
        guard let arrow = line.firstRange(of: "-->") else { return nil }
        let after = line[arrow.upperBound...].split(separator: " ").first ?? ""
        guard let start = seconds(String(line[..<arrow.lowerBound]).trimmed[...]), let end = seconds(after)
        else {
            return nil
        }
        return (start, max(start, end))
    }

    private static func seconds(_ text: Substring) -> Double? {
        var seconds = 0.0
        let parts = text.replacing(",", with: ".").split(separator: ":")
        guard (1...3).contains(parts.count) else { return nil }
        for part in parts {
            guard let number = Double(part), number >= 0, number < 1e6 else { return nil }
            seconds = seconds * 60 + number
        }
        return bounded(seconds)
    }

    /// Without times: a segment for each line, all at the beginning.
    private static func paragraphs(_ text: String) -> [Transcript.Segment] {
        text.split(whereSeparator: \.isNewline).flatMap { line in
            sentences(String(line)).map { segment($0, from: 0, to: 0, speaker: nil) }
        }
    }

    /// A text divided after full stops, question and exclamation marks.
    private static func sentences(_ text: String) -> [String] {
        var sentences: [String] = []
        var current = ""
        for word in text.split(separator: " ") {
            current += (current.isEmpty ? "" : " ") + word
            if let last = word.last, ".?!".contains(last), current.count > 40 {
                sentences.append(current)
                current = ""
            }
        }
        return current.isEmpty ? sentences : sentences + [current]
    }

    private static func bounded(_ seconds: Double) -> Double {
        seconds.isFinite ? min(max(0, seconds), 1e6) : 0
    }
}
