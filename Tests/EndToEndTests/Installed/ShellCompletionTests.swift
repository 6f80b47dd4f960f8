import LinuxProcess
import LinuxSystem
import TestSupport
import Testing

/// The completion in the shells that it is for: a person's keys in bash and zsh, the engine of fish.
@Suite("Completion in real shells", .serialized)
struct ShellCompletionTests {
    private let directory: TemporaryDirectory

    /// What is typed before the Tab key, and what stands on the line after it.
    private static let lines = [
        ("freeze-profile dif", "freeze-profile diff"),
        ("freeze-profile diff v1.1", "freeze-profile diff v1.10.0"),
        ("freeze-profile diff v1.9.0 v1.1", "freeze-profile diff v1.9.0 v1.10.0"),
        ("freeze-profile report v1.9.0..v1.1", "freeze-profile report v1.9.0..v1.10.0"),
        ("freeze-profile render a.pb.gz --format spee", "freeze-profile render a.pb.gz --format speedscope"),
        ("freeze-profile render a.pb.gz --format=spee", "freeze-profile render a.pb.gz --format=speedscope"),
        ("freeze-profile history transc", "freeze-profile history transcription"),
        ("freeze-profile sample -o unusual-n", "freeze-profile sample -o unusual-name.svg"),
        ("freeze-profile list --profiles sub-dir", "freeze-profile list --profiles sub-directory/"),
        (
            "freeze-profile sample -o a.svg -- zz-unusual",
            "freeze-profile sample -o a.svg -- zz-unusual-pipeline"
        ),
        (
            "freeze-profile sample -o a.svg -- zz-unusual-pipeline unusual-n",
            "freeze-profile sample -o a.svg -- zz-unusual-pipeline unusual-name.svg"
        ),
    ]

    init() throws {
        directory = try TemporaryDirectory()
        let shelf = try Shelf()
        try shelf.add("v1.9.0")
        try shelf.add("v1.10.0")
        try Files.createDirectories("\(directory.path)/data")
        try Files.createDirectories("\(directory.path)/sub-directory")
        try Files.createDirectories("\(directory.path)/bin")
        try Files.replace("\(directory.path)/unusual-name.svg", with: "")
        try Files.replace("\(directory.path)/bin/zz-unusual-pipeline", with: "#!/bin/sh\n")
        for command in [
            ["cp", "-r", shelf.directory.path, "\(directory.path)/data/profiles"],
            ["chmod", "+x", "\(directory.path)/bin/zz-unusual-pipeline"],
            ["ln", "-s", BuiltProduct.path("freeze-profile"), "\(directory.path)/bin/freeze-profile"],
        ] { try #require(try runCommand(command).status == .code(0)) }
    }

    private static func has(_ program: String) -> Bool { Programs.installed(program) != nil }

    private var path: String { "\(directory.path)/bin:/usr/local/bin:/usr/bin:/bin" }

    /// Types each line into a shell that runs in a terminal, and presses Tab.
    private func press(_ start: [String]) throws {
        let terminal = try TestTerminal(in: directory.path, variables: ["PATH=\(path)", "HISTFILE="])
        for line in start { try terminal.run(line) }
        try terminal.run("echo set''tled")
        _ = try terminal.wait(upTo: 30) { $0.contains("settled") }
        for (typed, completed) in Self.lines {
            try terminal.press("C-l")
            try terminal.type(typed)
            try terminal.press("Tab")
            let screen = try terminal.wait(upTo: 15) { $0.contains(completed) }
            #expect(screen.contains(completed), "\(typed) became \(screen)")
            try terminal.press("C-u")
        }
    }

    @Test("bash")
    func bash() throws { try press(["source <(freeze-profile completion bash)"]) }

    @Test("zsh", .enabled(if: has("zsh"), "zsh is not on PATH"))
    func zsh() throws {
        try press([
            "exec zsh -f", "autoload -Uz compinit; compinit -D -u", "source <(freeze-profile completion zsh)",
        ])
    }

    @Test("fish", .enabled(if: has("fish"), "fish is not on PATH"))
    func fish() throws {
        for (typed, completed) in Self.lines {
            let result = try runCommand(
                [
                    "fish", "--no-config", "-c",
                    "freeze-profile completion fish | source; complete --do-complete \"$argv[1]\"", typed,
                ],
                environment: ["PATH": path, "HOME": directory.path], in: directory.path)
            // fish answers with the word that comes in the place of the last one.
            let word = completed.split(separator: " ").last.map(String.init) ?? ""
            let offered = result.standardOutput.split(separator: "\n").compactMap {
                $0.split(separator: "\t").first
            }
            #expect(
                offered.map(String.init) == [word],
                "\(typed): \(result.standardOutput)\(result.standardError)")
        }
    }

    @Test("Tab runs the tool of PATH, not a program of that name in the working directory")
    func hostile() throws {
        let trap = "\(directory.path)/freeze-profile"
        try Files.replace(trap, with: "#!/bin/sh\ntouch '\(directory.path)/sprung'\n")
        _ = try runCommand(["chmod", "+x", trap])
        let terminal = try TestTerminal(in: directory.path, variables: ["PATH=\(path)", "HISTFILE="])
        try terminal.run("source <(freeze-profile completion bash)")
        try terminal.type("./freeze-profile dif")
        try terminal.press("Tab")
        let screen = try terminal.wait(upTo: 15) { $0.contains("./freeze-profile diff") }
        #expect(screen.contains("./freeze-profile diff"))
        #expect(!Files.exists("\(directory.path)/sprung"))
    }
}
