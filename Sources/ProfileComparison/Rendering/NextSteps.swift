internal import FrozenProfile
internal import Measurement

/// Commands that would settle what a comparison leaves undecided, the cheapest first, each with the time it takes.
struct NextSteps {
    /// More sessions or pairs than this are no way to a verdict.
    private static let mostRepetitions = 50
    /// How much longer than a measured run a counted one may take: the slow-down of an interpreter under emulation.
    private static let countingSlowdown = 20.0

    /// What a session takes besides its runs, in seconds: fixed work timed at its start, middle and end.
    private static let sessionOverhead = 3.0

    private struct Step {
        var seconds: Double
        var command: String
        var note = ""
    }

    private let comparison: Comparison
    private let undecided: [ComparisonRow]

    init(_ comparison: Comparison) {
        self.comparison = comparison
        undecided = comparison.rows.filter { $0.verdict == .inconclusive && $0.stage == nil }
    }

    var commands: [String] {
        guard !undecided.isEmpty,
            let wall = comparison.rows.first(where: { $0.stage == nil && $0.metric == .wall }),
            let older = wall.from?.value, let newer = wall.to?.value
        else { return [] }
        let steps = comparison.design == .interleaved ? pairs(older, newer) : sessions(older, newer)
        return steps.sorted { $0.seconds < $1.seconds }.map {
            "\($0.command)  # \($0.note)\(duration($0.seconds))"
        }
    }

    private func pairs(_ older: Double, _ newer: Double) -> [Step] {
        guard let pairs = undecided.compactMap({ $0.remedy?.runsPerSide }).max(),
            pairs <= Self.mostRepetitions
        else { return [] }
        return [turns(pairs, older, newer)]
    }

    private func sessions(_ older: Double, _ newer: Double) -> [Step] {
        let sessions = undecided.compactMap { $0.remedy?.sessionsPerSide }.max() ?? 3
        let sides = [(comparison.to, newer), (comparison.from, older)].filter { !$0.0.command.isEmpty }
        var steps: [Step] = []
        let runs = max(2, comparison.to.runs / max(1, comparison.to.sessions))
        for (side, seconds) in sides where sessions <= Self.mostRepetitions && side.sessions < sessions {
            let missing = sessions - side.sessions
            steps.append(
                Step(
                    seconds: Double(missing) * (Double(runs + 2) * seconds + Self.sessionOverhead),
                    command: append(side, "--runs \(runs)"), note: missing > 1 ? "\(missing) times, " : ""))
        }
        if comparison.counted?.value == nil {
            // Executed instructions repeat, so that one session a side decides.
            steps += sides.map { side, seconds in
                Step(
                    seconds: (1 + 2 * Self.countingSlowdown) * seconds + Self.sessionOverhead,
                    command: append(side, "--runs 1 --warmup 0 --stack-runs 0 --count-runs 2"),
                    note: "on both sides: compares executed instructions, up to ")
            }
        }
        return steps + [turns(20, older, newer)]
    }

    private func append(_ side: Comparison.Side, _ runs: String) -> String {
        let output = side.file.map { " --output \(ShellWords.line([$0]))" } ?? ""
        let version = ShellWords.line([side.release])
        return "freeze-profile capture --append --version \(version)\(output)\(input(side)) \(runs) -- "
            + ShellWords.line(side.command)
    }

    private func input(_ side: Comparison.Side) -> String {
        side.standardInput.map { " --input \(ShellWords.line([$0]))" } ?? ""
    }

    private func turns(_ pairs: Int, _ older: Double, _ newer: Double) -> Step {
        let (a, b) = (ShellWords.line(comparison.from.command), ShellWords.line(comparison.to.command))
        let old = a.isEmpty || (a == b && comparison.design == .sessions) ? "OLD COMMAND" : a
        return Step(
            seconds: Double(pairs + 1) * (older + newer),
            command:
                "freeze-profile ab --pairs \(pairs)\(input(comparison.to)) --a \(ShellWords.line([old])) --b "
                + ShellWords.line([b.isEmpty ? "NEW COMMAND" : b]))
    }

    private func duration(_ seconds: Double) -> String {
        seconds < 90 ? "about \(max(1, seconds).fixed(0)) s" : "about \((seconds / 60).fixed(0)) min"
    }
}
