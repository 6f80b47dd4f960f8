/// A manual page in the language of man(7), made from what a command declares.
public struct ManualPage: Sendable {
    /// The page's name, such as `freeze-profile-diff`; pages of commands are named as git's are.
    public let name: String
    /// The page: lines of roff, ASCII apart from what the declarations hold, which is UTF-8.
    public let text: String

    /// The page of a command.
    ///
    /// - Parameters:
    ///   - syntax: What the command declares.
    ///   - version: The version in the footer.
    ///   - related: The names of other pages, for SEE ALSO.
    public init(_ syntax: CommandSyntax, version: String, related: [String]) {
        let name = Self.pageName(syntax.name)
        self.name = name
        var page = Roff()
        let tool = String(syntax.name.prefix { $0 != " " })
        page.title(name, source: "\(tool) \(version)")
        page.nameSection(name, syntax.summary)
        page.section("SYNOPSIS")
        page.synopsis(syntax.name, syntax.usageTail)
        page.section("DESCRIPTION")
        page.paragraph(syntax.summary)
        for note in syntax.notes where Self.exitCodes(note) == nil { page.paragraph(note) }
        if !syntax.options.isEmpty { page.section("OPTIONS") }
        for option in syntax.options { page.definition(option.heading, option.help) }
        let codes = syntax.notes.compactMap(Self.exitCodes)
        if !codes.isEmpty { page.section("EXIT STATUS") }
        for text in codes { page.paragraph(text) }
        if !syntax.examples.isEmpty { page.section("EXAMPLES") }
        for example in syntax.examples { page.example(example.meaning, example.line) }
        page.seeAlso(related.filter { $0 != name })
        text = page.text
    }

    /// The page of a tool of several commands.
    public init(_ tool: Tool) {
        let name = tool.name
        self.name = name
        var page = Roff()
        page.title(name, source: "\(tool.name) \(tool.version)")
        page.nameSection(name, tool.summary)
        page.section("SYNOPSIS")
        page.synopsis(tool.name, "COMMAND [options]")
        page.synopsis(tool.name, "--help | --version")
        page.section("DESCRIPTION")
        page.paragraph(tool.summary)
        page.paragraph("Each command has a page of its own, and a --help.")
        page.section("COMMANDS")
        for command in tool.commands { page.definition(command.word, command.syntax.summary) }
        if !tool.environment.isEmpty { page.section("ENVIRONMENT") }
        for variable in tool.environment { page.definition(variable.name, variable.meaning) }
        let examples = tool.commands.compactMap(\.syntax.examples.first).prefix(4)
        if !examples.isEmpty { page.section("EXAMPLES") }
        for example in examples { page.example(example.meaning, example.line) }
        page.seeAlso(tool.commands.map { Self.pageName($0.syntax.name) }.filter { $0 != name })
        text = page.text
    }

    /// `freeze-profile diff` as a page's name.
    static func pageName(_ words: String) -> String { words.replacing(" ", with: "-") }

    /// The text of a note that gives the exit codes, without its heading.
    private static func exitCodes(_ note: String) -> String? {
        let heading = "Exit codes: "
        return note.hasPrefix(heading) ? String(note.dropFirst(heading.count)) : nil
    }
}

/// Lines of a page, each text escaped where it enters.
private struct Roff {
    private var lines: [String] = []

    var text: String { lines.joined(separator: "\n") + "\n" }

    mutating func title(_ name: String, source: String) {
        // Without a date: the same version gives the same bytes.
        lines.append(".TH \(quoted(name.uppercased())) 1 \"\" \(quoted(source)) \"User Commands\"")
        // Left-aligned and not hyphenated: option names and paths stay whole and can be searched.
        lines += [".nh", ".ad l"]
    }

    mutating func nameSection(_ name: String, _ summary: String) {
        section("NAME")
        // One line, `name \- summary`, as lexgrog(1) and apropos(1) read it.
        let phrase = summary.hasSuffix(".") ? String(summary.dropLast()) : summary
        lines.append("\(Self.escaped(name)) \\- \(Self.escaped(phrase))")
    }

    mutating func section(_ heading: String) { lines.append(".SH \(heading)") }

    mutating func synopsis(_ name: String, _ tail: String) {
        lines += [".P", "\\fB\(Self.escaped(name))\\fR" + (tail.isEmpty ? "" : " \(Self.escaped(tail))")]
    }

    mutating func paragraph(_ text: String) { lines += [".P", Self.escaped(text)] }

    mutating func definition(_ term: String, _ meaning: String) {
        lines += [".TP", "\\fB\(Self.escaped(term))\\fR", Self.escaped(meaning)]
    }

    mutating func example(_ meaning: String, _ line: String) {
        let sentence = meaning.prefix(1).uppercased() + meaning.dropFirst()
        paragraph(sentence + (sentence.hasSuffix("?") ? "" : ":"))
        lines += [".RS 4", ".nf", Self.escaped(line), ".fi", ".RE"]
    }

    mutating func seeAlso(_ pages: [String]) {
        guard !pages.isEmpty else { return }
        section("SEE ALSO")
        lines += pages.enumerated().map { index, page in
            ".BR \(Self.escaped(page)) (1)" + (index == pages.count - 1 ? "" : ",")
        }
    }

    /// Text in which nothing is a request or an escape: a backslash, a dash that shall be searched for and copied as one,
    /// quotes and accents that roff would turn into others, and a dot or an apostrophe where a line begins.
    private static func escaped(_ text: String) -> String {
        var result = ""
        for character in text {
            switch character {
            case "\\": result += "\\e"
            case "-": result += "\\-"
            case "'": result += "\\(aq"
            case "`": result += "\\(ga"
            case "^": result += "\\(ha"
            case "~": result += "\\(ti"
            case "\n", "\r", "\r\n": result += " "
            default: result.append(character)
            }
        }
        return result.hasPrefix(".") ? "\\&" + result : result
    }

    /// An argument of a request.
    private func quoted(_ text: String) -> String {
        "\"\(Self.escaped(text).replacing("\"", with: "\\(dq"))\""
    }
}
