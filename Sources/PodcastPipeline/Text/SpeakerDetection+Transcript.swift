internal import Measurement

extension SpeakerDetection {
    /// Only the opening of an episode introduces people.
    private static let openingSeconds = 120.0

    /// The candidates with what the transcript says about them: those whose name is said in the opening have that as
    /// evidence too, and people whom only the transcript names are added.
    static func heard(_ candidates: [SpeakerCandidate], in transcript: Transcript) -> [SpeakerCandidate] {
        let opening = transcript.segments.filter { $0.startSeconds < openingSeconds }
        var found = candidates.map { candidate in
            var candidate = candidate
            let name = Transcript.words(of: candidate.name)
            if let segment = opening.first(where: { $0.words.contains(name) }), !name.isEmpty {
                candidate.evidence += (candidate.evidence.isEmpty ? "" : "; ") + said(segment)
            }
            return candidate
        }
        var known = Set(found.map { $0.name.lowercased() })
        for segment in transcript.segments {
            guard let label = segment.speaker, label.contains(where: \.isLetter),
                known.insert(label.lowercased()).inserted
            else { continue }
            found.append(
                SpeakerCandidate(name: label, role: .guest, source: .transcript, evidence: said(segment)))
        }
        // Only transcripts with capitals show where a name ends.
        for segment in opening {
            for name in selfIntroductions(in: segment.text) where known.insert(name.lowercased()).inserted {
                found.append(
                    SpeakerCandidate(name: name, role: .host, source: .transcript, evidence: said(segment)))
            }
        }
        return found
    }

    private static func said(_ segment: Transcript.Segment) -> String {
        "at \(segment.startSeconds.fixed(1)) s: \(PlainText.sanitized(segment.text, maximumCharacters: 120))"
    }

    private static func selfIntroductions(in text: String) -> [String] {
        let words = text.split(separator: " ")
        let lowered = words.map { $0.lowercased().replacing("’", with: "'") }
        var names: [String] = []
        for index in words.indices {
            let start: Int
            if lowered[index...].starts(with: ["my", "name", "is"]) {
                start = index + 3
            } else if lowered[index] == "i'm" || lowered[index...].starts(with: ["i", "am"]) {
                start = index + (lowered[index] == "i'm" ? 1 : 2)
            } else {
                continue
            }
            if let (name, _) = name(in: words, at: start) { names.append(name) }
        }
        return names
    }
}
