import LinuxProcess
import LinuxSystem
import StackProfile
import TestSupport
import Testing

@Suite("Rendering from the command line")
struct RenderCommandTests {
    private static func run(_ arguments: [String]) throws -> CommandResult {
        try runCommand([BuiltProduct.path("freeze-profile"), "render"] + arguments)
    }

    private static func read(_ path: String) throws -> String {
        String(decoding: try Files.read(path, limit: 1 << 26), as: UTF8.self)
    }

    @Test("folded text becomes every format, and comes back the same")
    func formats() throws {
        let directory = try TemporaryDirectory()
        let (input, text) = ("\(directory.path)/in", "main 1\nmain;parse;read 30\nmain;store 12\n")
        try Files.replace(input, with: text)
        for format in ["svg", "pprof", "speedscope", "folded"] {
            let output = "\(directory.path)/out.\(format)"
            let result = try Self.run([input, "--format", format, "-o", output])
            #expect(result.status == .code(0))
            #expect(result.standardError == "")
            #expect(result.standardOutput == "")
        }
        #expect(try Self.read("\(directory.path)/out.folded") == text)
        let back = try Self.run(["\(directory.path)/out.pprof", "-o", "-", "--format", "folded"])
        #expect(back.standardOutput == text)
        #expect(try Self.read("\(directory.path)/out.svg").contains("parse"))
        #expect(try runCommand(["xmllint", "--noout", "\(directory.path)/out.svg"]).status == .code(0))
        let titled = try Self.run([input, "-o", "-", "--format", "svg", "--title", "a <b>"])
        #expect(titled.standardOutput.contains("a &lt;b&gt;</text>"))
    }

