internal import LinuxSystem
internal import Measurement

/// A terminal of a test's own with a shell in it: tmux is the terminal, and prints what is on its screen. Gone when
/// dropped.
public final class TestTerminal {
    private let socket: String

    /// A terminal of a size in cells.
    ///
    /// - Parameters:
    ///   - directory: Where the shell is.
    ///   - variables: Further ones for the shell, as `NAME=value`. A build server sets CI, which turns the panel off; it is
    ///     cleared, because this terminal stands for a user's.
    public init(
        in directory: String, columns: Int = 110, rows: Int = 30, variables: [String] = []
    ) throws {
        socket = "freeze-\(CurrentProcess.pid)-\(SystemClock.monotonicNanoseconds)"
        let settings = ["PS1='ready> '", "LC_ALL=C.UTF-8", "TERM=screen", "CI="] + variables
        _ = try tmux(
            "-f", "/dev/null", "-u", "new-session", "-d", "-x", "\(columns)", "-y", "\(rows)", "-c",
            directory,
            "env \(settings.joined(separator: " ")) bash --norc --noprofile")
        _ = try wait { $0.contains("ready>") }
    }

    deinit { _ = try? tmux("kill-server") }

    /// Types text.
    public func type(_ text: String) throws { _ = try tmux("send-keys", "-l", text) }
    /// Presses a key by tmux's name for it, such as `Enter` or `C-c`.
    public func press(_ key: String) throws { _ = try tmux("send-keys", key) }
    /// Types a line.
    public func run(_ line: String) throws {
        try type(line)
        try press("Enter")
    }

    /// What is on the screen, without what has scrolled away.
    public func screen() throws -> String { try tmux("capture-pane", "-p") }

    /// The screen and what has scrolled away, once it is as wanted, or as it is after a time.
    public func wait(upTo seconds: Int = 10, until isReached: (String) -> Bool) throws -> String {
        var screen = ""
        for _ in 0..<(seconds * 10) {
            screen = try tmux("capture-pane", "-p", "-S", "-200")
            if isReached(screen) { break }
            SystemClock.sleep(for: .milliseconds(100))
        }
        return screen
    }

    /// Changes the size in cells.
    public func resize(columns: Int, rows: Int) throws {
        _ = try tmux("resize-window", "-x", "\(columns)", "-y", "\(rows)")
    }

    /// Whether the cursor can be seen.
    public func isCursorVisible() throws -> Bool {
        try tmux("display-message", "-p", "#{cursor_flag}").hasPrefix("1")
    }

    /// What tmux answers to a command.
    @discardableResult
    public func tmux(_ arguments: String...) throws -> String {
        // Panes that the pipeline opens have the server's environment, not the shell's.
        try runCommand(
            ["tmux", "-L", socket] + arguments, environment: ["CI": ""], timeout: .seconds(20)
        ).standardOutput
    }
}
