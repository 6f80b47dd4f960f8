/// Why some bytes are not a YAML document that we read.
public struct YAMLError: Error, Hashable, Sendable {
    /// What is wrong there and what to do, as the rest of a sentence that begins with the place, without a final stop.
    public var problem: String
    /// The line, counted from 1.
    public var line: Int
    /// The column in characters, counted from 1.
    public var column: Int

    /// A problem at a place.
    public init(problem: String, line: Int, column: Int) {
        self.problem = problem
        self.line = line
        self.column = column
    }
}

extension YAMLError: CustomStringConvertible {
    /// One sentence, such as `Line 3, column 5: the key 'a' is there twice; remove one.`
    public var description: String { "Line \(line), column \(column): \(problem)." }
}
