internal import Measurement

/// What can stand at the end of a tool's command line, by what its commands declare. The shells' scripts ask this, so that
/// they know no command themselves.
struct CommandCompletion {
    let tool: Tool

    /// - Parameter words: The words after the tool's name; the last one is incomplete, perhaps empty.
    func answer(_ words: [String]) -> CompletionAnswer {
        let current = words.last ?? ""
        let before = words.dropLast()
        guard let first = before.first else {
            if let whole = tool.wholeCommand {
                let own = answer(in: whole.syntax, Line(), current)
                guard own.kind == .words else { return own }
                return CompletionAnswer(.words, commandWords(current) + own.candidates)
            }
            return CompletionAnswer(.words, commandWords(current) + toolOptions(current))
        }
        if first == "help" { return CompletionAnswer(.words, before.count == 1 ? commandWords(current) : []) }
        if let command = tool.commands.first(where: { $0.word == first && !first.isEmpty }) {
            return answer(command.syntax, Array(before.dropFirst()), current)
        }
        guard let whole = tool.wholeCommand else { return CompletionAnswer(.words) }
        return answer(whole.syntax, Array(before), current)
    }

    /// What stands on the line before the incomplete word.
    private struct Line {
        var options: [String: String] = [:]
        var used: Set<String> = []
        var operands: [String] = []
        /// The option whose value comes next.
        var pending: CommandSyntax.Option?
        /// Whether a command has begun.
        var isPastDashes = false
    }

    private func answer(_ syntax: CommandSyntax, _ words: [String], _ current: String) -> CompletionAnswer {
        var line = Line()
        for word in words {
            if let option = line.pending {
                line.options[option.name] = word
                line.pending = nil
            } else if word == "--" {
                line.isPastDashes = true
                break
            } else if word.hasPrefix("--") {
                let name = String(word.dropFirst(2).prefix { $0 != "=" })
                line.used.insert(name)
                guard let option = syntax.options.first(where: { $0.name == name }) else { continue }
                if word.contains("=") {
                    line.options[name] = String(word.dropFirst(name.count + 3))
                } else if option.placeholder != nil {
                    line.pending = option
                }
            } else if let option = syntax.options.first(where: { $0.letter.map { "-\($0)" } == word }) {
                line.used.insert(option.name)
                if option.placeholder != nil { line.pending = option }
            } else if !word.hasPrefix("-") || word == "-" {
                line.operands.append(word)
            }
        }
        return answer(in: syntax, line, current)
    }

    private func answer(in syntax: CommandSyntax, _ line: Line, _ current: String) -> CompletionAnswer {
        if line.isPastDashes && syntax.operands.takesCommand { return CompletionAnswer(.command) }
        if let option = line.pending { return answer(option.value, line, current) }
        if current.hasPrefix("--"), let equals = current.firstIndex(of: "=") {
            let name = current[..<equals].dropFirst(2)
            guard let option = syntax.options.first(where: { $0.name == name }) else {
                return CompletionAnswer(.words)
            }
            let prefix = current[...equals]
            var found = answer(option.value, line, String(current[equals...].dropFirst()))
            found.candidates = found.candidates.map { .init(prefix + $0.word, $0.meaning) }
            return found
        }
        if current.hasPrefix("-") { return CompletionAnswer(.words, options(syntax, line, current)) }
        let names = syntax.operands.names
        guard let last = names.last else {
            return CompletionAnswer(.words, options(syntax, line, current))
        }
        let isRepeated = last.hasSuffix("...")
        guard line.operands.count < names.count || isRepeated else {
            // A command may follow the operands.
            return CompletionAnswer(
                .words, syntax.operands.takesCommand ? options(syntax, line, current) : [])
        }
        let name = line.operands.count < names.count ? names[line.operands.count] : last
        return answer(CompletionValue(placeholder: name), line, current)
    }

    private func answer(_ value: CompletionValue, _ line: Line, _ current: String) -> CompletionAnswer {
        switch value {
        case .file: return CompletionAnswer(.files)
        case .directory: return CompletionAnswer(.directories)
        case .command: return CompletionAnswer(.command)
        case .free: return CompletionAnswer(.words)
        case .words(let words):
            return CompletionAnswer(.words, words.filter { $0.hasPrefix(current) }.map { .init($0) })
        case .version, .versionRange, .stage, .stageMetric:
            let question = CompletionQuestion(value: value, options: line.options, operands: line.operands)
            var prefix = ""
            if value == .versionRange, let dots = current.ranges(of: "..").first {
                prefix = String(current[..<dots.upperBound])
            }
            // A name with a control character would be another word to a shell.
            let found = tool.names(question).filter { PlainText.sanitized($0.word) == $0.word }
                .map { CompletionAnswer.Candidate(prefix + $0.word, $0.meaning) }
                .filter { $0.word.hasPrefix(current) }
            // A version may be given as a path, too.
            let takesPath = value == .version || value == .versionRange
            return found.isEmpty && takesPath ? CompletionAnswer(.files) : CompletionAnswer(.words, found)
        }
    }

    private func commandWords(_ current: String) -> [CompletionAnswer.Candidate] {
        tool.commands.filter { !$0.word.isEmpty && $0.word.hasPrefix(current) }
            .map { .init($0.word, $0.syntax.summary) }
    }

    private func toolOptions(_ current: String) -> [CompletionAnswer.Candidate] {
        guard current.hasPrefix("-") else { return [] }
        return [
            CompletionAnswer.Candidate("--help", "lists the commands"),
            CompletionAnswer.Candidate("--version", "prints the version"),
        ].filter { $0.word.hasPrefix(current) }
    }

    /// The options that are not on the line yet, or may be repeated; a separate `--` where a command follows it.
    private func options(
        _ syntax: CommandSyntax, _ line: Line, _ current: String
    ) -> [CompletionAnswer.Candidate] {
        var found = syntax.options
            .filter { !line.used.contains($0.name) || $0.help.contains("repeatable") }
            .map { CompletionAnswer.Candidate("--\($0.name)", $0.help) }
        found.append(.init("--help", "explains the command"))
        if syntax.operands.takesCommand { found.append(.init("--", "the command to run follows")) }
        return found.filter { $0.word.hasPrefix(current) }
    }
}
