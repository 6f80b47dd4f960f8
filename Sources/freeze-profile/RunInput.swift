internal import CommandLineTool
internal import FrozenProfile
internal import LinuxSystem
internal import Measurement
internal import MessageDigest

/// What each run of a measured command reads as its standard input: a file, or nothing.
struct RunInput {
    static let name = "input"
    static let option = CommandSyntax.Option.value(
        name, "FILE", "given anew to each run as its standard input (default: an empty one)")
    static let help =
        "Each run gets an empty standard input, or with --input FILE that file from its beginning; what is piped into "
        + "freeze-profile itself is not read."

    private var file: String?
    private var isNoted = false

    init(_ arguments: ParsedArguments) { file = arguments.value(Self.name) }

    /// The input of the options, else the one that recipes name, if that is still what was measured.
    init(_ arguments: ParsedArguments, recipes: [Recipe]) throws(ToolFailure) {
        self.init(arguments)
        guard file == nil, recipes.contains(where: { $0.standardInput != nil }) else { return }
        let inputs = recipes.map(\.standardInput)
        guard let first = inputs[0], inputs.allSatisfy({ $0?.sha256 == first.sha256 }) else {
            throw ToolFailure(
                "The versions were measured with different standard inputs. Give the one for both: --input FILE.",
                .usage)
        }
        let path = HomePath.expanded(first.path, home: CurrentProcess.environmentVariable("HOME"))
        let found = Result { () throws(SystemError) in try SHA256.file(path).sha256 }
        guard case .success(let digest) = found, .value(digest) == first.sha256 else {
            throw ToolFailure(
                "The versions were measured with '\(PlainText.sanitized(path))' as standard input, which is missing or has "
                    + "changed. Give it: --input FILE.", .noInput)
        }
        file = path
    }

    /// The file, nil for an empty input; refused where it is no file that can be read again and again.
    func requiredFile() throws(ToolFailure) -> String? {
        guard let file else { return nil }
        guard Files.isRegularFile(file) else {
            throw ToolFailure(
                "There is no file '\(PlainText.sanitized(file))' for --input. A pipe cannot be given to each run: save it to "
                    + "a file.", .noInput)
        }
        return file
    }

    /// Prints once that what is waiting on our own standard input reaches no run.
    mutating func noteUnread() {
        guard !isNoted, file == nil, let kind = UnreadInput.kind(of: Terminal.standardInput) else { return }
        isNoted = true
        let remedy = kind == .file ? "give it by name" : "save it to a file"
        Console.note(
            "Note: standard input is a \(kind.rawValue) with data, but each run gets an empty one. To give the data to each "
                + "run, \(remedy): --input FILE.")
    }
}
