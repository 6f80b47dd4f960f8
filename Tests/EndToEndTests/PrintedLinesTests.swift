import LinuxProcess
import LinuxSystem
import Measurement
import TestSupport
import Testing

/// What a pipeline prints while the panel is drawn is printed as without it.
@Suite("Lines printed above the panel", .serialized)
struct PrintedLinesTests {
    private static let tool = BuiltProduct.path("freeze-profile")

    private static func start(_ script: String, options: String = "") throws -> (
        TestTerminal, TemporaryDirectory
    ) {
        let directory = try TemporaryDirectory()
        try Files.replace(directory.path + "/pipeline", with: script)
        let terminal = try TestTerminal(in: directory.path)
        try terminal.run("'\(tool)' monitor \(options) --output-dir out -- sh pipeline; echo end=$?")
        return (terminal, directory)
    }

    @Test("Standard output and standard error stay in order, and the exit code is the pipeline's")
    func order() throws {
        let script = """
            i=0; while [ $i -lt 40 ]; do echo "out $i"; echo "err $i" >&2; i=$((i+1)); done
            echo traceback follows; echo 'Traceback (most recent call last):' >&2; echo cleaning up
            exit 3
            """
        let (terminal, place) = try Self.start(script)
        let screen = try terminal.wait { $0.contains("\nend=3") }
        let expected =
            (0..<40).flatMap { ["out \($0)", "err \($0)"] } + [
                "traceback follows", "Traceback (most recent call last):", "cleaning up",
            ]
        let printed = screen.split(separator: "\n").map(String.init).filter {
            $0.hasPrefix("out ") || $0.hasPrefix("err ") || expected.suffix(3).contains($0)
        }
        #expect(printed == expected, "\(screen)")
        #expect(screen.contains("\nend=3"))
        withExtendedLifetime(place) {}
    }

    @Test("Python prints in time, not at its end; colours and the terminal's size are there, also a new size")
    func terminal() throws {
        let script = """
            python3 -c "
            import os, signal, sys, time
            print('out is a terminal', os.isatty(1), os.isatty(2), os.get_terminal_size(1).columns)
            print('\\033[31mred\\033[0m')
            told = []
            signal.signal(signal.SIGWINCH, lambda *_: told.append(1))
            while not os.path.exists('go') : time.sleep(0.02)
            print('columns now', os.get_terminal_size(1).columns, bool(told))
            while not os.path.exists('stop') : time.sleep(0.02)
            "
            """
        let (terminal, directory) = try Self.start(script)
        // Nothing is flushed, and the program has not ended.
        let screen = try terminal.wait { $0.contains("out is a terminal") && $0.contains("red") }
        #expect(screen.contains("out is a terminal True True 110"), "\(screen)")
        let coloured = try terminal.tmux("capture-pane", "-p", "-e")
        #expect(coloured.contains("\u{1B}[31mred"), "\(coloured)")
        try terminal.resize(columns: 90, rows: 30)
        SystemClock.sleep(for: .milliseconds(300))
        try Files.replace(directory.path + "/go", with: "")
        let resized = try terminal.wait { $0.contains("columns now") }
        #expect(resized.contains("columns now 90 True"), "\(resized)")
        try Files.replace(directory.path + "/stop", with: "")
        #expect(try terminal.wait { $0.contains("\nend=0") }.contains("\nend=0"))
    }

    @Test("With --no-pty the command prints to pipes; what is no terminal before is none under the panel")
    func pipes() throws {
        let (terminal, place) = try Self.start(
            "test -t 1 || echo a pipe; test -t 2 || echo two pipes", options: "--no-pty")
        let screen = try terminal.wait { $0.contains("\nend=") }
        #expect(screen.contains("\na pipe") && screen.contains("\ntwo pipes"), "\(screen)")
        withExtendedLifetime(place) {}
        let directory = try TemporaryDirectory()
        let redirected = try TestTerminal(in: directory.path)
        try redirected.run(
            "'\(Self.tool)' monitor --output-dir out -- sh -c 'test -t 1 || echo a file; test -t 2 && echo a terminal >&2' > file; cat file; echo end=$?"
        )
        let other = try redirected.wait { $0.contains("\nend=0") }
        #expect(other.contains("\na terminal") && other.contains("\na file"), "\(other)")
        #expect(
            String(decoding: try Files.read(directory.path + "/file", limit: 100), as: UTF8.self)
                == "a file\n")
    }

    @Test("A megabyte of bytes of all kinds comes through a terminal of ours unchanged and in order")
    func unchanged() throws {
        let pair = try PseudoTerminal(size: Terminal.Size(columns: 123, rows: 45))
        #expect(Terminal.isTerminal(pair.terminal.rawValue))
        #expect(Terminal.size(pair.terminal.rawValue) == Terminal.Size(columns: 123, rows: 45))
        var request = ChildRequest([
            "python3", "-c",
            "import os\ndata = bytes(i * i % 251 for i in range(1 << 20))\nwhile data: data = data[os.write(1, data):]",
        ])
        request.standardOutput = .descriptor(pair.terminal.rawValue)
        var child = try ChildProcess.start(request)
        let controller = pair.takeController()
        var bytes: [UInt8] = []
        do {
            while true { bytes += try controller.read(upTo: 1 << 16) }
        } catch {
            // No process has the other end open any more.
        }
        #expect(try child.wait(timeout: .seconds(20))?.status == .code(0))
        let expected: [UInt8] = (0..<(1 << 20)).map { (index: Int) -> UInt8 in UInt8(index * index % 251) }
        #expect(bytes == expected)
    }
}
