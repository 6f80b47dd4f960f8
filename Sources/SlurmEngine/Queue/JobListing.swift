internal import Measurement

/// What the queue says of one job, task by task.
public enum JobListing {
    /// squeue and its arguments.
    public static func arguments(job: String) -> [String] {
        ["squeue", "--noheader", "--array", "--states=all", "--jobs=\(job)", "--format=%T|%N|%i"]
    }

    /// The states of its tasks, or of the job itself where it is no array.
    public static func states(_ text: String) throws(ListingError) -> [TaskLine] {
        var states: [TaskLine] = []
        for line in text.split(whereSeparator: \.isNewline).prefix(TaskListing.maximumTasks) {
            let fields = line.split(separator: "|", omittingEmptySubsequences: false)
            guard fields.count == 3 else {
                throw ListingError(program: "squeue", line: String(line.prefix(400)))
            }
            let node = fields[1].isEmpty ? nil : PlainText.sanitized(fields[1], maximumCharacters: 200)
            states.append(TaskLine(JobState(fields[0]), node: node))
        }
        return states
    }

    /// Whether a text names a job: `12`, or a task of an array, `12_3`.
    public static func isJob(_ text: String) -> Bool {
        let parts = text.split(separator: "_", omittingEmptySubsequences: false)
        return (1...2).contains(parts.count)
            && parts.allSatisfy { part in
                !part.isEmpty && part.utf8.count <= 12 && part.allSatisfy { $0.isASCII && $0.isNumber }
            }
    }
}
