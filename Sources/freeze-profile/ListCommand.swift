internal import Capture
internal import CommandLineTool
internal import FrozenProfile
internal import LinuxSystem
internal import Measurement
internal import ProfileStore

/// `freeze-profile list`: the frozen versions.
enum ListCommand {
    static let command = Tool.Command("list", syntax) { (arguments) throws(ToolFailure) in
        try run(arguments)
    }

    private static let syntax = CommandSyntax(
        name: "freeze-profile list",
        summary: "Lists the frozen versions with what each cost.",
        options: [
            .value("profiles", "DIR", "where the versions are (default: data/profiles)"),
            .flag("references", "list DIR/references"),
            .flag("archive", "list DIR/archive"),
            .flag("verify", "verify each with its companions, which reads all files"),
            .flag("json", "as JSON, for programs"),
            .flag("markdown", "as a table in Markdown"),
            .value("update-readme", "FILE", "put the Markdown table between the marks in FILE"),
        ],
        examples: [
            ("freeze-profile list", "what is frozen"),
            ("freeze-profile list --update-readme data/profiles/README.md", "keep a page up to date"),
        ],
        notes: [
            "Oldest first. Quality is 'good' when nothing speaks against the values, else what does, from the runs' "
                + "noise (docs/noise.md) when it was frozen, uncommitted changes, and companions that are missing or of "
                + "another length. --verify also finds changes in the files.",
            "Of 100 versions and more an index is kept in $XDG_CACHE_HOME/freeze-profile (~/.cache/freeze-profile), which "
                + "may be removed at any time.",
            "Exit codes: 0 listed, 64 wrong usage, 66 a profile, or FILE, cannot be read, 73 FILE cannot be written.",
        ])

    private static func run(_ arguments: ParsedArguments) throws(ToolFailure) -> ExitCode {
        let store = try store(arguments)
        let forms =
            ["json", "markdown"].filter(arguments.has)
            + (arguments.value("update-readme") == nil ? [] : ["update-readme"])
        guard forms.count < 2 else {
            throw ToolFailure("--\(forms[0]) and --\(forms[1]) exclude each other.", .usage)
        }
        let catalogue: ProfileCatalogue
        do throws(ProfileError) {
            catalogue = try ProfileCatalogue(
                store, verifies: arguments.has("verify"), cache: cacheDirectory)
        } catch {
            throw ToolFailure(error.description, .noInput)
        }
        if let file = arguments.value("update-readme") {
            try update(file, with: catalogue)
        } else if arguments.has("json") {
            Console.print(catalogue.json)
        } else if arguments.has("markdown") {
            Console.print(catalogue.markdown)
        } else if catalogue.entries.isEmpty {
            Console.note("There is no profile in '\(store.directory)'.")
        } else {
            // What goes to a file or a program is not cut.
            let columns =
                Terminal.isTerminal(Terminal.standardOutput)
                ? Terminal.size(Terminal.standardOutput).columns : nil
            Console.print(catalogue.table(width: columns))
        }
        for entry in catalogue.entries {
            for sentence in entry.damage + [entry.problem].compactMap(\.self) {
                Console.note("\(entry.version): \(sentence)")
            }
        }
        return catalogue.entries.contains { $0.summary == nil } ? .noInput : .success
    }

    /// Where indexes of large directories are kept; nil where the user has no place for caches.
    private static var cacheDirectory: String? {
        if let cache = CurrentProcess.environmentVariable("XDG_CACHE_HOME"), cache.hasPrefix("/") {
            return cache + "/freeze-profile"
        }
        guard let home = CurrentProcess.environmentVariable("HOME"), home.hasPrefix("/") else { return nil }
        return home + "/.cache/freeze-profile"
    }

    private static func store(_ arguments: ParsedArguments) throws(ToolFailure) -> ProfileStore {
        let store = ProfileStore(directory: arguments.value("profiles") ?? CaptureRequest.defaultDirectory)
        switch (arguments.has("references"), arguments.has("archive")) {
        case (true, true): throw ToolFailure("--references and --archive exclude each other.", .usage)
        case (true, false): return store.references
        case (false, true): return store.archive
        case (false, false):
            guard Files.isDirectory(store.directory) else {
                throw ToolFailure(
                    "There is no directory '\(PlainText.sanitized(store.directory))'. Say where the profiles are: "
                        + "--profiles DIR.", .noInput)
            }
            return store
        }
    }

    private static func update(_ file: String, with catalogue: ProfileCatalogue) throws(ToolFailure) {
        let text: String
        do throws(Files.ReadError) {
            text = String(decoding: try Files.read(file, limit: 4 << 20), as: UTF8.self)
        } catch {
            throw ToolFailure(error.description, .noInput)
        }
        let changed: String
        do throws(LifecycleError) {
            changed = try MarkedSection.replace(in: text, with: catalogue.markdown, name: file)
        } catch {
            throw ToolFailure(error)
        }
        // A file that says it already is left alone, and so is its time of change.
        guard changed != text else { return }
        try Console.deliver(changed, to: file)
    }
}
