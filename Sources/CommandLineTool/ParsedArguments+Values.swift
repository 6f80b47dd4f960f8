internal import Measurement

extension ParsedArguments {
    /// The whole number of an option; nil when it was not given.
    public func whole(_ name: String, in range: ClosedRange<Int>) throws(ToolFailure) -> Int? {
        guard let text = value(name) else { return nil }
        guard let value = Int(text), range.contains(value) else {
            throw ToolFailure(
                "--\(name) is '\(PlainText.sanitized(text))', but should be a whole number from \(range.lowerBound) to "
                    + "\(range.upperBound).", .usage)
        }
        return value
    }

    /// The word of an option that takes one of a few; nil when it was not given.
    public func choice<Choice: RawRepresentable & CaseIterable>(
        _ name: String
    ) throws(ToolFailure) -> Choice? where Choice.RawValue == String {
        guard let text = value(name) else { return nil }
        guard let choice = Choice(rawValue: text) else {
            throw ToolFailure(
                "--\(name) cannot be '\(PlainText.sanitized(text))'; there are "
                    + "\(Choice.allCases.map(\.rawValue).joined(separator: ", ")).", .usage)
        }
        return choice
    }
}
