internal import LinuxProcess
public import Measurement

/// What differs in the source of two commits, as git reports it.
public struct SourceChanges: Equatable, Sendable {
    /// The files that differ, as paths from the top of the work tree.
    public let files: [String]
    /// Which of these files have a changed line, or the head of a changed function, that mentions a word.
    private let filesOfWord: [String: Set<String>]

    /// Changes made of their parts, as ``read(directory:from:to:)`` finds them.
    ///
    /// - Parameter patch: What `git diff-tree -p -U0` prints.
    public init(files: [String], patch: String = "") {
        self.files = files
        filesOfWord = SourceChanges.words(of: patch)
    }

    /// Asks git what differs between two commits, for at most ten seconds a question.
    public static func read(
        directory: String, from older: Reading<String>, to newer: Reading<String>
    ) -> Reading<SourceChanges> {
        for commit in [older, newer] {
            guard let name = commit.value else {
                return .unavailable(
                    reason: "a side's commit is not known: \(commit.unavailableReason ?? "not recorded")")
            }
            // Whatever a file says is given to git as a name of a commit, and as nothing else.
            guard (4...64).contains(name.utf8.count), name.utf8.allSatisfy(isHexDigit) else {
                return .unavailable(
                    reason: "'\(PlainText.sanitized(name, maximumCharacters: 64))' is no commit")
            }
        }
        let (from, to) = (older.value ?? "", newer.value ?? "")
        guard from != to else { return .unavailable(reason: "both are of one commit") }
        for commit in [from, to] {
            let known = GitCommand.output(of: ["cat-file", "-e", "\(commit)^{commit}"], in: directory)
            guard known.value != nil else {
                return .unavailable(reason: "commit \(commit.prefix(12)) is not in this work tree")
            }
        }
        let names = GitCommand.output(
            of: ["diff-tree", "-r", "--name-only", "--no-renames", "-z", from, to], in: directory)
        guard let list = names.value else {
            return .unavailable(reason: names.unavailableReason ?? "git did not say")
        }
        let patch = GitCommand.output(
            of: [
                "diff-tree", "-r", "-p", "-U0", "--no-renames", "--no-color", "--no-ext-diff",
                "--no-textconv",
                from, to,
            ],
            in: directory)
        return .value(
            SourceChanges(
                files: list.split(separator: "\0").map { PlainText.sanitized($0, maximumCharacters: 300) },
                patch: patch.value ?? ""))
    }

    /// The changed file that a function is in, or that mentions its name in what changed; nil for none.
    ///
    /// - Parameters:
    ///   - function: The function's name for a person.
    ///   - file: Its source file, where the stacks name it: matched by the end of its path.
    public func file(of function: String, in file: String?) -> String? {
        if let file {
            return files.first { $0 == file || file.hasSuffix("/" + $0) || $0.hasSuffix("/" + file) }
        }
        guard let word = SourceChanges.identifier(of: function) else { return nil }
        return filesOfWord[word]?.min()
    }

    /// The identifier that a function is written under: `search` of `Index.search(_:)` and `speech::search(int)`.
    static func identifier(of function: String) -> String? {
        let beforeArguments = function.utf8.prefix { $0 != UInt8(ascii: "(") && $0 != UInt8(ascii: "<") }
        let word = beforeArguments.reversed().prefix(while: isWordByte).reversed()
        // Names of one or two letters are everywhere.
        return word.count > 2 ? String(decoding: Array(word), as: UTF8.self) : nil
    }

    private static func words(of patch: String) -> [String: Set<String>] {
        var result: [String: Set<String>] = [:]
        var file = ""
        for line in patch.utf8.split(separator: UInt8(ascii: "\n")) {
            if line.starts(with: "+++ b/".utf8) {
                file = PlainText.sanitized(
                    String(decoding: Array(line.dropFirst(6)), as: UTF8.self), maximumCharacters: 300)
            } else if line.starts(with: "--- ".utf8) || line.starts(with: "+++ ".utf8)
                || line.starts(with: "diff ".utf8)
            {
                continue
            } else if line.first == UInt8(ascii: "+") || line.first == UInt8(ascii: "-")
                || line.starts(with: "@@".utf8)
            {
                for word in line.split(whereSeparator: { !isWordByte($0) }) where word.count > 2 {
                    result[String(decoding: Array(word), as: UTF8.self), default: []].insert(file)
                }
            }
        }
        return result
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x5F, 0x80...0xFF: true
        default: false
        }
    }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x46).contains(byte) || (0x61...0x66).contains(byte)
    }
}
