/// The name of a person who probably speaks, as a feed gives it. It is not checked against the audio.
public struct SpeakerCandidate: Hashable, Sendable {
    /// The part that a person has in an episode.
    public enum Role: String, Sendable {
        case host
        case guest
        case reader
    }

    /// Where the name was found.
    public enum Source: String, Sendable {
        case feedPerson = "podcast:person of the feed"
        case episodePerson = "podcast:person"
        case feedAuthor = "feed author"
        case episodeAuthor = "episode author"
        case title
        case summary
        case transcript
    }

    public var name: String
    public var role: Role
    public var source: Source
    /// The words that say so.
    public var evidence = ""
}

/// Finds candidate speakers in a feed's own words, before any audio is fetched.
///
/// Names are two to four capitalised words (particles such as "van" and initials allowed) after a phrase that
/// introduces a person: "with", "featuring", "guest", "interview with", "hosted by", "read by". Two words at least,
/// because "with Apple" is rarely a person.
public enum SpeakerDetection {
    /// The candidates for one episode: the authors first, then in order of appearance, each name once.
    public static func candidates(feed: Feed, episode: Feed.Episode) -> [SpeakerCandidate] {
        var found = persons(episode.persons, source: .episodePerson)
        found += persons(feed.persons, source: .feedPerson)
        if let author = feed.author {
            found.append(
                SpeakerCandidate(name: personName(author), role: .host, source: .feedAuthor, evidence: author)
            )
        }
        if let author = episode.author {
            found.append(
                SpeakerCandidate(
                    name: personName(author), role: .host, source: .episodeAuthor, evidence: author))
        }
        found += names(in: episode.title, source: .title)
        found += names(in: episode.summary ?? "", source: .summary)
        found += names(in: feed.summary ?? "", source: .summary).filter { $0.role == .host }
        var seen: Set<String> = []
        return found.filter { !$0.name.isEmpty && seen.insert($0.name.lowercased()).inserted }
    }

    /// Of the people that a feed names those who speak.
    private static func persons(
        _ persons: [Feed.Person], source: SpeakerCandidate.Source
    ) -> [SpeakerCandidate] {
        persons.compactMap { person in
            let role: SpeakerCandidate.Role
            switch person.role {
            case "host", "co-host", "guest host": role = .host
            case "guest": role = .guest
            case "narrator", "reader", "voice actor": role = .reader
            default: return nil
            }
            return SpeakerCandidate(
                name: person.name, role: role, source: source, evidence: "\(person.name) (\(person.role))")
        }
    }

    /// RSS authors may be written as `address (Name)`.
    private static func personName(_ author: String) -> String {
        guard author.contains("@"), let open = author.firstIndex(of: "("), author.last == ")" else {
            return author
        }
        return String(author[author.index(after: open)...].dropLast()).trimmed
    }

    private static let cues: [(words: [String], role: SpeakerCandidate.Role)] = [
        (["hosted", "by"], .host), (["your", "host"], .host), (["host"], .host), (["hosts"], .host),
        (["read", "by"], .reader), (["narrated", "by"], .reader), (["interview", "with"], .guest),
        (["featuring"], .guest), (["feat."], .guest), (["ft."], .guest), (["guest"], .guest),
        (["guests"], .guest),
        (["joined", "by"], .guest), (["with"], .guest), (["w/"], .guest),
    ]

    private static func names(in text: String, source: SpeakerCandidate.Source) -> [SpeakerCandidate] {
        let words = text.split(whereSeparator: \.isWhitespace)
        let bare = words.map { $0.lowercased().trimmingSuffix { ":,;(".contains($0) } }
        var found: [SpeakerCandidate] = []
        var index = 0
        while index < words.count {
            guard let cue = cues.first(where: { bare[index...].starts(with: $0.words) }) else {
                index += 1
                continue
            }
            let start = index
            index += cue.words.count
            // "with A B and C D" introduces two.
            while let (name, next) = name(in: words, at: index) {
                let evidence = words[start..<next].joined(separator: " ")
                found.append(SpeakerCandidate(name: name, role: cue.role, source: source, evidence: evidence))
                index = next
                let endsHere =
                    words[next - 1].last.map { ".;:!?)".contains($0) && words[next - 1].count > 2 } ?? true
                guard !endsHere, next < words.count, words[next] == "and" || words[next] == "&" else { break }
                index = next + 1
            }
        }
        return found
    }

    /// The name that begins at a word, and the index after it.
    static func name(in words: [Substring], at start: Int) -> (name: String, next: Int)? {
        var parts: [String] = []
        var index = start
        while index < words.count, parts.count < 4 {
            let word = words[index].drop { "(\"“".contains($0) }
            let core = String(word).trimmingSuffix { ",;:!?)\"”.".contains($0) }
            let isInitial = core.count == 1 && word.last == "."
            let isParticle = particles.contains(core) && !parts.isEmpty
            guard core.first?.isUppercase == true || isParticle,
                core.allSatisfy({ $0.isLetter || "-'’.".contains($0) })
            else { break }
            parts.append(isInitial ? core + "." : core)
            index += 1
            // Punctuation ends a name, except the stop after an initial or a title.
            if word.count > core.count && !isInitial && !titles.contains(core) { break }
        }
        while let last = parts.last, particles.contains(last) {
            parts.removeLast()
            index -= 1
        }
        return parts.count >= 2 ? (parts.joined(separator: " "), index) : nil
    }

    private static let particles: Set = [
        "van", "von", "de", "der", "den", "del", "da", "di", "la", "le", "bin", "al",
    ]
    private static let titles: Set = ["Dr", "Prof", "Mr", "Mrs", "Ms", "St"]
}

extension String {
    /// The text without the characters at its end that fulfil a condition.
    func trimmingSuffix(while condition: (Character) -> Bool) -> String {
        var rest = self[...]
        while let last = rest.last, condition(last) { rest.removeLast() }
        return String(rest)
    }
}
