internal import Measurement

/// What a command accepts, from which both its parser and its help are made.
public struct CommandSyntax: Sendable {
    /// One long option.
    public struct Option: Sendable {
        /// The name without dashes.
        public var name: String
        /// The name of its value in the help, nil for a switch.
        public var placeholder: String?
        /// What it does, as a phrase.
        public var help: String
        /// A letter that means the same, after one dash; for the few options where everybody expects one.
        public var letter: Character?
        /// The values that it takes, where they are a few words.
        var choices: [String] = []

        /// An option that takes a value.
        public static func value(
            _ name: String, _ placeholder: String, _ help: String, letter: Character? = nil
        ) -> Option {
            Option(name: name, placeholder: placeholder, help: help, letter: letter)
        }

        /// An option that is there or not.
        public static func flag(_ name: String, _ help: String) -> Option {
            Option(name: name, placeholder: nil, help: help)
        }

        /// The same option, with the words that it takes, for completion.
        public func among(_ words: [String]) -> Option {
            var option = self
            option.choices = words
            return option
        }

        /// What its value is.
        var value: CompletionValue {
            choices.isEmpty ? CompletionValue(placeholder: placeholder ?? "") : .words(choices)
        }

        /// The option as help and manual show it: `-o, --output FILE`.
        var heading: String {
            (letter.map { "-\($0), " } ?? "") + "--\(name)" + (placeholder.map { " \($0)" } ?? "")
        }
    }

    /// What may follow the options.
    public enum Operands: Sendable {
        case none
        /// Named operands, the first so many of them required. A last one that ends in `...` may be repeated.
        case named([String], required: Int)
        /// A command and its arguments, after `--`.
        case command
        /// A command, or one of some options instead of it.
        case commandUnless(options: [String])
        /// A command, or nothing.
        case optionalCommand
        /// Named operands, all of them required, and after `--` a command and its arguments.
        case namedThenCommand([String])

        /// Whether a command may follow `--`.
        var takesCommand: Bool {
            switch self {
            case .command, .commandUnless, .optionalCommand, .namedThenCommand: true
            case .none, .named: false
            }
        }

        /// The names of operands before any `--`.
        var names: [String] {
            switch self {
            case .named(let names, _), .namedThenCommand(let names): names
            case .none, .command, .commandUnless, .optionalCommand: []
            }
        }
    }

    /// The words by which the command is called, such as `freeze-profile capture`.
    public var name: String
    /// What it does, in one line.
    public var summary: String
    public var operands: Operands
    public var options: [Option]
    /// Command lines that work, with a phrase each.
    public var examples: [(line: String, meaning: String)]
    /// Paragraphs below the options: what is written where, exit codes.
    public var notes: [String]

    /// A command's syntax.
    public init(
        name: String, summary: String, operands: Operands = .none, options: [Option] = [],
        examples: [(line: String, meaning: String)], notes: [String] = []
    ) {
        self.name = name
        self.summary = summary
        self.operands = operands
        self.options = options
        self.examples = examples
        self.notes = notes
    }
}

/// The options and operands of one command line.
public struct ParsedArguments: Equatable, Sendable {
    /// The values given, by option name, in order.
    public var values: [String: [String]] = [:]
    /// The switches given.
    public var flags: Set<String> = []
    public var operands: [String] = []
    /// What followed `--`.
    public var command: [String] = []

    /// The last value given for an option.
    public func value(_ name: String) -> String? { values[name]?.last }
    /// Whether a switch was given.
    public func has(_ name: String) -> Bool { flags.contains(name) }
}

extension CommandSyntax {
    /// Why a command line was not understood.
    public enum UsageError: Error, Equatable, Sendable {
        /// `--help` was asked for: not an error to the person.
        case helpRequested
        /// A sentence.
        case wrong(String)
    }

    /// Reads a command line, without the command's own words.
    public func parse(_ arguments: [String]) throws(UsageError) -> ParsedArguments {
        var parsed = ParsedArguments()
        var rest = arguments[...]
        while let word = rest.popFirst() {
            if word == "--" {
                guard operands.takesCommand else {
                    parsed.operands += rest
                    break
                }
                parsed.command = Array(rest)
                break
            } else if word == "--help" || word == "-h" {
                throw .helpRequested
            } else if word.hasPrefix("--") {
                try readOption(word.dropFirst(2), &rest, into: &parsed)
            } else if let option = options.first(where: { $0.letter.map { "-\($0)" } == word }) {
                try readOption(Substring(option.name), &rest, into: &parsed)
            } else if word.hasPrefix("-") && word.count > 1 {
                throw .wrong("There is no option '\(word)'; options are long, such as '--help'.")
            } else {
                parsed.operands.append(word)
            }
        }
        try check(parsed)
        return parsed
    }

