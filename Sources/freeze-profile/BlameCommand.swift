internal import Blame
internal import Capture
internal import CommandLineTool
internal import FrozenProfile
internal import LinuxSystem
internal import Measurement
internal import ProfileComparison
internal import ProfileStore

/// `freeze-profile blame`: the commits between two versions that changed what a program costs.
enum BlameCommand {
    static let command = Tool.Command("blame", syntax) { (arguments) throws(ToolFailure) in
        try run(arguments)
    }

    private static let syntax = CommandSyntax(
        name: "freeze-profile blame",
        summary: "Finds the commits between two versions that changed what a program costs.",
        operands: .namedThenCommand(["FROM", "TO"]),
        options: [
            .value(
                "build", "CMD", "the shell command that builds a commit in its work tree; 'true' for none"),
            .value("stage", "STAGE", "search for changes of this stage only"),
            .value(
                "by", "WHAT", "auto, counts (instructions) or time (default: auto, counts where they changed)"
            ).among(BlameRequest.Basis.allCases.map(\.rawValue)),
            .value("count-runs", "N", "counted runs of each commit (default: 2)"),
            .value("count-timeout", "S", "seconds after which a counted run is ended (default: none)"),
            .value("count-budget", "PCT", "by how much counts may change unnoticed (default: 0.5)"),
            .value(
                "pairs", "N", "pairs of runs at the ends and around a named commit, by time (default: 12)"),
            .value("seed", "N", "the number from which the random order follows (default: 1)"),
            .flag("every-commit", "count every commit, also where nothing changed between two"),
            .value(
                "budget", "[STAGE.]METRIC=PCT",
                "by how much a time may change unnoticed, in percent; METRIC is wall or cpu; repeatable"),
            .value("floor", "METRIC=VALUE", "the smallest difference of times that counts; repeatable"),
            .value(
                "profiles", "DIR", "where versions are looked up, and records kept (default: data/profiles)"),
            .flag("json", "print the invoice as JSON (docs/blame.md)"),
            .value("output", "FILE", "where to write instead of standard output", letter: "o"),
        ],
        examples: [
            (
                "freeze-profile blame v1.1.0 v1.2.0 --build make -- ./pipeline {output_dir}",
                "which commits made v1.2.0 slower"
            ),
            (
                "freeze-profile blame HEAD~20 HEAD --build 'cargo build -r' --stage crunch -- ./target/release/p",
                "one stage, in the last 20 commits"
            ),
        ],
        notes: [
            "FROM and TO are frozen versions whose commit is known, or revisions of git; FROM is an ancestor of TO. Commits are "
                + "built and run in work trees of their own in the temporary directory; yours is not touched. Both ends are "
                + "measured, then the middle of what changed, and so on: at most log2(N) + 2 builds for one changed commit of N. "
                + "A merge is one step. Commits that do not build or run are skipped and named.",
            "Records of runs are kept in DIR/.blame: the same command again measures only what is missing. Changes that cancel "
                + "out between two measured commits are not seen; --every-commit sees them.",
            "Exit codes: 0 unchanged or improved, 1 regressed, 2 inconclusive, 4 a build, a run or the measurement failed, "
                + "64 wrong usage, 66 an input is missing, 73 cannot write.",
        ])

    private static func run(_ arguments: ParsedArguments) throws(ToolFailure) -> ExitCode {
        let request = try request(arguments)
        let report: BlameReport
        do throws(CaptureError) {
            report = try Blame(request) { Console.note("blame: \($0)") }.run()
        } catch {
            throw ToolFailure(error.description, CaptureCommand.exitCode(error))
        }
        let output = arguments.value("output")
        if arguments.has("json") {
            try Console.deliver(report.json, to: output ?? "-")
        } else {
            let width = output == nil ? Terminal.size(Terminal.standardOutput).columns : 80
            try Console.deliver(report.text(width: width), to: output ?? "-")
        }
        switch report.verdict {
        case .regressed: return .regressed
        case .inconclusive: return .inconclusive
        case .improved, .unchanged: return .success
        }
    }

    private static func request(_ arguments: ParsedArguments) throws(ToolFailure) -> BlameRequest {
        guard let build = arguments.value("build") else {
            throw ToolFailure(
                "Say how a commit is built: --build 'CMD'. Where nothing is to be built: --build true.",
                .usage)
        }
        let directory = arguments.value("profiles") ?? CaptureRequest.defaultDirectory
        let store = ProfileStore(directory: directory)
        var settings = try ComparisonOptions.settings(arguments, profiles: directory)
        settings.gate = .stages
        var request = BlameRequest(
            from: try end(arguments.operands[0], store), to: try end(arguments.operands[1], store),
            build: build,
            command: arguments.command, toolVersion: toolVersion,
            directory: Files.absolute("\(directory)/.blame"),
            settings: settings)
        if let name = arguments.value("stage") {
            guard let stage = StageName(name) else {
                throw ToolFailure("'\(PlainText.sanitized(name))' cannot name a stage: it is empty.", .usage)
            }
            request.stage = stage
        }
        if let basis: BlameRequest.Basis = try arguments.choice("by") { request.basis = basis }
        request.countRuns = try arguments.whole("count-runs", in: 1...100) ?? 2
        request.countLimit = try arguments.whole("count-timeout", in: 1...1_000_000).map {
            .seconds($0)
        }
        request.pairs =
            try arguments.whole("pairs", in: 8...1000) ?? InterleavedPlan.defaultPairs
        request.seed = UInt64(try arguments.whole("seed", in: 0...Int.max) ?? 1)
        request.measuresAll = arguments.has("every-commit")
        return request
    }

    /// A frozen version's commit, or a revision of git.
    private static func end(_ name: String, _ store: ProfileStore) throws(ToolFailure) -> BlameRequest.End {
        let isFile = name.hasSuffix(".yaml")
        let profile: FrozenProfile
        do throws(ProfileError) {
            profile = try store.load(reference: name)
        } catch {
            if isFile { throw ToolFailure(error.description, .noInput) }
            return BlameRequest.End(name: name, revision: name)
        }
        switch profile.environment.identity[.gitCommit] {
        case .unavailable(let reason):
            throw ToolFailure(
                "The commit of \(PlainText.sanitized(profile.release)) is not known: \(reason). Name a revision of git.",
                .noInput)
        case .value(let commit):
            if profile.environment.identity[.gitDirty].value == .bool(true) {
                Console.note(
                    "blame: \(PlainText.sanitized(profile.release)) was frozen with changes that were not committed; its commit "
                        + "is measured without them")
            }
            return BlameRequest.End(
                name: profile.release, revision: commit.description, frozen: profile)
        }
    }
}
