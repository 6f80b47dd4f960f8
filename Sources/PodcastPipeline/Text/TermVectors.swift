internal import LinuxSystem

/// One text as weighted terms, by term number in ascending order. Of length one, or empty.
struct TermVector: Equatable, Sendable {
    struct Entry: Equatable, Sendable {
        var term: Int
        var weight: Double
    }

    var entries: [Entry]

    /// The cosine of the angle to another vector: 1 for the same direction, 0 for no common term.
    func cosine(with other: TermVector) -> Double {
        var sum = 0.0
        var mine = entries[...]
        var theirs = other.entries[...]
        while let left = mine.first, let right = theirs.first {
            if left.term == right.term { sum += left.weight * right.weight }
            if left.term <= right.term { mine.removeFirst() }
            if right.term <= left.term { theirs.removeFirst() }
        }
        return sum
    }
}

/// A vocabulary with the weight of each term: its inverse document frequency.
struct TermWeights: Equatable, Sendable {
    /// The terms, sorted; a term's position is its number.
    let terms: [String]
    /// By term number: `log2((1 + texts) / (1 + texts with the term)) + 1`, which never reaches zero.
    let weights: [Double]

    private let numbers: [String: Int]

    /// The weights of the terms in some texts, each text a list of words.
    init(texts: [[String]]) {
        var textsWithTerm: [String: Int] = [:]
        for words in texts {
            for term in Set(words.filter(Self.isContentWord)) { textsWithTerm[term, default: 0] += 1 }
        }
        let terms = textsWithTerm.keys.sorted()
        self.init(
            terms: terms,
            weights: terms.map { term in
                Logarithm.base2(Double(1 + texts.count) / Double(1 + (textsWithTerm[term] ?? 0))) + 1
            })
    }

    /// A vocabulary with weights as stored before.
    init(terms: [String], weights: [Double]) {
        self.terms = terms
        self.weights = weights
        numbers = Dictionary(zip(terms, terms.indices)) { first, _ in first }
    }

    /// The vector of a text: term frequency times weight, scaled to length one. Unknown terms are left out.
    func vector(of words: [String]) -> TermVector {
        var counts: [Int: Double] = [:]
        for word in words { if let number = numbers[word] { counts[number, default: 0] += 1 } }
        var entries = counts.map { TermVector.Entry(term: $0.key, weight: $0.value * weights[$0.key]) }
        entries.sort { $0.term < $1.term }
        let length = entries.reduce(0) { $0 + $1.weight * $1.weight }.squareRoot()
        guard length > 0 else { return TermVector(entries: []) }
        return TermVector(entries: entries.map { .init(term: $0.term, weight: $0.weight / length) })
    }

    /// Whether a word says what a text is about: three letters or more, and no function word.
    static func isContentWord(_ word: String) -> Bool {
        word.count > 2 && !functionWords.contains(word)
    }

    /// Whether a word only holds others together.
    static func isFunctionWord(_ word: String) -> Bool { word.count <= 2 || functionWords.contains(word) }

    private static let functionWords = Set(
        """
        about above after again against all also although always among and another any are aren't around because been
        before being below between both but can can't cannot could couldn't did didn't does doesn't doing don't down
        during each either else even ever every few for from further had hadn't has hasn't have haven't having her here hers
        herself him himself his how however if into isn't it's its itself just know let's like made make many may me might more most much
        must mustn't my myself neither never nor not now off once one only onto other ought our ours ourselves out over
        own perhaps quite rather really said same say shall shan't she should shouldn't since so some still such than that that's the their
        theirs them themselves then there there's therefore these they they're thing things this those though through thus too under
        until upon very was wasn't we're were weren't what what's when where whether which while who who's whom whose why
        will with within without won't would wouldn't yet you you're your yours yourself yourselves
        """.split(whereSeparator: \.isWhitespace).map(String.init))
}
