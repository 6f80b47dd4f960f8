public import Measurement

/// What Slurm's own accounting says a step of a job used.
public struct StepAccount: Equatable, Sendable {
    /// The job as `12` or `12_3`, and the step's number or `batch`.
    public var job: String
    public var step: String
    /// CPU time of all its tasks; nil where Slurm has none.
    public var cpu: Duration?
    /// The most memory of one of its tasks that Slurm saw; nil where it saw none.
    public var peakResident: ByteCount?

    /// sacct and its arguments: steps with what they used.
    public static func arguments(jobs: [String]) -> [String] {
        [
            "sacct", "--noheader", "--parsable2", "--jobs=\(jobs.joined(separator: ","))",
            "--format=JobID,TotalCPU,MaxRSS",
        ]
    }

    /// The most steps that are read.
    static let maximumSteps = 100_000

    /// The steps in what sacct prints, without the jobs as wholes and the steps of srun's own that only hold an allocation.
    public static func list(_ text: String) throws(ListingError) -> [StepAccount] {
        var steps: [StepAccount] = []
        for line in text.split(whereSeparator: \.isNewline).prefix(maximumSteps) {
            let fields = line.split(separator: "|", omittingEmptySubsequences: false)
            guard fields.count == 3 else {
                throw ListingError(program: "sacct", line: String(line.prefix(400)))
            }
            let parts = fields[0].split(separator: ".", maxSplits: 1)
            guard parts.count == 2, parts[1] != "extern" else { continue }
            steps.append(
                StepAccount(
                    job: PlainText.sanitized(parts[0], maximumCharacters: 60),
                    step: PlainText.sanitized(parts[1], maximumCharacters: 60),
                    cpu: cpu(fields[1]), peakResident: memory(fields[2])))
        }
        return steps
    }

    /// CPU time such as `1-02:03:04`, `02:03:04`, `03:04.567`.
    static func cpu(_ text: some StringProtocol) -> Duration? {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard let clock = parts.last, parts.count <= 2 else { return nil }
        let days = parts.count == 2 ? Int(parts[0]) : 0
        guard let days, (0...100_000).contains(days) else { return nil }
        var seconds = 0.0
        let fields = clock.split(separator: ":", omittingEmptySubsequences: false)
        guard (2...3).contains(fields.count) else { return nil }
        for field in fields {
            guard field.allSatisfy({ $0.isASCII && ($0.isNumber || $0 == ".") }), let value = Double(field),
                (0..<1000).contains(value)
            else { return nil }
            seconds = seconds * 60 + value
        }
        return .seconds(Double(days) * 86_400 + seconds)
    }

    /// Memory such as `1234K`, `12.5M`, `0`.
    static func memory(_ text: some StringProtocol) -> ByteCount? {
        guard let last = text.last else { return nil }
        let units: [Character: Double] = [
            "K": 1024, "M": 1_048_576, "G": 1_073_741_824, "T": 1_099_511_627_776,
        ]
        let unit = units[last]
        guard let value = Double(unit == nil ? text[...] : text.dropLast()), (0..<1e15).contains(value) else {
            return nil
        }
        return ByteCount(bytes: Int64(value * (unit ?? 1)))
    }
}
