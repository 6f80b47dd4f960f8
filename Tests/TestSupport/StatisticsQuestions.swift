internal import LinuxSystem

/// Questions for `Fixtures/statistics/oracle.py`, each with our own answer.
public struct Questions {
    private var lines: [String] = []
    private var ours: [[Double?]] = []

    /// No question.
    public init() {}

    /// Asks, with our own answer.
    public mutating func ask(_ name: String, _ arguments: [String], ours answer: [Double?]) {
        lines.append("[\"\(name)\", \(arguments.joined(separator: ", "))]")
        ours.append(answer)
    }

    /// The first disagreements beyond 1e-9, absolute or of the larger number, and the number of answers compared.
    public func disagreements() throws -> (sentences: [String], answers: Int) {
        let directory = try TemporaryDirectory()
        let file = "\(directory.path)/questions"
        try Files.replace(file, with: lines.joined(separator: "\n") + "\n")
        let result = try runCommand(["python3", BuiltProduct.fixture("statistics/oracle.py"), file])
        let answers = result.standardOutput.split(separator: "\n")
        guard answers.count == lines.count else {
            return (
                [
                    "\(answers.count) answers to \(lines.count) questions: \(result.standardError.suffix(2000))"
                ], 0
            )
        }
        var sentences: [String] = []
        for (index, answer) in answers.enumerated() {
            let theirs = answer.split(separator: " ").map { $0 == "-" ? nil : Double($0) }
            if !Self.agree(theirs, ours[index]) {
                sentences.append("\(lines[index].prefix(400)): \(ours[index]), should be \(theirs)")
            }
        }
        return (Array(sentences.prefix(5)), answers.count)
    }

    private static func agree(_ left: [Double?], _ right: [Double?]) -> Bool {
        left.count == right.count
            && zip(left, right).allSatisfy { a, b in
                guard let a, let b else { return a == nil && b == nil }
                return (a - b).magnitude <= 1e-9 * max(1, a.magnitude)
            }
    }
}
