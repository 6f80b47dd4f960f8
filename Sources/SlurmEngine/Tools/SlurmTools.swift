internal import LinuxProcess
public import Measurement

/// Slurm by its own tools: what its users type, and what its admins allow.
public struct SlurmTools: Sendable {
    /// The tools, which have to be on PATH.
    public init() throws(SlurmError) {
        for program in ["sbatch", "squeue", "scancel"] where Programs.installed(program) == nil {
            throw .noTool(program)
        }
    }

    /// Submits a job and returns its number.
    public func submit(
        _ submission: Submission, _ options: SubmissionOptions, script: String, directory: String,
        logsDirectory: String
    ) throws(SlurmError) -> Int {
        let words = submission.arguments(
            options, script: script, directory: directory, logsDirectory: logsDirectory)
        let output = try output(of: words)
        guard let number = Submission.jobNumber(output) else {
            throw .noAnswer(
                ListingError(program: "sbatch", line: String(output.prefix(200))).description)
        }
        return number
    }

    /// What the queue says of the tasks of some jobs, by the jobs' names; ended ones as long as it remembers them.
    public func queue(names: [String]) throws(SlurmError) -> [TaskID: TaskLine] {
        var tasks: [TaskID: TaskLine] = [:]
        // A command line has an end.
        for start in stride(from: 0, to: names.count, by: 200) {
            let some = Array(names[start..<min(start + 200, names.count)])
            let text = try output(of: TaskListing.queueArguments(names: some))
            try tasks.merge(parsed { () throws(ListingError) in try TaskListing.queue(text) }) { $1 }
        }
        return tasks
    }

    /// What the accounting says of the tasks of some jobs; nil where there is none, which many clusters do without.
    public func accounting(jobs: [Int]) throws(SlurmError) -> [TaskID: TaskLine]? {
        guard !jobs.isEmpty, Programs.installed("sacct") != nil else { return nil }
        let call = try ToolCall.run(TaskListing.accountingArguments(jobs: jobs))
        guard call.ending == .exited(0) else { return nil }
        return try parsed { () throws(ListingError) in try TaskListing.accounting(call.output) }
    }

    /// The tasks of a job, ended ones too, as long as the queue remembers them; nil for a job that it does not know (any more).
    public func states(ofJob job: String) throws(SlurmError) -> [TaskLine]? {
        let call = try ToolCall.run(JobListing.arguments(job: job))
        switch call.ending {
        case .exited(0): break
        case .exited where call.complaint.contains("Invalid job id"): return nil
        case .exited: throw .refused(tool: "squeue", words: call.complaint)
        case .tookTooLong: throw .noAnswer("squeue got no answer within two minutes.")
        case .printedTooMuch: throw .noAnswer("squeue printed more than is read.")
        }
        let states = try parsed { () throws(ListingError) in try JobListing.states(call.output) }
        return states.isEmpty ? nil : states
    }

    /// What Slurm's accounting says that the steps of some jobs used, or why there is none.
    public static func steps(ofJobs jobs: [String]) -> Reading<[StepAccount]> {
        guard Programs.installed("sacct") != nil else {
            return .unavailable(reason: "there is no sacct on PATH")
        }
        do throws(SlurmError) {
            let call = try ToolCall.run(StepAccount.arguments(jobs: jobs))
            guard call.ending == .exited(0) else {
                return .unavailable(
                    reason: call.complaint.isEmpty
                        ? "sacct gave no answer" : "sacct says: '\(call.complaint)'")
            }
            do throws(ListingError) {
                return .value(try StepAccount.list(call.output))
            } catch {
                return .unavailable(reason: error.description)
            }
        } catch {
            return .unavailable(reason: error.description)
        }
    }

    /// The names of the nodes in a list such as `n[1-4]`.
    public func nodes(in list: String) throws(SlurmError) -> [String] {
        let text = try output(of: ["scontrol", "show", "hostnames", list])
        return text.split(whereSeparator: \.isWhitespace).map(String.init)
    }

    /// Cancels jobs. One that has ended already is fine.
    public func cancel(jobs: [Int]) throws(SlurmError) {
        guard !jobs.isEmpty else { return }
        _ = try output(of: ["scancel", "--quiet"] + jobs.map { "\($0)" })
    }

    /// Cancels single tasks. One that has ended already is fine.
    public func cancel(tasks: [TaskID]) throws(SlurmError) {
        guard !tasks.isEmpty else { return }
        _ = try output(of: ["scancel", "--quiet"] + tasks.map(\.description))
    }

    private func output(of words: [String]) throws(SlurmError) -> String {
        let call = try ToolCall.run(words)
        switch call.ending {
        case .exited(0): return call.output
        case .exited: throw .refused(tool: words[0], words: call.complaint)
        case .tookTooLong: throw .noAnswer("\(words[0]) got no answer within two minutes.")
        case .printedTooMuch: throw .noAnswer("\(words[0]) printed more than is read.")
        }
    }

    private func parsed<Value>(
        _ read: () throws(ListingError) -> Value
    ) throws(SlurmError) -> Value {
        do throws(ListingError) {
            return try read()
        } catch {
            throw .noAnswer(error.description)
        }
    }
}
