internal import Capture
internal import CommandLineTool
internal import FrozenProfile
internal import JSONDocument
internal import Measurement
internal import ProfileStore

/// `freeze-profile verify`: whether a profile is what was frozen.
enum VerifyCommand {
    static let command = Tool.Command("verify", syntax) { (arguments) throws(ToolFailure) in
        try run(arguments)
    }

    private static let syntax = CommandSyntax(
        name: "freeze-profile verify",
        summary: "Checks a frozen profile: its text, all that is derived in it, the files beside it.",
        operands: .named(["PROFILE..."], required: 1),
        options: [
            .flag("allow-edited", "a changed text is all right while everything else matches"),
            .value("profiles", "DIR", "where versions are looked up (default: data/profiles)"),
            .flag("json", "print JSON, a line for each profile"),
        ],
        examples: [("freeze-profile verify v1.2.0", "is this what was frozen, and does it add up?")],
        notes: [
            "PROFILE is a version, or the path of a profile. Each line says what the profile says and what there is "
                + "instead.",
            "Exit codes: 0 everything matches, 4 something does not, 64 wrong usage, 66 a profile is missing or cannot "
                + "be read.",
        ])

    private static func run(_ arguments: ParsedArguments) throws(ToolFailure) -> ExitCode {
        let store = ProfileStore(directory: arguments.value("profiles") ?? CaptureRequest.defaultDirectory)
        let allowsEdited = arguments.has("allow-edited")
        var allPass = true
        for reference in arguments.operands {
            do throws(ProfileError) {
                let path = try store.path(reference: reference)
                let (profile, verification) = try Verification.verify(
                    path: path, ProfileStore.trust(reference: reference))
                let passes = verification.passes(allowingEdited: allowsEdited)
                allPass = allPass && passes
                Console.print(
                    arguments.has("json")
                        ? json(path, verification, passes: passes)
                        : text(path, profile, verification, passes: passes))
            } catch {
                throw ToolFailure(error.description, .noInput)
            }
        }
        return allPass ? .success : .failed
    }

    private static func text(
        _ path: String, _ profile: FrozenProfile, _ verification: Verification, passes: Bool
    ) -> String {
        var lines = verification.findings.map { "  \($0.kind.rawValue): \($0.description)." }
        lines += verification.notes.map { "  note: \($0)" }
        lines += StageSums.lines(profile).map { "  \($0)" }
        let word = passes ? (verification.isEdited ? "edited, else sound" : "sound") : "does not match"
        return (["\(PlainText.sanitized(path)): \(word)"] + lines).joined(separator: "\n")
    }

    private static func json(_ path: String, _ verification: Verification, passes: Bool) -> String {
        let findings = verification.findings.map { finding in
            "{\"kind\": \(finding.kind.rawValue.asJSON), \"subject\": \(finding.subject.asJSON), "
                + "\"stated\": \(finding.stated.asJSON), \"found\": \(finding.found.asJSON)}"
        }
        return "{\"profile\": \(path.asJSON), \"passes\": \(passes), \"edited\": \(verification.isEdited), "
            + "\"findings\": [\(findings.joined(separator: ", "))], "
            + "\"notes\": [\(verification.notes.map(\.asJSON).joined(separator: ", "))]}"
    }
}

/// How stages and what lies between them add up to the whole run.
enum StageSums {
    static func lines(_ profile: FrozenProfile) -> [String] {
        [
            line(
                "wall", .wall, profile, rest: profile.totals.unattributedWallSeconds),
            line("CPU", .cpu, profile, rest: profile.totals.unattributedCPUSeconds),
        ]
    }

    private static func line(
        _ name: String, _ metric: Metric, _ profile: FrozenProfile, rest: Reading<Double>
    ) -> String {
        guard let total = profile.totals.use[metric].value else { return "\(name): not known" }
        guard let rest = rest.value else {
            return
                "\(name): total \(total.fixed(3)) s; outside stages: \(rest.unavailableReason ?? "not known")"
        }
        let stages = profile.stages.compactMap { $0.use[metric].value }.reduce(0, +)
        // Medians of several runs need not add up to the median of the whole.
        let addsUp = (stages + rest - total).magnitude < 0.0005
        return addsUp
            ? "\(name): stages \(stages.fixed(3)) s + outside stages \(rest.fixed(3)) s = \(total.fixed(3)) s"
            : "\(name): stages \(stages.fixed(3)) s, outside stages \(rest.fixed(3)) s, total \(total.fixed(3)) s "
                + "(medians of \(profile.totals.runs ?? 0) runs)"
    }
}
