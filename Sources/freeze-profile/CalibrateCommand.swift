internal import Capture
internal import CommandLineTool
internal import FrozenProfile
internal import LinuxSystem
internal import Measurement
internal import ProfileComparison
internal import ProfileStore

/// `freeze-profile calibrate`: how much sessions of one and the same version differ.
enum CalibrateCommand {
    static let command = Tool.Command("calibrate", syntax) { (arguments) throws(ToolFailure) in
        try run(arguments)
    }

    private static let syntax = CommandSyntax(
        name: "freeze-profile calibrate",
        summary: "Measures how much sessions of one version differ, for later verdicts and budgets.",
        operands: .commandUnless(options: ["from"]),
        options: [
            .value("sessions", "N", "sessions to measure (default: 5)"),
            .value("runs", "N", "runs of each session that count (default: 10)"),
            .value("pause", "SECONDS", "time between sessions (default: 0)"),
            .value("from", "VERSION", "learn from the sessions of a frozen version instead; repeatable"),
            .value("planned-sessions", "N", "sessions a side for which budgets are proposed (default: 3)"),
            .value("dataset-id", "ID", "what the command works on"),
            RunInput.option,
            .value("profiles", "DIR", "where the ledger goes, into ledger/ (default: data/profiles)"),
            .value("rules", "FILE", "the rules file whose false alarms are counted"),
            .value(
                "budget", "[STAGE.]METRIC=PCT",
                "a budget of the gate whose false alarms are counted; repeatable"),
            .flag("dry-run", "print what was learnt, and write no ledger"),
        ],
        examples: [
            (
                "freeze-profile calibrate --pause 1800 --dataset-id indicator_v1 -- ./pipeline {output_dir}",
                "five sessions, half an hour apart"
            ),
            (
                "freeze-profile calibrate --from v1.1.0 --from v1.2.0",
                "from versions that were frozen with several sessions"
            ),
        ],
        notes: [
            "A session warms up, then makes its runs. Sessions close in time differ less than those of different days: "
                + "pause between them, or learn from versions whose sessions were appended on different days.",
            RunInput.help,
            "Exit codes: 0 learnt, 4 the command or the measurement failed, 64 wrong usage, 66 an input is missing, "
                + "73 cannot write.",
        ])

    private static func run(_ arguments: ParsedArguments) throws(ToolFailure) -> ExitCode {
        let directory = arguments.value("profiles") ?? CaptureRequest.defaultDirectory
        let planned = try arguments.whole("planned-sessions", in: 1...100) ?? 3
        let settings = try ComparisonOptions.gateSettings(arguments, profiles: directory)
        let names = arguments.values["from"] ?? []
        let profiles =
            names.isEmpty ? [try measure(arguments)] : try load(names, ProfileStore(directory: directory))
        guard let first = profiles.first else { return .usage }
        let store = LedgerStore(profiles: directory)
        var ledger = try attempt { () throws(NoiseLedger.Refusal) in try store.ledgerToLearn(from: first) }
        for profile in profiles {
            guard ledger.applies(to: profile) else {
                throw ToolFailure(
                    "\(PlainText.sanitized(profile.release)) is of another machine or workload than "
                        + "\(PlainText.sanitized(first.release)). Calibrate them one by one.", .usage)
            }
            ledger.learn(from: profile, date: String(profile.date.prefix(10)))
        }
        guard !ledger.entries.isEmpty else {
            throw ToolFailure(
                "Nothing was learnt: it takes a version with at least two sessions that are fair measurements.",
                .failed)
        }
        ledger.proposeBudgets(sessions: planned)
        Console.print(LedgerText.render(ledger))
        for profile in profiles {
            for sentence in FalseAlarms(profile, settings: settings).sentences { Console.print(sentence) }
        }
        if !arguments.has("dry-run") {
            do throws(SystemError) {
                try store.save(ledger)
            } catch {
                throw ToolFailure(error.description, .cannotWrite)
            }
            Console.note("Written: \(ledger.file)")
        }
        return .success
    }

    private static func attempt<Result>(
        _ action: () throws(NoiseLedger.Refusal) -> Result
    ) throws(ToolFailure) -> Result {
        do throws(NoiseLedger.Refusal) {
            return try action()
        } catch {
            throw ToolFailure(error.description, .noInput)
        }
    }

    private static func load(_ names: [String], _ store: ProfileStore) throws(ToolFailure) -> [FrozenProfile]
    {
        var profiles: [FrozenProfile] = []
        for name in names {
            do throws(ProfileError) {
                profiles.append(try store.load(reference: name))
            } catch {
                throw ToolFailure(error.description, .noInput)
            }
        }
        return profiles
    }

    private static func measure(_ arguments: ParsedArguments) throws(ToolFailure) -> FrozenProfile {
        let sessions = try arguments.whole("sessions", in: 2...100) ?? 5
        let count = try arguments.whole("runs", in: 1...1000) ?? 10
        let pause = try arguments.whole("pause", in: 0...86_400) ?? 0
        var input = RunInput(arguments)
        input.noteUnread()
        var runs = try MeasuringRuns(input)
        var names: [String] = []
        for session in 1...sessions {
            if session > 1 { SystemClock.sleep(for: .seconds(pause)) }
            names.append("s\(session)")
            for run in 0...count {
                Console.note(
                    "session \(session) of \(sessions), " + (run == 0 ? "warm-up" : "run \(run) of \(count)"))
                try runs.make(
                    arguments.command, run == 0 ? .warmUp : .measured, session: "s\(session)",
                    datasetID: arguments.value("dataset-id"))
            }
        }
        input.noteUnread()
        return try runs.profile("calibration", sessions: names)
    }
}
