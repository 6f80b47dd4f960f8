internal import JSONDocument
internal import Measurement

/// What this machine lets the toolkit do, and what to do where it does not. Pure.
public struct DoctorReport: Equatable, Sendable {
    /// How far something works.
    public enum State: String, Sendable {
        /// It works.
        case allowed
        /// It works in part, or only with help from the target.
        case limited
        /// It does not work.
        case refused
    }

    /// One thing that was tried.
    public struct Check: Equatable, Sendable {
        /// A short name, the same in every version.
        public var name: String
        /// What it is needed for, as a phrase.
        public var purpose: String
        public var state: State
        /// What was found, as a sentence.
        public var finding: String
        /// What to do, as a sentence; nil where nothing needs doing.
        public var remedy: String?

        /// A check with its outcome.
        public init(
            _ name: String, _ purpose: String, _ state: State, _ finding: String, remedy: String? = nil
        ) {
            self.name = name
            self.purpose = purpose
            self.state = state
            self.finding = finding
            self.remedy = remedy
        }
    }

    /// What was tried, in order.
    public var checks: [Check]
    /// Names of checks of which one is enough to take stacks.
    public static let samplers = ["perf_events", "ptrace", "py_spy"]

    /// A report of some checks.
    public init(checks: [Check]) {
        self.checks = checks
    }

    /// Whether stacks can be taken at all.
    public var canSample: Bool {
        checks.contains { Self.samplers.contains($0.name) && $0.state != .refused }
    }

    /// The report for a person, at most 100 columns wide.
    public var text: String {
        let width = (checks.map(\.name.count).max() ?? 0) + 2
        var lines: [String] = []
        for check in checks {
            let mark =
                switch check.state {
                case .allowed: "yes    "
                case .limited: "partly "
                case .refused: "no     "
                }
            lines.append("\(mark) \(check.name.padded(to: width))\(check.purpose)")
            for sentence in [check.finding] + (check.remedy.map { ["To do: \($0)"] } ?? []) {
                lines += Self.wrapped(PlainText.sanitized(sentence), to: 90).map { "          \($0)" }
            }
        }
        lines.append(
            canSample
                ? "Stacks can be taken."
                : "Stacks cannot be taken: neither by perf events, nor by ptrace, nor by py-spy.")
        return lines.joined(separator: "\n")
    }

    /// The report for a program: one JSON object.
    public var json: String {
        let list = checks.map { check in
            let remedy = check.remedy.map { PlainText.sanitized($0).asJSON } ?? "null"
            return "    {\"name\": \(check.name.asJSON), \"state\": \(check.state.rawValue.asJSON), "
                + "\"purpose\": \(check.purpose.asJSON), \"finding\": \(PlainText.sanitized(check.finding).asJSON), "
                + "\"remedy\": \(remedy)}"
        }
        return "{\n  \"schema_version\": 1,\n  \"can_sample\": \(canSample),\n  \"checks\": [\n"
            + list.joined(separator: ",\n") + "\n  ]\n}\n"
    }

    /// Text broken at spaces into lines of at most a width; a longer word stays whole.
    private static func wrapped(_ text: String, to width: Int) -> [String] {
        var lines: [String] = []
        for word in text.split(separator: " ") {
            if let last = lines.last, last.count + 1 + word.count <= width {
                lines[lines.count - 1] = last + " " + word
            } else {
                lines.append(String(word))
            }
        }
        return lines
    }
}
