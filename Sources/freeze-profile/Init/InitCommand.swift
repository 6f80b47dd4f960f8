internal import Capture
internal import CommandLineTool
internal import LinuxSystem
internal import Measurement

/// `freeze-profile init`: the files with which a project begins to freeze its versions.
enum InitCommand {
    static let command = Tool.Command("init", syntax) { (arguments) throws(ToolFailure) in
        try run(arguments)
    }

    private static let syntax = CommandSyntax(
        name: "freeze-profile init",
        summary: "Writes the files with which a project begins: data/profiles, make targets, a workflow.",
        operands: .optionalCommand,
        options: [
            .value("profiles", "DIR", "where the profiles will be (default: data/profiles)"),
            .value("dataset-id", "ID", "a name for what the pipeline runs on (default: default)"),
            .flag("github", "write a workflow for GitHub Actions (default: if there is a .github)"),
            .flag("dry-run", "show what would be written, and write nothing"),
        ],
        examples: [
            ("freeze-profile init", "for the pipeline found in this directory"),
            ("freeze-profile init -- python3 pipeline.py --out {output_dir}", "for this one"),
        ],
        notes: [
            "Without a command the pipeline is looked for: a script or program here, in scripts/ or in bin/ that marks stages, else "
                + "one named pipeline. Where none or several are found, the files have a placeholder to replace. Nothing of "
                + "the pipeline is run.",
            "Written are DIR/README.md, DIR/gate.yaml and DIR/.gitignore; profiles.mk with make targets, for 'include "
                + "profiles.mk'; and .github/workflows/profile.yml. A file that is there already stays as it is.",
            "Exit codes: 0 written, or everything was there; 64 wrong usage, 73 cannot write.",
        ])

    private static func run(_ arguments: ParsedArguments) throws(ToolFailure) -> ExitCode {
        let profiles = arguments.value("profiles") ?? CaptureRequest.defaultDirectory
        let dataset = arguments.value("dataset-id") ?? "default"
        for (option, text) in [("profiles", profiles), ("dataset-id", dataset)]
        where !StarterFiles.canHold(text) {
            throw ToolFailure(
                "--\(option) '\(PlainText.sanitized(text))' has to be of letters, digits and . _ - /, for it stands in "
                    + "makefiles and workflows.", .usage)
        }
        let found = PipelineSearch.find(given: arguments.command)
        Console.note(found.sentence)
        let files = StarterFiles(command: found.command, profiles: profiles, datasetID: dataset)
        var list = files.always
        if arguments.has("github") || Files.isDirectory(".github") { list.append(files.workflow) }
        for file in list { try write(file, isDryRun: arguments.has("dry-run")) }
        if !arguments.has("dry-run") { Console.note(next(found, profiles: profiles)) }
        return .success
    }

    private static func write(_ file: StarterFiles.File, isDryRun: Bool) throws(ToolFailure) {
        guard !Files.exists(file.path) else { return Console.note("kept     \(file.path)") }
        if isDryRun { return Console.note("would write \(file.path)") }
        do throws(SystemError) {
            try Files.createDirectories(Files.directory(of: file.path))
            // Never an existing file, nor one that a link leads to.
            let new = try FileDescriptor.open(
                file.path, .createNew, permissions: 0o644, followingLinks: false)
            try new.write(Array(file.text.utf8))
        } catch {
            throw ToolFailure(error.description, .cannotWrite)
        }
        Console.print(file.path)
    }

    private static func next(_ found: PipelineSearch.Found, profiles: String) -> String {
        let command = ShellWords.line(found.command)
        let place = profiles == CaptureRequest.defaultDirectory ? "" : " --output \(profiles)/v1.yaml"
        return """

            Next: freeze a first version, then, after a change, a second one, and compare them:
              freeze-profile capture --version v1 --runs 5\(place) -- \(command)
              freeze-profile diff v1 v2\(place.isEmpty ? "" : " --profiles \(profiles)")
            """
    }
}