    @Test("a pprof profile is grouped by the labels of its samples")
    func grouping() throws {
        let directory = try TemporaryDirectory()
        var builder = StackProfileBuilder()
        try builder.add([Frame("main")], weight: 2, labels: SampleLabels(thread: "one"))
        try builder.add([Frame("main")], weight: 3, labels: SampleLabels(thread: "two"))
        let input = "\(directory.path)/in.pb.gz"
        try Files.replace(input, with: Pprof.write(builder.build()))
        let byThread = try Self.run([input, "--by", "thread", "--format", "folded", "-o", "-"])
        #expect(byThread.standardOutput == "one;main 2\ntwo;main 3\n")
        let byStage = try Self.run([input, "--by", "stage", "--format", "folded", "-o", "-"])
        #expect(byStage.standardOutput == "(no stage);main 5\n")
        #expect(
            byStage.standardError == "The samples have no stage, so there is one group of all of them.\n")
    }

    @Test("bad lines are counted and reported, the rest is drawn")
    func badLines() throws {
        let directory = try TemporaryDirectory()
        let input = "\(directory.path)/in.folded"
        try Files.replace(input, with: "a;b 3\none\ntwo\nthree\nfour\u{1B}[31m\n")
        let result = try Self.run([input, "-o", "-", "--format", "folded"])
        #expect(result.status == .code(0))
        #expect(result.standardOutput == "a;b 3\n")
        let reason = "was left out because it does not end with a space and a whole number"
        #expect(
            result.standardError == """
                4 of 5 lines of '\(input)' were left out.
                  Line 2 \(reason): 'one'.
                  Line 3 \(reason): 'two'.
                  Line 4 \(reason): 'three'.
                  and 1 more.

                """)
    }

    @Test("an input without samples gives a valid file that says so, and exit code 66")
    func empty() throws {
        let directory = try TemporaryDirectory()
        let input = "\(directory.path)/in.folded"
        try Files.replace(input, with: "")
        for name in ["out.svg", "out.json", "out.pb.gz", "out.folded"] {
            let result = try Self.run([input, "-o", "\(directory.path)/\(name)"])
            #expect(result.status == .code(66))
            #expect(result.standardError == "'\(input)' holds no samples, so there is nothing to show.\n")
        }
        let picture = try Self.read("\(directory.path)/out.svg")
        #expect(picture.contains("No samples, so there is nothing to draw."))
        #expect(try runCommand(["xmllint", "--noout", "\(directory.path)/out.svg"]).status == .code(0))
        #expect(try Pprof.read(try Files.read("\(directory.path)/out.pb.gz", limit: 4096)).totalWeight == 0)
    }

    @Test("an input that cannot be read gets a sentence and exit code 66, and what was there before stays")
    func unreadable() throws {
        let directory = try TemporaryDirectory()
        let output = "\(directory.path)/out.svg"
        try Files.replace(output, with: "before")
        func refused(_ input: String) throws -> String {
            let result = try Self.run([input, "-o", output])
            #expect(result.status == .code(66))
            #expect(try Self.read(output) == "before")
            return result.standardError
        }
        #expect(
            try refused("\(directory.path)/none")
                == "freeze-profile render: Cannot read '\(directory.path)/none': No such file or directory.\n"
        )
        #expect(
            try refused(directory.path)
                == "freeze-profile render: Cannot read '\(directory.path)': it is no regular file.\n")
        let damaged = "\(directory.path)/damaged"
        try Files.replace(damaged, with: [0x1F, 0x8B, 8, 0, 1, 2, 3])
        #expect(
            try refused(damaged)
                == "freeze-profile render: Cannot read '\(damaged)'. The profile's gzip file is damaged or cut short.\n"
        )
        let result = try Self.run([damaged, "-o", "\(directory.path)/none/out.svg"])
        #expect(result.status == .code(73))
        #expect(
            result.standardError
                == "freeze-profile render: Cannot write '\(directory.path)/none/out.svg': there is no such directory. "
                + "Create it first.\n")
    }

    @Test("standard input, pipes and other tools' files are read")
    func pipes() throws {
        let directory = try TemporaryDirectory()
        let tool = BuiltProduct.path("freeze-profile")
        let script = """
            set -e -o pipefail
            cd '\(directory.path)'
            printf 'a;b 1\\n' | '\(tool)' render - --format folded -o -
            printf 'a;b 2\\n' > x; '\(tool)' render <(cat x) --format folded -o -
            '\(tool)' render - --format folded -o - < x
            printf 'tool 10 5.5: 7 cycles:\\n\\t1f work (/bin/t)\\n\\n' | gzip | '\(tool)' render - --format folded -o -
            """
        let result = try runCommand(["bash", "-c", script])
        #expect(result.standardError == "")
        #expect(result.standardOutput == "a;b 1\na;b 2\na;b 2\ntool;work 7\n")
    }

    @Test("any two files are compared, and a file with two weights is a comparison by itself")
    func differences() throws {
        let directory = try TemporaryDirectory()
        let (one, two) = ("\(directory.path)/one", "\(directory.path)/two")
        try Files.replace(one, with: "main;a 90\nmain;b 10\n")
        try Files.replace(two, with: "main;a 40\nmain;c 60\n")
        let picture = try Self.run(["--diff", one, two, "--format", "svg", "-o", "-"])
        #expect(picture.status == .code(0))
        #expect(picture.standardOutput.contains("one → two"))
        #expect(picture.standardOutput.contains("gone: "))
        let folded = try Self.run([
            "--diff", one, two, "--format", "folded", "-o", "\(directory.path)/d.folded",
        ])
        #expect(folded.status == .code(0))
        #expect(try Self.read("\(directory.path)/d.folded") == "main;a 90 40\nmain;b 10 0\nmain;c 0 60\n")
        let again = try Self.run(["\(directory.path)/d.folded", "--format", "folded", "-o", "-"])
        #expect(again.standardOutput == "main;a 90 40\nmain;b 10 0\nmain;c 0 60\n")
        #expect(try Self.run(["--diff", one, "-o", "-", "--format", "svg"]).status == .code(64))
        #expect(try Self.run([one, two, "-o", "-", "--format", "svg"]).status == .code(64))
        let other = try Self.run(["--diff", one, two, "-o", "\(directory.path)/x.pb.gz"])
        #expect(other.status == .code(64))
        try Files.replace(two, with: "allocator,num_allocations,size,stack_trace\nM,1,2,f;a.py;3\n")
        let units = try Self.run(["--diff", one, two, "-o", "-", "--format", "svg"])
        #expect(units.status == .code(66))
        #expect(
            units.standardError.hasSuffix(
                "The first file counts samples, the second bytes: give two of one kind, or choose with --sample-type.\n"
            ))
    }

    @Test("labels of other tools group, and unknown ones are refused by name")
    func foreignLabels() throws {
        let directory = try TemporaryDirectory()
        var builder = StackProfileBuilder()
        try builder.add([Frame("main")], weight: 2, labels: SampleLabels(others: ["tenant": "a"]))
        try builder.add([Frame("main")], weight: 3, labels: SampleLabels(others: ["tenant": "b"]))
        let input = "\(directory.path)/in.pb.gz"
        try Files.replace(input, with: Pprof.write(builder.build()))
        let grouped = try Self.run([input, "--by", "tenant", "--format", "folded", "-o", "-"])
        #expect(grouped.standardOutput == "a;main 2\nb;main 3\n")
        let unknown = try Self.run([input, "--by", "tenat", "--format", "folded", "-o", "-"])
        #expect(unknown.status == .code(64))
        #expect(
            unknown.standardError.hasSuffix(
                "There is no label 'tenat'; there are stage, thread, process, state, tenant. Did you mean 'tenant'?\n"
            ))
    }
}