    private func readOption(
        _ text: Substring, _ rest: inout ArraySlice<String>, into parsed: inout ParsedArguments
    ) throws(UsageError) {
        let name = String(text.prefix { $0 != "=" })
        guard let option = options.first(where: { $0.name == name }) else {
            let nearest = NearestName.to(name, among: options.map(\.name) + ["help"])
            throw .wrong(
                "There is no option '--\(name)'." + (nearest.map { " Did you mean '--\($0)'?" } ?? ""))
        }
        let inlineValue = text.contains("=") ? String(text.dropFirst(name.count + 1)) : nil
        guard let placeholder = option.placeholder else {
            guard inlineValue == nil else { throw .wrong("The option '--\(name)' takes no value.") }
            parsed.flags.insert(name)
            return
        }
        guard let value = inlineValue ?? rest.popFirst(), !value.isEmpty else {
            throw .wrong("The option '--\(name)' needs a value: --\(name) \(placeholder).")
        }
        parsed.values[name, default: []].append(value)
    }

    private func check(_ parsed: ParsedArguments) throws(UsageError) {
        switch operands {
        case .none, .command, .commandUnless, .optionalCommand:
            if let extra = parsed.operands.first {
                if operands.takesCommand {
                    throw .wrong("Unexpected '\(extra)'. Put '--' before the command to run.")
                }
                throw .wrong("Unexpected '\(extra)'.")
            }
            try checkCommand(parsed)
        case .named(let names, let required):
            if parsed.operands.count > names.count, !(names.last?.hasSuffix("...") ?? false) {
                throw .wrong("Unexpected '\(parsed.operands[names.count])'.")
            }
            if parsed.operands.count < required {
                throw .wrong("\(names[parsed.operands.count]) is missing.")
            }
        case .namedThenCommand(let names):
            if parsed.operands.count > names.count {
                throw .wrong(
                    "Unexpected '\(parsed.operands[names.count])'. Put '--' before the command to run.")
            }
            if parsed.operands.count < names.count {
                throw .wrong("\(names[parsed.operands.count]) is missing.")
            }
            try checkCommand(parsed)
        }
    }

    private func checkCommand(_ parsed: ParsedArguments) throws(UsageError) {
        switch operands {
        case .none, .named, .optionalCommand: break
        case .command, .namedThenCommand:
            if parsed.command.isEmpty { throw .wrong("There is no command to run. Put it after '--'.") }
        case .commandUnless(let options):
            let given = options.filter { parsed.value($0) != nil || parsed.has($0) }
            if parsed.command.isEmpty && given.isEmpty {
                throw .wrong("Say '--\(options[0])', or put a command to run after '--'.")
            }
            if let option = given.first, !parsed.command.isEmpty {
                throw .wrong("Give either '--\(option)' or a command, not both.")
            }
            if given.count > 1 {
                throw .wrong("Give either '--\(given[0])' or '--\(given[1])', not both.")
            }
        }
    }

    /// The help text, at most 80 columns wide.
    public var help: String {
        var lines = [summary, "", "Usage: \(name) \(usageTail)", ""]
        if !options.isEmpty {
            let labels = options.map { "  " + $0.heading }
            let column = min(30, (labels.map(\.count).max() ?? 0) + 2)
            for (label, option) in zip(labels, options) {
                let wrapped = option.help.wrapped(to: 80 - column)
                if label.count + 2 > column {
                    lines.append(label)
                } else {
                    lines.append(label.padded(to: column) + (wrapped.first ?? ""))
                }
                let remaining = label.count + 2 > column ? wrapped[...] : wrapped.dropFirst()
                lines += remaining.map { String(repeating: " ", count: column) + $0 }
            }
            lines.append("")
        }
        for note in notes { lines += note.wrapped(to: 80) + [""] }
        if !examples.isEmpty {
            lines.append(examples.count == 1 ? "Example:" : "Examples:")
            for example in examples { lines += ["  # \(example.meaning)", "  \(example.line)"] }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// What may follow the name, as the usage line shows it.
    var usageTail: String {
        let optionPart = options.isEmpty ? "" : "[options]"
        let operandPart: String
        switch operands {
        case .none: operandPart = ""
        case .command: operandPart = "-- COMMAND..."
        case .optionalCommand: operandPart = "[-- COMMAND...]"
        case .commandUnless(let instead):
            let ways = instead.map { name in
                let placeholder = options.first { $0.name == name }?.placeholder
                return "--\(name)" + (placeholder.map { " \($0)" } ?? "")
            }
            operandPart = "(\((ways + ["-- COMMAND..."]).joined(separator: " | ")))"
        case .named(let names, let required):
            operandPart = names.enumerated()
                .map { $0.offset < required ? $0.element : "[\($0.element)]" }.joined(separator: " ")
        case .namedThenCommand(let names): operandPart = (names + ["-- COMMAND..."]).joined(separator: " ")
        }
        return [optionPart, operandPart].filter { !$0.isEmpty }.joined(separator: " ")
    }
}

extension String {
    /// The text broken at spaces into lines of at most a width. A longer word stays whole.
    func wrapped(to width: Int) -> [String] {
        var lines: [String] = []
        for word in split(separator: " ") {
            if let last = lines.last, last.count + 1 + word.count <= width {
                lines[lines.count - 1] = last + " " + word
            } else {
                lines.append(String(word))
            }
        }
        return lines
    }
}
