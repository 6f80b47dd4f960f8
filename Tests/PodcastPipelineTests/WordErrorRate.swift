/// The share of reference words that a transcript has wrong: substitutions, deletions and insertions, by Levenshtein's
/// distance over words.
struct WordErrorRate {
    var errors: Int
    var words: Int

    var rate: Double { Double(errors) / Double(words) }

    init(of transcript: String, against reference: String) {
        let heard = Self.words(transcript)
        let said = Self.words(reference)
        var row = Array(0...heard.count)
        for (index, word) in said.enumerated() {
            var diagonal = row[0]
            row[0] = index + 1
            for column in heard.indices {
                let substituted = diagonal + (heard[column] == word ? 0 : 1)
                diagonal = row[column + 1]
                row[column + 1] = min(substituted, row[column] + 1, diagonal + 1)
            }
        }
        errors = row[heard.count]
        words = said.count
    }

    private static func words(_ text: String) -> [String] {
        text.lowercased().split { !$0.isLetter && !$0.isNumber && $0 != "'" }.map(String.init)
    }
}
