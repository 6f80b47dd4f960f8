/// A text as a vector of 256 numbers, made without a model: feature hashing (Weinberger and others, 2009) of its content
/// words and of their groups of three letters, so that words of one stem, and misspelt ones, are near each other.
///
/// Each feature's 64-bit FNV-1a hash chooses a dimension by its lowest 8 bits and a sign by the ninth. A word weighs 1 and all
/// its letter groups together 1. The vector has length 127 and is rounded to bytes, so the dot product of two divided by
/// 127 * 127 is their cosine. It depends on the text alone, so an index never has to be made anew for another one.
enum TextEmbedding {
    static let dimensions = 256

    /// The vector of some words, as signed bytes; all zero where no word says anything.
    static func vector(of words: [String]) -> [UInt8] {
        var sums = [Double](repeating: 0, count: dimensions)
        for word in words where TermWeights.isContentWord(word) {
            add("w:" + word, weight: 1, to: &sums)
            let letters = Array("<\(word)>")
            let groups = max(1, letters.count - 2)
            for start in 0..<groups {
                let group = String(letters[start..<min(start + 3, letters.count)])
                add("g:" + group, weight: 1 / Double(groups), to: &sums)
            }
        }
        let length = sums.reduce(0) { $0 + $1 * $1 }.squareRoot()
        guard length > 0 else { return [UInt8](repeating: 0, count: dimensions) }
        return sums.map { UInt8(bitPattern: Int8(($0 / length * 127).rounded())) }
    }

    /// The cosine of two vectors, as far as rounding to bytes lets it be known.
    static func cosine(_ left: [UInt8], _ right: [UInt8]) -> Double {
        guard left.count == dimensions, right.count == dimensions else { return 0 }
        var sum = 0
        for index in 0..<dimensions {
            sum += Int(Int8(bitPattern: left[index])) * Int(Int8(bitPattern: right[index]))
        }
        return Double(sum) / (127 * 127)
    }

    private static func add(_ feature: String, weight: Double, to sums: inout [Double]) {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in feature.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        sums[Int(hash & 0xFF)] += hash & 0x100 == 0 ? weight : -weight
    }
}
