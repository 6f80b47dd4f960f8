internal import Measurement

/// How many runs of a kind were begun, and how many of them ended well: who leaves out those that fail makes a pipeline
/// that often does look as good as one that never does.
public struct RunAttempts: Equatable, Sendable {
    public var attempted: Int
    public var recorded: Int

    /// A count.
    public init(attempted: Int, recorded: Int) {
        self.attempted = attempted
        self.recorded = recorded
    }

    /// The attempts of each kind among some runs; kinds without any are left out.
    static func byKind(_ runs: [Run]) -> [RunKind: RunAttempts] {
        var attempts: [RunKind: RunAttempts] = [:]
        for run in runs {
            let known = attempts[run.kind] ?? RunAttempts(attempted: 0, recorded: 0)
            attempts[run.kind] = RunAttempts(
                attempted: known.attempted + 1, recorded: known.recorded + (run.hasFailed ? 0 : 1))
        }
        return attempts
    }

    /// A sentence about the runs that failed, each with its name; nil when none did.
    static func note(_ named: [(name: String, run: Run)]) -> String? {
        let failed = named.filter(\.run.hasFailed)
        guard !failed.isEmpty else { return nil }
        var reasons = failed.prefix(mostNamed).map { name, run in
            "\(name) \(run.failure?.reason ?? "exited with code \(run.exit.value ?? 0)")"
        }
        if failed.count > reasons.count { reasons.append("\(failed.count - reasons.count) more") }
        return
            "\(failed.count) of \(named.count) runs failed and \(failed.count == 1 ? "does" : "do") not count: "
            + "\(reasons.joined(separator: ", "))."
    }

    private static let mostNamed = 5
}
