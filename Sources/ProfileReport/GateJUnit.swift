internal import FrozenProfile
internal import Measurement
public import ProfileComparison

/// A gate's decision as JUnit XML, which build servers read: a test case for each stage and metric, one for the evidence.
public enum GateJUnit {
    /// The document, which both the schema of Ant's reports and that of Jenkins' xUnit plugin accept.
    ///
    /// - Parameter moment: When it was decided, in UTC, as `2026-02-10T14:20:00Z`.
    public static func render(_ decision: GateDecision, at moment: String) -> String {
        var cases = [
            element(
                "evidence", of: "gate",
                decision.refusals.isEmpty ? nil : ("error", "refused", decision.refusals))
        ]
        if !decision.failures.isEmpty {
            cases.append(
                element("instructions", of: "gate", ("failure", "regressed", decision.failures)))
        }
        // Of rows whose evidence does not hold nothing is said.
        let rows = decision.refusals.isEmpty ? decision.rows : []
        var failures = decision.failures.isEmpty ? 0 : 1
        var skipped = 0
        for row in rows {
            let content: (String, String, [String])?
            switch row.state {
            case .failed(let text): content = ("failure", "regressed", [text])
            case .undecided(let text):
                content =
                    decision.policy != .warn
                    ? ("failure", "undecided", [text]) : ("skipped", "undecided", [text])
            case .accepted(let acceptance):
                content = (
                    "skipped", "accepted",
                    [
                        "accepted until \(acceptance.until): \(acceptance.reason) (\(acceptance.owner), \(acceptance.link))"
                    ]
                )
            case .passed: content = nil
            }
            if content?.0 == "failure" { failures += 1 }
            if content?.0 == "skipped" { skipped += 1 }
            cases.append(
                element(row.row.metric.rawValue, of: row.row.stage?.text ?? "whole run", content))
        }
        let counts =
            "tests=\"\(cases.count)\" failures=\"\(failures)\" errors=\"\(decision.refusals.isEmpty ? 0 : 1)\""
        let name = "freeze-profile gate \(decision.from) to \(decision.to)"
        return """
            <?xml version="1.0" encoding="UTF-8"?>
            <testsuites>
            <testsuite name="\(escaped(name))" package="freeze-profile" id="0" timestamp="\(escaped(String(moment.prefix(19))))" hostname="localhost" \(counts) skipped="\(skipped)" time="0">
            <properties><property name="from" value="\(escaped(decision.from))"/><property name="to" value="\(escaped(decision.to))"/></properties>
            \(cases.joined(separator: "\n"))
            <system-out>\(escaped(([GateText.headline(decision)] + decision.warnings
                + [GateText.agreed(decision)]).joined(separator: " / ")))</system-out>
            <system-err/>
            </testsuite>
            </testsuites>

            """
    }

    private static func element(
        _ name: String, of group: String, _ content: (kind: String, type: String, sentences: [String])?
    ) -> String {
        let start = "<testcase classname=\"\(escaped(group))\" name=\"\(escaped(name))\" time=\"0\""
        guard let content else { return start + "/>" }
        let text = content.sentences.joined(separator: " ")
        return start
            + "><\(content.kind) type=\"\(content.type)\" message=\"\(escaped(text))\"/></testcase>"
    }

    private static func escaped(_ text: String) -> String {
        HTMLText.escaped(text, maximumCharacters: 8000)
    }
}

/// A gate's decision as workflow commands of GitHub Actions, which become annotations.
public enum GateAnnotations {
    /// The lines to print.
    public static func render(_ decision: GateDecision) -> String {
        var lines: [String] = decision.refusals.map { line("error", "Gate cannot decide", $0) }
        if decision.refusals.isEmpty {
            lines += GateText.failures(decision).map { line("error", "Gate failed", $0) }
            lines += GateText.undecided(decision).map {
                line(decision.policy != .warn ? "error" : "warning", "Gate undecided", $0)
            }
        }
        lines += decision.agreed.map {
            line("notice", "Accepted until \($0.until)", "\($0.target): \($0.reason)")
        }
        lines.append(line("notice", "Gate", GateText.headline(decision)))
        return lines.joined(separator: "\n") + "\n"
    }

    /// A command; data and properties are escaped as GitHub's own toolkit does, so that text cannot end one and begin another.
    private static func line(_ command: String, _ title: String, _ text: String) -> String {
        func escaped(_ text: String) -> String {
            var result = ""
            for scalar in PlainText.sanitized(text, maximumCharacters: 4000).unicodeScalars {
                switch scalar {
                case "%": result += "%25"
                case "\r": result += "%0D"
                case "\n": result += "%0A"
                default: result.unicodeScalars.append(scalar)
                }
            }
            return result
        }
        let property = escaped(title).map { character in
            character == ":" ? "%3A" : character == "," ? "%2C" : String(character)
        }.joined()
        return "::\(command) title=\(property)::\(escaped(text))"
    }
}
