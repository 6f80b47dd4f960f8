/// A weight as folded text has it: digits, and perhaps a point and more digits.
struct FoldedNumber {
    /// The digits before the point; nil where they are too large.
    let whole: Int64?
    /// The digits behind the point, without zeros at their end.
    let fraction: Range<Int>
    private let buffer: UnsafeRawBufferPointer

    /// How many digits are behind the point, without zeros at their end.
    var fractionDigits: Int { fraction.count }

    /// The number at a place; nil where there is none. `6.` and `2.0` are whole numbers.
    @inline(__always)
    init?(_ buffer: UnsafeRawBufferPointer, _ place: Range<Int>) {
        self.buffer = buffer
        var whole: Int64? = 0
        var position = place.lowerBound
        while position < place.upperBound, case let digit = buffer[position] &- 0x30, digit < 10 {
            whole = whole.flatMap { $0 > StackProfile.weightLimit / 10 ? nil : $0 * 10 + Int64(digit) }
            position += 1
        }
        self.whole = whole
        guard position > place.lowerBound else { return nil }
        if position == place.upperBound {
            fraction = position..<position
            return
        }
        guard buffer[position] == UInt8(ascii: ".") else { return nil }
        position += 1
        var end = place.upperBound
        for index in position..<end where buffer[index] &- 0x30 >= 10 { return nil }
        while end > position, buffer[end - 1] == 0x30 { end -= 1 }
        fraction = position..<end
    }

    /// The number times a power of ten, rounded; nil where that is too large.
    func weight(scaledBy digits: Int) -> Int64? {
        guard var weight = whole else { return nil }
        if digits == 0 && fraction.isEmpty { return weight }
        for index in 0..<digits {
            let place = fraction.lowerBound + index
            let digit = place < fraction.upperBound ? Int64(buffer[place] - 0x30) : 0
            guard weight <= (StackProfile.weightLimit - digit) / 10 else { return nil }
            weight = weight * 10 + digit
        }
        let next = fraction.lowerBound + digits
        return next < fraction.upperBound && buffer[next] >= 0x35 ? weight + 1 : weight
    }
}

/// Whether the weights of folded text have fractions, and what makes whole numbers of them.
enum FoldedFractions {
    /// The most digits that are kept behind the point.
    private static let mostDigits = 6

    /// The power of ten that makes whole numbers of all weights of a text, or as nearly as the total allows.
    ///
    /// Cutting fractions off would make 1.9 and 1.1 the same, and 0.4 nothing.
    static func digits(of buffer: UnsafeRawBufferPointer) -> Int {
        // Weights stand at the ends of lines; a text of whole weights costs one look at each end.
        var (digits, total) = (0, 0.0)
        var start = 0
        while start < buffer.count {
            let end = buffer.nextLineFeed(from: start)
            defer { start = end + 1 }
            guard buffer[start] != UInt8(ascii: "#"), let number = number(of: buffer, start..<end) else {
                continue
            }
            digits = max(digits, min(number.fractionDigits, mostDigits))
            total += Double(number.whole ?? 0) + 1
        }
        while digits > 0, total * power(digits) > Double(StackProfile.weightLimit) { digits -= 1 }
        return digits
    }

    private static func power(_ digits: Int) -> Double { (0..<digits).reduce(1) { value, _ in value * 10 } }

    private static func number(of buffer: UnsafeRawBufferPointer, _ line: Range<Int>) -> FoldedNumber? {
        var end = line.upperBound
        while end > line.lowerBound, buffer[end - 1] <= 0x20 { end -= 1 }
        var position = end
        while position > line.lowerBound, position > end - 64, buffer[position - 1] > 0x20 { position -= 1 }
        return FoldedNumber(buffer, position..<end)
    }
}
