import LinuxProcess
import LinuxSystem
import LiveMonitor
import TestSupport
import Testing

/// The panel in a real terminal: tmux is the terminal and tells what is on its screen.
@Suite("The panel in a terminal", .serialized)
final class TerminalTests {
    private let directory: TemporaryDirectory
    private let socket: String

    init() throws {
        directory = try TemporaryDirectory()
        socket = directory.path + "/tmux"
    }

    deinit {
        _ = try? runCommand(["tmux", "-S", socket, "kill-server"])
    }

    private func tmux(_ arguments: [String]) throws -> String {
        let result = try runCommand(
            ["tmux", "-S", socket, "-f", "/dev/null"] + arguments, timeout: .seconds(20))
        return result.standardOutput
    }

    /// Starts a shell command in a terminal of a size, where a shell waits after it.
    private func start(_ command: String, columns: Int, rows: Int) throws {
        _ = try tmux([
            "-u", "new-session", "-d", "-x", "\(columns)", "-y", "\(rows)",
            // A build server sets CI, which turns the panel off; this terminal has somebody in front of it.
            "env LC_ALL=C.UTF-8 CI= sh -c '\(command); echo finished; sleep 60'",
        ])
    }

    /// The screen, as soon as it holds a text, or after ten seconds.
    private func screen(with text: String) throws -> String {
        var screen = ""
        for _ in 0..<100 {
            screen = try tmux(["capture-pane", "-p"])
            if screen.contains(text) { break }
            SystemClock.sleep(for: .milliseconds(100))
        }
        return screen
    }

    private var probe: String { BuiltProduct.path("monitor-probe") }
    private var status: String { directory.path + "/.pipeline_status.json" }

    @Test(
        "The panel shows stage, memory and history, and leaves a summary and a visible cursor",
        arguments: [(80, 24), (200, 50)])
    func panel(columns: Int, rows: Int) throws {
        let plan = "first_stage:sleep=700 second_stage:sleep=2500"
        try start(
            "\(probe) run --name=demo \(status) -- \(probe) pipeline \(status) \(plan) > /dev/null",
            columns: columns, rows: rows)
        let during = try screen(with: "Avg CPU")
        #expect(during.contains("demo · pid "))
        #expect(during.contains("second_stage"))
        #expect(during.contains("episode 2/2"))
        #expect(during.contains("RSS ") && during.contains("CPU "))
        #expect(during.contains("first_stage"))
        #expect(try tmux(["display-message", "-p", "#{cursor_flag}"]).hasPrefix("0"))
        let after = try screen(with: "finished")
        #expect(after.contains("demo: summary"))
        #expect(after.contains("total"))
        // The panel itself is gone.
        #expect(!after.contains("demo · pid "))
        #expect(try tmux(["display-message", "-p", "#{cursor_flag}"]).hasPrefix("1"))
        // Neither a terminal nor a variable asked for a log.
        #expect(!Files.exists(directory.path + "/.monitor.log"))
    }

    @Test("A small terminal gets one line")
    func small() throws {
        try start(
            "\(probe) run \(status) -- \(probe) pipeline \(status) tiny:sleep=2500 > /dev/null", columns: 40,
            rows: 10)
        let during = try screen(with: "tiny")
        #expect(during.split(separator: "\n").count == 1, "\(during)")
        #expect(try screen(with: "finished").contains("probe: summary"))
    }

    @Test("The cursor comes back when the monitor is asked to end, and when the terminal changes its size")
    func restored() throws {
        try start(
            "\(probe) run \(status) -- sh -c \"sleep 2; kill \\$MONITOR_PID; sleep 0.5\" > /dev/null",
            columns: 100, rows: 30)
        #expect(try screen(with: "RSS").contains("waiting for a stage"))
        _ = try tmux(["resize-window", "-x", "70", "-y", "20"])
        SystemClock.sleep(for: .milliseconds(700))
        let resized = try tmux(["capture-pane", "-p"])
        #expect(resized.split(separator: "\n").filter { $0.contains("RSS") }.count == 1, "\(resized)")
        _ = try screen(with: "finished")
        #expect(try tmux(["display-message", "-p", "#{cursor_flag}"]).hasPrefix("1"))
    }

    @Test("The cursor comes back when the monitor is killed: its parent sees to it")
    func killed() throws {
        try start(
            "\(probe) run \(status) -- sh -c \"sleep 1; kill -9 \\$MONITOR_PID; sleep 0.2\" > /dev/null",
            columns: 100, rows: 30)
        _ = try screen(with: "RSS")
        #expect(try tmux(["display-message", "-p", "#{cursor_flag}"]).hasPrefix("0"))
        _ = try screen(with: "finished")
        #expect(try tmux(["display-message", "-p", "#{cursor_flag}"]).hasPrefix("1"))
    }

    @Test("A dumb terminal gets plain lines without any code")
    func dumb() throws {
        try start(
            "TERM=dumb \(probe) run \(status) -- \(probe) pipeline \(status) slow:sleep=600 > /dev/null",
            columns: 120, rows: 24)
        let after = try screen(with: "finished")
        #expect(after.contains("freeze-profile t=0.0s stage=slow"))
    }
}
