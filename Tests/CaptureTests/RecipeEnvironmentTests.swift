import FrozenProfile
import LinuxProcess
import LinuxSystem
import Measurement
import TestSupport
import Testing

@testable import Capture

@Suite("Variables of a recipe")
struct RecipeEnvironmentTests {
    private func variables(
        _ named: [String], _ own: [String], login: Reading<[String: String]>
    ) -> [String: String] {
        let all = RecipeEnvironment.variables(named: named, own: own, login: login)
        return Dictionary(all.map { ($0.name, $0.value) }) { first, _ in first }
    }

    @Test("What differs from the login is in it, and what says where the user works is not")
    func differing() {
        let found = variables(
            [],
            [
                "SLOW=1.2", "HOME=/root", "PWD=/x", "LANG=C", "PATH=/bin", "LD_BIND_NOW=1", "CI_JOB=7",
                "broken",
            ],
            login: .value(["HOME": "/root", "LANG": "C", "PATH": "/usr/bin"]))
        // printf 1.2 | sha256sum; printf 1 | sha256sum
        #expect(
            found == [
                "SLOW": "sha256:77ac319bfe1979e2d799d9e6987e65fe",
                "LD_BIND_NOW": "sha256:6b86b273ff34fce19d6b804eff5a3f57",
            ])
        #expect(variables([], ["SLOW=1.2"], login: .unavailable(reason: "none")).isEmpty)
    }

    @Test("What a session of its own brings along is none of the recipe, and its locale is")
    func personal() {
        let session = [
            "TERM=xterm-256color", "SSH_CLIENT=10.0.0.1 5 22", "SSH_CONNECTION=a", "SSH_TTY=/dev/pts/3",
            "SSH_AUTH_SOCK=/tmp/a", "DISPLAY=:1", "TMUX=/tmp/tmux-0/default,1,0", "TMUX_PANE=%3", "STY=1.x",
            "PWD=/x", "OLDPWD=/y", "SHLVL=3", "_=/usr/bin/env", "XDG_RUNTIME_DIR=/run/user/0",
            "XDG_SESSION_ID=c9", "LS_COLORS=di=34", "COLORTERM=truecolor", "TERM_PROGRAM=tmux",
            "WINDOWID=77", "XAUTHORITY=/root/.Xauthority", "DBUS_SESSION_BUS_ADDRESS=unix:path=/x",
            "HISTFILE=/root/.h", "LESSOPEN=|x", "PROMPT_COMMAND=x", "COLUMNS=80", "LINES=24",
            "GNOME_TERMINAL_SCREEN=/x", "KITTY_WINDOW_ID=1", "SESSION_MANAGER=x", "LC_TERMINAL=iTerm2",
            "DESKTOP_SESSION=x", "KRB5CCNAME=FILE:/tmp/x", "INSIDE_EMACS=1", "VTE_VERSION=1", "WSLENV=",
        ]
        #expect(variables([], session, login: .value([:])).isEmpty)
        #expect(RecipeEnvironment.ofLogin(own: session, login: .unavailable(reason: "none")).isEmpty)
        let kept = variables([], ["LANG=C", "LC_ALL=C", "TZ=UTC", "OMP_NUM_THREADS=1"], login: .value([:]))
        #expect(kept.keys.sorted() == ["LANG", "LC_ALL", "OMP_NUM_THREADS", "TZ"])
    }

    @Test("What a session began with is known beside it, and all where that cannot be distinguished")
    func ofLogin() {
        let own = ["LANG=C", "JAVA_HOME=/j", "SLOW=1.2", "HOME=/root"]
        func names(_ login: Reading<[String: String]>) -> [String] {
            RecipeEnvironment.ofLogin(own: own, login: login).map(\.name)
        }
        #expect(names(.value(["LANG": "C", "JAVA_HOME": "/other", "GONE": "1"])) == ["LANG"])
        #expect(names(.unavailable(reason: "none")) == ["JAVA_HOME", "LANG", "SLOW"])
    }

    /// A shell that leads a session of its own, begun with some variables, in which others are set later.
    private func capture(
        _ options: [String], login: [String: String], later: String, in directory: TemporaryDirectory
    ) throws -> CommandResult {
        try runCommand(
            [
                "env", "-u", "JAVA_HOME", "-u", "SLOW", "setsid", "--wait", "env",
            ] + login.map { "\($0.key)=\($0.value)" } + [
                "sh", "-c", "\(later) \"$@\"; exit $?", "sh", BuiltProduct.path("freeze-profile"), "capture",
                "--version", "v1", "--output", "\(directory.path)/v1.yaml", "--records",
                "\(directory.path)/records", "--skip-warmup", "--canaries", "0", "--stack-runs", "0",
                "--runs",
                "1",
            ] + options + ["--", "true"], in: directory.path)
    }

    @Test("A session is added from another terminal, where the same variables come from elsewhere")
    func anotherTerminal() throws {
        let directory = try TemporaryDirectory()
        // A file that the shell reads sets JAVA_HOME after the login; a terminal begun from there inherits it.
        let first = try capture(
            [], login: ["TERM": "xterm", "SSH_TTY": "/dev/pts/1", "LANG": "C"], later: "JAVA_HOME=/java",
            in: directory)
        try #require(first.status == .code(0), "\(first.standardError)")
        let second = try capture(
            ["--append"],
            login: [
                "TERM": "screen", "TMUX": "/tmp/t,1,0", "JAVA_HOME": "/java", "LANG": "C", "SHLVL": "4",
                "XDG_SESSION_ID": "7",
            ], later: "DISPLAY=:7 COLORTERM=truecolor WINDOWID=5 LS_COLORS=x OLDPWD=/", in: directory)
        #expect(second.status == .code(0), "\(second.standardError)")
        // And the other way round.
        let third = try capture(
            ["--append"], login: ["TERM": "vt100"], later: "JAVA_HOME=/java", in: directory)
        #expect(third.status == .code(0), "\(third.standardError)")
        // Another value is another recipe, and so is a variable that was not there; a build server's own are none.
        let other = try capture(["--append"], login: [:], later: "JAVA_HOME=/other", in: directory)
        #expect(other.status == .code(73), "\(other.standardError)")
        #expect(other.standardError.contains("the variable JAVA_HOME of run s1/1 is sha256:"), "\(other)")
        let slow = try capture(
            ["--append"], login: ["JAVA_HOME": "/java"], later: "SLOW=1.2", in: directory)
        #expect(slow.status == .code(73), "\(slow.standardError)")
        #expect(
            slow.standardError.contains("the variable SLOW of run s1/1 is not set, that of s4/1 is sha256:"),
            "\(slow.standardError)")
        #expect(slow.standardError.contains("leave it out with env -u NAME"))
        let server = try capture(
            ["--append"], login: ["JAVA_HOME": "/java", "RELEASE_URL": "x://8"], later: "", in: directory)
        #expect(server.status == .code(0), "\(server.standardError)")
    }

    @Test("What is named is in it, set or not; a secret only by name")
    func named() {
        let found = variables(
            ["SLOW", "MISSING"], ["SLOW=1.2", "API_TOKEN=abcdefgh"], login: .value(["SLOW": "1.2"]))
        #expect(found["SLOW"]?.hasPrefix("sha256:") == true)
        #expect(found["MISSING"] == "not set")
        #expect(found["API_TOKEN"] == "[redacted]")
    }

    @Test("SLOW=1.2 capture is not the same recipe as capture, and does not continue its runs")
    func continuing() throws {
        let directory = try TemporaryDirectory()
        func capture(_ value: String?, _ options: [String] = [], command: [String] = ["true"]) throws
            -> CommandResult
        {
            try runCommand(
                [
                    BuiltProduct.path("freeze-profile"), "capture", "--version", "v1", "--output",
                    "\(directory.path)/v1.yaml", "--records", "\(directory.path)/records", "--skip-warmup",
                    "--canaries", "0", "--stack-runs", "0", "--env", "SLOW_FACTOR",
                ] + options + ["--"] + command, environment: value.map { ["SLOW_FACTOR": $0] } ?? [:])
        }
        // The second run fails, so the first one waits to be continued.
        let command = [
            "sh", "-c", "echo >> '\(directory.path)/runs'; test $(wc -l < '\(directory.path)/runs') != 2",
        ]
        let broken = try capture("1.2", ["--runs", "2"], command: command)
        #expect(broken.status == .code(4), "\(broken.standardError)")
        let other = try capture(nil, ["--runs", "2"], command: command)
        #expect(other.status == .code(73), "\(other.standardError)")
        #expect(
            other.standardError.contains("the variable SLOW_FACTOR of run s1/1 is sha256:"),
            "\(other.standardError)")
        #expect(other.standardError.contains("is not set"))
        let same = try capture("1.2", ["--runs", "2"], command: command)
        #expect(same.status == .code(0), "\(same.standardError)")
        let text = String(
            decoding: try Files.read("\(directory.path)/v1.yaml", limit: 1 << 20), as: UTF8.self)
        #expect(text.contains("SLOW_FACTOR: sha256:"))
        #expect(!text.contains("1.2\n"))
    }

    @Test("A variable of the login is none of the recipe, even if its value is no UTF-8")
    func otherEncodings() throws {
        let directory = try TemporaryDirectory()
        // The shell leads a session, so its environment is the login's; the tool gets one variable more.
        let result = try runCommand(
            [
                "setsid", "--wait", "sh", "-c", "LATER=1 \"$@\"; exit $?", "sh",
                BuiltProduct.path("freeze-profile"), "capture", "--version", "v1", "--output",
                "\(directory.path)/v1.yaml", "--records", "\(directory.path)/records", "--skip-warmup",
                "--canaries", "0", "--stack-runs", "0", "--runs", "1", "--", "true",
            ], environment: ["LATIN": NativeText.text([0x63, 0x61, 0x66, 0xE9])])
        #expect(result.status == .code(0), "\(result.standardError)")
        let text = String(
            decoding: try Files.read("\(directory.path)/v1.yaml", limit: 1 << 20), as: UTF8.self)
        #expect(text.contains("LATER: sha256:"), "\(text)")
        #expect(!text.contains("LATIN"))
    }

    @Test("An assignment in front of a command is refused with the form that works")
    func assignment() throws {
        let result = try runCommand([
            BuiltProduct.path("freeze-profile"), "capture", "--version", "v1", "--", "SLOW=1.2", "true",
        ])
        #expect(result.status == .code(64))
        #expect(result.standardError.contains("Write -- env SLOW=1.2 true"), "\(result.standardError)")
    }
}
