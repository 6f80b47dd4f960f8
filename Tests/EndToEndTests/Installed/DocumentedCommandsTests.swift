import LinuxProcess
import LinuxSystem
import TestSupport
import Testing

/// docs/getting-started.md, followed as it stands: each file saved, each command run, each line of output looked for.
@Suite("Getting started, as written", .serialized)
struct DocumentedCommandsTests {
    private static let counts = Programs.installed("qemu-" + CurrentProcess.kernel.machine) != nil

    /// A fenced block: its language, its lines, and the file that the text before it says to save it as.
    private struct Block {
        var language: String
        var lines: [String]
        var file: String?
    }

    /// The blocks below a heading of the second level.
    private static func blocks(_ heading: String) throws -> [Block] {
        let file = "\(BuiltProduct.packageDirectory)/docs/getting-started.md"
        let text = String(decoding: try Files.read(file, limit: 1 << 20), as: UTF8.self)
        var blocks: [Block] = []
        var open: Block?
        var isWanted = false
        var saved: String?
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
            if var block = open {
                if line == "```" {
                    blocks.append(block)
                    open = nil
                } else {
                    block.lines.append(line)
                    open = block
                }
            } else if line.hasPrefix("## ") {
                isWanted = line == "## \(heading)"
            } else if isWanted, line.hasPrefix("```") {
                open = Block(language: String(line.dropFirst(3)), lines: [], file: saved)
                saved = nil
            } else if let match = line.firstMatch(of: /[Ss]ave as `([^`]+)`:$/) {
                saved = String(match.output.1)
            }
        }
        return blocks
    }

    /// A line in which only its shape is left: figures differ from machine to machine.
    private static func shape(_ line: String) -> String {
        line.replacing(/[+-]?[0-9][0-9,.]*/, with: "N").split(whereSeparator: \.isWhitespace).joined(
            separator: " ")
    }

    private func follow(_ heading: String) throws {
        let installation = try Installation()
        let directory = try TemporaryDirectory()
        let blocks = try Self.blocks(heading)
        #expect(blocks.contains { $0.file != nil } && blocks.contains { $0.language == "console" })
        for block in blocks {
            if let file = block.file {
                try Files.replace(
                    "\(directory.path)/\(file)", with: block.lines.joined(separator: "\n") + "\n")
            }
            guard block.language == "console" else { continue }
            for (command, shown) in Self.commands(block.lines) {
                let line = command.replacing("/usr/share/", with: "\(installation.prefix)/share/")
                let result = try runCommand(
                    ["bash", "-c", line], environment: ["PATH": installation.path + Self.swiftDirectory],
                    in: directory.path, timeout: .seconds(600))
                let isComparison = command.hasPrefix("freeze-profile diff")
                #expect(result.status == .code(isComparison ? 1 : 0), "\(command): \(result.standardError)")
                let output = result.standardOutput + result.standardError
                let shapes = output.split(separator: "\n").map { Self.shape(String($0)) }
                for expected in shown {
                    let wanted = Self.shape(expected)
                    #expect(
                        shapes.contains { $0.contains(wanted) },
                        "\(command) printed no '\(wanted)': \(output)")
                }
            }
        }
    }

    /// The commands of a block, each with the lines shown below it.
    private static func commands(_ lines: [String]) -> [(String, [String])] {
        var found: [(String, [String])] = []
        for line in lines {
            if line.hasPrefix("$ ") {
                found.append((String(line.dropFirst(2)), []))
            } else if !found.isEmpty {
                found[found.count - 1].1.append(line)
            }
        }
        return found
    }

    /// Where the compiler is, as a further directory of PATH.
    private static var swiftDirectory: String {
        Programs.installed("swiftc").map { ":" + Files.directory(of: $0) } ?? ""
    }

    @Test(
        "A pipeline of one's own, from an empty directory to a verdict with a function",
        .enabled(if: counts, "qemu-user is not installed"), arguments: ["Python", "Shell", "Swift"])
    func pipeline(heading: String) throws { try follow(heading) }

    @Test(
        "The lines for C mark a stage, in C and in C++",
        arguments: [["gcc", "-std=c99", "-D_GNU_SOURCE"], ["g++", "-x", "c++"]])
    func lines(compiler: [String]) throws {
        let block = try #require(try Self.blocks("Other languages").first { $0.language == "c" })
        let directory = try TemporaryDirectory()
        let program =
            block.lines.joined(separator: "\n") + "\nint main(void) { stage(\"parse\"); return 0; }\n"
        try Files.replace("\(directory.path)/a.c", with: program)
        let compiled = try runCommand(
            compiler + ["-Wall", "-Wextra", "-Werror", "-o", "a", "a.c"], in: directory.path)
        try #require(compiled.status == .code(0), "\(compiled.standardError)")
        let status = "\(directory.path)/status.json"
        #expect(try runCommand(["\(directory.path)/a"]).status == .code(0))
        #expect(
            try runCommand(["\(directory.path)/a"], environment: ["PIPELINE_STATUS_FILE": status]).status
                == .code(0))
        let text = String(decoding: try Files.read(status, limit: 1000), as: UTF8.self)
        #expect(text.wholeMatch(of: /\{"pid": [0-9]+, "stage": "parse"\}\n/) != nil, "\(text)")
    }
}
