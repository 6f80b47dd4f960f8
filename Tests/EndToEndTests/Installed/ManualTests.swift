import LinuxProcess
import LinuxSystem
import TestSupport
import Testing

/// The manual pages as man(1) shows them.
@Suite("Manual pages in man")
struct ManualTests {
    private static let hasMan = Programs.installed("man") != nil && Programs.installed("groff") != nil

    /// The words that begin a command line of a tool, with an empty one for the tool itself.
    private static func commands(_ tool: String) throws -> [String] {
        let result = try runCommand([BuiltProduct.path(tool), "complete", "--", ""])
        let lines = result.standardOutput.split(separator: "\n").dropFirst()
        return [""] + lines.compactMap { $0.split(separator: "\t").first.map(String.init) }
    }

    @Test(
        "Every page is without warnings, has every option of --help, and has a name that apropos finds",
        .enabled(if: hasMan, "man or groff is not on PATH"), arguments: ["freeze-profile", "podcast-scraper"])
    func pages(tool: String) throws {
        let directory = try TemporaryDirectory()
        let commands = try Self.commands(tool)
        #expect(commands.count > 4)
        for command in commands where !command.hasPrefix("-") {
            let words = [BuiltProduct.path(tool)] + (command.isEmpty ? [] : [command])
            let page = "\(directory.path)/\(tool)\(command.isEmpty ? "" : "-\(command)").1"
            let source = try runCommand(words + ["--man"])
            try #require(source.status == .code(0))
            try Files.replace(page, with: source.standardOutput)
            let shown = try runCommand(
                ["man", "--warnings=w", "--encoding=UTF-8", "--local-file", page],
                environment: [
                    "LC_ALL": "C.UTF-8", "MANWIDTH": "80", "MANROFFSEQ": "", "MAN_KEEP_FORMATTING": "",
                ])
            #expect(shown.status == .code(0) && shown.standardError == "", "\(page): \(shown.standardError)")
            // man puts a line where it likes, so words are compared.
            let text = shown.standardOutput.split(whereSeparator: \.isWhitespace).joined(separator: " ")
            let help = try runCommand(words + ["--help"])
            for line in help.standardOutput.split(separator: "\n") where line.hasPrefix("  -") {
                // `  --output FILE  the file`: the option with its value ends at two spaces.
                let option = line.dropFirst(2).split(separator: "  ", maxSplits: 1)[0]
                #expect(text.contains(option), "\(page) lacks \(option)")
            }
            let name = try runCommand(["lexgrog", page])
            #expect(name.status == .code(0) && name.standardOutput.contains(" - "), "\(name.standardOutput)")
        }
    }
}
