import LinuxProcess
import LinuxSystem
import LiveMonitor
import TestSupport
import Testing

/// The panel in a real terminal.
@Suite("The panel in a terminal", .serialized)
struct TerminalTests {
    private let directory: TemporaryDirectory
    private var probe: String { BuiltProduct.path("monitor-probe") }
    private var status: String { directory.path + "/.pipeline_status.json" }

    init() throws {
        directory = try TemporaryDirectory()
    }

    /// Starts a command in a terminal of a size.
    private func start(_ command: String, columns: Int, rows: Int) throws -> TestTerminal {
        let terminal = try TestTerminal(in: directory.path, columns: columns, rows: rows)
        try terminal.run("clear; \(command) > /dev/null; echo finished=$?")
        return terminal
    }

    @Test(
        "The panel shows stage, memory and history, and leaves a summary and a visible cursor",
        arguments: [(80, 24), (200, 50)])
    func panel(columns: Int, rows: Int) throws {
        let plan = "first_stage:sleep=700 second_stage:sleep=2500"
        let terminal = try start(
            "\(probe) run --name=demo \(status) -- \(probe) pipeline \(status) \(plan)", columns: columns,
            rows: rows)
        let during = try terminal.wait { $0.contains("Avg CPU") }
        #expect(during.contains("demo · pid "))
        #expect(during.contains("second_stage"))
        #expect(during.contains("episode 2/2"))
        #expect(during.contains("RSS ") && during.contains("CPU "))
        #expect(during.contains("first_stage"))
        #expect(try !terminal.isCursorVisible())
        let after = try terminal.wait { $0.contains("finished=0") }
        #expect(after.contains("demo: summary"))
        #expect(after.contains("total"))
        // The panel itself is gone.
        #expect(!after.contains("demo · pid "))
        #expect(try terminal.isCursorVisible())
        // Neither a terminal nor a variable asked for a log.
        #expect(!Files.exists(directory.path + "/.monitor.log"))
    }

    @Test("A small terminal gets one line")
    func small() throws {
        let terminal = try start(
            "\(probe) run \(status) -- \(probe) pipeline \(status) tiny:sleep=2500", columns: 40, rows: 10)
        _ = try terminal.wait { $0.contains("\ntiny") || $0.hasPrefix("tiny") }
        let during = try terminal.screen()
        #expect(during.split(separator: "\n").count == 1 && during.hasPrefix("tiny "), "\(during)")
        #expect(try terminal.wait { $0.contains("finished=0") }.contains("probe: summary"))
    }

    @Test("The cursor comes back when the monitor is asked to end, and when the terminal changes its size")
    func restored() throws {
        let terminal = try start(
            "\(probe) run \(status) -- sh -c 'sleep 2; kill $MONITOR_PID; sleep 0.5'", columns: 100, rows: 30)
        #expect(try terminal.wait { $0.contains("RSS") }.contains("waiting for a stage"))
        try terminal.resize(columns: 70, rows: 20)
        SystemClock.sleep(for: .milliseconds(700))
        let resized = try terminal.screen()
        #expect(resized.split(separator: "\n").filter { $0.hasPrefix(" RSS") }.count == 1, "\(resized)")
        _ = try terminal.wait { $0.contains("finished=0") }
        #expect(try terminal.isCursorVisible())
    }

    @Test("The cursor comes back when the monitor is killed: its parent sees to it")
    func killed() throws {
        let terminal = try start(
            "\(probe) run \(status) -- sh -c 'sleep 1; kill -9 $MONITOR_PID; sleep 0.2'", columns: 100,
            rows: 30)
        _ = try terminal.wait { $0.contains("RSS") }
        #expect(try !terminal.isCursorVisible())
        _ = try terminal.wait { $0.contains("finished=0") }
        #expect(try terminal.isCursorVisible())
    }

    @Test("A dumb terminal gets plain lines without any code")
    func dumb() throws {
        let terminal = try start(
            "TERM=dumb \(probe) run \(status) -- \(probe) pipeline \(status) slow:sleep=600", columns: 120,
            rows: 24)
        let after = try terminal.wait { $0.contains("finished=0") }
        #expect(after.contains("\nfreeze-profile t=") && after.contains("s stage=slow "))
    }

    @Test("Without colour the panel is drawn all the same, and no colour is sent")
    func noColor() throws {
        let terminal = try start(
            "NO_COLOR=1 \(probe) run \(status) -- \(probe) pipeline \(status) grey:sleep=2500", columns: 90,
            rows: 24)
        _ = try terminal.wait { $0.contains("grey") && $0.contains("RSS") }
        let codes = try terminal.tmux("capture-pane", "-p", "-e")
        #expect(codes.contains("grey") && codes.contains("\u{1B}[1m"), "\(codes)")
        #expect(!codes.contains("\u{1B}[36m") && !codes.contains("\u{1B}[1;36m"), "\(codes)")
        _ = try terminal.wait { $0.contains("finished=0") }
    }
}
