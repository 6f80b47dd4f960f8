/// A name in a text, and what it probably is the name of.
struct RecognizedName: Hashable, Sendable {
    var text: String
    var kind: KnowledgeGraph.Kind
}

/// Finds names by their form: runs of capitalised words in text that has capitals, titles and known places in text that has
/// none, as a decoder writes it. Rules and lists only, no statistics: what is found can be explained.
enum NameRecognition {
    /// The names in a text with capitals, in order.
    static func names(in text: String) -> [RecognizedName] {
        let words = text.split(whereSeparator: \.isWhitespace)
        var found: [RecognizedName] = []
        var run: [String] = []
        var isAtStart = true
        var beginsSentence = false
        func finish() {
            if let name = classified(run, beginsSentence: beginsSentence) { found.append(name) }
            run = []
        }
        for word in words {
            let core = String(word.drop { "(\"“'".contains($0) }).trimmingSuffix {
                ",;:.!?)\"”'".contains($0)
            }
            let isCapital =
                core.first?.isUppercase == true && core.allSatisfy { $0.isLetter || "-'’.&".contains($0) }
            if isCapital {
                if run.isEmpty { beginsSentence = isAtStart }
                run.append(core.hasSuffix("'s") || core.hasSuffix("’s") ? String(core.dropLast(2)) : core)
            }
            if !isCapital
                || word.count > core.count && word.last.map({ ",;:.!?)".contains($0) }) == true
                    && core.count > 2
            {
                finish()
            }
            isAtStart = word.last.map { ".!?:".contains($0) } ?? false
        }
        finish()
        return found
    }

    /// The names in words without capitals: known places, and persons with a title.
    static func names(inWords words: [String]) -> [RecognizedName] {
        var found: [RecognizedName] = []
        for (index, word) in words.enumerated() {
            if places.contains(word) { found.append(.init(text: capitalized(word), kind: .place)) }
            let isTitle = ["mr", "mrs", "miss", "sir", "lady", "lord", "doctor", "professor"].contains(word)
            if isTitle, index + 1 < words.count, TermWeights.isContentWord(words[index + 1]) {
                found.append(
                    .init(text: "\(capitalized(word)) \(capitalized(words[index + 1]))", kind: .person))
            }
        }
        return found
    }

    /// Whether a name is that of a group, by its last word.
    static func isOrganisation(_ name: String) -> Bool {
        organisationWords.contains(Transcript.words(of: name).last ?? "")
    }

    private static func classified(_ run: [String], beginsSentence: Bool) -> RecognizedName? {
        guard let last = run.last, run.count <= 6 else { return nil }
        let text = run.joined(separator: " ")
        if organisationWords.contains(last.lowercased())
            || run.count > 1 && organisationWords.contains(run[0].lowercased())
        {
            return RecognizedName(text: text, kind: .organisation)
        }
        if places.contains(text.lowercased()) || placeWords.contains(last.lowercased()) && run.count > 1 {
            return RecognizedName(text: text, kind: .place)
        }
        let isAcronym = run.count == 1 && text.count >= 2 && text.count <= 6 && text.allSatisfy(\.isUppercase)
        if isAcronym && text != "OK" { return RecognizedName(text: text, kind: .organisation) }
        // One capitalised word at the beginning of a sentence says nothing; one within is rarely a person.
        guard (2...4).contains(run.count), !beginsSentence || !TermWeights.isFunctionWord(run[0].lowercased())
        else { return nil }
        return RecognizedName(text: text, kind: .person)
    }

    private static func capitalized(_ word: String) -> String {
        word.prefix(1).uppercased() + word.dropFirst()
    }

    private static let organisationWords: Set = [
        "inc", "ltd", "llc", "gmbh", "corp", "corporation", "company", "university", "institute",
        "foundation", "museum",
        "bank", "party", "church", "society", "association", "agency", "ministry", "department", "college",
        "school", "union",
        "council", "committee", "court", "press", "orchestra", "club", "volunteers",
    ]
    private static let placeWords: Set = [
        "street", "road", "river", "park", "island", "islands", "city", "county", "lake", "bay", "valley",
        "mountains",
        "ocean", "sea", "square", "bridge", "airport",
    ]
    private static let places: Set<String> = Set(
        """
        africa america argentina asia athens australia austria bath beijing belgium berlin boston brazil britain california
        cambridge canada chicago china denmark devonshire dublin edinburgh egypt england europe finland france germany greece
        hungary india indonesia iran iraq ireland israel istanbul italy japan kenya london madrid mexico moscow netherlands
        nigeria norland norway oxford pakistan paris poland portugal prague rome russia scotland spain sussex sweden
        switzerland sydney texas tokyo turkey ukraine vienna wales washington
        """.split(whereSeparator: \.isWhitespace).map(String.init))
}
