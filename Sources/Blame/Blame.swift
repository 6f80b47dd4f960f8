public import Capture
internal import FrozenProfile
internal import InstructionCounting
internal import LinuxSystem
internal import Measurement
internal import ProfileComparison

/// A search for the commits that changed what a program costs.
///
///     let report = try Blame(request) { print($0) }.run()
///
/// Commits are built and run in work trees of their own, which are gone at the end. Records of runs are kept, so that the same
/// request continues where it was interrupted.
public struct Blame {
    private let request: BlameRequest
    private let report: (String) -> Void

    /// - Parameters:
    ///   - request: What to search for.
    ///   - report: Given a sentence before each step.
    public init(_ request: BlameRequest, report: @escaping (String) -> Void) {
        self.request = request
        self.report = report
    }

    /// Searches, and makes the invoice.
    public func run() throws(CaptureError) -> BlameReport {
        let history = try GitHistory(directory: Files.workingDirectory)
        let line = try history.line(
            from: try history.commit(request.from.revision), to: try history.commit(request.to.revision))
        let engine =
            request.basis == .time ? .unavailable(reason: "only time was asked for") : countingEngine()
        if request.basis == .counts, let reason = engine.unavailableReason {
            throw .measurementFailed("No instructions can be counted. \(reason)")
        }
        var bench = try CommitBench(request, line: line, history: history, engine: engine, report: report)
        report("records are kept in '\(bench.directory)'")
        do throws(CaptureError) {
            return try search(&bench)
        } catch {
            guard error.isInterruption else { throw error }
            throw .measurementFailed(
                "Interrupted. What was measured is kept in '\(bench.directory)', the work trees are removed; the same "
                    + "command continues.")
        }
    }

    private func countingEngine() -> Reading<any CountingEngine> {
        do throws(CountingError) {
            return .value(try CountingEngines.first())
        } catch {
            return .unavailable(reason: error.description)
        }
    }

    private func search(_ bench: inout CommitBench) throws(CaptureError) -> BlameReport {
        var reasons: [String] = []
        if let reason = bench.engine.unavailableReason {
            if request.basis == .automatic { reasons.append("No instructions were counted: \(reason)") }
        } else {
            var counted = CountedSearch(request)
            switch try counted.measureEnds(&bench) {
            case .changed: return try counted.run(&bench)
            case .unchanged where request.basis == .counts || request.measuresAll:
                return try counted.run(&bench)
            case .unchanged:
                report("as many instructions are executed at both ends; now by time")
                reasons.append("As many instructions are executed at both ends, so time decides.")
            case .notCounted(let reason):
                guard request.basis == .automatic else { throw .measurementFailed(reason) }
                reasons.append(reason)
            }
        }
        var timed = TimedSearch(request)
        return try timed.run(&bench, notes: reasons)
    }
}

extension CommitBench {
    /// An end that cannot be measured leaves nothing to search.
    mutating func refusal(_ place: Int, _ obstacle: Obstacle) throws(CaptureError) -> CaptureError {
        let about = try describe(place)
        let words = obstacle.lastLines.map { "\n  | " + PlainText.sanitized($0, maximumCharacters: 200) }
            .joined()
        return .measurementFailed(
            "\(about.shortName) '\(about.subject)', an end of the commits, \(obstacle.reason).\(words)")
    }

    /// The commits between two places, the older one not counted.
    mutating func commits(after from: Int, through to: Int) throws(CaptureError) -> [CommitDescription] {
        var all: [CommitDescription] = []
        for place in from + 1...to { all.append(try describe(place)) }
        return all
    }

    mutating func end(_ end: BlameRequest.End, at place: Int) throws(CaptureError) -> BlameReport.End {
        BlameReport.End(
            name: PlainText.sanitized(end.name, maximumCharacters: 100), commit: try describe(place))
    }

    mutating func skipped(_ reasons: [Int: String]) throws(CaptureError) -> [BlameReport.Skipped] {
        var all: [BlameReport.Skipped] = []
        for (place, reason) in reasons.sorted(by: { $0.key < $1.key }) {
            all.append(BlameReport.Skipped(commit: try describe(place), reason: reason))
        }
        return all
    }
}
